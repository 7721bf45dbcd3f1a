/* Chromium takes no candidate of another side that has a private address and a port below 1024 (WebRTC,
   P2PTransportChannel, VerifyCandidate), and this box's media port is 443. To whoever is in the same house
   the box has a private address; it answers at a second port there, which is named in place of the first.
   Import this before anything that connects. */

const DOOR = 443;
const SECOND = 7882; /* stack.yaml, `also` */

/* RFC 1918, RFC 3927, RFC 6598; RFC 4193 and link-local addresses of RFC 4291. */
const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/* A candidate by UDP (RFC 8839, section 5.1), alone or as a line of a description. */
const CANDIDATE = new RegExp(`(candidate:\\S+ \\d+ udp \\d+ )(\\S+) ${String(DOOR)} (?=typ host)`, "gi");

export function withSecondPort(text: string): string {
  return text.replace(CANDIDATE, (whole: string, before: string, address: string) =>
    PRIVATE.test(address) ? `${before}${address} ${String(SECOND)} ` : whole,
  );
}

if (typeof RTCPeerConnection === "function") {
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    override addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      const named = candidate?.candidate;
      return super.addIceCandidate(
        candidate && named
          ? {
              candidate: withSecondPort(named),
              sdpMid: candidate.sdpMid ?? null,
              sdpMLineIndex: candidate.sdpMLineIndex ?? null,
              usernameFragment: candidate.usernameFragment ?? null,
            }
          : candidate,
      );
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp } = description;
      return super.setRemoteDescription(sdp ? { type, sdp: withSecondPort(sdp) } : description);
    }
  };
}
