/* The way in for who has a code of nine digits and no link. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { redeem } from "../api/calls";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { Form } from "../parts/Form";
import { sentence } from "../parts/problem";

export function CodeForm() {
  const { t } = useTranslation();
  const [code, setCode] = useState(() => new URLSearchParams(location.hash.slice(1)).get("c") ?? "");
  const [problem, setProblem] = useState("");

  async function send(): Promise<void> {
    const digits = code.replace(/\D/g, "");
    if (digits.length !== 9) {
      setProblem(t("start.digits"));
      return;
    }
    try {
      const { invitation } = await redeem(digits);
      location.hash = `#i=${invitation}`;
    } catch (refused) {
      setProblem(sentence(t, refused));
    }
  }

  return (
    <>
      <p className="kern-body">{t("start.lead")}</p>
      <Form onSend={() => void send()}>
        <TextField
          label={t("start.code")}
          hint={t("start.hint")}
          value={code}
          onChange={setCode}
          problem={problem}
          inputMode="numeric"
        />
        <div className="buttons">
          <Button submit>{t("start.go")}</Button>
        </div>
      </Form>
      <p className="kern-body">{t("start.encrypted")}</p>
    </>
  );
}
