/* Who speaks, or spoke last: the large picture stays with them until somebody else speaks. */

import { useRoomContext } from "@livekit/components-react";
import { RoomEvent } from "livekit-client";
import type { Participant } from "livekit-client";
import { useEffect, useState } from "react";

/** The identity of the last speaker who is still here; nobody sees themselves large. */
export function useSpeaker(people: readonly Participant[]): string | null {
  const room = useRoomContext();
  const [last, setLast] = useState<string | null>(null);
  useEffect(() => {
    const changed = (speakers: Participant[]) => {
      const loudest = speakers.find((one) => !one.isLocal);
      if (loudest) setLast(loudest.identity);
    };
    room.on(RoomEvent.ActiveSpeakersChanged, changed);
    return () => {
      room.off(RoomEvent.ActiveSpeakersChanged, changed);
    };
  }, [room]);
  return people.some((one) => one.identity === last) ? last : null;
}
