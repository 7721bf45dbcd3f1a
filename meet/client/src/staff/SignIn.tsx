/* Signing in: name, password, and the app's six digits where somebody has them. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { staff } from "../api/calls";
import type { Staff } from "../api/types";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { Form } from "../parts/Form";
import { Notice } from "../parts/Notice";
import { sentence } from "../parts/problem";

export function SignIn({ onSignedIn }: { onSignedIn: (known: Staff) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [totp, setTotp] = useState("");
  const [problem, setProblem] = useState("");

  async function send(): Promise<void> {
    setProblem("");
    try {
      await staff.signIn(name, password, totp);
      onSignedIn(await staff.who());
    } catch (refused) {
      setProblem(sentence(t, refused));
    }
  }

  return (
    <>
      <p className="kern-body">{t("staff.lead")}</p>
      {problem && (
        <Notice kind="danger" title={t("staff.refused")}>
          <p className="kern-body">{problem}</p>
        </Notice>
      )}
      <Form browserAsks onSend={() => void send()}>
        <TextField label={t("staff.name")} value={name} onChange={setName} autoComplete="username" required />
        <TextField
          label={t("staff.password")}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
        />
        <TextField
          label={t("staff.totp")}
          hint={t("staff.totpHint")}
          value={totp}
          onChange={setTotp}
          autoComplete="one-time-code"
          inputMode="numeric"
          maxLength={8}
        />
        <div className="buttons">
          <Button submit>{t("staff.go")}</Button>
        </div>
      </Form>
    </>
  );
}
