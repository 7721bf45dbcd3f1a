/* In the room: joins, keeps the line, and draws the meeting around it. */

import { RoomAudioRenderer, RoomContext } from "@livekit/components-react";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import { Seat } from "../../api/calls";
import type { Look, Place } from "../../api/types";
import type { Why, Wish } from "../visit";
import { bring, makeRoom } from "./connect";
import type { Failed } from "./connect";
import { Heartbeat } from "./heartbeat";
import type { Line } from "./heartbeat";
import { Layout } from "./Layout";

interface Props {
  look: Look;
  wish: Wish;
  seat: string;
  place: Place;
  encryptionKey: string | null;
  onEnd: (why: Why) => void;
}

export function Meeting({ look, wish, seat: token, place, encryptionKey, onEnd }: Props) {
  const [room] = useState(() => makeRoom(encryptionKey));
  const [line, setLine] = useState<Line>("connecting");
  const [failed, setFailed] = useState<Failed[]>([]);
  const seat = useMemo(() => new Seat(token), [token]);
  const encrypted = encryptionKey !== null;
  const end = useEffectEvent(onEnd);

  useEffect(() => {
    let here = true;
    const heart = new Heartbeat(room, seat, encrypted, {
      line: setLine,
      end: (why) => {
        end(why);
      },
    });
    heart
      .start(place)
      .then(() => bring(room, wish, () => here))
      .then(setFailed, () => {
        setFailed([]); // the heart beat has said why there is no room
      });
    return () => {
      here = false;
      heart.stop();
    };
  }, [room, seat, encrypted, place, wish]);

  return (
    <RoomContext.Provider value={room}>
      <Layout
        look={look}
        seat={seat}
        line={line}
        failed={failed}
        encrypted={encrypted}
        onLeave={() => {
          void seat.leave().catch(() => undefined);
          onEnd("left");
        }}
      />
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}
