/* A refusal in the person's language: what happened, and what to do next. */

import type { TFunction } from "i18next";
import { Refused } from "../api/calls";
import de from "../texts/de.json";

type Key = keyof typeof de.problem;

const known = (key: string): key is Key => Object.hasOwn(de.problem, key);

/** The sentence for whatever went wrong. */
export function sentence(t: TFunction, problem: unknown): string {
  const key = problem instanceof Refused ? problem.key : "unknown";
  return t(`problem.${known(key) ? key : "unknown"}`);
}
