/* A dialog of the browser's own: it keeps the focus inside, and gives it back when it closes. */

import type { ReactNode } from "react";
import { useEffect, useId, useRef } from "react";
import { Close } from "./Button";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
}

export function Dialog({ title, onClose, children, footer }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} className="kern-dialog" aria-labelledby={id} onClose={onClose}>
      <header className="kern-dialog__header">
        <h2 className="kern-title kern-title--large" id={id}>
          {title}
        </h2>
        <Close onPress={onClose} />
      </header>
      <section className="kern-dialog__body">{children}</section>
      {footer !== undefined && <footer className="kern-dialog__footer">{footer}</footer>}
    </dialog>
  );
}
