/* Says who comes, goes, asks to speak or shares, and what the moderators change for this person. */

import { useRoomContext } from "@livekit/components-react";
import { ParticipantEvent, RoomEvent, Track, TrackEvent } from "livekit-client";
import type {
  LocalTrackPublication,
  Participant,
  RoomEventCallbacks,
  TrackPublication,
} from "livekit-client";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { Source } from "../../api/types";
import { maySend } from "./person";

const SOURCES: readonly Source[] = ["microphone", "camera", "screen"];

/** What this person pressed just now: a mute that nobody here asked for is a moderator's. */
export const pressed = new Set<Track.Source>();

export function useEvents(say: (text: string) => void): void {
  const room = useRoomContext();
  const { t } = useTranslation();
  useEffect(() => {
    const me = room.localParticipant;
    const before = new Map(SOURCES.map((one) => [one, maySend(me, one)]));
    const came = (person: Participant) => {
      say(t("said.came", { name: person.name ?? "" }));
    };
    const went = (person: Participant) => {
      say(t("said.went", { name: person.name ?? "" }));
    };
    const changed = (values: Record<string, string>, person: Participant) => {
      if (values["hand"] && person !== me) say(t("said.hand", { name: person.name ?? "" }));
      if (values["hand"] === "" && person === me) say(t("said.handDown"));
      if (person === me && values["role"] === "moderator") say(t("said.moderator"));
    };
    const shared = (publication: TrackPublication, person: Participant) => {
      if (publication.source === Track.Source.ScreenShare) {
        say(t("said.shares", { name: person.name ?? "" }));
      }
    };
    // Devices that were unplugged: LiveKit looks for another one, and mutes where there is none.
    const ended = new Set<Track.Source>();
    const published = ({ source, track }: LocalTrackPublication) => {
      ended.delete(source);
      track?.on(TrackEvent.Ended, () => ended.add(source));
      track?.on(TrackEvent.Restarted, () => ended.delete(source));
    };
    const muted = ({ source }: TrackPublication) => {
      if (pressed.has(source)) return;
      if (source !== Track.Source.Microphone && source !== Track.Source.Camera) return;
      const device = source === Track.Source.Camera ? "camera" : "microphone";
      if (ended.delete(source)) {
        say(`${t(`fault.${device}.none.title`)}. ${t(`fault.${device}.none.text`)}`);
      } else {
        say(t(`said.muted.${device}`));
      }
    };
    const permitted = (known?: unknown) => {
      for (const one of SOURCES) {
        const now = maySend(me, one);
        // Without earlier rights this is the entry, and nobody changed anything.
        if (known && before.get(one) !== now) say(t(`said.${now ? "may" : "mayNot"}.${one}`));
        before.set(one, now);
      }
    };
    let warned = false;
    const unreadable = () => {
      if (!warned) say(t("said.unreadable"));
      warned = true; // once: it comes with each frame
    };
    const joined = () => {
      for (const one of SOURCES) before.set(one, maySend(me, one));
    };
    const stops: (() => void)[] = [];
    const on = <E extends keyof RoomEventCallbacks>(event: E, call: RoomEventCallbacks[E]) => {
      room.on(event, call);
      stops.push(() => room.off(event, call));
    };
    on(RoomEvent.ParticipantConnected, came);
    on(RoomEvent.ParticipantDisconnected, went);
    on(RoomEvent.ParticipantAttributesChanged, changed);
    on(RoomEvent.TrackPublished, shared);
    on(RoomEvent.LocalTrackPublished, published);
    on(RoomEvent.Connected, joined);
    on(RoomEvent.EncryptionError, unreadable);
    me.on(ParticipantEvent.TrackMuted, muted);
    me.on(ParticipantEvent.ParticipantPermissionsChanged, permitted);
    return () => {
      for (const stop of stops) stop();
      me.off(ParticipantEvent.TrackMuted, muted);
      me.off(ParticipantEvent.ParticipantPermissionsChanged, permitted);
    };
  }, [room, say, t]);
}
