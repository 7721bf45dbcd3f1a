"""The certificate for the box's public name: put in place as a whole, never half, and rehearsed.

/var/lib/ratssaal/tls/named is a link to a folder with fullchain.pem and privkey.pem; a new pair
gets a folder of its own, and the link moves in one step. Without it, or where it is not for the
name in force, the box's own certificate is served.
"""

import datetime
import grp
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from firstboot.certificates.own import SERVED
from firstboot.certificates.rehearsal import rehearse
from firstboot.files import write_whole

# Time enough to get another one by hand.
WARNING_DAYS = 21


@dataclass(frozen=True)
class Named:
    """What is known of the certificate in place. `fingerprint`: its SHA-256, hexadecimal."""

    names: tuple[str, ...]
    issuer: str
    not_after: datetime.datetime
    fingerprint: str = ""

    def covers(self, name: str) -> bool:
        """Whether the certificate is for `name`.

        Capitals make no difference (RFC 4343), and a wildcard stands for one label (RFC 9525).
        """
        wanted, known = name.lower(), {one.lower() for one in self.names}
        parent = wanted.partition(".")[2]
        return wanted in known or (parent != "" and f"*.{parent}" in known)

    def days_left(self, now: datetime.datetime) -> int:
        """Whole days until it ends; negative afterwards."""
        return (self.not_after - now).days


def read(served: Path = SERVED) -> Named | None:
    """The certificate in place; None where there is none, or no whole one."""
    try:
        pem = (served / "named/fullchain.pem").read_bytes()
        leaf = x509.load_pem_x509_certificates(pem)[0]
        (served / "named/privkey.pem").stat()
    except (OSError, ValueError, IndexError):
        return None
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = ()
    mark = leaf.fingerprint(hashes.SHA256()).hex()
    return Named(names, leaf.issuer.rfc4514_string(), leaf.not_valid_after_utc, mark)


def install(chain: str, key: str, name: str, served: Path = SERVED) -> bool:
    """Put a pair for `name` in place. Says whether it differs from the one before.

    Raises SaidError where a browser or the web server would not take it; the pair before then
    stays.
    """
    place = served / "named"
    former = place.readlink() if place.is_symlink() else None
    if former:
        try:
            before = (place / "fullchain.pem").read_text(), (place / "privkey.pem").read_text()
            if before == (chain, key):
                return False
        except OSError:
            pass
    number = int(former.name.rpartition("-")[2]) + 1 if former else 1
    folder = served / f"named-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    group = grp.getgrnam("www-data").gr_gid
    write_whole(folder / "privkey.pem", key, mode=0o640, group=group)
    write_whole(folder / "fullchain.pem", chain)
    try:
        rehearse(folder, name)
    except BaseException:
        shutil.rmtree(folder)
        raise
    growing = served / ".named"
    growing.unlink(missing_ok=True)
    growing.symlink_to(folder.name)
    growing.replace(place)
    if former:
        shutil.rmtree(served / former, ignore_errors=True)
    return True


def remove(served: Path = SERVED) -> None:
    """Take the certificate away, so that the box's own is served."""
    place = served / "named"
    if place.is_symlink():
        folder = served / place.readlink()
        place.unlink()
        shutil.rmtree(folder, ignore_errors=True)
