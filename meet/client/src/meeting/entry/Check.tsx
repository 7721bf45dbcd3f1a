/* The check before the entry: picture, level, loudspeaker, devices. */

import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { Devices } from "../../parts/Devices";
import type { Kind } from "../../parts/Devices";
import { Notice } from "../../parts/Notice";
import { Level } from "./Level";
import { remembered, usePreview } from "./preview";
import { SpeakerTest } from "./SpeakerTest";

const KINDS: readonly Kind[] = ["camera", "microphone", "speaker"];

export function Check() {
  const { t } = useTranslation();
  const [on, setOn] = useState(false);
  const [chosen, setChosen] = useState(remembered);
  const { stream, faults, devices } = usePreview(on, chosen);
  const show = useCallback(
    (picture: HTMLVideoElement | null) => {
      if (picture) picture.srcObject = stream;
    },
    [stream],
  );
  const seen = stream !== null && stream.getVideoTracks().length > 0;
  const heard = stream !== null && stream.getAudioTracks().length > 0;
  return (
    <section className="form" aria-labelledby="check">
      <h2 className="kern-heading-medium" id="check">
        {t("check.title")}
      </h2>
      <p className="kern-body">{t("check.lead")}</p>
      <div className="buttons">
        <Button
          kind="secondary"
          onPress={() => {
            setOn(!on);
          }}
        >
          {t(on ? "check.stop" : "check.start")}
        </Button>
      </div>
      {(["camera", "microphone"] as const).map((kind) => {
        const fault = faults[kind];
        return fault ? (
          <Notice key={kind} kind="warning" title={t(`fault.${kind}.${fault}.title`)}>
            <p className="kern-body">{t(`fault.${kind}.${fault}.text`)}</p>
          </Notice>
        ) : null;
      })}
      {on && (
        <div className="check">
          <div className="check__picture">
            {seen ? (
              <video ref={show} autoPlay playsInline muted aria-label={t("check.picture")} />
            ) : (
              <p>{t("check.noPicture")}</p>
            )}
          </div>
          <div className="check__side">
            {heard && <Level stream={stream} />}
            <SpeakerTest speaker={chosen.speaker} />
            <Devices
              kinds={KINDS}
              devices={devices}
              chosen={chosen}
              onChoose={(kind, id) => {
                setChosen({ ...chosen, [kind]: id });
              }}
            />
          </div>
        </div>
      )}
    </section>
  );
}
