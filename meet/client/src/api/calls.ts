/* Calls of the rooms service: JSON over the page's own origin, each bounded in time. */

import type {
  Booking, Entered, House, Look, Place, Policy, Role, Source, Staff, Topic, Written,
} from "./types";

const PATIENCE_MS = 10_000;

/** The service said no: `key` is one of its words, or one of ours where it could not answer. */
export class Refused extends Error {
  constructor(
    readonly key: string,
    readonly status: number,
    readonly values: Record<string, unknown> = {},
  ) {
    super(key);
  }

  /** Whether asking again leads to the same: not where the box was away or too busy. */
  get final(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

interface How {
  method?: "GET" | "POST" | "DELETE";
  bearer?: string;
  body?: unknown;
  within?: number;
}

/** One call. Raises Refused, also where the box does not answer (`unreachable`). */
export async function call<T>(path: string, how: How = {}): Promise<T> {
  const headers: Record<string, string> = { "X-Ratssaal": "1" };
  if (how.bearer !== undefined) headers["Authorization"] = `Bearer ${how.bearer}`;
  if (how.body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: how.method ?? (how.body === undefined ? "GET" : "POST"),
      headers,
      body: how.body === undefined ? null : JSON.stringify(how.body),
      signal: AbortSignal.timeout(how.within ?? PATIENCE_MS),
    });
  } catch {
    throw new Refused("unreachable", 0);
  }
  if (!answer.ok) throw await refusal(answer);
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/** The word of an answer that is not a success. */
export async function refusal(answer: Response): Promise<Refused> {
  try {
    const { error, ...values } = (await answer.json()) as { error?: unknown };
    if (typeof error === "string") return new Refused(error, answer.status, values);
  } catch {
    // The web server's own page: its number says enough.
  }
  const key = answer.status === 429 ? "slow" : answer.status >= 500 ? "unreachable" : "unknown";
  return new Refused(key, answer.status);
}

export const house = () => call<House>("/api/house");
export const redeem = (code: string) =>
  call<{ invitation: string }>("/api/code", { body: { code } });
export const look = (invitation: string) => call<Look>("/api/look", { body: { invitation } });
export const enter = (invitation: string, name: string, notice_seen: boolean) =>
  call<Entered>("/api/enter", { body: { invitation, name, notice_seen } });

/** What somebody with a seat may ask for. */
export class Seat {
  constructor(readonly token: string) {}

  private ask<T = void>(path: string, body: unknown = {}): Promise<T> {
    return call<T>(path, { bearer: this.token, body });
  }

  place = (within: number) =>
    call<Place>("/api/place", { bearer: this.token, body: {}, within });
  leave = () => this.ask("/api/leave");
  hand = (raised: boolean) => this.ask("/api/hand", { raised });
  write = (topic: Topic, written: Written) => this.ask("/api/say", { topic, ...written });
  admit = (ids: string[] | "all") => this.ask("/api/lobby/admit", { ids });
  decline = (ids: string[] | "all") => this.ask("/api/lobby/decline", { ids });
  lock = (locked: boolean) => this.ask("/api/meeting", { locked });
  end = () => this.ask("/api/meeting/end");
  mute = (identity: string, source: Source, lasting: boolean) =>
    this.ask("/api/people/mute", { identity, source, lasting });
  allow = (identity: string, source: Source) =>
    this.ask("/api/people/allow", { identity, source });
  remove = (identity: string) => this.ask("/api/people/remove", { identity });
  role = (identity: string, role: Role) => this.ask("/api/people/role", { identity, role });
  lower = (identity: string) => this.ask("/api/people/lower", { identity });
}

export interface NewRoom {
  title: string;
  opens: string | null;
  closes: string | null;
  policy: Partial<Policy>;
}

/** A page of the box that leads to the house's directory, and from there back to this one. */
export const DIRECTORY = "/api/staff/directory";

export const staff = {
  who: () => call<Staff>("/api/staff"),
  signIn: (name: string, password: string, totp: string) =>
    call<Staff>("/api/staff/sign-in", { body: { name, password, totp } }),
  signOut: () => call<unknown>("/api/staff/sign-out", { body: {} }),
  rooms: () => call<{ rooms: Booking[] }>("/api/rooms"),
  book: (room: NewRoom) => call<Booking>("/api/rooms", { body: room }),
  cancel: (id: string) =>
    call<unknown>(`/api/rooms/${encodeURIComponent(id)}`, { method: "DELETE" }),
};
