/* The heart beat: LiveKit's client alone needs 15 to 45 s to notice that a box is gone. This asks
   the rooms service for a place after 2.5 s without media or 1.5 s of reconnecting. */

import { ConnectionState, DisconnectReason, RoomEvent } from "livekit-client";
import type { Room } from "livekit-client";
import { Refused } from "../../api/calls";
import type { Seat } from "../../api/calls";
import type { Why } from "../visit";
import type { Place } from "../../api/types";
import { join, letGo, move } from "./connect";

const BEAT_MS = 500;
const MEDIA_MS = 2500;
const RECONNECTING_MS = 1500;
const PLACE_MS = 3000;
const PAUSE_MS = 500;
const GIVE_UP_MS = 60_000;
// A new place that brings no media either: somebody else's line is the fault. Ask less and less.
const MOST_PATIENCE_MS = 40_000;

export type Line = "connecting" | "good" | "mending";

interface Told {
  line: (line: Line) => void;
  end: (why: Why) => void;
}

export class Heartbeat {
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopped = false;
  private mending = false;
  private bytes = 0;
  private heardAt = 0;
  private beatAt = 0;
  private wellAt = 0;
  private patience = MEDIA_MS;

  constructor(
    private readonly room: Room,
    private readonly seat: Seat,
    private readonly encrypted: boolean,
    private readonly tell: Told,
  ) {}

  /** Join `place`, or another where that one does not answer; then watch. */
  async start(place: Place): Promise<void> {
    try {
      await join(this.room, place, this.encrypted);
      this.well();
    } catch {
      await this.mend();
    }
    if (this.stopped) return;
    this.room.on(RoomEvent.Disconnected, this.disconnected);
    this.timer = setInterval(() => void this.beat(), BEAT_MS);
  }

  private well(): void {
    this.mending = false;
    this.heardAt = this.beatAt = this.wellAt = performance.now();
    if (!this.stopped) this.tell.line("good");
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.room.off(RoomEvent.Disconnected, this.disconnected);
    letGo(this.room);
  }

  private readonly disconnected = (reason?: DisconnectReason): void => {
    if (this.stopped || this.mending) return;
    if (reason === DisconnectReason.DUPLICATE_IDENTITY) {
      this.tell.end("elsewhere");
      return;
    }
    // Removed, ended, moved or broken: the rooms service knows which.
    void this.mend(reason);
  };

  private async beat(): Promise<void> {
    if (this.mending || this.stopped) return;
    const now = performance.now();
    // A computer that slept, or a page in the background, has heard nothing without any fault.
    const slept = now - this.beatAt > 4 * BEAT_MS;
    this.beatAt = now;
    if (slept) this.heardAt = this.wellAt = now;
    if (this.room.state !== ConnectionState.Connected) {
      if (now - this.wellAt > RECONNECTING_MS) await this.mend();
      return;
    }
    this.wellAt = now;
    const bytes = await received(this.room);
    if (bytes !== this.bytes || !expectsMedia(this.room)) {
      if (bytes !== this.bytes && now - this.heardAt < MEDIA_MS) this.patience = MEDIA_MS;
      this.bytes = bytes;
      this.heardAt = now;
    } else if (now - this.heardAt > this.patience) {
      this.patience = Math.min(this.patience * 2, MOST_PATIENCE_MS);
      await this.mend();
    }
  }

  /** Ask for a place and go there, until one is reached or the service says that it is over. */
  private async mend(reason?: DisconnectReason): Promise<void> {
    if (this.mending) return;
    this.mending = true;
    this.tell.line("mending");
    const began = performance.now();
    const here = () => !this.stopped;
    while (here()) {
      try {
        const place = await this.seat.place(PLACE_MS);
        if (!here()) return;
        await move(this.room, place, this.encrypted, here);
        break;
      } catch (problem) {
        const why = ending(problem, reason);
        if (why) {
          this.tell.end(why);
          return;
        }
      } finally {
        if (!here()) letGo(this.room); // who has left meanwhile
      }
      if (performance.now() - began > GIVE_UP_MS) {
        this.tell.end("lost");
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.well();
  }
}

/** What a refusal means for this visit; null where asking again may help. */
function ending(problem: unknown, reason?: DisconnectReason): Why | null {
  if (!(problem instanceof Refused && problem.final)) return null;
  if (problem.key === "removed" || problem.key === "ended" || problem.key === "over") {
    return problem.key;
  }
  if (reason === DisconnectReason.PARTICIPANT_REMOVED) return "removed";
  if (reason === DisconnectReason.ROOM_DELETED) return "ended";
  return "lost";
}

/** All bytes that came in so far, media and its control alike. */
async function received(room: Room): Promise<number> {
  const peers = room.engine.pcManager;
  let sum = 0;
  for (const transport of [peers?.publisher, peers?.subscriber]) {
    const report = await transport?.getStats()?.catch(() => undefined);
    report?.forEach((one: RTCStats & { bytesReceived?: number }) => {
      if (one.type === "transport" || one.type === "inbound-rtp") sum += one.bytesReceived ?? 0;
    });
  }
  return sum;
}

/** Whether anything should be coming in: somebody is heard or seen, or this person is. */
function expectsMedia(room: Room): boolean {
  for (const person of room.remoteParticipants.values()) {
    for (const track of person.audioTrackPublications.values()) {
      if (track.isSubscribed && !track.isMuted) return true;
    }
  }
  for (const track of room.localParticipant.trackPublications.values()) {
    if (!track.isMuted) return true;
  }
  return false;
}
