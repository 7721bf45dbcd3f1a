/* Event streams (text/event-stream) by fetch: EventSource cannot send a bearer token. */

import { Refused, refusal } from "./calls";

const AGAIN_MS = 1000;
const PASSING = ["store", "media", "busy", "slow"];

interface Told {
  event: string;
  data: string;
}

/** Follow a stream, and open it anew where it breaks, until `signal` ends it.

    Raises Refused where the service says no (4xx): asking again would not help. */
export async function follow(
  path: string,
  bearer: string,
  signal: AbortSignal,
  tell: (event: string, data: unknown) => void,
): Promise<void> {
  for (;;) {
    try {
      await once(path, bearer, signal, tell);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof Refused && problem.status >= 400 && problem.status < 500) {
        if (problem.status !== 429) throw problem;
      }
    }
    await pause(signal);
    if (signal.aborted) return;
  }
}

async function once(
  path: string,
  bearer: string,
  signal: AbortSignal,
  tell: (event: string, data: unknown) => void,
): Promise<void> {
  const headers = { Authorization: `Bearer ${bearer}`, Accept: "text/event-stream" };
  const answer = await fetch(path, { headers, signal, cache: "no-store" });
  if (!answer.ok) throw await refusal(answer);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest = (rest + value).replaceAll("\r\n", "\n");
    const parts = rest.split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const told = parse(part);
      if (!told.data) continue;
      const data: unknown = JSON.parse(told.data);
      if (told.event === "error") throw broken(data);
      tell(told.event, data);
    }
  }
}

/** The service ends a stream with a word; some of its reasons pass. */
function broken(data: unknown): Refused {
  const key = (data as { error?: string }).error ?? "unknown";
  return new Refused(key, PASSING.includes(key) ? 503 : 403);
}

/** One event's lines; comments, which only keep the line alive, have no data. */
function parse(block: string): Told {
  const told: Told = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    if (line.slice(0, at) === "event") told.event = value;
    if (line.slice(0, at) === "data") told.data += value;
  }
  return told;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, AGAIN_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
