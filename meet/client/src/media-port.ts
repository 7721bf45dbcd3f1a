/* What this box's own address is to a browser, inside of the house and out of it. Import this before
   anything that connects.

   Chromium takes no candidate of another side that has a private address and a port below 1024 (WebRTC,
   P2PTransportChannel, VerifyCandidate), and this box's media port is 443. To whoever is in the same house
   the box has a private address; it answers at a second port there, which is named in place of the first.

   Whoever comes from outside reaches a box with a private address through a router that forwards 443. The
   box knows nothing of that router; the page's own name leads there. So the name is one candidate more,
   which Chromium looks up as it did for the page. Firefox takes no names, and goes
   by the relay. */

const DOOR = 443;
const SECOND = 7882; /* stack.yaml, `also` */

/* RFC 1918, RFC 3927, RFC 6598; RFC 4193 and link-local addresses of RFC 4291. */
const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/* A candidate by UDP (RFC 8839, section 5.1), alone or as a line of a description. */
const CANDIDATE = new RegExp(
  `(candidate:)(\\S+)( \\d+ udp )(\\d+) (\\S+) ${String(DOOR)} (?=typ host)`,
  "gi",
);

/* A name that more than this house's own network knows (RFC 6762, section 3), and no address. */
const NAME = /^(?!.*\.local$)(?=.*\.)[a-z0-9.-]*[a-z][a-z0-9-]*$/i;

/* That of an address which a router has given (RFC 8445, section 5.1.2): after the box's own, before
   every relay. */
const FORWARDED = 100 * 2 ** 24 + 65535 * 2 ** 8 + 255;

export function withSecondPort(text: string): string {
  return text.replace(
    CANDIDATE,
    (whole: string, word: string, foundation: string, kind: string, priority: string, address: string) =>
      PRIVATE.test(address) ? `${word}${foundation}${kind}${priority} ${address} ${String(SECOND)} ` : whole,
  );
}

/** The candidate that leads to the same port by `name`; null where the box can be reached as it is. */
export function byName(candidate: string, name: string): string | null {
  if (!NAME.test(name)) return null;
  const named = candidate.replace(
    CANDIDATE,
    (whole: string, word: string, foundation: string, kind: string, _: string, address: string) =>
      PRIVATE.test(address)
        ? `${word}${foundation}9${kind}${String(FORWARDED)} ${name} ${String(DOOR)} `
        : whole,
  );
  return named === candidate ? null : named;
}

/* Firefox refuses them. */
const TAKES_NAMES = !navigator.userAgent.includes("Firefox/");

if (typeof RTCPeerConnection === "function") {
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      const given = candidate?.candidate;
      if (!candidate || !given) return super.addIceCandidate(candidate);
      const rest = {
        sdpMid: candidate.sdpMid ?? null,
        sdpMLineIndex: candidate.sdpMLineIndex ?? null,
        usernameFragment: candidate.usernameFragment ?? null,
      };
      await super.addIceCandidate({ candidate: withSecondPort(given), ...rest });
      const named = TAKES_NAMES ? byName(given, location.hostname) : null;
      if (named) await super.addIceCandidate({ candidate: named, ...rest });
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp } = description;
      return super.setRemoteDescription(sdp ? { type, sdp: withSecondPort(sdp) } : description);
    }
  };
}
