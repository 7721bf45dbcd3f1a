/* The wizard's progress page: follows the box's events, and draws itself anew when all is done.
   Without JavaScript the page reloads by itself instead. */

interface Progress {
  stages: [string, string][];
  finished: boolean;
}

const script = document.currentScript ?? document.querySelector("script[data-events]");
const address = script instanceof HTMLElement ? script.dataset["events"] : undefined;

if (address) {
  const events = new EventSource(address);
  let shown = document.querySelectorAll("#stages li").length;
  events.addEventListener("state", (event: MessageEvent<string>) => {
    const state = JSON.parse(event.data) as Progress | null;
    if (!state) return;
    for (const [stage, how] of state.stages) {
      const line = document.querySelector(`[data-stage="${stage}"]`);
      if (line) line.className = `kern-body stage stage--${how}`;
    }
    if (state.finished || shown !== state.stages.length) {
      shown = state.stages.length;
      events.close();
      location.reload();
    }
  });
  // The web server itself may restart meanwhile, or the box may get another address. The page stays
  // as it is, with the new address on it, until the box answers here again.
  const again = async () => {
    try {
      await fetch(location.href, { signal: AbortSignal.timeout(3000), cache: "no-store" });
      location.reload();
    } catch {
      setTimeout(() => void again(), 1500);
    }
  };
  events.addEventListener("error", () => {
    events.close();
    setTimeout(() => void again(), 1500);
  });
}
