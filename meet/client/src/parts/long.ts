/* What is too long for the service: said to people before it is sent, and never cut off. */

/** Of a person's name or a room's title, as the service has it (NAME_MOST of meet/names.py). */
export const LONGEST_NAME = 80;

/** Whether the service would call `typed` too long. It counts characters of what others will see. */
export function tooLong(typed: string): boolean {
  const shown = typed.normalize("NFC").trim().replace(/\s+/g, " ");
  return Array.from(shown).length > LONGEST_NAME;
}
