/* A camera's picture with all behind the person blurred. */

import { Pace } from "./pace";
import { loadSegmenter } from "./segmenter";
import type { Segmenter } from "./segmenter";
import { lead } from "./ways";
import type { Way } from "./ways";

/** Why there is no blur any more; a sentence of the texts. */
export type Trouble = "unable" | "slow";

// What the model looks at.
const SEEN = { width: 256, height: 144 };
// The background is shrunk to this width and drawn large again: no more can be read from it than from
// so few pixels, and it costs next to nothing. Where a canvas has no filter (Safari) it stays a bit blocky.
const SHRUNK = 64;
const SMOOTH = "blur(1px)";
// Fewer than ten pictures or two masks a second are too few.
const LONGEST_FRAME_MS = 100;
const LONGEST_MASK_MS = 500;

/** The picture of `source`, blurred from its first frame on. Raises where this browser cannot do it;
    `tell` is called where it cannot any more, once there are pictures. */
export async function blurred(source: MediaStreamTrack, tell: (trouble: Trouble) => void): Promise<Way> {
  const painter = new Painter(await loadSegmenter());
  const slow = () => {
    tell("slow");
  };
  const frames = new Pace(LONGEST_FRAME_MS, slow);
  const masks = new Pace(LONGEST_MASK_MS, slow);
  const way = await lead(
    source,
    painter.canvas,
    (picture, width, height) => frames.time(() => painter.draw(picture, width, height, masks)),
    () => {
      tell("unable");
    },
  );
  frames.start();
  masks.start();
  return {
    track: way.track,
    stop: () => {
      frames.stop();
      masks.stop();
      way.stop();
    },
  };
}

class Painter {
  readonly canvas = document.createElement("canvas");
  private readonly out = pen(this.canvas);
  private readonly seen = pen(document.createElement("canvas"));
  private readonly mask = pen(document.createElement("canvas"));
  private readonly background = pen(document.createElement("canvas"));
  private nextMask = 0;

  constructor(private readonly segmenter: Segmenter) {}

  /** Draw one picture, `width` by `height` pixels, onto the canvas. */
  async draw(picture: CanvasImageSource, width: number, height: number, masks: Pace): Promise<void> {
    const now = performance.now();
    if (now >= this.nextMask) {
      await masks.time(() => this.find(picture, width, height));
      // At most half of the time goes into masks: a slow computer has its pictures with an older one.
      const took = performance.now() - now;
      this.nextMask = now + 2 * took;
    }
    const { out, background } = this;
    size(background, SHRUNK, Math.round((SHRUNK * height) / width));
    background.filter = SMOOTH;
    background.drawImage(picture, 0, 0, background.canvas.width, background.canvas.height);
    size(out, width, height);
    out.globalCompositeOperation = "copy";
    out.drawImage(this.mask.canvas, 0, 0, width, height);
    out.globalCompositeOperation = "source-in";
    out.drawImage(picture, 0, 0, width, height);
    out.globalCompositeOperation = "destination-over";
    out.drawImage(background.canvas, 0, 0, width, height);
  }

  /** Where the person is, without bending the picture into the model's shape. */
  private async find(picture: CanvasImageSource, width: number, height: number): Promise<void> {
    const scale = Math.min(SEEN.width / width, SEEN.height / height);
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    const [x, y] = [(SEEN.width - w) / 2, (SEEN.height - h) / 2];
    const { seen, mask } = this;
    size(seen, SEEN.width, SEEN.height);
    seen.drawImage(picture, x, y, w, h);
    const found = await this.segmenter(seen.canvas);
    size(mask, w, h);
    mask.globalCompositeOperation = "copy";
    mask.drawImage(found, x, y, w, h, 0, 0, w, h);
  }
}

function pen(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("no canvas");
  return found;
}

/** Setting a size empties a canvas: only where it is another. */
function size({ canvas }: CanvasRenderingContext2D, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
