/* What this browser remembers of a person: language and devices, never a name or a room. */

const PREFIX = "ratssaal.";

export type Kept = "language" | "camera" | "microphone" | "speaker" | "keys";

/** What was kept, or null; also null where the browser keeps nothing (private windows). */
export function kept(name: Kept): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function keep(name: Kept, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Nothing is lost but the convenience.
  }
}
