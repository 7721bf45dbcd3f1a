/* A seat lasts as long as its window: a page loaded anew goes on without the lobby. */

const NAME = "ratssaal.seat";

interface Held {
  invitation: string;
  seat: string;
}

export function heldSeat(invitation: string): string | null {
  try {
    const held = JSON.parse(sessionStorage.getItem(NAME) ?? "null") as Held | null;
    return held?.invitation === invitation ? held.seat : null;
  } catch {
    return null;
  }
}

export function holdSeat(invitation: string, seat: string): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ invitation, seat } satisfies Held));
  } catch {
    // A page loaded anew then asks the lobby again.
  }
}

export function giveUpSeat(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing was held.
  }
}
