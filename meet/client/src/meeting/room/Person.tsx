/* One person in the list: what they send, and what a moderator may do. */

import { useIsSpeaking } from "@livekit/components-react";
import type { Participant } from "livekit-client";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Source } from "../../api/types";
import { Button } from "../../parts/Button";
import { Confirm } from "../../parts/Confirm";
import { useDesk } from "./context";
import { Icon } from "./icons";
import { handOf, mayAllow, maySend, roleOf, sends } from "./person";

const SOURCES: readonly Source[] = ["microphone", "camera", "screen"];

interface Props {
  person: Participant;
  /** Seconds this person has spoken. */
  spoke: number;
}

export function Person({ person, spoke }: Props) {
  const { t } = useTranslation();
  const { moderates, pinned, pin } = useDesk();
  const speaks = useIsSpeaking(person);
  const name = person.name ?? "";
  const role = roleOf(person);
  const about = [
    person.isLocal && t("you"),
    role !== "participant" && t(`role.${role}`),
    speaks && t("people.speaks"),
    handOf(person) !== null && t("people.hand"),
    spoke >= 1 && t("people.spoke", { minutes: Math.floor(spoke / 60), seconds: String(Math.floor(spoke % 60)).padStart(2, "0") }),
  ].filter(Boolean);
  const isPinned = pinned === person.identity;
  return (
    <li className="person">
      <span className="person__name">
        {name}
        <span className="person__about">{about.join(" · ")}</span>
      </span>
      <span className="person__signs">
        {(["microphone", "camera"] as const).map((one) => (
          <span key={one} title={t(`people.${one}.${sends(person, one) ? "on" : "off"}`)}>
            <Icon name={one} off={!sends(person, one)} />
            <span className="kern-sr-only">{t(`people.${one}.${sends(person, one) ? "on" : "off"}`)}</span>
          </span>
        ))}
      </span>
      <details className="person__more">
        <summary aria-label={t("people.moreName", { name })}>{t("people.more")}</summary>
        <div className="person__actions">
          <Button small kind="secondary" onPress={() => { pin(isPinned ? null : person.identity); }}>
            {t(isPinned ? "people.unpin" : "people.pin")}
          </Button>
          {moderates && !person.isLocal && <Moderation person={person} />}
        </div>
      </details>
    </li>
  );
}

function Moderation({ person }: { person: Participant }) {
  const { t } = useTranslation();
  const { seat, policy, ask } = useDesk();
  const [removing, setRemoving] = useState(false);
  const { identity } = person;
  const name = person.name ?? "";
  const role = roleOf(person);
  const moderator = role === "moderator";
  // Moderators have all rights and viewers none; the policy may leave the others no choice.
  const ruled = SOURCES.filter((one) => role === "participant" && mayAllow(policy, one));
  return (
    <>
      {SOURCES.map((one) =>
        sends(person, one) ? (
          <Button key={one} small kind="secondary" onPress={() => { ask(seat.mute(identity, one, false)); }}>
            {t(`moderate.stop.${one}`)}
          </Button>
        ) : null,
      )}
      {ruled.map((one) =>
        maySend(person, one) ? (
          <Button key={one} small kind="secondary" onPress={() => { ask(seat.mute(identity, one, true)); }}>
            {t(`moderate.forbid.${one}`)}
          </Button>
        ) : (
          <Button key={one} small kind="secondary" onPress={() => { ask(seat.allow(identity, one)); }}>
            {t(`moderate.allow.${one}`)}
          </Button>
        ),
      )}
      <Button
        small
        kind="secondary"
        onPress={() => { ask(seat.role(identity, moderator ? "participant" : "moderator")); }}
      >
        {t(moderator ? "moderate.step_down" : "moderate.hand_over")}
      </Button>
      <Button small kind="secondary" onPress={() => { setRemoving(true); }}>
        {t("moderate.remove")}
      </Button>
      {removing && (
        <Confirm
          title={t("moderate.removeTitle", { name })}
          text={t("moderate.removeText")}
          action={t("moderate.remove")}
          onConfirm={() => { ask(seat.remove(identity)); }}
          onClose={() => { setRemoving(false); }}
        />
      )}
    </>
  );
}
