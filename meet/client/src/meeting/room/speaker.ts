/* Who speaks, or spoke last: the large picture stays with them until somebody else speaks. */

import { useRoomContext } from "@livekit/components-react";
import { RoomEvent } from "livekit-client";
import type { Participant } from "livekit-client";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { keep, kept } from "../../parts/kept";

// A cough is no speech.
const SPEAKS_MS = 1500;

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

export interface Announced {
  on: boolean;
  set: (on: boolean) => void;
}

/** Says who has begun to speak, where the person at this browser has switched that on. */
export function useAnnounced(say: (text: string) => void): Announced {
  const room = useRoomContext();
  const { t } = useTranslation();
  const [on, setOn] = useState(() => kept("speakers") === "on");
  useEffect(() => {
    if (!on) return;
    let said = "";
    let next = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = ([first]: Participant[]) => {
      if (!first || first.identity === next) return;
      next = first.identity;
      clearTimeout(timer);
      timer = setTimeout(() => {
        next = "";
        if (room.activeSpeakers[0] !== first || first.identity === said) return;
        said = first.identity;
        if (!first.isLocal) say(t("said.speaks", { name: first.name ?? "" }));
      }, SPEAKS_MS);
    };
    room.on(RoomEvent.ActiveSpeakersChanged, changed);
    return () => {
      clearTimeout(timer);
      room.off(RoomEvent.ActiveSpeakersChanged, changed);
    };
  }, [room, on, say, t]);
  const set = (wanted: boolean) => {
    keep("speakers", wanted ? "on" : "off");
    setOn(wanted);
  };
  return { on, set };
}
