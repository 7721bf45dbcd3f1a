/* The test room: joins with a place that the pass in the address gives, or the page of whoever is
   signed in; shows who is there, and says what works. It makes way for the meeting's own pages. */

import "./media-port";
import "./kern.css";
import { Room, RoomEvent, Track } from "livekit-client";
import type { RemoteTrack, RemoteTrackPublication, LocalTrackPublication } from "livekit-client";
import { judge } from "./line";
import type { Line } from "./line";
import { PROBE, publishProbe, tryWay, wayNow } from "./ways";
import type { Result, Tried, Way } from "./ways";

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
    now: "Weg von Bild und Ton jetzt",
    direct: "Direkter Weg (443/udp)",
    relay: "Ersatzweg über Port 443 (443/tcp)",
    received: "Bild von anderen",
    where: "Gesehen vom Gerät",
    way: "Weg",
    result: "Ergebnis",
    waiting: "noch nicht geprüft",
    trying: "wird geprüft …",
    signalling_works: "Geht",
    signalling_fails: "Geht nicht",
    now_direct: "Direkt (UDP)",
    now_relay: "Ersatzweg über Port 443",
    now_none: "Noch keiner",
    direct_works: "Bild und Ton gehen direkt",
    direct_fails: "Bild und Ton gehen nicht direkt: das Netz lässt 443/udp nicht durch",
    relay_works: "Der Ersatzweg über Port 443 geht",
    relay_fails: "Der Ersatzweg geht nicht: Name mit „turn“ davor oder Zertifikat fehlt",
    good: "Die Leitung ist gut: Man spricht miteinander wie in einem Raum.",
    fair: "Die Leitung reicht aus: Antworten kommen spürbar später, und das Bild kann kurz hängen. Lassen Sie einander ausreden.",
    poor: "Die Leitung ist schlecht: Ton und Bild setzen aus oder kommen sehr spät. Nehmen Sie ein Kabel statt WLAN, oder gehen Sie näher an den Router; beenden Sie, was sonst viel überträgt. Bleibt es so, zeigen Sie das Ihrer IT.",
    figures: "hin und zurück {roundTrip} ms, Schwankung {jitter} ms, Verlust {lost}",
    received_works: "Kommt an",
    where_inside: "Von innen, aus dem Netz des Hauses",
    where_outside: "Von außen",
    where_unknown: "Von innen oder außen, das ist hier nicht zu erkennen",
    over: "Dieser Link gilt nicht mehr. Bitte lassen Sie sich einen neuen Code zeigen.",
    done: "Fertig geprüft. Das Ergebnis steht in der Tabelle.",
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
    now: "Way of picture and sound now",
    direct: "Direct way (443/udp)",
    relay: "Detour over port 443 (443/tcp)",
    received: "Picture of others",
    where: "Seen by the box",
    way: "Way",
    result: "Result",
    waiting: "not checked yet",
    trying: "being checked …",
    signalling_works: "Works",
    signalling_fails: "Does not work",
    now_direct: "Direct (UDP)",
    now_relay: "Detour over port 443",
    now_none: "None yet",
    direct_works: "Picture and sound go directly",
    direct_fails: "Picture and sound do not go directly: the network lets no 443/udp through",
    relay_works: "The detour over port 443 works",
    relay_fails: "The detour does not work: the name with turn in front or the certificate is missing",
    good: "The line is good: people talk as if in one room.",
    fair: "The line will do: answers come noticeably later, and the picture may freeze for a moment. Let each other finish.",
    poor: "The line is bad: sound and picture drop out or come very late. Use a cable instead of Wi-Fi, or go closer to the router; end whatever else sends much. If it stays like this, show this to your IT.",
    figures: "there and back {roundTrip} ms, jitter {jitter} ms, loss {lost}",
    received_works: "Arrives",
    where_inside: "From inside, the house's own network",
    where_outside: "From outside",
    where_unknown: "From inside or outside, which cannot be told here",
    over: "This link is over. Please ask for a new code.",
    done: "All checked. The result is in the table.",
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

type Row = "signalling" | "now" | Way | "received" | "where";
type Words = typeof words;

/* What each row says: the end of a key of WORDS, `waiting` at first. */
const rows: Record<Row, string> = {
  signalling: "waiting",
  now: "waiting",
  direct: "waiting",
  relay: "waiting",
  received: "waiting",
  where: "waiting",
};

/* How good each way is that works. */
const lines = new Map<string, Line>();

