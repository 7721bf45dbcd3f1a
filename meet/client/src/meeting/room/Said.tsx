/* What just happened, for eyes and for screen readers alike. */

import { useCallback, useEffect, useReducer } from "react";

const SHOWN_MS = 6000;
const MOST = 4;

export interface Sentence {
  id: number;
  text: string;
}

type Change = { said: string } | { gone: number };

let last = 0;

function reduce(said: Sentence[], change: Change): Sentence[] {
  if ("gone" in change) return said.filter((one) => one.id !== change.gone);
  return [...said, { id: ++last, text: change.said }].slice(-MOST);
}

/** The sentences of the last seconds, and how to add one. */
export function useSaid(): [Sentence[], (text: string) => void] {
  const [said, change] = useReducer(reduce, []);
  const say = useCallback((text: string) => {
    change({ said: text });
  }, []);
  const oldest = said[0]?.id;
  useEffect(() => {
    if (oldest === undefined) return;
    const timer = setTimeout(() => {
      change({ gone: oldest });
    }, SHOWN_MS);
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
        <p key={one.id} className="said__one">
          {one.text}
        </p>
      ))}
    </div>
  );
}
