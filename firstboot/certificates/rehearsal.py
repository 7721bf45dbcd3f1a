"""Tries a certificate as the web server and a guest's browser will, before it is served.

A real handshake in memory, by OpenSSL on both sides, then the web server's own check. Whether
browsers know the root above is not judged: the topmost certificate of the chain is taken for true.
"""

import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firstboot.texts import SaidError

CONFIGURATION = Path(__file__).with_name("rehearsal.conf")
# X509_V_ERR_… of x509_vfy.h, and the sentence for each; for all others something is wrong with
# the chain.
REASONS = {9: "not_yet_valid", 10: "expired", 62: "other_name"}
# Flights of a handshake (RFC 8446, section 2; RFC 5246, section 7.3), with some to spare.
FLIGHTS = 10


def _shake_hands(one: ssl.SSLObject, other: ssl.SSLObject) -> None:
    """Bring a handshake between the two to its end; raises ssl.SSLError where it comes to none."""
    waiting = [one, other]
    for _ in range(FLIGHTS):
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
        if not waiting:
            return
    raise ssl.SSLError("The handshake does not come to its end.")


def handshake(folder: Path, name: str) -> None:
    """Let a browser that asks for `name` meet a server with the pair in `folder`.

    Raises SaidError where OpenSSL does not take the two files together, or where name, dates,
    purpose or signatures are not as they should be.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    chain = folder / "fullchain.pem"
    try:
        # A key with a password is refused: nobody is there to be asked for it.
        server.load_cert_chain(chain, folder / "privkey.pem", password="")
        top = x509.load_pem_x509_certificates(chain.read_bytes())[-1]
        client.load_verify_locations(cadata=top.public_bytes(Encoding.DER))
    except (ssl.SSLError, ValueError) as error:
        raise SaidError("rehearsal.pair") from error
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        _shake_hands(
            client.wrap_bio(back, there, server_hostname=name),
            server.wrap_bio(there, back, server_side=True),
        )
    except ssl.SSLCertVerificationError as error:
        reason = REASONS.get(error.verify_code, "chain")
        raise SaidError(f"rehearsal.{reason}", name=name) from error
    except (ssl.SSLError, ValueError) as error:
        raise SaidError("rehearsal.chain", name=name) from error


def check_by_web_server(folder: Path) -> None:
    """Let the web server look at the pair in `folder`; raises SaidError where it says no."""
    with tempfile.TemporaryDirectory() as place:
        for name in ("fullchain.pem", "privkey.pem"):
            (Path(place) / name).symlink_to(folder / name)
        copy = shutil.copy(CONFIGURATION, place)
        # Paths in the configuration begin at its folder and at the prefix; that of a socket begins
        # where nginx is started.
        command = ["nginx", "-t", "-q", "-e", "stderr", "-p", f"{place}/", "-c", copy]
        ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if ended.returncode:
        print(ended.stderr, file=sys.stderr)  # noqa: T201 - names of files, no keys
        raise SaidError("rehearsal.web_server")


def rehearse(folder: Path, name: str) -> None:
    """Try the pair in `folder` for `name`; raises SaidError with the reason where it is no good."""
    handshake(folder, name)
    check_by_web_server(folder)
