"""The builder's own keys: what they sign, where they lie, and making them.

They stay on the engineer's machine, outside of every checkout, readable by their owner alone; only
certificates go into images.
"""

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from builder.cache import exclusive
from builder.errors import MissingError, UsageError
from builder.paths import PROJECT
from builder.progress import say

PURPOSES = {
    "secure-boot": "signs boot loader and unified kernel images; the firmware checks it",
    "pcr": "signs the expected measurements that let a box's TPM open its disk",
}
YEARS = 15


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, both PEM files."""

    purpose: str
    key: Path
    certificate: Path

    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as hexadecimal digits."""
        return self.load().fingerprint(hashes.SHA256()).hex()

    def load(self) -> x509.Certificate:
        """The certificate. Raises MissingError where the file is not one."""
        try:
            return x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise MissingError(
                f"{self.certificate} is not there, or is not a certificate.",
                "Put the right file back from your safe copy. With new keys boxes in the field "
                "would refuse your updates.",
            ) from error


def keys_folder() -> Path:
    """$RATSSAAL_KEYS, else ratssaal/keys in the user's configuration folder."""
    if named := os.environ.get("RATSSAAL_KEYS"):
        return Path(named).absolute()
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "ratssaal/keys"


def make_pair(folder: Path, name: str, common_name: str) -> KeyPair:
    """Make a new key pair in `folder`. RSA, since firmware in the field knows nothing newer."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pair = KeyPair(name, folder / f"{name}.key", folder / f"{name}.crt")
    descriptor = os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return pair


def existing_pairs() -> dict[str, KeyPair]:
    """The key pairs that are there, by purpose."""
    folder = keys_folder()
    pairs = {
        purpose: KeyPair(purpose, folder / f"{purpose}.key", folder / f"{purpose}.crt")
        for purpose in PURPOSES
    }
    return {name: pair for name, pair in pairs.items() if pair.key.exists()}


def ensure_pairs() -> dict[str, KeyPair]:
    """All key pairs, made first where this machine has none yet.

    Raises UsageError where the folder lies inside the checkout, MissingError where only a part of
    the keys is there.
    """
    folder = keys_folder()
    if folder.resolve().is_relative_to(PROJECT):
        raise UsageError(
            f"The keys would lie in {folder}, inside the repository.",
            "Name a folder outside of it in RATSSAAL_KEYS.",
        )
    files = [folder / f"{purpose}.{end}" for purpose in PURPOSES for end in ("key", "crt")]
    if not all(path.exists() for path in files):
        with exclusive("keys"):  # another ratssaal may just be making them
            _make_absent(folder, [path.name for path in files if not path.exists()], len(files))
    found = existing_pairs()
    for pair in found.values():
        pair.load()
    return found


def _make_absent(folder: Path, absent: list[str], all_files: int) -> None:
    if absent and len(absent) < all_files:
        raise MissingError(
            f"The keys in {folder} are not whole: {', '.join(absent)} is missing.",
            "Put the missing files back from your safe copy, or move the folder away: begin anew.",
        )
    if absent:
        for purpose in PURPOSES:
            make_pair(folder, purpose, f"Ratssaal {purpose}")
        say(f"New signing keys made in {folder}: keep a safe copy, boxes trust no others.")
