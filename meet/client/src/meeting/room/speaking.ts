/* How long each person has spoken since this person came: a help for who leads. */

import { useRoomContext } from "@livekit/components-react";
import { useEffect, useState } from "react";

const EVERY_MS = 500;
const spoken = new WeakMap<object, Map<string, number>>();

/** Counts for as long as the room is there, whether or not anybody looks at the list. */
export function useCountSpeaking(): void {
  const room = useRoomContext();
  useEffect(() => {
    const all = spoken.get(room) ?? new Map<string, number>();
    spoken.set(room, all);
    const timer = setInterval(() => {
      for (const one of room.activeSpeakers) {
        all.set(one.identity, (all.get(one.identity) ?? 0) + EVERY_MS / 1000);
      }
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [room]);
}

/** Seconds for each identity, as counted. */
export function useSpeakingTimes(): ReadonlyMap<string, number> {
  const room = useRoomContext();
  const [times, setTimes] = useState<ReadonlyMap<string, number>>(
    () => new Map(spoken.get(room) ?? []),
  );
  useEffect(() => {
    const timer = setInterval(() => {
      if (room.activeSpeakers.length > 0) setTimes(new Map(spoken.get(room) ?? []));
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [room]);
  return times;
}
