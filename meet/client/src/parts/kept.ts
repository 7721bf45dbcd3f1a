/* What this browser remembers of a person: language, devices, blur, keys, announcements; never a name or a room. */

const PREFIX = "ratssaal.";

export type Kept = "language" | "camera" | "microphone" | "speaker" | "blur" | "keys" | "speakers";

// Where the browser keeps nothing (private windows) it holds for as long as the page.
const meanwhile = new Map<Kept, string>();

/** What was kept, or null. */
export function kept(name: Kept): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return meanwhile.get(name) ?? null;
  }
}

export function keep(name: Kept, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    meanwhile.set(name, value);
  }
}
