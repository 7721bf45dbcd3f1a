/* The form for one more room: a title, a time where it has one, and stricter rules. */

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { staff } from "../api/calls";
import type { Booking, Policy } from "../api/types";
import { Button } from "../parts/Button";
import { TextField, Tick } from "../parts/Field";
import { Form } from "../parts/Form";
import { LONGEST_NAME, tooLong } from "../parts/long";
import { Notice } from "../parts/Notice";
import { sentence } from "../parts/problem";
import { keepKey, newKey } from "./keys";
import { Rules } from "./Rules";
import { overrides } from "./rules";

interface Props {
  house: Policy;
  /** Nobody is signed in: the room will end by itself. */
  short: boolean;
  onBooked: (room: Booking) => void;
}

const iso = (local: string): string | null => (local ? new Date(local).toISOString() : null);

export function Book({ house, short, onBooked }: Props) {
  const { t } = useTranslation();
  const [title, setTitle] = useState("");
  const [timed, setTimed] = useState(false);
  const [opens, setOpens] = useState("");
  const [closes, setCloses] = useState("");
  const [policy, setPolicy] = useState(house);
  const [missing, setMissing] = useState("");
  const [problem, setProblem] = useState("");
  const long = tooLong(title) ? t("book.titleLong", { most: LONGEST_NAME }) : undefined;

  async function send(): Promise<void> {
    setProblem("");
    setMissing(title.trim() ? "" : t("book.titleMissing"));
    if (!title.trim() || long) return;
    if (timed && (!opens || !closes)) {
      setProblem(t("book.timesMissing"));
      return;
    }
    try {
      const room = await staff.book({
        title: title.trim(),
        opens: timed ? iso(opens) : null,
        closes: timed ? iso(closes) : null,
        policy: overrides(house, policy),
      });
      if (policy.encryption === "required") keepKey(room.id, newKey());
      setTitle("");
      onBooked(room);
    } catch (refused) {
      setProblem(sentence(t, refused));
    }
  }

  return (
    <section className="card" aria-labelledby="book">
      <h2 className="kern-heading-medium" id="book">
        {t("book.title")}
      </h2>
      {problem && (
        <Notice kind="danger" title={t("book.failed")}>
          <p className="kern-body">{problem}</p>
        </Notice>
      )}
      <Form onSend={() => void send()}>
        <TextField
          label={t("book.name")}
          hint={t("book.nameHint")}
          value={title}
          onChange={setTitle}
          problem={long ?? missing}
          required
        />
        <Tick label={t("book.timed")} value={timed} onChange={setTimed} />
        {timed && (
          <div className="columns">
            <TextField label={t("book.opens")} type="datetime-local" value={opens} onChange={setOpens} />
            <TextField label={t("book.closes")} type="datetime-local" value={closes} onChange={setCloses} />
          </div>
        )}
        {short && <p className="kern-body">{t("book.short")}</p>}
        <Rules house={house} policy={policy} onChange={setPolicy} />
        <div className="buttons">
          <Button submit>{t("book.go")}</Button>
        </div>
      </Form>
    </section>
  );
}
