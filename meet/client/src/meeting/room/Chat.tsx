/* The chat: messages to everybody who is here now. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useDesk } from "./context";
import { Messages } from "./Messages";
import { LONGEST } from "./messages";
import type { Talk } from "./messages";
import { Panel } from "./Panel";
import { Write } from "./Write";

export function Chat({ messages, send, onClose }: Talk & { onClose: () => void }) {
  const { t } = useTranslation();
  const { ask } = useDesk();
  const [text, setText] = useState("");
  return (
    <Panel title={t("chat.title")} onClose={onClose}>
      <Messages messages={messages} label={t("chat.list")} empty={t("chat.empty")} />
      <Write
        label={t("chat.write")}
        long={t("chat.long", { most: LONGEST })}
        button={t("chat.send")}
        value={text}
        onChange={setText}
        onSend={() => {
          if (!text.trim()) return;
          ask(send(crypto.randomUUID(), text.trim(), true));
          setText("");
        }}
      />
    </Panel>
  );
}
