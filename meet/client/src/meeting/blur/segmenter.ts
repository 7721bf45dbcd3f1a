/* Finds the person in a picture: MediaPipe's selfie segmentation, all of it from this box.

   Its successor, tasks-vision, refuses this model, which lacks its metadata, comes without another, and
   names a server of its maker's to report to. */

import type { Options, SelfieSegmentation } from "@mediapipe/selfie_segmentation";
import graph from "@mediapipe/selfie_segmentation/selfie_segmentation.binarypb?url";
import library from "@mediapipe/selfie_segmentation/selfie_segmentation.js?url";
import model from "@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite?url";
import engine from "@mediapipe/selfie_segmentation/selfie_segmentation_solution_simd_wasm_bin.js?url";
import machine from "@mediapipe/selfie_segmentation/selfie_segmentation_solution_simd_wasm_bin.wasm?url";

const FILES = [graph, library, model, engine, machine];
/** The processor looks for the person: without a graphics card, as in many offices, that takes 35 ms in
    place of 130, and with one it is no burden. The package's types leave the option out. */
const OPTIONS: Options & { useCpuInference: boolean } = { modelSelection: 1, useCpuInference: true };
// Six megabytes; whoever waits longer is better seen as they are.
const PATIENCE_MS = 30_000;

/** How much of a person is at each place of the picture, as opacity. */
export type Segmenter = (picture: HTMLCanvasElement) => Promise<CanvasImageSource>;

let loading: Promise<Segmenter> | undefined;

/** Loaded once for a page. Raises where it does not come or this browser cannot run it. */
export function loadSegmenter(): Promise<Segmenter> {
  loading ??= within(PATIENCE_MS, load()).catch((problem: unknown) => {
    loading = undefined; // the next time it may come
    throw problem;
  });
  return loading;
}

/** Where a file of the package is. What is not there is for browsers without SIMD in WebAssembly. */
function locate(name: string): string {
  const found = FILES.find((one) => one.endsWith(`/${name}`));
  if (!found) throw new Error(`no ${name}`);
  return found;
}

async function load(): Promise<Segmenter> {
  // Not a module: it leaves its class with the window.
  await script(library);
  const { SelfieSegmentation: Made } = globalThis as unknown as { SelfieSegmentation: typeof SelfieSegmentation };
  const made = new Made({ locateFile: locate });
  made.setOptions(OPTIONS);
  await made.initialize();
  // The first one takes long, and shows whether it works at all.
  const empty = document.createElement("canvas");
  empty.getContext("2d");
  await ask(made, empty);
  let last: Promise<unknown> = Promise.resolve();
  return (picture) => {
    // One after the other, also where a page that is left and a meeting that begins both ask.
    const next = last.then(() => ask(made, picture));
    last = next.catch(() => undefined);
    return next;
  };
}

function ask(made: SelfieSegmentation, image: HTMLCanvasElement): Promise<CanvasImageSource> {
  return new Promise((resolve, reject) => {
    made.onResults(({ segmentationMask }) => {
      resolve(segmentationMask);
    });
    made.send({ image }).then(() => {
      reject(new Error("no mask")); // unless there was one
    }, reject);
  });
}

function script(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = address;
    element.onload = () => {
      resolve();
    };
    element.onerror = () => {
      reject(new Error(`no ${address}`));
    };
    document.head.append(element);
  });
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("too late"));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
