/* Signing in: by the house's directory where it has one; else by name, password, and the app's six
   digits where somebody has them. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DIRECTORY, Refused, staff } from "../api/calls";
import type { Staff } from "../api/types";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { Form } from "../parts/Form";
import { Notice } from "../parts/Notice";
import { sentence } from "../parts/problem";

/* What the service takes at the most; it knows of no code with more. */
const LONGEST_CODE = 20;

interface Props {
  directory: string | null;
  /** Why the directory did not sign somebody in, a word of the service; null: nobody came from there. */
  refused: string | null;
  onSignedIn: (known: Staff) => void;
}

export function SignIn({ directory, refused, onSignedIn }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [totp, setTotp] = useState("");
  const [problem, setProblem] = useState(refused === null ? "" : sentence(t, new Refused(refused, 0)));

  async function send(): Promise<void> {
    setProblem("");
    if (totp.length > LONGEST_CODE) {
      setProblem(sentence(t, new Refused("sign_in_wrong", 0)));
      return;
    }
    try {
      await staff.signIn(name, password, totp);
      onSignedIn(await staff.who());
    } catch (wrong) {
      setProblem(sentence(t, wrong));
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
      {directory !== null && (
        <>
          <div className="buttons">
            <a className="kern-btn kern-btn--primary" href={DIRECTORY}>
              <span className="kern-label">{directory || t("staff.directory")}</span>
            </a>
          </div>
          <p className="kern-body">{t("staff.orPassword")}</p>
        </>
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
        />
        <div className="buttons">
          <Button submit kind={directory === null ? "primary" : "secondary"}>
            {t("staff.go")}
          </Button>
        </div>
      </Form>
    </>
  );
}
