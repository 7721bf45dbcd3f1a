/* How long each person has spoken while this list was watched: a help for who leads. */

import { useRoomContext } from "@livekit/components-react";
import { useEffect, useState } from "react";

const EVERY_MS = 500;
const spoken = new WeakMap<object, Map<string, number>>();

/** Seconds for each identity, counted from the first look at the list. */
export function useSpeakingTimes(): ReadonlyMap<string, number> {
  const room = useRoomContext();
  const [times, setTimes] = useState<ReadonlyMap<string, number>>(
    () => new Map(spoken.get(room) ?? []),
  );
  useEffect(() => {
    const all = spoken.get(room) ?? new Map<string, number>();
    spoken.set(room, all);
    const timer = setInterval(() => {
      for (const one of room.activeSpeakers) {
        all.set(one.identity, (all.get(one.identity) ?? 0) + EVERY_MS / 1000);
      }
      if (room.activeSpeakers.length > 0) setTimes(new Map(all));
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [room]);
  return times;
}
