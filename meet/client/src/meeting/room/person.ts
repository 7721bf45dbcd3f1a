/* What is known of a person in the room: name, role, hand, and what may be sent. */

import { Track } from "livekit-client";
import type { Participant } from "livekit-client";
import type { Policy, Role, Source } from "../../api/types";

// Numbers of livekit.TrackSource in LiveKit's protocol.
const NUMBERS: Record<Source, number> = { camera: 1, microphone: 2, screen: 3 };

export const SOURCES: Record<Source, Track.Source> = {
  camera: Track.Source.Camera,
  microphone: Track.Source.Microphone,
  screen: Track.Source.ScreenShare,
};

export function roleOf(person: Participant): Role {
  const { role } = person.attributes;
  return role === "moderator" || role === "viewer" ? role : "participant";
}

/** When the hand went up, in ms; null where it is down. */
export function handOf(person: Participant): number | null {
  const raised = Number(person.attributes["hand"] ?? "");
  return raised > 0 ? raised : null;
}

export function maySend(person: Participant, source: Source): boolean {
  const granted = person.permissions;
  if (!granted?.canPublish) return false;
  // LiveKit takes an empty list for all.
  const sources = granted.canPublishSources.map(Number);
  return sources.length === 0 || sources.includes(NUMBERS[source]);
}

/** Which way texts of a person go. Where only one of chat and live text is on, LiveKit takes none and
    the box passes them on; not in an encrypted room, where it must not read them. */
export function textsGo(person: Participant, encrypted: boolean): "directly" | "by the box" | "nowhere" {
  if (person.permissions?.canPublishData !== false) return "directly";
  return encrypted || roleOf(person) === "viewer" ? "nowhere" : "by the box";
}

/** Whether the policy lets moderators give others this source. */
export function mayAllow(policy: Policy, source: Source): boolean {
  const levels = { microphone: policy.speak, camera: policy.camera, screen: policy.share };
  return levels[source] !== "moderators";
}

export function sends(person: Participant, source: Source): boolean {
  const track = person.getTrackPublication(SOURCES[source]);
  return track !== undefined && !track.isMuted;
}

/** Those who ask to speak, first come first. */
export function handsInOrder<P extends Participant>(people: readonly P[]): P[] {
  return people
    .filter((one) => handOf(one) !== null)
    .sort((one, other) => (handOf(one) ?? 0) - (handOf(other) ?? 0));
}
