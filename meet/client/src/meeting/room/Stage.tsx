/* The pictures: all alike in a grid, or one large with the others beside it. */

import { useTracks } from "@livekit/components-react";
import type { TrackReferenceOrPlaceholder } from "@livekit/components-react";
import { RoomEvent, Track } from "livekit-client";
import type { Participant } from "livekit-client";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { useDesk } from "./context";
import { fit, useSize } from "./fit";
import { roleOf, sends } from "./person";
import { useSpeaker } from "./speaker";
import { keyOf, Tile } from "./Tile";

export type View = "grid" | "speaker";

const PAGE_WIDE = 16;
const PAGE_PHONE = 6;
const STRIP = 8;
const PHONE_PX = 640;

interface Props {
  view: View;
  people: Participant[];
}

/** Shared screens first, then pictures, then people without one. Viewers who show nothing and
    may not are in the list alone. */
function order(tracks: TrackReferenceOrPlaceholder[]): TrackReferenceOrPlaceholder[] {
  const rank = (one: TrackReferenceOrPlaceholder) =>
    one.source === Track.Source.ScreenShare ? 0 : sends(one.participant, "camera") ? 1 : 2;
  return tracks
    .filter((one) => roleOf(one.participant) !== "viewer" || one.participant.isLocal)
    .sort((one, other) => rank(one) - rank(other));
}

export function Stage({ view, people }: Props) {
  const { t } = useTranslation();
  const { pinned } = useDesk();
  const [area, size] = useSize();
  const [page, setPage] = useState(0);
  const speaker = useSpeaker(people);
  const tracks = order(
    useTracks(
      [
        { source: Track.Source.Camera, withPlaceholder: true },
        { source: Track.Source.ScreenShare, withPlaceholder: false },
      ],
      { onlySubscribed: false, updateOnlyOn: [RoomEvent.TrackMuted, RoomEvent.TrackUnmuted] },
    ),
  );
  const shared = tracks.find((one) => one.source === Track.Source.ScreenShare);
  // Who was pinned and has gone is wanted no more, until they come back.
  const wanted = tracks.some((one) => one.participant.identity === pinned) ? pinned : null;
  const large =
    (wanted && tracks.find((one) => one.participant.identity === wanted)) ??
    shared ??
    tracks.find((one) => one.participant.identity === speaker && sends(one.participant, "camera")) ??
    tracks.find((one) => !one.participant.isLocal) ??
    tracks[0];

  // A shared screen or a pinned person is what everybody looks at: large, whatever the view.
  if ((view === "speaker" || shared || wanted) && large && tracks.length > 1) {
    const others = tracks.filter((one) => one !== large).slice(0, STRIP);
    return (
      <div className="stage stage--speaker" ref={area}>
        <Tile key={keyOf(large)} track={large} large />
        <div className="stage__strip">
          {others.map((one) => (
            <Tile key={keyOf(one)} track={one} />
          ))}
        </div>
      </div>
    );
  }

  const most = size.width < PHONE_PX ? PAGE_PHONE : PAGE_WIDE;
  const pages = Math.max(1, Math.ceil(tracks.length / most));
  const shown = Math.min(page, pages - 1);
  const tiles = tracks.slice(shown * most, (shown + 1) * most);
  const { columns, width } = fit(tiles.length, size);
  return (
    <div className="stage stage--grid">
      <div
        className="stage__tiles"
        ref={area}
        style={{ gridTemplateColumns: `repeat(${columns}, ${Math.floor(width)}px)` }}
      >
        {tiles.map((one) => (
          <Tile key={keyOf(one)} track={one} />
        ))}
      </div>
      {pages > 1 && (
        <nav className="stage__pages" aria-label={t("stage.pages")}>
          <Button small kind="secondary" disabled={shown === 0} onPress={() => { setPage(shown - 1); }}>
            {t("stage.before")}
          </Button>
          <span className="kern-body">{t("stage.page", { page: shown + 1, pages })}</span>
          <Button small kind="secondary" disabled={shown === pages - 1} onPress={() => { setPage(shown + 1); }}>
            {t("stage.next")}
          </Button>
        </nav>
      )}
    </div>
  );
}
