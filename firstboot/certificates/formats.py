"""Files with certificates and keys, in whichever format: taken apart, and nothing judged yet."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from firstboot.texts import SaidError

LARGEST = 200_000  # bytes of one file; a chain of RSA certificates has about 6000

# RFC 7468; no body holds five dashes, so that a lost end is found and not read over.
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 #]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----")
# RFC 7292, section 4: a sequence, of a length in any of its forms, that begins with version 3.
_PKCS12 = re.compile(
    rb"\x30(?:[\x00-\x80]|\x81.|\x82.{2}|\x83.{3}|\x84.{4})\x02\x01\x03", re.DOTALL
)
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # PKCS#7's object identifier (RFC 2315)
# What the library raises, early or late, for what it cannot read.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass
class Found:
    """What is in a file, before anything is judged."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[PrivateKeyTypes] = field(default_factory=list)
    request: bool = False


def _load_key(
    load: Callable[[bytes, bytes | None], PrivateKeyTypes], data: bytes, password: str | None
) -> PrivateKeyTypes:
    """The private key; raises ValueError where `data` is none."""
    try:
        return load(data, None)
    except TypeError:  # it is encrypted
        if not password:
            raise SaidError("certificate.key_password_missing") from None
    try:
        return load(data, password.encode())
    except UNREADABLE:
        raise SaidError("certificate.key_password_wrong") from None


def _unpack(data: bytes) -> list[x509.Certificate]:
    """One certificate, or those of a PKCS#7 file; Windows labels both alike in PEM."""
    if _SIGNED_DATA in data[:32]:
        return pkcs7.load_der_pkcs7_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def _read_pem(data: bytes, password: str | None, found: Found) -> None:
    lines = b"\n".join(line.strip() for line in data.splitlines())
    blocks = _BLOCK.findall(lines)
    if len(blocks) != lines.count(b"-----BEGIN "):
        raise SaidError("certificate.broken_pem")
    for label, body in blocks:
        if label.endswith(b"PRIVATE KEY"):
            whole = b"-----BEGIN %b-----%b-----END %b-----\n" % (label, body, label)
            try:
                key = _load_key(serialization.load_pem_private_key, whole, password)
            except UNREADABLE:
                raise SaidError("certificate.key_broken") from None
            found.keys.append(key)
        elif label.endswith(b"CERTIFICATE REQUEST"):
            found.request = True
        elif label.endswith(b"CERTIFICATE") or label in (b"PKCS7", b"CMS"):
            try:
                der = base64.b64decode(b"".join(body.split()), validate=True)
                found.certificates += _unpack(der)
            except UNREADABLE:
                raise SaidError("certificate.broken_pem") from None


def _read_pkcs12(data: bytes, password: str | None, found: Found) -> None:
    loaded: pkcs12.PKCS12KeyAndCertificates | None = None
    for attempt in (None, password):
        if attempt and "\0" in attempt:  # the library would panic
            break
        try:
            loaded = pkcs12.load_pkcs12(data, attempt.encode() if attempt else None)
            break
        except UNREADABLE:
            continue
    if loaded is None and not password:
        raise SaidError("certificate.bundle_password_missing")
    if loaded is None:
        raise SaidError("certificate.bundle_password_wrong")
    several = [loaded.cert, *loaded.additional_certs]
    found.certificates += [one.certificate for one in several if one]
    if loaded.key:
        found.keys.append(loaded.key)


def read_file(data: bytes, password: str | None) -> Found:
    """What a file of at most 200 kB holds: PEM (RFC 7468), DER, PKCS#7 (RFC 2315) or PKCS#12
    (RFC 7292). Raises SaidError for what is damaged or sealed; what is none of these holds nothing.
    """
    found = Found()
    if len(data) > LARGEST:
        size, largest = -(-len(data) // 1000), LARGEST // 1000
        raise SaidError("certificate.too_large", size=size, largest=largest)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # saved by an editor as UTF-16
        data = data.decode("utf-16", "replace").encode()
    if b"-----BEGIN " in data:
        _read_pem(data, password, found)
    elif _PKCS12.match(data):
        _read_pkcs12(data, password, found)
    else:
        try:
            found.certificates += _unpack(data)
        except UNREADABLE:
            # Where it is no key either, what is missing is said once both files are read.
            with suppress(*UNREADABLE):
                found.keys.append(_load_key(serialization.load_der_private_key, data, password))
    return found
