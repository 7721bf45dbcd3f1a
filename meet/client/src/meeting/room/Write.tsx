/* The line to write in, of chat and of live text. */

import { useId } from "react";
import { useLocalParticipant } from "@livekit/components-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { Form } from "../../parts/Form";
import { useDesk } from "./context";
import { LONGEST } from "./messages";
import { textsGo } from "./person";

interface Props {
  label: string;
  /** What is said of a text that is too long. */
  long: string;
  button: string;
  value: string;
  onChange: (value: string) => void;
  onSend: () => void;
}

export function Write({ label, long, button, value, onChange, onSend }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const { localParticipant } = useLocalParticipant();
  const { encrypted } = useDesk();
  if (textsGo(localParticipant, encrypted) === "nowhere") {
    return <p className="kern-body panel__write">{t("messages.mayNot")}</p>;
  }
  const problem = value.length > LONGEST;
  const send = () => {
    if (!problem) onSend();
  };
  return (
    <Form className="panel__write" onSend={send}>
      <label className="kern-label" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        className={`kern-form-input__input${problem ? " kern-form-input__input--error" : ""}`}
        rows={2}
        value={value}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      {problem && (
        <p className="kern-error" id={`${id}-problem`} role="alert">
          <span className="kern-icon kern-icon--danger" aria-hidden="true" />
          <span className="kern-body">{long}</span>
        </p>
      )}
      <Button submit>{button}</Button>
    </Form>
  );
}