/* In words to read out, and in brackets the figures for the IT. */
function sentence(line: Line): string {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const part = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const figures = words.figures
    .replace("{roundTrip}", number.format(line.roundTrip))
    .replace("{jitter}", number.format(line.jitter))
    .replace("{lost}", part.format(line.lost));
  return `. ${words[judge(line)]} (${figures})`;
}

function draw(): void {
  const shown = Object.entries(rows).map(([name, found]) => {
    const row = document.createElement("tr");
    row.className = "kern-table__row";
    row.dataset["check"] = name;
    row.dataset["found"] = found;
    const head = document.createElement("th");
    head.scope = "row";
    head.className = "kern-table__cell";
    head.textContent = words[name as Row];
    const cell = document.createElement("td");
    cell.className = "kern-table__cell";
    const key = found === "waiting" || found === "trying" ? found : `${name}_${found}`;
    cell.textContent = words[key as keyof Words];
    const line = lines.get(name);
    if (line) {
      row.dataset["quality"] = judge(line);
      cell.textContent += sentence(line);
    }
    row.append(head, cell);
    return row;
  });
  element("checks").replaceChildren(...shown);
}

function found(row: Row, what: string): void {
  rows[row] = what;
  draw();
}

/* Behind the #, which no browser sends anywhere by itself. */
const pass = location.hash.slice(1);

async function send(where: string, content: object): Promise<Response> {
  const body = JSON.stringify({ pass, ...content });
  return fetch(`/test/pass/${where}`, { method: "POST", body, credentials: "omit" });
}

async function place(): Promise<Place | null> {
  if (pass) {
    const answer = await send("place", {});
    return answer.ok ? ((await answer.json()) as Place) : null;
  }
  for (const address of ["/setup/room", "/admin/room"]) {
    const answer = await fetch(address, { redirect: "manual" });
    if (answer.ok) return (await answer.json()) as Place;
  }
  return null;
}

async function report(now: string, direct: Result, relay: Result): Promise<void> {
  if (!pass) return;
  const answer = await send("report", { now, direct, relay });
  if (answer.ok) found("where", ((await answer.json()) as { where: string }).where);
}

/* Both ways, one after the other: a phone has one processor for all of it. */
async function tryWays(room: Room, url: string): Promise<void> {
  const probe = await publishProbe(room);
  const results: Record<Way, Result> = { direct: "fails", relay: "fails" };
  for (const way of ["direct", "relay"] as const) {
    lines.delete(way);
    found(way, "trying");
    const given = await place();
    const tried: Tried | null = given && (await tryWay(way, room, url, given.token));
    if (tried) results[way] = tried.result;
    if (tried?.line) lines.set(way, tried.line);
    found(way, results[way]);
  }
  const now = await wayNow(probe);
  found("now", now);
  if (probe.track) await room.localParticipant.unpublishTrack(probe.track);
  await report(now, results.direct, results.relay);
  say(words.done);
}

function show(track: RemoteTrack, publication: RemoteTrackPublication): void {
  if (publication.trackName === PROBE) return;
  const picture = track.attach();
  picture.dataset["remote"] = track.kind;
  element("people").append(picture);
  if (track.kind === Track.Kind.Video) {
    picture.addEventListener("timeupdate", () => {
      if (rows.received !== "works") found("received", "works");
    });
  }
}

async function join(): Promise<void> {
  say(words.connecting);
  const given = await place();
  if (!given) {
    say(pass ? words.over : words.refused);
    return;
  }
  const room = new Room();
  room.on(RoomEvent.TrackSubscribed, show);
  room.on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
    for (const one of track.detach()) one.remove();
  });
  room.on(RoomEvent.LocalTrackPublished, (publication: LocalTrackPublication) => {
    const own = publication.track;
    if (publication.trackName === PROBE || own?.kind !== Track.Kind.Video) return;
    const picture = own.attach();
    picture.dataset["own"] = "video";
    element("people").prepend(picture);
  });
  room.on(RoomEvent.Disconnected, () => {
    say(words.left);
  });
  const url = `wss://${location.host}`;
  try {
    await room.connect(url, given.token);
  } catch (error) {
    found("signalling", "fails");
    await report("none", "fails", "fails");
    throw error;
  }
  found("signalling", "works");
  say(words.connected);
  try {
    await room.localParticipant.enableCameraAndMicrophone();
  } catch {
    say(words.noCamera);
  }
  await tryWays(room, url);
}

if (!pass) Reflect.deleteProperty(rows, "where");
draw();
const enter = element("join");
enter.addEventListener("click", () => {
  join().catch(() => {
    say(words.failed);
  });
});
// Not before: a click that comes earlier would be lost.
enter.removeAttribute("disabled");
element("late").remove();
