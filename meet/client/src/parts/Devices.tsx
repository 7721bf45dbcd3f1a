/* Which camera, microphone and loudspeaker: remembered in this browser. */

import { useTranslation } from "react-i18next";
import { ChoiceField } from "./Field";
import { keep } from "./kept";

export type Kind = "camera" | "microphone" | "speaker";

export const KINDS: Record<Kind, MediaDeviceKind> = {
  camera: "videoinput",
  microphone: "audioinput",
  speaker: "audiooutput",
};

interface Props {
  devices: readonly MediaDeviceInfo[];
  chosen: Record<Kind, string>;
  onChoose: (kind: Kind, id: string) => void;
}

export function Devices({ devices, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  return (["camera", "microphone", "speaker"] as const).map((kind) => {
    const found = devices.filter((one) => one.kind === KINDS[kind] && one.deviceId);
    if (found.length === 0) return null;
    const there = found.some((one) => one.deviceId === chosen[kind]);
    return (
      <ChoiceField
        key={kind}
        label={t(`device.${kind}`)}
        value={there ? chosen[kind] : (found[0]?.deviceId ?? "")}
        options={found.map((one, place) => ({
          value: one.deviceId,
          label: one.label || `${t(`device.${kind}`)} ${place + 1}`,
        }))}
        onChange={(id) => {
          keep(kind, id);
          onChoose(kind, id);
        }}
      />
    );
  });
}
