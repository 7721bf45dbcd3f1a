/* The link: what stands after the # never leaves the browser of its own accord. */

export interface Link {
  invitation: string | null;
  /** The key of end-to-end encryption, which the box never sees. */
  key: string | null;
}

export function readLink(fragment: string): Link {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  return { invitation: values.get("i"), key: values.get("k") };
}
