/* How this client joins: what it sends, in which layers, and how long it waits for what. */

import "../../media-port";
import { ExternalE2EEKeyProvider, Room, Track, VideoPresets } from "livekit-client";
import type { LocalTrack, RoomConnectOptions, TrackPublishOptions } from "livekit-client";
import E2EEWorker from "livekit-client/e2ee-worker?worker";
import type { Place } from "../../api/types";
import { faultOf, remembered } from "../entry/preview";
import type { Fault } from "../entry/preview";
import type { Wish } from "../visit";
import { maySend } from "./person";

// A place that does not answer within this time is no place; the rooms service names another.
const BOUNDS: RoomConnectOptions = {
  websocketTimeout: 3000,
  peerConnectionTimeout: 3000,
  maxRetries: 0,
};

/** A room that nobody has joined yet; with a key all that is said and shown is encrypted. */
export function makeRoom(key: string | null): Room {
  const { camera, microphone, speaker } = remembered();
  const keyProvider = key ? new ExternalE2EEKeyProvider() : null;
  if (keyProvider && key) void keyProvider.setKey(key);
  return new Room({
    adaptiveStream: true,
    dynacast: true,
    disconnectOnPageLeave: true,
    audioCaptureDefaults: microphone ? { deviceId: microphone } : {},
    videoCaptureDefaults: {
      resolution: VideoPresets.h720.resolution,
      ...(camera ? { deviceId: camera } : {}),
    },
    ...(speaker ? { audioOutput: { deviceId: speaker } } : {}),
    publishDefaults: {
      simulcast: true,
      videoCodec: "vp8",
      videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360],
      // Sound before picture where the line does not carry both.
      audioPreset: { maxBitrate: 32_000, priority: "high" },
      dtx: true,
      red: true,
    },
    ...(keyProvider ? { encryption: { keyProvider, worker: new E2EEWorker() } } : {}),
  });
}

/** Join, within bounds. Raises whatever LiveKit's client raises. */
export async function join(room: Room, place: Place, encrypted: boolean): Promise<void> {
  if (encrypted) await room.setE2EEEnabled(true);
  await room.connect(place.url, place.token, BOUNDS);
}

export interface Failed {
  device: "camera" | "microphone";
  fault: Fault;
}

/** Switch on what the person wanted at the entry and may send, sound first; the devices that
    failed. `here`: whether the person is still in the meeting. */
export async function bring(room: Room, wish: Wish, here: () => boolean): Promise<Failed[]> {
  const failed: Failed[] = [];
  const person = room.localParticipant;
  if (wish.microphone && maySend(person, "microphone") && here()) {
    await person.setMicrophoneEnabled(true).catch((problem: unknown) => {
      failed.push({ device: "microphone", fault: faultOf(problem) });
    });
  }
  if (wish.camera && maySend(person, "camera") && here()) {
    await person.setCameraEnabled(true).catch((problem: unknown) => {
      failed.push({ device: "camera", fault: faultOf(problem) });
    });
  }
  if (!here()) letGo(room); // what was opened meanwhile
  return failed;
}

interface Carried {
  track: LocalTrack;
  options: TrackPublishOptions;
}

/** Join another place with the same tracks: devices and a shared screen stay open meanwhile.
    `here`: whether the person is still in the meeting; who is not is left alone by this. */
export async function move(
  room: Room,
  place: Place,
  encrypted: boolean,
  here: () => boolean,
): Promise<void> {
  const carried: Carried[] = [];
  for (const publication of room.localParticipant.trackPublications.values()) {
    const { track, source } = publication;
    if (!track) continue;
    carried.push({ track, options: { ...publication.options, source } });
  }
  await room.disconnect(false);
  try {
    if (here()) await join(room, place, encrypted);
  } finally {
    // Where it failed they are published once a later place is reached.
    waiting.set(room, [...carried, ...(waiting.get(room) ?? [])]);
  }
  const all = waiting.get(room) ?? [];
  const sound = ({ track }: Carried) => Number(track.kind === Track.Kind.Audio);
  all.sort((one, other) => sound(other) - sound(one));
  for (const { track, options } of all) {
    if (!here()) return;
    try {
      await room.localParticipant.publishTrack(track, options);
    } catch {
      track.stop(); // meanwhile no longer allowed
    }
  }
  waiting.delete(room);
}

/** Leave for good: no camera, microphone or screen stays open, those on their way neither. */
export function letGo(room: Room): void {
  void room.disconnect();
  for (const { track } of waiting.get(room) ?? []) track.stop();
  waiting.delete(room);
  for (const { track } of room.localParticipant.trackPublications.values()) track?.stop();
}

const waiting = new WeakMap<Room, Carried[]>();
