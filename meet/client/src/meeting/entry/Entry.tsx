/* The way in: a name, what is to be seen before, and the check of camera and microphone. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Refused } from "../../api/calls";
import type { Look } from "../../api/types";
import { Button } from "../../parts/Button";
import { TextField, Tick } from "../../parts/Field";
import { Form } from "../../parts/Form";
import { LONGEST_NAME, tooLong } from "../../parts/long";
import { Notice } from "../../parts/Notice";
import { Page, useHouse } from "../../parts/Page";
import { sentence } from "../../parts/problem";
import type { Wish } from "../visit";
import { Check } from "./Check";
import { mayBring } from "./rights";

export interface Asked {
  name: string;
  noticeSeen: boolean;
  wish: Wish;
}

interface Props {
  look: Look;
  hasKey: boolean;
  busy: boolean;
  problem?: unknown;
  onAsk: (asked: Asked) => void;
}

export function Entry({ look, hasKey, busy, problem, onAsk }: Props) {
  const { t } = useTranslation();
  const { policy, role } = look;
  const speaks = mayBring(role, policy, "microphone");
  const shows = mayBring(role, policy, "camera");
  const [name, setName] = useState("");
  const [noticeSeen, setNoticeSeen] = useState(false);
  const [camera, setCamera] = useState(shows && !policy.camera_off_at_entry);
  const [microphone, setMicrophone] = useState(speaks && !policy.muted_at_entry);
  const [lacks, setLacks] = useState<{ name?: string; notice?: string }>({});
  const house = useHouse();
  const long = tooLong(name) ? t("entry.nameLong", { most: LONGEST_NAME }) : undefined;
  const notice = policy.notice || house?.notice || "";

  // A link without its key leads to a meeting that shows and says nothing.
  if (policy.encryption === "required" && !hasKey) {
    return (
      <Page title={look.title || t("room.untitled")} easy>
        <Notice kind="danger" title={t("entry.noKey.title")}>
          <p className="kern-body">{t("entry.noKey.text")}</p>
        </Notice>
      </Page>
    );
  }

  function send(): void {
    const missing: typeof lacks = {};
    if (!name.trim()) missing.name = t("entry.nameMissing");
    if (notice && !noticeSeen) missing.notice = t("entry.noticeMissing");
    setLacks(missing);
    if (!long && !missing.name && !missing.notice) {
      onAsk({ name: name.trim(), noticeSeen, wish: { camera, microphone } });
    }
  }

  return (
    <Page title={look.title || t("room.untitled")} easy>
      <p className="kern-body">{t(look.lobby && role !== "moderator" ? "entry.lobby" : "entry.lead")}</p>
      {hasKey && <p className="kern-body">{t("entry.encrypted")}</p>}
      {problem !== undefined && (
        <Notice
          kind="danger"
          title={t(problem instanceof Refused && problem.status === 0 ? "entry.failed" : "entry.refused")}
        >
          <p className="kern-body">{sentence(t, problem)}</p>
        </Notice>
      )}
      <Form onSend={send}>
        <TextField
          label={t("entry.name")}
          hint={t(policy.pseudonyms ? "entry.pseudonym" : "entry.nameHint")}
          value={name}
          onChange={setName}
          problem={long ?? lacks.name}
          autoComplete="name"
          required
        />
        {notice && (
          <section className="form" aria-labelledby="notice">
            <h2 className="kern-heading-medium" id="notice">
              {t("entry.notice")}
            </h2>
            <p className="kern-body lines">{notice}</p>
            <Tick label={t("entry.noticeSeen")} value={noticeSeen} onChange={setNoticeSeen} required />
            {lacks.notice && (
              <p className="kern-error" role="alert">
                <span className="kern-icon kern-icon--danger" aria-hidden="true" />
                <span className="kern-body">{lacks.notice}</span>
              </p>
            )}
          </section>
        )}
        {(speaks || shows) && (
          <fieldset className="kern-fieldset">
            <legend className="kern-label">{t("entry.wish")}</legend>
            <div className="kern-fieldset__body">
              {speaks && (
                <Tick label={t("entry.microphone")} value={microphone} onChange={setMicrophone} />
              )}
              {shows && <Tick label={t("entry.camera")} value={camera} onChange={setCamera} />}
            </div>
          </fieldset>
        )}
        {!speaks && (
          <p className="kern-body">{t(role === "viewer" ? "entry.viewer" : "entry.asked")}</p>
        )}
        <div className="buttons">
          <Button submit disabled={busy}>
            {t(busy ? "entry.busy" : "entry.go")}
          </Button>
        </div>
      </Form>
      {(speaks || shows) && <Check shows={shows} />}
    </Page>
  );
}
