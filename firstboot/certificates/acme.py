"""Certificates from an authority by ACME (RFC 8555), through certbot.

Proof by HTTP-01 through the web server on port 80, or by DNS-01 with RFC 2136. The authority may be
any, with a root of its own, through the house's proxy. `python3 -m firstboot.certificates.acme`
asks for what is missing or ends soon: certbot itself decides whether it is time.
"""

import datetime
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firstboot.certificates import named
from firstboot.certificates.expiry import keep_attempt
from firstboot.files import write_whole
from firstboot.settings import Box
from firstboot.store import Store
from firstboot.texts import Said, SaidError

CERTBOT = Path("/var/lib/ratssaal/certbot")
WEB_ROOT = Path("/var/lib/ratssaal/acme")
PUBLIC_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
LIMIT_SECONDS = 180.0
# At set-up somebody waits for a box that works without it, too: the rest is tried afterwards.
SET_UP_SECONDS = 60.0
# For so long before its end a certificate for both names is not given up for one of them.
KEPT_DAYS = 7


def _environment(box: Box) -> dict[str, str]:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(CERTBOT)}
    own = [pem for pem in (box.certificate.authority, box.network.proxy_authority) if pem]
    if own:
        bundle = CERTBOT / "roots.pem"
        write_whole(bundle, PUBLIC_ROOTS.read_text() + "\n" + "\n".join(own) + "\n")
        environment["REQUESTS_CA_BUNDLE"] = str(bundle)
    if box.network.proxy:
        environment |= {"https_proxy": box.network.proxy, "http_proxy": box.network.proxy}
        environment["no_proxy"] = "localhost,127.0.0.1,::1"
    return environment


def command(box: Box, names: list[str], folder: Path = CERTBOT) -> list[str]:
    """The call of certbot that gets or renews the certificate for `names`."""
    assert box.certificate.directory
    words = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--keep-until-expiring"]
    words += ["--config-dir", str(folder), "--work-dir", str(folder / "work")]
    words += ["--logs-dir", str(folder / "logs"), "--max-log-backups", "5"]
    words += ["--server", box.certificate.directory, "--cert-name", "named", "--key-type", "ecdsa"]
    contact = box.certificate.contact
    words += ["--email", contact] if contact else ["--register-unsafely-without-email"]
    if box.certificate.dns:
        words += ["--authenticator", "dns-rfc2136"]
        words += ["--dns-rfc2136-credentials", str(folder / "rfc2136.ini")]
        words += ["--dns-rfc2136-propagation-seconds", "5"]
    else:
        words += ["--authenticator", "webroot", "--webroot-path", str(WEB_ROOT)]
    for name in names:
        words += ["--domain", name]
    return words


def _write_dns_key(box: Box) -> None:
    dns = box.certificate.dns
    if dns:
        lines = {
            "server": dns.server,
            "port": dns.port,
            "name": dns.key_name,
            "secret": dns.secret,
            "algorithm": dns.algorithm,
        }
        text = "".join(f"dns_rfc2136_{key} = {value}\n" for key, value in lines.items())
        write_whole(CERTBOT / "rfc2136.ini", text, mode=0o600)


# What certbot prints for each cause, and the sentence for people. Of an error of the authority's
# (RFC 8555, section 6.7) it prints the kind where a proof has failed, else its own words for it.
# A name that leads nowhere comes first: some authorities call that a failed connection.
CAUSES = (
    # certbot's plug-in for RFC 2136, and what an authority says of such a proof.
    (r"TXT record|base domain for|authoritative|TSIG|peer (didn't|rejected)", "dns_proof"),
    (
        r"Type:\s+dns\b|DNS problem|no such host|server misbehaving|could not resolve",
        "name_not_found",
    ),
    (r"Type:\s+(connection|tls)\b", "cannot_reach_box"),
    (r"Type:\s+caa\b|\bCAA\b\)? records? ", "caa"),
    (r"Type:\s+(unauthorized|incorrectResponse)\b", "wrong_answer"),
    (r"Type:\s+rejectedIdentifier\b", "rejected"),
    (r"will not issue certificates for the identifier", "rejected"),
    (r"too many (requests|certificates|failed authorizations|new orders)", "too_many"),
    (r"certificate (is not yet valid|has expired)", "clock"),
    (r"CERTIFICATE_VERIFY_FAILED", "directory_not_trusted"),
    (r"Tunnel connection failed|ProxyError", "proxy"),
    (r"Failed to resolve|Connection refused|Max retries exceeded", "directory_unreachable"),
    (r"timed out", "directory_unreachable"),
)


