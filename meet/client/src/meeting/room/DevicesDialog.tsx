/* Other devices in the middle of a meeting. */

import { useLocalParticipant, useRoomContext } from "@livekit/components-react";
import { Room } from "livekit-client";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Devices, KINDS } from "../../parts/Devices";
import { Dialog } from "../../parts/Dialog";
import { Tick } from "../../parts/Field";
import { remembered } from "../entry/preview";
import { SpeakerTest } from "../entry/SpeakerTest";
import type { Blurring } from "./blur";
import { useDesk } from "./context";
import { maySend } from "./person";

interface Props {
  blur: Blurring;
  onClose: () => void;
}

export function DevicesDialog({ blur, onClose }: Props) {
  const { t } = useTranslation();
  const room = useRoomContext();
  const { localParticipant: me } = useLocalParticipant();
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
        devices={devices}
        chosen={chosen}
        onChoose={(kind, id) => {
          setChosen({ ...chosen, [kind]: id });
          ask(room.switchActiveDevice(KINDS[kind], id));
        }}
      />
      {maySend(me, "camera") && <Tick label={t("blur.switch")} value={blur.on} onChange={blur.set} />}
      <SpeakerTest speaker={chosen.speaker} />
      <p className="kern-body">{t("device.hint")}</p>
    </Dialog>
  );
}
