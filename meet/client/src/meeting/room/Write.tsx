/* The line to write in, of chat and of live text. */

import { useId } from "react";
import { useLocalParticipant } from "@livekit/components-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { Form } from "../../parts/Form";
import { LONGEST } from "./messages";

interface Props {
  label: string;
  button: string;
  value: string;
  onChange: (value: string) => void;
  onSend: () => void;
}

export function Write({ label, button, value, onChange, onSend }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const { localParticipant } = useLocalParticipant();
  if (localParticipant.permissions?.canPublishData === false) {
    return <p className="kern-body panel__write">{t("messages.mayNot")}</p>;
  }
  return (
    <Form className="panel__write" onSend={onSend}>
      <label className="kern-label" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        className="kern-form-input__input"
        rows={2}
        maxLength={LONGEST}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            onSend();
          }
        }}
      />
      <Button submit>{button}</Button>
    </Form>
  );
}
