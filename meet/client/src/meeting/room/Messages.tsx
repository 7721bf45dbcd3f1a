/* The lines that people wrote, the newest in sight. */

import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Message } from "./messages";

interface Props {
  messages: Message[];
  label: string;
  empty: string;
}

export function Messages({ messages, label, empty }: Props) {
  const { t, i18n } = useTranslation();
  const end = useRef<HTMLLIElement>(null);
  const newest = messages.at(-1);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
  }, [newest]);
  if (messages.length === 0) return <p className="kern-body panel__list">{empty}</p>;
  const clock = new Intl.DateTimeFormat(i18n.language === "en" ? "en-GB" : "de-DE", {
    timeStyle: "short",
  });
  return (
    // A list that scrolls has to be reached by those without a mouse.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <ol className="panel__list messages" tabIndex={0} aria-label={label}>
      {messages.map((one) => (
        <li key={one.id} className={`message${one.done ? "" : " message--typed"}`}>
          <p className="message__name">
            {one.own ? t("you") : one.name} · {clock.format(one.at)}
            {!one.done && ` · ${t("text.typing")}`}
          </p>
          <p className="message__text lines">{one.text}</p>
        </li>
      ))}
      <li ref={end} className="messages__end" aria-hidden="true" />
    </ol>
  );
}
