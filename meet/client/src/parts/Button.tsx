/* KERN's button, and the one that closes what it stands in. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  kind?: "primary" | "secondary" | "tertiary";
  submit?: boolean;
  small?: boolean;
  disabled?: boolean;
  onPress?: () => void;
  /** Said instead of the label where that alone would not tell which of many is meant. */
  name?: string;
  children: ReactNode;
}

export function Button(props: Props) {
  const { kind = "primary", submit = false, small = false, disabled = false, name } = props;
  return (
    <button
      type={submit ? "submit" : "button"}
      className={`kern-btn kern-btn--${kind}${small ? " kern-btn--x-small" : ""}`}
      disabled={disabled}
      onClick={props.onPress}
      aria-label={name}
    >
      <span className="kern-label">{props.children}</span>
    </button>
  );
}

export function Close({ onPress }: { onPress: () => void }) {
  const { t } = useTranslation();
  return (
    <button
      type="button"
      className="kern-btn kern-btn--tertiary"
      onClick={onPress}
      aria-label={t("close")}
    >
      <span className="kern-icon kern-icon--close" aria-hidden="true" />
    </button>
  );
}
