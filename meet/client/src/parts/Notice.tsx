/* A sentence that matters, in KERN's frame for it. */

import type { ReactNode } from "react";

type Kind = "info" | "success" | "warning" | "danger";

interface Props {
  kind: Kind;
  title: string;
  children?: ReactNode;
}

/** Problems are said at once by a screen reader, all else when it is its turn. */
export function Notice({ kind, title, children }: Props) {
  return (
    <div className={`kern-alert kern-alert--${kind}`} role={kind === "danger" ? "alert" : "status"}>
      <div className="kern-alert__header">
        <span className={`kern-icon kern-icon--${kind}`} aria-hidden="true" />
        <span className="kern-title">{title}</span>
      </div>
      {children !== undefined && <div className="kern-alert__body">{children}</div>}
    </div>
  );
}
