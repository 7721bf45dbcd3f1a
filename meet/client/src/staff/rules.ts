/* What a room may have otherwise than its house: stricter, never laxer. The service decides. */

import type { Policy, Who } from "../api/types";

const LEVELS: readonly Who[] = ["everyone", "asked", "moderators"];

/** The house's own level and those stricter than it. */
export const stricter = (own: Who): Who[] => LEVELS.slice(LEVELS.indexOf(own));

/** Only what the room has otherwise. */
export function overrides(house: Policy, wanted: Policy): Partial<Policy> {
  const entries = Object.entries(wanted).filter(
    ([name, value]) => house[name as keyof Policy] !== value,
  );
  return Object.fromEntries(entries);
}
