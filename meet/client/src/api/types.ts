/* What the rooms service sends and takes; the other half stands in meet/api.py. */

export type Role = "moderator" | "participant" | "viewer";
export type Source = "microphone" | "camera" | "screen";
/** What texts are of: chat, or live text. */
export type Topic = "chat" | "text";
export type Who = "everyone" | "asked" | "moderators";

export interface Policy {
  preset: string;
  create: "staff" | "anyone";
  lobby: boolean;
  guests: boolean;
  speak: Who;
  camera: Who;
  share: Who;
  chat: boolean;
  live_text: boolean;
  muted_at_entry: boolean;
  camera_off_at_entry: boolean;
  max_minutes: number;
  max_people: number;
  pseudonyms: boolean;
  encryption: "off" | "offered" | "required";
  notice: string;
}

export interface House {
  name: string;
  colour: string;
  logo: string | null;
  imprint: string;
  privacy: string;
  notice: string;
  policy: Policy;
}

export type DoorState = "open" | "early" | "over" | "locked" | "full" | "ended";

/** What a link opens, asked before anybody enters. Times are ISO 8601. */
export interface Look {
  room: string;
  title: string;
  role: Role;
  opens: string | null;
  closes: string | null;
  state: DoorState;
  lobby: boolean;
  policy: Policy;
}

/** Where the meeting is: LiveKit's address and the token for it. */
export interface Place {
  url: string;
  token: string;
  identity: string;
  room: string;
}

export type Entered =
  | { state: "admitted"; seat: string; place: Place }
  | { state: "waiting"; ticket: string };

export type Waiting =
  | { state: "waiting" | "declined" | "over" }
  | { state: "admitted"; seat: string; place: Place };

/** A message of chat, or a line of live text as far as it is written. */
export interface Written {
  id: string;
  text: string;
  /** Live text: whether the line is finished. */
  done: boolean;
}

export interface Waiter {
  id: string;
  name: string;
  since: string | number;
}

export interface Lobby {
  waiting: Waiter[];
  locked: boolean;
  /** What is blocked for all who do not moderate, those who come later as well. */
  silenced: Source[];
}

export interface Staff {
  name: string | null;
  may_create: boolean;
  /** The words on the button of the house's directory, empty for our own; null: there is none. */
  directory: string | null;
}

export interface Booking {
  id: string;
  title: string;
  opens: string | null;
  closes: string | null;
  code: string;
  links: Record<Role, string>;
  policy: Policy;
}
