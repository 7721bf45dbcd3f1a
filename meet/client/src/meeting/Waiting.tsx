/* The lobby, as the one who waits sees it: nobody, and how it stands. */

import { useEffect, useEffectEvent } from "react";
import { useTranslation } from "react-i18next";
import { follow } from "../api/events";
import type { Look, Place, Waiting as Told } from "../api/types";
import { Refused } from "../api/calls";
import { Button } from "../parts/Button";
import { Page } from "../parts/Page";
import type { Why } from "./visit";

interface Props {
  look: Look;
  ticket: string;
  onAdmitted: (seat: string, place: Place) => void;
  onEnd: (why: Why) => void;
}

export function Waiting({ look, ticket, onAdmitted, onEnd }: Props) {
  const { t } = useTranslation();
  const told = useEffectEvent((data: unknown) => {
    const state = data as Told;
    if (state.state === "admitted") onAdmitted(state.seat, state.place);
    if (state.state === "declined") onEnd("declined");
    if (state.state === "over") onEnd("ended");
  });
  const failed = useEffectEvent((problem: unknown) => {
    onEnd(problem instanceof Refused && problem.key === "ended" ? "ended" : "over");
  });
  useEffect(() => {
    const stop = new AbortController();
    follow("/api/wait", ticket, stop.signal, (event, data) => {
      if (event === "state") told(data);
    }).catch((problem: unknown) => {
      failed(problem);
    });
    return () => {
      stop.abort();
    };
  }, [ticket]);
  return (
    <Page title={look.title || t("room.untitled")} easy>
      <h2 className="kern-heading-medium">{t("waiting.title")}</h2>
      <p className="kern-body" role="status">
        {t("waiting.text")}
      </p>
      <progress className="kern-progress" aria-label={t("waiting.title")} />
      <div className="buttons">
        <Button
          kind="secondary"
          onPress={() => {
            onEnd("left");
          }}
        >
          {t("waiting.stop")}
        </Button>
      </div>
    </Page>
  );
}
