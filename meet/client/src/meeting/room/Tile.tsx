/* One picture with a name: a camera, a shared screen, or the place of somebody without either. */

import { isTrackReference, useIsSpeaking, VideoTrack } from "@livekit/components-react";
import type { TrackReferenceOrPlaceholder } from "@livekit/components-react";
import { Track } from "livekit-client";
import { useTranslation } from "react-i18next";
import { useDesk } from "./context";
import { Icon } from "./icons";
import { handOf, sends } from "./person";

interface Props {
  track: TrackReferenceOrPlaceholder;
  large?: boolean;
}

export const keyOf = (track: TrackReferenceOrPlaceholder): string =>
  `${track.participant.identity}/${track.source}`;

/** Two letters for a person without a picture. */
function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toUpperCase();
}

export function Tile({ track, large = false }: Props) {
  const { t } = useTranslation();
  const { pinned, pin } = useDesk();
  const { participant: person, source } = track;
  const speaks = useIsSpeaking(person);
  const name = person.name ?? "";
  const screen = source === Track.Source.ScreenShare;
  const seen = isTrackReference(track) && !track.publication.isMuted;
  const isPinned = pinned === person.identity;
  const silent = !screen && !sends(person, "microphone");
  const classes = [
    "tile",
    large && "tile--large",
    speaks && !screen && "tile--speaks",
    screen && "tile--screen",
    person.isLocal && !screen && "tile--own",
  ];
  return (
    <figure className={classes.filter(Boolean).join(" ")} data-person={name}>
      {seen ? (
        <VideoTrack
          trackRef={track}
          data-remote={person.isLocal ? undefined : source}
          data-own={person.isLocal ? source : undefined}
          aria-label={t(screen ? "tile.screen" : "tile.picture", { name })}
        />
      ) : (
        <span className="tile__initials" aria-hidden="true">
          {initials(name)}
        </span>
      )}
      <figcaption className="tile__name">
        {handOf(person) !== null && <Icon name="hand" />}
        {silent && <Icon name="microphone" off />}
        <span>{screen ? t("tile.screen", { name }) : person.isLocal ? t("tile.you", { name }) : name}</span>
        {speaks && !screen && <span className="kern-sr-only">{t("people.speaks")}</span>}
      </figcaption>
      <button
        type="button"
        className="tile__pin"
        aria-pressed={isPinned}
        aria-label={t(isPinned ? "tile.unpin" : "tile.pin", { name })}
        title={t(isPinned ? "people.unpin" : "people.pin")}
        onClick={() => {
          pin(isPinned ? null : person.identity);
        }}
      >
        <Icon name="pin" />
      </button>
    </figure>
  );
}
