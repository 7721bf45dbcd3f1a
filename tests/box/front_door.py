"""Who answers behind 443/tcp, by what a hello of TLS says: the web, or the relay."""

import socket
import ssl
import time

from builder.machines.stage import Stage

SECONDS = 10
# A Binding request of STUN (RFC 8489, section 5), whose answer begins with the other four bytes.
BINDING = bytes.fromhex("000100002112a442") + b"ratssaal.box"
BOUND = bytes.fromhex("0101")


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate(address: str, seconds: float) -> bytes | None:
    """What the web serves (DER) to whoever says hello `seconds` after the connection stands.

    For a thread that is in the network already. Raises OSError where nothing is served.
    """
    with socket.create_connection((address, 443), timeout=SECONDS) as plain:
        time.sleep(seconds)
        with _trusting().wrap_socket(plain) as line:
            return line.getpeercert(binary_form=True)


def behind(stage: Stage, address: str, name: str, *protocols: str) -> str:
    """ "web", "turn" or "nobody" for a hello with the name (SNI) and `protocols` (ALPN).

    The web answers a question to TURN, if with an error; TURN says nothing to one of the web's.
    """
    context = _trusting()
    if protocols:
        context.set_alpn_protocols(list(protocols))

    def answer(said: bytes) -> bytes:
        with (
            socket.create_connection((address, 443), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as line,
        ):
            line.sendall(said)
            try:
                return line.recv(200)
            except OSError:
                return b""

    with stage.joined():
        if answer(BINDING).startswith(BOUND):
            return "turn"
        asked = f"GET /.well-known/ratssaal HTTP/1.1\r\nHost: {name}\r\n\r\n"
        return "web" if answer(asked.encode()).startswith(b"HTTP/1.1 200") else "nobody"
