/* The room's page: what it is above, pictures in the middle, a panel beside, the bar below. */

import { useLocalParticipant } from "@livekit/components-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Seat } from "../../api/calls";
import type { Look } from "../../api/types";
import { Notice } from "../../parts/Notice";
import { useHouse } from "../../parts/Page";
import { sentence } from "../../parts/problem";
import { Bar } from "./Bar";
import { useBlur } from "./blur";
import { Chat } from "./Chat";
import type { Failed } from "./connect";
import { DeskContext, usePeople } from "./context";
import type { Desk } from "./context";
import { DevicesDialog } from "./DevicesDialog";
import { useEvents } from "./events";
import type { Line } from "./heartbeat";
import { Icon } from "./icons";
import { LeaveDialog } from "./LeaveDialog";
import { LiveText } from "./LiveText";
import { useLobby } from "./lobby";
import { useChat, useLiveText } from "./messages";
import type { PanelName } from "./Panel";
import { People } from "./People";
import { roleOf } from "./person";
import { Quality } from "./Quality";
import { Said, useSaid } from "./Said";
import { Shortcuts, useShortcuts } from "./Shortcuts";
import { Sound } from "./Sound";
import { useAnnounced } from "./speaker";
import { useCountSpeaking } from "./speaking";
import { Stage } from "./Stage";
import type { View } from "./Stage";

type Shown = "devices" | "shortcuts" | "leave";

interface Props {
  look: Look;
  seat: Seat;
  line: Line;
  failed: Failed[];
  encrypted: boolean;
  onLeave: () => void;
}

export function Layout({ look, seat, line, failed, encrypted, onLeave }: Props) {
  const { t } = useTranslation();
  const { localParticipant } = useLocalParticipant();
  const people = usePeople();
  const house = useHouse();
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [dialog, setDialog] = useState<Shown | null>(null);
  const [view, setView] = useState<View>("grid");
  const [pinned, pin] = useState<string | null>(null);
  const [said, say] = useSaid();
  const moderates = line === "connecting" ? look.role === "moderator" : roleOf(localParticipant) === "moderator";
  const lobby = useLobby(seat, moderates, say);
  const { policy } = look;
  const chat = useChat({ seat, encrypted, on: policy.chat }, panel === "chat", say);
  const text = useLiveText({ seat, encrypted, on: policy.live_text }, panel === "text", say);
  const blur = useBlur(say);
  const announced = useAnnounced(say);
  useEvents(say);
  useCountSpeaking();

  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const title = look.title || t("room.untitled");
  useEffect(() => {
    document.title = `${title} – ${house?.name ?? "Ratssaal"}`;
  }, [title, house]);

  const ask = useCallback(
    (call: Promise<unknown>) => {
      call.catch((problem: unknown) => {
        say(sentence(t, problem));
      });
    },
    [say, t],
  );
  const desk = useMemo<Desk>(
    () => ({ seat, policy, moderates, encrypted, pinned, pin, say, ask }),
    [seat, policy, moderates, encrypted, pinned, say, ask],
  );
  const close = () => {
    setDialog(null);
  };
  const show = (one: PanelName) => {
    setPanel(panel === one ? null : one);
  };
  const shortcuts = useShortcuts({
    people: () => { show("people"); },
    ...(policy.chat ? { chat: () => { show("chat"); } } : {}),
    ...(policy.live_text ? { text: () => { show("text"); } } : {}),
    view: () => { setView(view === "grid" ? "speaker" : "grid"); },
    help: () => { setDialog("shortcuts"); },
  });

  return (
    <DeskContext value={desk}>
      <div className={`room${panel ? " room--panel" : ""}`}>
        <header className="room__top">
          <h1 className="room__title" ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {encrypted && (
            <span className="room__mark">
              <Icon name="lock" />
              {t("room.encrypted")}
            </span>
          )}
          <Quality />
        </header>
        <div className="room__news">
          {line !== "good" && (
            <p className="room__line" role="status">
              {t(line === "connecting" ? "room.connecting" : "room.mending")}
            </p>
          )}
          {failed.map(({ device, fault }) => (
            <Notice key={device} kind="warning" title={t(`fault.${device}.${fault}.title`)}>
              <p className="kern-body">{t(`fault.${device}.${fault}.text`)}</p>
            </Notice>
          ))}
          {line === "good" && <Sound />}
        </div>
        <Said said={said} />
        <main className="room__stage" aria-label={t("room.pictures")}>
          <Stage view={view} people={people} />
        </main>
        {panel === "people" && (
          <People people={people} lobby={lobby} onClose={() => { setPanel(null); }} />
        )}
        {panel === "chat" && <Chat {...chat} onClose={() => { setPanel(null); }} />}
        {panel === "text" && <LiveText {...text} onClose={() => { setPanel(null); }} />}
        <Bar
          panel={panel}
          view={view}
          number={people.length}
          unread={chat.unread}
          waiting={lobby.waiting.length}
          shortcuts={shortcuts}
          onPanel={show}
          onView={setView}
          onDevices={() => { setDialog("devices"); }}
          onHelp={() => { setDialog("shortcuts"); }}
          onLeave={() => {
            if (moderates) setDialog("leave");
            else onLeave();
          }}
        />
        {dialog === "devices" && <DevicesDialog blur={blur} onClose={close} />}
        {dialog === "shortcuts" && <Shortcuts keys={shortcuts} announced={announced} onClose={close} />}
        {dialog === "leave" && (
          <LeaveDialog
            onClose={close}
            onLeave={onLeave}
            onEnd={() => {
              ask(seat.end());
            }}
          />
        )}
      </div>
    </DeskContext>
  );
}
