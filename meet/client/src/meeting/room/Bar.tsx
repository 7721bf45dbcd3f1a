/* The bar below: what a person does in a meeting, each with a word. */

import { useLocalParticipant } from "@livekit/components-react";
import { Track } from "livekit-client";
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { faultOf } from "../entry/preview";
import { useDesk } from "./context";
import { pressed } from "./events";
import { Icon } from "./icons";
import type { IconName } from "./icons";
import type { PanelName } from "./Panel";
import { handOf, maySend } from "./person";
import type { Keys } from "./Shortcuts";
import type { View } from "./Stage";

interface Props {
  panel: PanelName | null;
  view: View;
  number: number;
  unread: number;
  waiting: number;
  shortcuts: Keys;
  onPanel: (panel: PanelName) => void;
  onView: (view: View) => void;
  onDevices: () => void;
  onHelp: () => void;
  onLeave: () => void;
}

export function Bar(props: Props) {
  const { t } = useTranslation();
  const { seat, policy, say, ask } = useDesk();
  const { localParticipant: me, isMicrophoneEnabled, isCameraEnabled, isScreenShareEnabled } =
    useLocalParticipant();
  const [more, setMore] = useState(false);
  const switcher = useRef<HTMLDivElement>(null);
  const raised = handOf(me) !== null;
  const { panel, view, shortcuts } = props;

  async function toggle(kind: "microphone" | "camera", on: boolean): Promise<void> {
    const source = kind === "camera" ? Track.Source.Camera : Track.Source.Microphone;
    pressed.add(source);
    try {
      if (kind === "camera") await me.setCameraEnabled(on);
      else await me.setMicrophoneEnabled(on);
    } catch (problem) {
      say(t(`fault.${kind}.${faultOf(problem)}.text`));
    } finally {
      pressed.delete(source);
    }
  }

  async function share(on: boolean): Promise<void> {
    try {
      await me.setScreenShareEnabled(on, { audio: true, selfBrowserSurface: "exclude" });
    } catch (problem) {
      // Who closes the browser's own choice has changed their mind: nothing to say.
      if (faultOf(problem) !== "refused") say(t("fault.screen"));
    }
  }

  const show = (one: PanelName) => {
    setMore(false); // on a phone the panel takes the place of the choice
    // Which is hidden then: the panel gives the focus back to what is seen. Elsewhere this does nothing.
    switcher.current?.querySelector("button")?.focus();
    props.onPanel(one);
  };
  const microphone = () => void toggle("microphone", !isMicrophoneEnabled);
  const camera = () => void toggle("camera", !isCameraEnabled);
  const screen = () => void share(!isScreenShareEnabled);
  const hand = () => { ask(seat.hand(!raised)); };
  const speaks = maySend(me, "microphone");
  const shows = maySend(me, "camera");
  const shares = maySend(me, "screen") && "getDisplayMedia" in navigator.mediaDevices;
  useEffect(() => {
    shortcuts.bind({
      ...(speaks ? { microphone } : {}),
      ...(shows ? { camera } : {}),
      ...(shares ? { screen } : {}),
      hand,
    });
  });

  return (
    <footer className="bar">
      <div className="bar__group" role="group" aria-label={t("bar.own")}>
        {speaks && (
          <Item icon="microphone" off={!isMicrophoneEnabled} on={isMicrophoneEnabled} onPress={microphone}>
            {t(isMicrophoneEnabled ? "bar.mute" : "bar.unmute")}
          </Item>
        )}
        {shows && (
          <Item icon="camera" off={!isCameraEnabled} on={isCameraEnabled} onPress={camera}>
            {t(isCameraEnabled ? "bar.cameraOff" : "bar.cameraOn")}
          </Item>
        )}
        {shares && (
          <Item icon="screen" on={isScreenShareEnabled} onPress={screen}>
            {t(isScreenShareEnabled ? "bar.shareStop" : "bar.share")}
          </Item>
        )}
        <Item icon="hand" on={raised} onPress={hand}>
          {t(raised ? "bar.handDown" : "bar.handUp")}
        </Item>
      </div>
      <div
        className={`bar__group bar__group--room${more ? " bar__group--open" : ""}`}
        role="group"
        aria-label={t("bar.room")}
      >
        <Item
          icon="people"
          open={panel === "people"}
          badge={props.waiting}
          onPress={() => { show("people"); }}
        >
          {t("bar.people", { number: props.number })}
          {props.waiting > 0 && <span className="kern-sr-only"> {t("bar.waiting", { number: props.waiting })}</span>}
        </Item>
        {policy.chat && (
          <Item icon="chat" open={panel === "chat"} badge={props.unread} onPress={() => { show("chat"); }}>
            {t("bar.chat")}
            {props.unread > 0 && <span className="kern-sr-only"> {t("bar.unread", { number: props.unread })}</span>}
          </Item>
        )}
        {policy.live_text && (
          <Item icon="text" open={panel === "text"} onPress={() => { show("text"); }}>
            {t("bar.text")}
          </Item>
        )}
        <Item icon="view" onPress={() => { props.onView(view === "grid" ? "speaker" : "grid"); }}>
          {t(view === "grid" ? "bar.speaker" : "bar.grid")}
        </Item>
        <Item icon="settings" onPress={props.onDevices}>
          {t("bar.devices")}
        </Item>
        <button type="button" className="bar__item" onClick={props.onHelp}>
          <span className="kern-icon kern-icon--help" aria-hidden="true" />
          <span className="bar__label">{t("bar.help")}</span>
        </button>
      </div>
      <div className="bar__more" ref={switcher}>
        <Item
          icon="more"
          open={more}
          badge={props.waiting + props.unread}
          onPress={() => { setMore(!more); }}
        >
          {t("bar.more")}
        </Item>
      </div>
      <button type="button" className="bar__item bar__item--leave" onClick={props.onLeave}>
        <Icon name="leave" />
        <span className="bar__label">{t("bar.leave")}</span>
      </button>
    </footer>
  );
}

interface ItemProps {
  icon: IconName;
  /** Whether what it switches is on: shown by colour and by the words. */
  on?: boolean;
  off?: boolean;
  open?: boolean;
  badge?: number;
  onPress: () => void;
  children: ReactNode;
}

function Item({ icon, on, off = false, open, badge = 0, onPress, children }: ItemProps) {
  return (
    <button
      type="button"
      className={`bar__item${on || open ? " bar__item--on" : ""}`}
      aria-expanded={open}
      onClick={onPress}
    >
      <Icon name={icon} off={off} />
      <span className="bar__label">{children}</span>
      {badge > 0 && (
        <span className="bar__badge" aria-hidden="true">
          {badge}
        </span>
      )}
    </button>
  );
}
