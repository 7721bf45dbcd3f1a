/* What the parts of the room share: the seat, the panel, the pinned person, what is said aloud. */

import { useParticipants } from "@livekit/components-react";
import { RoomEvent } from "livekit-client";
import type { Participant } from "livekit-client";
import { createContext, useContext } from "react";
import type { Seat } from "../../api/calls";
import type { Policy } from "../../api/types";

export interface Desk {
  seat: Seat;
  policy: Policy;
  moderates: boolean;
  encrypted: boolean;
  pinned: string | null;
  pin: (identity: string | null) => void;
  /** Say it to everybody at this page: shown for a while, and read out by a screen reader. */
  say: (text: string) => void;
  /** Run a call of the service; a refusal is said. */
  ask: (call: Promise<unknown>) => void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("outside of a room");
  return desk;
}

const CHANGES = [
  RoomEvent.Connected,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantPermissionsChanged,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
];

/** Everybody in the room, this person first; drawn anew with each change that a list shows. */
export function usePeople(): Participant[] {
  return useParticipants({ updateOnlyOn: CHANGES });
}
