/* What stands between the camera and those who see it, in LiveKit's terms: the person stays sharp,
   all behind them does not. A camera that can do so itself is asked to; else what does it here is
   loaded, from this box, with the first picture. */

import type { Track, TrackProcessor, VideoProcessorOptions } from "livekit-client";
import { kept } from "../../parts/kept";
import type { Trouble } from "./picture";
import type { Way } from "./ways";

type Source = Pick<VideoProcessorOptions, "track">;

export const blurWanted = (): boolean => kept("blur") === "on";

/** One wish for a blurred background. It raises nothing: where it fails that is told once, and the
    plain camera goes on. */
export class Blur implements TrackProcessor<Track.Kind.Video, VideoProcessorOptions> {
  readonly name = "blur";
  /** Missing where the camera's own track is to be sent. */
  processedTrack?: MediaStreamTrack;
  private way: Way | undefined;
  private camera: MediaStreamTrack | undefined;
  private failed = false;
  /** Counts starts and stops: what was begun before the last of them comes too late. */
  private turn = 0;

  constructor(private readonly tell: (trouble: Trouble) => void) {}

  init(source: Source): Promise<void> {
    return this.restart(source);
  }

  async restart({ track }: Source): Promise<void> {
    await this.destroy();
    const { turn } = this;
    // Of a camera that is switched off LiveKit has the ended track; the next one comes by a restart.
    if (this.failed || track.readyState === "ended") return;
    try {
      if (await blursItself(track, true)) {
        this.camera = track;
        return;
      }
      const { blurred } = await import("./picture");
      const way = await blurred(track, (trouble) => {
        this.fail(trouble);
      });
      if (turn !== this.turn) {
        way.stop();
        return;
      }
      this.way = way;
      this.processedTrack = way.track;
    } catch {
      if (turn === this.turn) this.fail("unable");
    }
  }

  async destroy(): Promise<void> {
    this.turn += 1;
    this.way?.stop();
    this.way = undefined;
    delete this.processedTrack;
    const { camera } = this;
    this.camera = undefined;
    if (camera?.readyState === "live") await blursItself(camera, false);
  }

  private fail(trouble: Trouble): void {
    if (this.failed) return;
    this.failed = true;
    this.tell(trouble);
  }
}

/** Have the camera blur by itself, or no longer (Media Capture and Streams Extensions); whether it
    does what was asked. */
async function blursItself(track: MediaStreamTrack, on: boolean): Promise<boolean> {
  if (!("getCapabilities" in track)) return false; // Firefox before 132
  if (!track.getCapabilities().backgroundBlur?.includes(on)) return false;
  const constraints = { ...track.getConstraints(), advanced: [{ backgroundBlur: on }] };
  await track.applyConstraints(constraints).catch(() => undefined);
  return track.getSettings().backgroundBlur === on;
}
