/* Other devices in the middle of a meeting. */

import { useRoomContext } from "@livekit/components-react";
import { Room } from "livekit-client";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Devices } from "../../parts/Devices";
import type { Kind } from "../../parts/Devices";
import { Dialog } from "../../parts/Dialog";
import { remembered } from "../entry/preview";
import { SpeakerTest } from "../entry/SpeakerTest";
import { useDesk } from "./context";

const KINDS: readonly Kind[] = ["camera", "microphone", "speaker"];
const LIVEKIT: Record<Kind, MediaDeviceKind> = {
  camera: "videoinput",
  microphone: "audioinput",
  speaker: "audiooutput",
};

export function DevicesDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const room = useRoomContext();
  const { ask } = useDesk();
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  const [chosen, setChosen] = useState(remembered);
  useEffect(() => {
    const read = () => {
      void Room.getLocalDevices(undefined, false).then(setDevices);
    };
    read();
    navigator.mediaDevices.addEventListener("devicechange", read);
    return () => {
      navigator.mediaDevices.removeEventListener("devicechange", read);
    };
  }, []);
  return (
    <Dialog title={t("bar.devices")} onClose={onClose}>
      <Devices
        kinds={KINDS}
        devices={devices}
        chosen={chosen}
        onChoose={(kind, id) => {
          setChosen({ ...chosen, [kind]: id });
          ask(room.switchActiveDevice(LIVEKIT[kind], id));
        }}
      />
      <SpeakerTest speaker={chosen.speaker} />
      <p className="kern-body">{t("device.hint")}</p>
    </Dialog>
  );
}
