/* What just happened, for eyes and for screen readers alike. */

import { useCallback, useEffect, useReducer } from "react";

const SHOWN_MS = 6000;
const MOST = 4;

export interface Sentence {
  id: number;
  /** When it was said, in ms of the page's own clock. */
  at: number;
  text: string;
  /** For screen readers alone: eyes have it in the open panel. */
  heard: boolean;
}

/** Says a sentence; `heard`: to screen readers alone. */
export type Say = (text: string, heard?: boolean) => void;

type Change = { said: string; heard: boolean; at: number } | { gone: number };

let last = 0;

function reduce(said: Sentence[], change: Change): Sentence[] {
  if ("gone" in change) return said.filter((one) => one.id !== change.gone);
  return [...said, { id: ++last, at: change.at, text: change.said, heard: change.heard }].slice(-MOST);
}

/** The sentences of the last seconds, and how to add one. */
export function useSaid(): [Sentence[], Say] {
  const [said, change] = useReducer(reduce, []);
  const say = useCallback<Say>((text, heard = false) => {
    change({ said: text, heard, at: performance.now() });
  }, []);
  const oldest = said[0];
  useEffect(() => {
    if (oldest === undefined) return;
    const timer = setTimeout(() => {
      change({ gone: oldest.id });
    }, oldest.at + SHOWN_MS - performance.now());
    return () => {
      clearTimeout(timer);
    };
  }, [oldest]);
  return [said, say];
}

export function Said({ said }: { said: Sentence[] }) {
  return (
    <div className="said" role="log" aria-live="polite" aria-relevant="additions">
      {said.map((one) => (
        <p key={one.id} className={one.heard ? "kern-sr-only" : "said__one"}>
          {one.text}
        </p>
      ))}
    </div>
  );
}
