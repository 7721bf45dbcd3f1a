/* Keys of end-to-end encryption: made here, kept in this browser alone, never sent to the box. */

const PREFIX = "ratssaal.key.";
const BYTES = 32;

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function keyOf(room: string): string | null {
  try {
    return localStorage.getItem(PREFIX + room);
  } catch {
    return null;
  }
}

export function keepKey(room: string, key: string): void {
  try {
    localStorage.setItem(PREFIX + room, key);
  } catch {
    // The links on this page hold it until the page is closed.
  }
}

export function dropKey(room: string): void {
  try {
    localStorage.removeItem(PREFIX + room);
  } catch {
    // Nothing was kept.
  }
}

/** A link that opens the encrypted meeting, by the part that browsers do not send. */
export const withKey = (link: string, key: string | null): string =>
  key ? `${link}&k=${key}` : link;
