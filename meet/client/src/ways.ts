/* Tries each way of sound and pictures apart: a connection of its own that may take only this way
   exchanges pictures with the one that the room itself uses. A way works when pictures that were
   sent on it are received, in both directions; how good it is the same pictures show. */

import { Room, RoomEvent, RemoteVideoTrack, VideoPreset } from "livekit-client";
import type {
  LocalTrackPublication,
  RemoteParticipant,
  RemoteTrack,
  RemoteTrackPublication,
} from "livekit-client";
import { entries, line, pairInUse } from "./line";
import type { Line } from "./line";

export type Way = "direct" | "relay";
export type Result = "works" | "fails";

export interface Tried {
  result: Result;
  /** Of a way that works; null where the browser measures too little. */
  line: Line | null;
}

/* The name of tracks that only ways are tried with; nobody is shown them. */
export const PROBE = "ratssaal-probe";

const FRAMES = 5;
const CONNECT_MS = 10_000;
const FRAMES_MS = 12_000;
const LOOK_MS = 200;
/* One packet a picture: in this time as many as tell one lost in a hundred. */
const RATE = 30;
const MEASURED_MS = 3_000;

/* A small moving picture: neither camera nor permission is needed for it. */
function picture(): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = 160;
  canvas.height = 90;
  const context = canvas.getContext("2d");
  let count = 0;
  const drawing = setInterval(() => {
    count += 1;
    if (!context) return;
    context.fillStyle = `hsl(${String((count * 7) % 360)} 60% 50%)`;
    context.fillRect(0, 0, 160, 90);
  }, 1000 / RATE);
  const [track] = canvas.captureStream(RATE).getVideoTracks();
  if (!track) throw new Error("no picture");
  track.addEventListener("ended", () => {
    clearInterval(drawing);
  });
  return track;
}

export async function publishProbe(room: Room): Promise<LocalTrackPublication> {
  return room.localParticipant.publishTrack(picture(), {
    name: PROBE,
    simulcast: false,
    videoCodec: "vp8",
    videoEncoding: new VideoPreset(160, 90, 60_000, RATE).encoding,
  });
}

function soon(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/* Whether enough frames of `track` are decoded in time. */
async function received(track: RemoteTrack): Promise<boolean> {
  if (!(track instanceof RemoteVideoTrack)) return false;
  // Without an element nothing is decoded; it is never part of the page.
  const element = track.attach();
  element.muted = true;
  const until = Date.now() + FRAMES_MS;
  try {
    while (Date.now() < until) {
      const stats = await track.getReceiverStats();
      if ((stats?.framesDecoded ?? 0) >= FRAMES) return true;
      await soon(LOOK_MS);
    }
    return false;
  } finally {
    track.detach(element);
  }
}

/* The probe that `room` gets from `identity`; null where none comes in time. */
function probeOf(room: Room, identity: string): Promise<RemoteTrack | null> {
  return new Promise((found) => {
    const known = (publication: RemoteTrackPublication): void => {
      if (publication.trackName !== PROBE) return;
      if (publication.track) found(publication.track);
      else publication.setSubscribed(true);
    };
    room.on(
      RoomEvent.TrackSubscribed,
      (track: RemoteTrack, publication: RemoteTrackPublication, from: RemoteParticipant) => {
        if (from.identity === identity && publication.trackName === PROBE) found(track);
      },
    );
    room.on(RoomEvent.TrackPublished, (publication, from) => {
      if (from.identity === identity) known(publication);
    });
    for (const one of room.remoteParticipants.get(identity)?.trackPublications.values() ?? [])
      known(one);
    setTimeout(() => {
      found(null);
    }, FRAMES_MS);
  });
}

/* What `sent` and `received` show of their way, once some seconds of pictures have gone. */
async function measured(sent: LocalTrackPublication, received: RemoteTrack): Promise<Line | null> {
  await soon(MEASURED_MS);
  const [going, coming] = await Promise.all([
    sent.track?.getRTCStatsReport(),
    received.getRTCStatsReport(),
  ]);
  return going && coming ? line(going, coming) : null;
}

/* Whether `way` carries pictures between this browser and the box, both there and back, and how
   well. `hub` has published its probe; `token` is that of a place of its own. */
export async function tryWay(way: Way, hub: Room, url: string, token: string): Promise<Tried> {
  const room = new Room();
  // Without servers there is no relay; with the policy there is nothing else.
  const rtcConfig: RTCConfiguration =
    way === "relay" ? { iceTransportPolicy: "relay" } : { iceServers: [] };
  try {
    await room.connect(url, token, {
      autoSubscribe: false,
      maxRetries: 0,
      peerConnectionTimeout: CONNECT_MS,
      rtcConfig,
    });
    const there = probeOf(hub, room.localParticipant.identity);
    const back = probeOf(room, hub.localParticipant.identity);
    const sent = await publishProbe(room);
    const results = await Promise.all(
      [there, back].map(async (probe) => {
        const track = await probe;
        return track !== null && (await received(track));
      }),
    );
    const coming = await back;
    if (!results.every(Boolean) || !coming) return { result: "fails", line: null };
    return { result: "works", line: await measured(sent, coming) };
  } catch {
    return { result: "fails", line: null };
  } finally {
    await room.disconnect();
  }
}

/* The way that the room itself has found, from its probe's statistics. */
export async function wayNow(probe: LocalTrackPublication): Promise<Way | "none"> {
  const all = entries(await probe.track?.getRTCStatsReport());
  const pair = pairInUse(all);
  const local = all.find((one) => one.id === pair?.localCandidateId) as
    { candidateType?: string } | undefined;
  if (!local) return "none";
  return local.candidateType === "relay" ? "relay" : "direct";
}
