/* Chat, and live text: each letter as it is typed (EN 301 549, 6.2). Both live in the browsers of
   those who are here, and nowhere else. They go by LiveKit, or by the box where LiveKit takes none. */

import { useRoomContext } from "@livekit/components-react";
import { RoomEvent } from "livekit-client";
import type { Participant, RoomEventCallbacks } from "livekit-client";
import { useCallback, useEffect, useEffectEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Seat } from "../../api/calls";
import type { Topic, Written } from "../../api/types";
import { textsGo } from "./person";
import { Relay } from "./relay";
import type { Say } from "./Said";

export const LONGEST = 2000;
const MOST = 500;
const SHORT = 120;

export interface Message extends Written {
  name: string;
  own: boolean;
  at: Date;
}

interface Sent extends Written {
  /** Who wrote it, where the box passes it on. */
  from: string;
}

/** No more than the box passes on, and no half of a character at the end. */
const cut = (text: string) => text.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, "");

/** How this room writes. `on`: whether it has the topic; where not, what comes on it is dropped. */
export interface Way {
  seat: Seat;
  encrypted: boolean;
  on: boolean;
}

type Received = Parameters<RoomEventCallbacks["dataReceived"]>;

/** What came from somebody who is not known yet. */
interface Early {
  writer: string;
  sent: Sent;
}

/** What another browser sent, or the box; null where it is not what ours sends. */
function read(payload: Uint8Array): Sent | null {
  try {
    const found = JSON.parse(new TextDecoder().decode(payload)) as Partial<Sent> | null;
    if (typeof found?.id !== "string" || typeof found.text !== "string") return null;
    const { id, text, from } = found;
    return {
      id: id.slice(0, 40),
      text: text.slice(0, LONGEST),
      done: found.done !== false,
      from: typeof from === "string" ? from : "",
    };
  } catch {
    return null;
  }
}

function useTopic(topic: Topic, { seat, encrypted, on }: Way, heard: (message: Message) => void) {
  const room = useRoomContext();
  const relay = useMemo(() => new Relay((written) => seat.write(topic, written)), [seat, topic]);
  const [messages, setMessages] = useState<Message[]>([]);
  const tell = useEffectEvent(heard);
  const put = useCallback((message: Message) => {
    setMessages((before) => {
      const rest = before.filter((one) => one.id !== message.id);
      // An emptied line is no line.
      const kept = message.text ? [...rest, message] : rest;
      // A line stays where it began: others that write meanwhile do not make it jump.
      const place = before.findIndex((one) => one.id === message.id);
      if (place < 0 || !message.text) return kept.slice(-MOST);
      return before.map((one) => (one.id === message.id ? message : one));
    });
  }, []);
  useEffect(() => {
    if (!on) return;
    // LiveKit may take seconds to tell of somebody who has come, and may have written meanwhile.
    let early: Early[] = [];
    const written = (person: Participant, { id: line, text, done }: Sent) => {
      // Nobody can write into another's line: its name holds the writer.
      const id = `${person.identity}/${line}`;
      const message = { id, text, done, name: person.name ?? "", own: false, at: new Date() };
      put(message);
      tell(message);
    };
    const received = (...[payload, person, , found, , identity]: Received) => {
      const sent = found === topic ? read(payload) : null;
      if (!sent) return;
      // LiveKit says who has sent it, but of the box: that says who has written it, and has no key.
      const writer = person?.identity ?? (identity || (encrypted ? "" : sent.from));
      const known = person ?? room.remoteParticipants.get(writer);
      if (known) written(known, sent);
      else if (writer && writer !== room.localParticipant.identity) {
        early = [...early, { writer, sent }].slice(-MOST);
      }
    };
    const came = (person: Participant) => {
      const theirs = early.filter((one) => one.writer === person.identity);
      early = early.filter((one) => one.writer !== person.identity);
      for (const one of theirs) written(person, one.sent);
    };
    room.on(RoomEvent.DataReceived, received);
    room.on(RoomEvent.ParticipantConnected, came);
    return () => {
      room.off(RoomEvent.DataReceived, received);
      room.off(RoomEvent.ParticipantConnected, came);
    };
  }, [room, topic, on, encrypted, put]);
  const send = useCallback(
    (id: string, text: string, done: boolean) => {
      const written: Written = { id, text: cut(text), done };
      const me = room.localParticipant;
      put({ ...written, name: me.name ?? "", own: true, at: new Date() });
      if (textsGo(me, encrypted) === "by the box") return relay.send(written);
      const payload = new TextEncoder().encode(JSON.stringify(written));
      return me.publishData(payload, { reliable: true, topic });
    },
    [room, topic, put, relay, encrypted],
  );
  return { messages, send };
}

export interface Talk {
  messages: Message[];
  unread: number;
  send: (id: string, text: string, done: boolean) => Promise<void>;
}

export function useChat(way: Way, open: boolean, say: Say): Talk {
  const { t } = useTranslation();
  const [unread, setUnread] = useState(0);
  const { messages, send } = useTopic("chat", way, ({ name, text }) => {
    say(t("said.wrote", { name, text: text.slice(0, SHORT) }), open);
    if (!open) setUnread((before) => before + 1);
  });
  if (open && unread) setUnread(0);
  return { messages, unread, send };
}

export function useLiveText(way: Way, open: boolean, say: Say): Talk {
  const { t } = useTranslation();
  const { messages, send } = useTopic("text", way, ({ name, text, done }) => {
    // Letter by letter would drown a screen reader: a finished line is read out.
    if (done && text) say(t("said.wrote", { name, text: text.slice(0, SHORT) }), open);
    else if (!open && text.length === 1) say(t("said.types", { name }));
  });
  return { messages, unread: 0, send };
}
