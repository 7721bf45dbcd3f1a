/* Camera and microphone before anybody sees or hears them. */

import { useEffect, useState } from "react";
import { kept } from "../../parts/kept";

export type Fault = "refused" | "none" | "busy";

export interface Preview {
  stream: MediaStream | null;
  faults: { camera?: Fault; microphone?: Fault };
  devices: MediaDeviceInfo[];
}

export interface Chosen {
  camera: string;
  microphone: string;
  speaker: string;
}

export const remembered = (): Chosen => ({
  camera: kept("camera") ?? "",
  microphone: kept("microphone") ?? "",
  speaker: kept("speaker") ?? "",
});

export function faultOf(problem: unknown): Fault {
  const name = problem instanceof Error ? problem.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return "busy";
}

const EMPTY: Preview = { stream: null, faults: {}, devices: [] };

/** Opens the devices while `on`, and lets go of them when it ends. One that fails does not
    take the other with it. */
export function usePreview(on: boolean, chosen: Chosen): Preview {
  const [preview, setPreview] = useState(EMPTY);
  const { camera, microphone } = chosen;
  useEffect(() => {
    if (!on) return;
    let open = true;
    const stream = new MediaStream();
    const one = async (
      constraints: MediaStreamConstraints,
    ): Promise<Fault | undefined> => {
      try {
        const found = await navigator.mediaDevices.getUserMedia(constraints);
        for (const track of found.getTracks()) {
          if (open) stream.addTrack(track);
          else track.stop();
        }
        return undefined;
      } catch (problem) {
        return faultOf(problem);
      }
    };
    const start = async () => {
      const faults: Preview["faults"] = {};
      const heard = await one({ audio: microphone ? { deviceId: microphone } : true });
      const seen = await one({ video: camera ? { deviceId: camera } : true });
      if (heard) faults.microphone = heard;
      if (seen) faults.camera = seen;
      const devices = await navigator.mediaDevices.enumerateDevices();
      if (open) setPreview({ stream, faults, devices });
    };
    void start();
    return () => {
      open = false;
      for (const track of stream.getTracks()) track.stop();
      setPreview(EMPTY);
    };
  }, [on, camera, microphone]);
  return preview;
}
