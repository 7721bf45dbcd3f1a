/* KERN's button. */

import type { ReactNode } from "react";

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
