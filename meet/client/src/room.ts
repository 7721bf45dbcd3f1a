/* The test room: joins with a place that the signed-in administrator's page gives, shows who is
   there, and says what works. It makes way for the meeting's own pages. */

import "./kern.css";
import { Room, RoomEvent, Track } from "livekit-client";
import type { RemoteTrack, LocalTrackPublication } from "livekit-client";

interface Place {
  token: string;
}

const WORDS = {
  de: {
    title: "Testraum",
    lead: "Hier probieren Sie Kamera und Mikrofon aus. Öffnen Sie diese Seite auf einem zweiten Gerät, um sich selbst zu sehen.",
    join: "Eintreten",
    works: "Was funktioniert",
    connecting: "Verbindung wird aufgebaut …",
    connected: "Verbunden.",
    refused: "Bitte melden Sie sich zuerst an oder richten Sie das Gerät ein.",
    failed: "Die Verbindung kam nicht zustande. Bitte zeigen Sie diese Seite Ihrer IT.",
    noCamera: "Kamera und Mikrofon sind nicht freigegeben. Sie können trotzdem zusehen.",
    left: "Sie haben den Raum verlassen.",
    signalling: "Verbindung zum Gerät (443/tcp)",
    media: "Bild und Ton (443/udp oder Umweg)",
    received: "Bild von anderen",
    yes: "ja",
    no: "nein",
  },
  en: {
    title: "Test room",
    lead: "Try camera and microphone here. Open this page on a second device to see yourself.",
    join: "Enter",
    works: "What works",
    connecting: "Connecting …",
    connected: "Connected.",
    refused: "Please sign in first, or set up the box.",
    failed: "The connection did not come about. Please show this page to your IT.",
    noCamera: "Camera and microphone are not allowed. You can watch all the same.",
    left: "You have left the room.",
    signalling: "Connection to the box (443/tcp)",
    media: "Picture and sound (443/udp or detour)",
    received: "Picture of others",
    yes: "yes",
    no: "no",
  },
};

const language = navigator.language.startsWith("de") ? "de" : "en";
const words = WORDS[language];
document.documentElement.lang = language;
document.title = `${words.title} – Ratssaal`;
for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
  element.textContent = words[element.dataset["text"] as keyof typeof words];
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

function say(text: string): void {
  element("state").textContent = text;
}

const checks = { signalling: false, media: false, received: false };

function showChecks(): void {
  const rows = Object.entries(checks).map(([name, works]) => {
    const row = document.createElement("tr");
    row.className = "kern-table__row";
    row.dataset["check"] = name;
    row.dataset["works"] = String(works);
    for (const text of [words[name as keyof typeof checks], works ? words.yes : words.no]) {
      const cell = document.createElement("td");
      cell.className = "kern-table__cell";
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  element("checks").replaceChildren(...rows);
}

async function place(): Promise<Place | null> {
  for (const address of ["/setup/room", "/admin/room"]) {
    const answer = await fetch(address, { redirect: "manual" });
    if (answer.ok) return (await answer.json()) as Place;
  }
  return null;
}

function show(track: RemoteTrack): void {
  const picture = track.attach();
  picture.dataset["remote"] = track.kind;
  element("people").append(picture);
  if (track.kind === Track.Kind.Video) {
    picture.addEventListener("timeupdate", () => {
      if (checks.received) return;
      checks.received = true;
      showChecks();
    });
  }
}

async function join(): Promise<void> {
  say(words.connecting);
  const given = await place();
  if (!given) {
    say(words.refused);
    return;
  }
  const room = new Room({ adaptiveStream: true, dynacast: true });
  room.on(RoomEvent.TrackSubscribed, show);
  room.on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
    for (const one of track.detach()) one.remove();
  });
  room.on(RoomEvent.LocalTrackPublished, (publication: LocalTrackPublication) => {
    const own = publication.track;
    if (own?.kind !== Track.Kind.Video) return;
    const picture = own.attach();
    picture.dataset["own"] = "video";
    element("people").prepend(picture);
    checks.media = true;
    showChecks();
  });
  room.on(RoomEvent.Disconnected, () => {
    say(words.left);
  });
  await room.connect(`wss://${location.host}`, given.token);
  checks.signalling = true;
  showChecks();
  say(words.connected);
  try {
    await room.localParticipant.enableCameraAndMicrophone();
  } catch {
    say(words.noCamera);
  }
}

showChecks();
element("join").addEventListener("click", () => {
  join().catch(() => {
    say(words.failed);
  });
});
