"""The recovery key of an encrypted disk, for the day on which the TPM does not open it.

The initrd makes it at the first start and keeps it on the disk that it opens, for root alone
(overlays/initrd). It is shown to whoever sets the box up, until its last group was typed in, and
later to administrators who prove once more who they are.
"""

import base64
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from firstboot.access.permits import Asker
from firstboot.access.sign_in import prove
from firstboot.files import write_whole, write_whole_bytes
from firstboot.store import Store
from firstboot.texts import SaidError

# none: the disk is not encrypted, or the key could not be made.
State = Literal["none", "unconfirmed", "confirmed"]
# On the boot partition, which no key closes: of use once the TPM opens nothing any more.
COPY = Path("/boot/ratssaal-recovery-key.bin")
# All that the mode of a file there can be (mount(8), umask= of vfat).
COPY_MODE = 0o700
# The same once more, in the store's secrets: a repair makes the boot partition anew, and
# ratssaal-recovery-copy-back.service then puts it there again.
SPARE = "recovery-key-for-district.bin"


def _key(store: Store) -> str:
    """The key, eight groups of eight letters. Raises SaidError where there is none."""
    try:
        return (store.secrets / "recovery-key").read_text().strip()
    except FileNotFoundError:
        raise SaidError("recovery.none") from None


def state(store: Store) -> State:
    """Whether there is a key, and whether somebody has written it down."""
    if not (store.secrets / "recovery-key").exists():
        return "none"
    return "confirmed" if (store.secrets / "recovery-confirmed").exists() else "unconfirmed"


def show(store: Store, asker: Asker, password: str, totp: str) -> str:
    """The key, for `asker`: a clerk until it is confirmed, an administrator by the password."""
    if asker.role != "clerk":
        if not asker.name:
            raise SaidError("recovery.by_code")
        prove(store, asker.name, password, totp)
    elif state(store) == "confirmed":
        raise SaidError("recovery.seen")
    return _key(store)


def confirm(store: Store, typed: str) -> None:
    """Somebody has written the key down, and types its last group. Raises SaidError."""
    if typed.strip().casefold() != _key(store).rpartition("-")[2]:
        raise SaidError("recovery.wrong_group")
    write_whole(store.secrets / "recovery-confirmed", "", mode=0o600)


def for_district(store: Store) -> str:
    """The key for the district alone, base64: RSA, OAEP with SHA-256 (RFC 8017). SaidError."""
    applied = store.applied()
    pem = store.settings(applied.generation).box.recovery_key_for if applied else None
    if not pem:
        raise SaidError("recovery.no_district")
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, RSAPublicKey)  # the settings take no other
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    return base64.b64encode(public.encrypt(_key(store).encode(), oaep)).decode()


def keep_for_district(store: Store, file: Path = COPY) -> None:
    """Put the district's copy on the boot partition; take it away where there is to be none."""
    spare = store.secrets / SPARE
    try:
        content = base64.b64decode(for_district(store))
    except SaidError:
        file.unlink(missing_ok=True)
        spare.unlink(missing_ok=True)
        return
    write_whole_bytes(spare, content, mode=0o600)
    write_whole_bytes(file, content, mode=COPY_MODE)


if __name__ == "__main__":
    keep_for_district(Store())
