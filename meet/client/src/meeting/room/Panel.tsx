/* A panel beside the pictures; on a phone it covers them. */

import type { ReactNode } from "react";
import { useEffect, useEffectEvent, useId, useRef } from "react";
import { Close } from "../../parts/Button";

export type PanelName = "people" | "chat" | "text";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

export function Panel({ title, onClose, children }: Props) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useRef<HTMLElement>(null);
  const close = useEffectEvent(onClose);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    const stop = new AbortController();
    const escape = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    panel.current?.addEventListener("keydown", escape, { signal: stop.signal });
    return () => {
      stop.abort();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <aside className="panel" aria-labelledby={id} ref={panel}>
      <header className="panel__top">
        <h2 className="kern-heading-small panel__title" id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <Close onPress={onClose} />
      </header>
      {children}
    </aside>
  );
}
