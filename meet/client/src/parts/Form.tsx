/* A form that is sent by script: the page stays. */

import type { ReactNode } from "react";

interface Props {
  onSend: () => void;
  /** Whether the browser asks for what is missing, in its own words, instead of the page. */
  browserAsks?: boolean;
  className?: string;
  children: ReactNode;
}

export function Form({ onSend, browserAsks = false, className, children }: Props) {
  return (
    <form
      className={className}
      noValidate={!browserAsks}
      onSubmit={(event) => {
        event.preventDefault();
        onSend();
      }}
    >
      {children}
    </form>
  );
}
