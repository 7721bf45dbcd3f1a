/* The booked rooms, each with what is to be sent to whom. */

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Booking, Role } from "../api/types";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Confirm";
import { useMoment } from "../parts/moment";
import { Notice } from "../parts/Notice";
import { dropKey, keyOf, withKey } from "./keys";

interface Props {
  rooms: Booking[];
  /** The room that was booked just now: the focus goes to it. */
  fresh: string | null;
  /** Somebody is signed in: nobody else may delete rooms, or get their calendar files. */
  signedIn: boolean;
  onCancel: (id: string) => void;
}

export function Rooms({ rooms, fresh, signedIn, onCancel }: Props) {
  const { t } = useTranslation();
  return (
    <section className="form" aria-labelledby="rooms">
      <h2 className="kern-heading-medium" id="rooms">
        {t("rooms.title")}
      </h2>
      {rooms.length === 0 && <p className="kern-body">{t("rooms.empty")}</p>}
      {rooms.map((one) => (
        <Room key={one.id} room={one} fresh={one.id === fresh} signedIn={signedIn} onCancel={onCancel} />
      ))}
    </section>
  );
}

const ROLES: readonly Role[] = ["moderator", "participant", "viewer"];

interface RoomProps {
  room: Booking;
  fresh: boolean;
  signedIn: boolean;
  onCancel: Props["onCancel"];
}

function Room({ room, fresh, signedIn, onCancel }: RoomProps) {
  const { t } = useTranslation();
  const moment = useMoment();
  const [asking, setAsking] = useState(false);
  const [copied, setCopied] = useState<Role | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (fresh) heading.current?.focus();
  }, [fresh]);
  const key = keyOf(room.id);
  const encrypted = room.policy.encryption === "required";
  const code = room.code.replace(/(\d{3})(?=\d)/g, "$1 ");

  async function copy(role: Role): Promise<void> {
    await navigator.clipboard.writeText(withKey(room.links[role], key));
    setCopied(role);
  }

  return (
    <article className="card" aria-labelledby={`room-${room.id}`} data-room={room.id}>
      <h3 className="kern-heading-small" id={`room-${room.id}`} ref={heading} tabIndex={-1}>
        {room.title}
      </h3>
      <p className="kern-body">
        {room.opens || room.closes
          ? t("rooms.time", { opens: moment(room.opens), closes: moment(room.closes) })
          : t("rooms.always")}
      </p>
      {encrypted && !key && (
        <Notice kind="warning" title={t("rooms.noKey.title")}>
          <p className="kern-body">{t("rooms.noKey.text")}</p>
        </Notice>
      )}
      <div className="buttons">
        <a className="kern-btn kern-btn--primary" href={withKey(room.links.moderator, key)}>
          <span className="kern-label">{t("rooms.enter")}</span>
        </a>
        {ROLES.map((role) => (
          <Button key={role} kind="secondary" onPress={() => void copy(role)}>
            {t(`rooms.copy.${role}`)}
          </Button>
        ))}
      </div>
      <p className="kern-body" role="status">
        {copied && t(`rooms.copied.${copied}`)}
      </p>
      {!encrypted && (
        <p className="kern-body">
          {t("rooms.code")} <span className="code">{code}</span>
        </p>
      )}
      {signedIn && (
        <div className="buttons">
          {room.opens && room.closes && (
            <a
              className="kern-link"
              href={`/api/rooms/${encodeURIComponent(room.id)}/invitation.ics?role=participant`}
              download={`${room.id}.ics`}
            >
              {t("rooms.calendar")}
            </a>
          )}
          <Button kind="tertiary" name={t("rooms.cancelName", { title: room.title })} onPress={() => { setAsking(true); }}>
            {t("rooms.cancel")}
          </Button>
        </div>
      )}
      {signedIn && encrypted && room.opens && <p className="kern-body kern-body--small">{t("rooms.encrypted")}</p>}
      {asking && (
        <Confirm
          title={t("rooms.cancelTitle", { title: room.title })}
          text={t("rooms.cancelText")}
          action={t("rooms.cancel")}
          onConfirm={() => {
            dropKey(room.id);
            onCancel(room.id);
          }}
          onClose={() => { setAsking(false); }}
        />
      )}
    </article>
  );
}
