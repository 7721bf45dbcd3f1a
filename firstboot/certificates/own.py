"""The box's own certificate authority, and the certificate it serves until it has a better one.

Every box makes its own key at its first start; none is in an image. The names and addresses of the
certificate follow those of the box.
"""

import datetime
import grp
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firstboot.files import write_whole

# By these a box is reached inside the house, whatever its public name.
ALWAYS = ("ratssaal.local", "turn.ratssaal.local")
SECRETS = Path("/var/lib/ratssaal/secrets")
SERVED = Path("/var/lib/ratssaal/tls")
AUTHORITY_DAYS = 3650
# Browsers refuse certificates that are valid for longer (CA/Browser Forum, section 6.3.2).
LEAF_DAYS = 397
COMMON_NAME_LENGTH = 64  # ub-common-name of RFC 5280


@dataclass(frozen=True)
class KeyedCertificate:
    """A certificate and the private key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _builder(subject: str, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    # A box without a clock starts in the past; a certificate that begins later would be refused.
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days - 1))
    )


def _make_authority(secrets: Path, served: Path) -> KeyedCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = "Ratssaal, Zertifizierungsstelle dieses Geräts"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    certificate = (
        _builder(subject, name, AUTHORITY_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_whole(secrets / "authority.key", _pem(key), mode=0o600)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    write_whole(served / "authority.pem", pem)
    return KeyedCertificate(certificate, key)


def _read_pair(certificate: Path, private: Path) -> KeyedCertificate | None:
    """Certificate and key, where both can be read and belong together."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != found.public_key():
        return None
    return KeyedCertificate(found, key)


def open_authority(secrets: Path = SECRETS, served: Path = SERVED) -> KeyedCertificate:
    """The authority; made where there is none yet, or where a power cut left half of one."""
    found = _read_pair(served / "authority.pem", secrets / "authority.key")
    if found:
        return found
    (served / "fullchain.pem").unlink(missing_ok=True)
    return _make_authority(secrets, served)


def covers(certificate: x509.Certificate, names: Iterable[str], addresses: Iterable[str]) -> bool:
    """Whether `certificate` is valid now, for another month, and for all names and addresses."""
    now = datetime.datetime.now(datetime.UTC)
    # Made while the clock was ahead, it is refused once the clock is right.
    if certificate.not_valid_before_utc > now + datetime.timedelta(minutes=5):
        return False
    if certificate.not_valid_after_utc < now + datetime.timedelta(days=30):
        return False
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    has_names = set(alternative.get_values_for_type(x509.DNSName))
    has_addresses = {str(one) for one in alternative.get_values_for_type(x509.IPAddress)}
    return set(names) <= has_names and set(addresses) <= has_addresses


def ensure_leaf(
    authority: KeyedCertificate, names: list[str], addresses: list[str], served: Path = SERVED
) -> bool:
    """Serve a certificate for all `names` and `addresses`. Says whether a new one was made.

    What a power cut or a bad disk left of an earlier one is replaced.
    """
    chain = served / "fullchain.pem"
    current = _read_pair(chain, served / "privkey.pem")
    if current and covers(current.certificate, names, addresses):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
    certificate = (
        _builder(names[0][:COMMON_NAME_LENGTH], authority.certificate.subject, LEAF_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    group = grp.getgrnam("www-data").gr_gid
    encoding = serialization.Encoding.PEM
    both = certificate.public_bytes(encoding) + authority.certificate.public_bytes(encoding)
    write_whole(served / "privkey.pem", _pem(key), mode=0o640, group=group)
    write_whole(chain, both.decode())
    return True
