/* Who waits before the door, as moderators see it. */

import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Seat } from "../../api/calls";
import { follow } from "../../api/events";
import type { Lobby } from "../../api/types";

const EMPTY: Lobby = { waiting: [], locked: false, silenced: [] };

export function useLobby(seat: Seat, moderates: boolean, say: (text: string) => void): Lobby {
  const { t } = useTranslation();
  const [lobby, setLobby] = useState(EMPTY);
  const known = useRef(new Set<string>());
  const told = useEffectEvent((found: Lobby) => {
    for (const one of found.waiting) {
      if (!known.current.has(one.id)) say(t("said.waits", { name: one.name }));
    }
    known.current = new Set(found.waiting.map((one) => one.id));
    setLobby(found);
  });
  useEffect(() => {
    if (!moderates) return;
    const stop = new AbortController();
    follow("/api/lobby", seat.token, stop.signal, (event, data) => {
      if (event === "lobby") told(data as Lobby);
    }).catch(() => {
      setLobby(EMPTY); // no moderator any more
    });
    return () => {
      stop.abort();
      setLobby(EMPTY);
    };
  }, [seat, moderates]);
  return lobby;
}
