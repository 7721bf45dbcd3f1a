/* A visit's states and what leads from one to the next:
   look -> name and check page -> waiting -> in the room -> over. */

import type { Look, Place } from "../api/types";

/** Devices as they are to be at the entry. */
export interface Wish {
  camera: boolean;
  microphone: boolean;
}

export type Why = "left" | "ended" | "removed" | "declined" | "over" | "elsewhere" | "lost";

export type Visit =
  | { at: "look" }
  | { at: "start" }
  | { at: "closed"; look: Look }
  | { at: "wrong"; problem: unknown }
  | { at: "entry"; look: Look; busy: boolean; problem?: unknown }
  | { at: "waiting"; look: Look; wish: Wish; ticket: string }
  | { at: "room"; look: Look; wish: Wish; seat: string; place: Place }
  | { at: "over"; why: Why };

export type Step =
  | { did: "open"; invited: boolean }
  | { did: "look"; look: Look }
  | { did: "look-failed"; problem: unknown }
  | { did: "ask" }
  | { did: "ask-failed"; problem: unknown }
  | { did: "wait"; wish: Wish; ticket: string }
  | { did: "admit"; wish: Wish; seat: string; place: Place }
  | { did: "end"; why: Why };

/** The next state. A step that does not belong to the state (a late answer) changes nothing. */
export function next(visit: Visit, step: Step): Visit {
  switch (step.did) {
    case "open":
      return step.invited ? { at: "look" } : { at: "start" };
    case "look":
      if (visit.at === "room" || visit.at === "waiting") return visit;
      return step.look.state === "open"
        ? { at: "entry", look: step.look, busy: false }
        : { at: "closed", look: step.look };
    case "look-failed":
      return visit.at === "look" ? { at: "wrong", problem: step.problem } : visit;
    case "ask":
      return visit.at === "entry" ? { at: "entry", look: visit.look, busy: true } : visit;
    case "ask-failed":
      if (visit.at !== "entry") return visit;
      return { at: "entry", look: visit.look, busy: false, problem: step.problem };
    case "wait":
      if (visit.at !== "entry") return visit;
      return { at: "waiting", look: visit.look, wish: step.wish, ticket: step.ticket };
    case "admit": {
      if (visit.at !== "entry" && visit.at !== "waiting") return visit;
      const { wish, seat, place } = step;
      return { at: "room", look: visit.look, wish, seat, place };
    }
    case "end":
      return { at: "over", why: step.why };
  }
}
