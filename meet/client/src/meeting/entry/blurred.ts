/* One's own picture before the meeting, as the others will see it. */

import { useEffect, useEffectEvent, useState } from "react";
import { Blur } from "../blur/processor";
import type { Trouble } from "../blur/picture";

/** `stream`, or its picture with a blurred background once there is one. */
export function useBlurred(
  stream: MediaStream | null,
  on: boolean,
  onTrouble: (trouble: Trouble) => void,
): MediaStream | null {
  const [shown, setShown] = useState<MediaStream | null>(null);
  const tell = useEffectEvent(onTrouble);
  useEffect(() => {
    const track = stream?.getVideoTracks()[0];
    if (!on || !track) return;
    const blur = new Blur((trouble) => {
      tell(trouble);
    });
    void blur.init({ track }).then(() => {
      if (blur.processedTrack) setShown(new MediaStream([blur.processedTrack]));
    });
    return () => {
      void blur.destroy();
      setShown(null);
    };
  }, [stream, on]);
  return shown ?? stream;
}
