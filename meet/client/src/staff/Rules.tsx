/* The rules of one room, as far as its house leaves a choice. */

import { useTranslation } from "react-i18next";
import type { Policy, Who } from "../api/types";
import { ChoiceField, Tick } from "../parts/Field";
import { stricter } from "./rules";

interface Props {
  house: Policy;
  policy: Policy;
  onChange: (policy: Policy) => void;
}

export function Rules({ house, policy, onChange }: Props) {
  const { t } = useTranslation();
  // What the house asks for anyway, or has not got, is no choice.
  const ticks = [
    ...(house.lobby ? [] : (["lobby"] as const)),
    ...(["muted_at_entry", "camera_off_at_entry"] as const),
    ...(["chat", "live_text"] as const).filter((one) => house[one]),
  ];
  return (
    <details className="kern-accordion">
      <summary className="kern-accordion__header">
        <span className="kern-title">{t("rules.title")}</span>
      </summary>
      <section className="kern-accordion__body form">
        {(["speak", "camera", "share"] as const).map((one) =>
          house[one] === "moderators" ? null : (
            <ChoiceField
              key={one}
              label={t(`rules.${one}`)}
              value={policy[one]}
              options={stricter(house[one]).map((who) => ({ value: who, label: t(`rules.who.${who}`) }))}
              onChange={(who) => {
                onChange({ ...policy, [one]: who as Who });
              }}
            />
          ),
        )}
        {ticks.map((one) => (
          <Tick
            key={one}
            label={t(`rules.${one}`)}
            value={policy[one]}
            onChange={(value) => {
              onChange({ ...policy, [one]: value });
            }}
          />
        ))}
        {house.encryption === "offered" && (
          <>
            <Tick
              label={t("rules.encryption")}
              value={policy.encryption === "required"}
              onChange={(on) => {
                onChange({ ...policy, encryption: on ? "required" : "offered" });
              }}
            />
            <p className="kern-body kern-body--small">{t("rules.encryptionHint")}</p>
          </>
        )}
        {house.encryption === "required" && <p className="kern-body">{t("rules.encryptionHint")}</p>}
      </section>
    </details>
  );
}
