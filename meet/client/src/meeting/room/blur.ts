/* A blurred background in a meeting: for the camera that is on, and for each that is switched on later. */

import { useRoomContext } from "@livekit/components-react";
import { Track } from "livekit-client";
import type { Room } from "livekit-client";
import { useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { keep } from "../../parts/kept";
import { Blur, blurWanted } from "../blur/processor";
import type { Trouble } from "../blur/picture";

export interface Blurring {
  on: boolean;
  set: (on: boolean) => void;
}

export function useBlur(say: (text: string) => void): Blurring {
  const { t } = useTranslation();
  const room = useRoomContext();
  const [on, setOn] = useState(blurWanted);
  const tell = useEffectEvent((trouble: Trouble) => {
    setOn(false);
    say(t(`blur.${trouble}`));
  });
  // No clean-up: whoever leaves is blurred until LiveKit stops the camera.
  useEffect(() => {
    if (!on) {
      void clear(room);
      return;
    }
    const blur = new Blur((trouble) => {
      tell(trouble);
    });
    void put(room, blur);
  }, [room, on]);
  return {
    on,
    set: (wanted) => {
      keep("blur", wanted ? "on" : "off");
      setOn(wanted);
    },
  };
}

const cameraOf = (room: Room) =>
  room.localParticipant.getTrackPublication(Track.Source.Camera)?.videoTrack;

async function put(room: Room, blur: Blur): Promise<void> {
  // With the camera, before it is published: nothing is seen of the room meanwhile.
  room.options.videoCaptureDefaults = { ...room.options.videoCaptureDefaults, processor: blur };
  await cameraOf(room)?.setProcessor(blur);
}

async function clear(room: Room): Promise<void> {
  delete room.options.videoCaptureDefaults?.processor;
  // A camera that is off has ended, and cannot be set up anew; the processor is gone all the same.
  await cameraOf(room)?.stopProcessor().catch(() => undefined);
}
