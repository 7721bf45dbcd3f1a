/* Live text: what is typed appears with everybody letter by letter, beside the voice. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useDesk } from "./context";
import { Messages } from "./Messages";
import { LONGEST } from "./messages";
import type { Talk } from "./messages";
import { Panel } from "./Panel";
import { Write } from "./Write";

interface Line {
  id: string;
  text: string;
}

export function LiveText({ messages, send, onClose }: Talk & { onClose: () => void }) {
  const { t } = useTranslation();
  const { ask } = useDesk();
  const [line, setLine] = useState<Line>(() => ({ id: crypto.randomUUID(), text: "" }));
  return (
    <Panel title={t("text.title")} onClose={onClose}>
      <p className="kern-body kern-body--small panel__lead">{t("text.lead")}</p>
      <Messages messages={messages} label={t("text.list")} empty={t("text.empty")} />
      <Write
        label={t("text.write")}
        long={t("text.long", { most: LONGEST })}
        button={t("text.finish")}
        value={line.text}
        onChange={(text) => {
          setLine({ ...line, text });
          ask(send(line.id, text, false));
        }}
        onSend={() => {
          if (!line.text.trim()) return;
          ask(send(line.id, line.text, true));
          setLine({ id: crypto.randomUUID(), text: "" });
        }}
      />
    </Panel>
  );
}
