/* One person's visit to one meeting, from the link to the farewell. */

import { lazy, Suspense, useCallback, useEffect, useReducer, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { enter, look, Refused, Seat } from "../api/calls";
import { Button } from "../parts/Button";
import { Page } from "../parts/Page";
import { sentence } from "../parts/problem";
import { CodeForm } from "./CodeForm";
import { Closed } from "./Closed";
import { Entry } from "./entry/Entry";
import type { Asked } from "./entry/Entry";
import { readLink } from "./link";
import { giveUpSeat, heldSeat, holdSeat } from "./seats";
import { next } from "./visit";
import type { Why } from "./visit";
import { Waiting } from "./Waiting";

// LiveKit's client is the greater part of all scripts: fetched while the person types a name.
const fetchRoom = () => import("./room/Meeting");
const Meeting = lazy(() => fetchRoom().then((found) => ({ default: found.Meeting })));

const PLACE_MS = 5000;

export function Visit() {
  const { t } = useTranslation();
  const [link, setLink] = useState(() => readLink(location.hash));
  const [visit, step] = useReducer(next, { at: link.invitation ? "look" : "start" });
  const { invitation, key } = link;

  useEffect(() => {
    const read = () => {
      const found = readLink(location.hash);
      setLink(found);
      step({ did: "open", invited: found.invitation !== null });
    };
    window.addEventListener("hashchange", read);
    return () => {
      window.removeEventListener("hashchange", read);
    };
  }, []);

  const ask = useCallback(() => {
    const { invitation } = link;
    if (!invitation) return;
    look(invitation).then(
      (found) => {
        step({ did: "look", look: found });
        void fetchRoom();
      },
      (problem: unknown) => {
        step({ did: "look-failed", problem });
      },
    );
    // The whole link: the same invitation may come again, with its key.
  }, [link]);
  useEffect(ask, [ask]);

  // Each state is a page of its own: the focus begins at its title, save where the page has just
  // been loaded. The room sees to its own.
  const seen = useRef(false);
  useEffect(() => {
    if (visit.at === "look") return;
    if (seen.current) document.querySelector<HTMLElement>("#page h1")?.focus();
    seen.current = true;
  }, [visit.at]);

  const end = useCallback((why: Why) => {
    if (why !== "elsewhere" && why !== "lost") giveUpSeat();
    step({ did: "end", why });
  }, []);

  async function come({ name, noticeSeen, wish }: Asked): Promise<void> {
    if (!invitation) return;
    step({ did: "ask" });
    try {
      const held = heldSeat(invitation);
      if (held) {
        try {
          const place = await new Seat(held).place(PLACE_MS);
          step({ did: "admit", wish, seat: held, place });
          return;
        } catch (problem) {
          // The seat is worth nothing any more: ask for a new one, as anybody with the link.
          if (!(problem instanceof Refused && problem.final)) throw problem;
          giveUpSeat();
        }
      }
      const entered = await enter(invitation, name, noticeSeen);
      if (entered.state === "waiting") {
        step({ did: "wait", wish, ticket: entered.ticket });
      } else {
        holdSeat(invitation, entered.seat);
        step({ did: "admit", wish, seat: entered.seat, place: entered.place });
      }
    } catch (problem) {
      step({ did: "ask-failed", problem });
    }
  }

  switch (visit.at) {
    case "start":
      return (
        <Page title={t("start.title")} easy>
          <CodeForm />
        </Page>
      );
    case "look":
      return (
        <Page title={t("look.title")} easy>
          <p className="kern-body" role="status">
            {t("look.wait")}
          </p>
        </Page>
      );
    case "wrong":
      return (
        <Page title={t("look.wrong")} easy>
          <p className="kern-body" role="alert">
            {sentence(t, visit.problem)}
          </p>
          <div className="buttons">
            <Button onPress={ask}>{t("again")}</Button>
            <a className="kern-link" href="/m/">
              {t("look.code")}
            </a>
          </div>
        </Page>
      );
    case "closed":
      return <Closed look={visit.look} onAgain={ask} />;
    case "entry":
      return (
        <Entry
          look={visit.look}
          hasKey={key !== null}
          busy={visit.busy}
          problem={visit.problem}
          onAsk={(asked) => void come(asked)}
        />
      );
    case "waiting":
      return (
        <Waiting
          look={visit.look}
          ticket={visit.ticket}
          onAdmitted={(seat, place) => {
            if (invitation) holdSeat(invitation, seat);
            step({ did: "admit", wish: visit.wish, seat, place });
          }}
          onEnd={end}
        />
      );
    case "room":
      return (
        <Suspense
          fallback={
            <p className="plain" role="status">
              {t("room.connecting")}
            </p>
          }
        >
          <Meeting
            look={visit.look}
            wish={visit.wish}
            seat={visit.seat}
            place={visit.place}
            encryptionKey={key}
            onEnd={end}
          />
        </Suspense>
      );
    case "over":
      return (
        <Page title={t(`over.${visit.why}.title`)} easy>
          <p className="kern-body">{t(`over.${visit.why}.text`)}</p>
          {visit.why !== "ended" && visit.why !== "removed" && (
            <div className="buttons">
              <Button
                onPress={() => {
                  step({ did: "open", invited: true });
                  ask();
                }}
              >
                {t("over.back")}
              </Button>
            </div>
          )}
        </Page>
      );
  }
}
