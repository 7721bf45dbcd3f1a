/* How good this person's line is, with what to do where it is not. */

import { useConnectionQualityIndicator, useLocalParticipant } from "@livekit/components-react";
import { ConnectionQuality } from "livekit-client";
import { useTranslation } from "react-i18next";

export function Quality() {
  const { t } = useTranslation();
  const { localParticipant } = useLocalParticipant();
  const { quality } = useConnectionQualityIndicator({ participant: localParticipant });
  if (quality === ConnectionQuality.Unknown) return null;
  const bad = quality === ConnectionQuality.Poor || quality === ConnectionQuality.Lost;
  return (
    <p className={`quality${bad ? " quality--bad" : ""}`} role="status" data-quality={quality}>
      {t(`quality.${quality}`)}
    </p>
  );
}
