/* How a camera's pictures come to a canvas, and from there on their way. */

import Ticker from "./ticker?worker";

export interface Way {
  /** What is sent in place of the camera's own track. */
  track: MediaStreamTrack;
  stop: () => void;
}

/** Draws one picture onto the canvas. */
type Draw = (picture: CanvasImageSource, width: number, height: number) => Promise<void>;

/** Lead each picture of `source` over `canvas`; `broken` is called where that ends too early. */
export function lead(
  source: MediaStreamTrack,
  canvas: HTMLCanvasElement,
  draw: Draw,
  broken: () => void,
): Way | Promise<Way> {
  const streams = "MediaStreamTrackProcessor" in window && "MediaStreamTrackGenerator" in window;
  return (streams ? byStreams : byCapture)(source, canvas, draw, broken);
}

/** As streams of frames (Chromium): they go on where the page is in the background. */
function byStreams(source: MediaStreamTrack, canvas: HTMLCanvasElement, draw: Draw, broken: () => void): Way {
  const processor = new MediaStreamTrackProcessor({ track: source as MediaStreamVideoTrack });
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const stop = new AbortController();
  const change = new TransformStream<VideoFrame, VideoFrame>({
    async transform(frame, out) {
      try {
        await draw(frame, frame.displayWidth, frame.displayHeight);
        out.enqueue(new VideoFrame(canvas, { timestamp: frame.timestamp }));
      } finally {
        frame.close();
      }
    },
  });
  processor.readable
    .pipeThrough(change)
    .pipeTo(track.writable, { signal: stop.signal })
    .catch(() => {
      if (!stop.signal.aborted) broken();
    });
  return {
    track,
    stop: () => {
      stop.abort();
      track.stop();
    },
  };
}

const FRAMES_PER_SECOND = 30;

/** By a video that is looked at thirty times a second (Firefox, Safari). The clock is a worker's: that
    of a page in the background stands all but still. */
async function byCapture(
  source: MediaStreamTrack,
  canvas: HTMLCanvasElement,
  draw: Draw,
  broken: () => void,
): Promise<Way> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([source]);
  await video.play();
  const [track] = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
  if (!track) throw new Error("no captured track");
  const ticker = new Ticker();
  const stop = () => {
    ticker.terminate();
    track.stop();
    video.srcObject = null;
  };
  let busy = false;
  ticker.onmessage = () => {
    if (busy || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    busy = true;
    draw(video, video.videoWidth, video.videoHeight)
      .catch(() => {
        stop();
        broken();
      })
      .finally(() => {
        busy = false;
      });
  };
  ticker.postMessage(1000 / FRAMES_PER_SECOND);
  return { track, stop };
}
