/* How good a way is: what the browser measures of it (W3C, webrtc-stats), judged by what ITU-T says
   that conversations need. */

export type Quality = "good" | "fair" | "poor";

/** Times in milliseconds; `lost`: the part of all packets, of both directions, that did not arrive. */
export interface Line {
  roundTrip: number;
  jitter: number;
  lost: number;
}

/* One way from mouth to ear: hardly anybody notices 150 ms, and beyond 400 ms no network is to be planned
   (ITU-T G.114). Loss that a picture bears, and that a voice bears (ITU-T G.1010, table 1). */
const NOBODY_NOTICES_MS = 150;
const LONGEST_MS = 400;
const PICTURE_BEARS = 0.01;
const VOICE_BEARS = 0.03;

/** What a conversation between two people with such a line would be like. */
export function judge({ roundTrip, jitter, lost }: Line): Quality {
  // From one to the box and on to the other is a whole round trip. What comes unevenly waits for as
  // long at least as it is late. The time that the devices themselves need is not in it.
  const oneWay = roundTrip + jitter;
  if (oneWay > LONGEST_MS || lost > VOICE_BEARS) return "poor";
  return oneWay > NOBODY_NOTICES_MS || lost > PICTURE_BEARS ? "fair" : "good";
}

/** What a track sent and another received; null where the browser tells too little. */
export function line(sent: RTCStatsReport, received: RTCStatsReport): Line | null {
  // LiveKit may use one connection for both, and each report then holds all of it.
  const going = entries(sent);
  const coming = entries(received);
  const out = going.find((one) => one.type === "outbound-rtp") as RTCOutboundRtpStreamStats | undefined;
  const into = coming.find((one) => one.type === "inbound-rtp") as RTCInboundRtpStreamStats | undefined;
  const told = going.find((one) => one.type === "remote-inbound-rtp") as Told | undefined;
  const seconds = pairInUse(going)?.currentRoundTripTime ?? told?.roundTripTime;
  if (seconds === undefined || into?.jitter === undefined || !into.packetsReceived) return null;
  // A packet that came twice makes the count of those lost smaller than none (RFC 3550, section 6.4.1).
  const lost = Math.max(0, into.packetsLost ?? 0) + Math.max(0, told?.packetsLost ?? 0);
  const all = into.packetsReceived + Math.max(0, into.packetsLost ?? 0) + (told ? (out?.packetsSent ?? 0) : 0);
  return {
    roundTrip: seconds * 1000,
    jitter: Math.max(into.jitter, told?.jitter ?? 0) * 1000,
    lost: Math.min(1, lost / all),
  };
}

interface Pair extends RTCIceCandidatePairStats {
  selected?: boolean; // Firefox
}

/** What the other end has told by RTCP of what it received: not in TypeScript's own types. */
interface Told extends RTCStats {
  packetsLost?: number;
  jitter?: number;
  roundTripTime?: number;
}

export function entries(report: RTCStatsReport | undefined): RTCStats[] {
  return [...(report?.values() ?? [])] as RTCStats[];
}

/** The two ends between which packets go. */
export function pairInUse(all: RTCStats[]): RTCIceCandidatePairStats | undefined {
  const used = all.find((one) => one.type === "transport") as RTCTransportStats | undefined;
  const pairs = all.filter((one) => one.type === "candidate-pair") as Pair[];
  return (
    pairs.find((one) => one.id === used?.selectedCandidatePairId) ??
    pairs.find((one) => one.selected === true)
  );
}
