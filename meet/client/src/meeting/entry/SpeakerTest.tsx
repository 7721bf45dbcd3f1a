/* Three tones from the chosen loudspeaker, made here: no file is fetched for it. */

import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";

const TONES_HZ = [440, 550, 660];
const TONE_S = 0.35;

interface Sink extends AudioContext {
  setSinkId?: (id: string) => Promise<void>;
}

async function play(speaker: string): Promise<void> {
  const context: Sink = new AudioContext();
  if (speaker && context.setSinkId) await context.setSinkId(speaker);
  const loudness = context.createGain();
  loudness.gain.value = 0.2;
  loudness.connect(context.destination);
  TONES_HZ.forEach((frequency, place) => {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(loudness);
    tone.start(context.currentTime + place * TONE_S);
    tone.stop(context.currentTime + (place + 1) * TONE_S);
    if (place === TONES_HZ.length - 1) tone.onended = () => void context.close();
  });
}

export function SpeakerTest({ speaker }: { speaker: string }) {
  const { t } = useTranslation();
  return (
    <div>
      <Button kind="secondary" onPress={() => void play(speaker)}>
        {t("check.speakerTest")}
      </Button>
      <p className="kern-body kern-body--small">{t("check.speakerHint")}</p>
    </div>
  );
}
