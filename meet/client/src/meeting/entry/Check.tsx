/* The check before the entry: picture, level, loudspeaker, devices. */

import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { Devices } from "../../parts/Devices";
import { Tick } from "../../parts/Field";
import { keep } from "../../parts/kept";
import { Notice } from "../../parts/Notice";
import { blurWanted } from "../blur/processor";
import type { Trouble } from "../blur/picture";
import { useBlurred } from "./blurred";
import { Level } from "./Level";
import { remembered, usePreview } from "./preview";
import { SpeakerTest } from "./SpeakerTest";

/** `shows`: whether this person may show a camera in the meeting. */
export function Check({ shows }: { shows: boolean }) {
  const { t } = useTranslation();
  const [on, setOn] = useState(false);
  const [chosen, setChosen] = useState(remembered);
  const [blur, setBlur] = useState(blurWanted);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { stream, faults, devices } = usePreview(on, chosen);
  const shown = useBlurred(stream, shows && blur, (why) => {
    setBlur(false);
    setTrouble(why);
  });
  const show = useCallback(
    (picture: HTMLVideoElement | null) => {
      if (picture) picture.srcObject = shown;
    },
    [shown],
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
      {trouble && <Notice kind="warning" title={t(`blur.${trouble}`)} />}
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
              devices={devices}
              chosen={chosen}
              onChoose={(kind, id) => {
                setChosen({ ...chosen, [kind]: id });
              }}
            />
            {shows && (
              <Tick
                label={t("blur.switch")}
                value={blur}
                onChange={(wanted) => {
                  keep("blur", wanted ? "on" : "off");
                  setBlur(wanted);
                  setTrouble(null);
                }}
              />
            )}
          </div>
        </div>
      )}
    </section>
  );
}
