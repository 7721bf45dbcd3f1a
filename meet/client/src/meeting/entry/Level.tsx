/* How loud the microphone hears, so that a person sees that it does. */

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

const EVERY_MS = 100;

export function Level({ stream }: { stream: MediaStream }) {
  const { t } = useTranslation();
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (stream.getAudioTracks().length === 0) return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      // -60 dB is silence, 0 dB the loudest.
      setLevel(Math.max(0, Math.min(1, 1 + Math.log10(power + 1e-9) / 6)));
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      void context.close();
    };
  }, [stream]);
  return (
    <div>
      <p className="kern-body" id="level">
        {t("check.level")}
      </p>
      <meter className="level" aria-labelledby="level" min={0} max={1} value={level} />
    </div>
  );
}
