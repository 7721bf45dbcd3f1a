/* Browsers that play sound only after a press: one button for it, where it is needed. */

import { useAudioPlayback } from "@livekit/components-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { useDesk } from "./context";

export function Sound() {
  const { t } = useTranslation();
  const { ask } = useDesk();
  const { canPlayAudio, startAudio } = useAudioPlayback();
  if (canPlayAudio) return null;
  return (
    <div className="room__line">
      <Button
        onPress={() => {
          ask(startAudio());
        }}
      >
        {t("room.sound")}
      </Button>
    </div>
  );
}