def explain(output: str) -> Said:
    """The sentence for what certbot said."""
    for pattern, key in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return Said(f"acme.{key}")
    return Said("acme.unknown")


@contextmanager
def alone() -> Iterator[None]:
    """Keep others from getting certificates and putting them in place, until the block ends.

    The timer and a change of the settings may come at once. certbot would turn the second away, and
    the slower one would put its certificate in the place of the other's. So the second waits.
    """
    CERTBOT.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (CERTBOT / "ratssaal.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def obtain(box: Box, seconds: float | None = None) -> None:
    """Get or renew the certificate and put it in place, where that is due. For whoever is `alone`.

    seconds: how long it may take, if not as long as usual. Raises SaidError with the reason where
    the authority gives none, or none of use; what was in place stays. The reason is kept for
    whoever looks later.
    """
    try:
        try:
            _obtain(box, seconds)
        except OSError as error:
            print(error, file=sys.stderr)  # noqa: T201 - a name of a file
            raise SaidError("acme.unknown") from error
    except SaidError as error:
        keep_attempt(error.said)
        raise
    keep_attempt(None)


def _both_are_served(box: Box) -> bool:
    """Whether a certificate for both names is in place, and lasts a while."""
    found = named.read()
    names = (box.host_name, box.turn_name)
    now = datetime.datetime.now(datetime.UTC)
    return bool(found and all(map(found.covers, names)) and found.days_left(now) >= KEPT_DAYS)


def _clear_remains() -> None:
    """Take away what a power cut has left of certbot's: beside it certbot would begin another.

    That would be called named-0001, and nobody would look for it.
    """
    live = CERTBOT / "live/named"
    needed = [CERTBOT / "renewal/named.conf"]
    needed += [live / f"{one}.pem" for one in ("cert", "chain", "fullchain", "privkey")]
    if not live.exists() or all(one.exists() and one.stat().st_size for one in needed):
        return
    for folder in ("live", "archive", "renewal"):
        for one in (CERTBOT / folder).glob("named*"):
            if one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink()


def _obtain(box: Box, seconds: float | None) -> None:
    deadline = time.monotonic() + (LIMIT_SECONDS if seconds is None else seconds)
    _write_dns_key(box)
    _clear_remains()
    environment = _environment(box)
    output = ""
    # A second name that nobody has entered must not keep the first from its certificate.
    for names in ([box.host_name, box.turn_name], [box.host_name]):
        try:
            ended = subprocess.run(
                command(box, names),
                env=environment,
                capture_output=True,
                text=True,
                timeout=max(0.0, deadline - time.monotonic()),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            key = "directory_unreachable" if seconds is None else "not_yet"
            raise SaidError(f"acme.{key}") from error
        finally:
            # certbot syncs nothing.
            os.sync()
        output = ended.stdout + ended.stderr
        if ended.returncode == 0:
            place = CERTBOT / "live/named"
            chain = (place / "fullchain.pem").read_text()
            named.install(chain, (place / "privkey.pem").read_text(), box.host_name)
            return
        if _both_are_served(box):
            break
    print(output, file=sys.stderr)  # noqa: T201 - into the journal: names and causes, no secrets
    said = explain(output)
    raise SaidError(said.key, **said.values)


def renew(store: Store) -> bool:
    """Get what the settings in force want and is due; False where they want none by ACME.

    Raises SaidError as `obtain` does.
    """
    with alone():
        # Read now: whoever was before us may have brought other settings into force.
        applied = store.applied()
        settings = store.settings(applied.generation if applied else None)
        if settings.box.certificate.kind != "acme":
            return False
        # Settings on their way get a certificate of their own, perhaps for another name.
        if store.pending() is None:
            obtain(settings.box)
        return True


def main() -> int:
    """Look whether the certificate in force is missing or ends soon; get a new one then."""
    try:
        if not renew(Store()):
            return 0
    except SaidError as error:
        print(error.said.text("en"), file=sys.stderr)  # noqa: T201
        return 1
    # Whether the web server has to be told is decided there, and nowhere else.
    subprocess.run(["systemctl", "start", "ratssaal-converge.service"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
