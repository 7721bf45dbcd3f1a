"""Asks an authority or a data centre for a certificate, by a request whose key stays on the box."""

from collections.abc import Sequence

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from firstboot.certificates.own import COMMON_NAME_LENGTH

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ORGANISATION_LENGTH, PLACE_LENGTH = 64, 128  # ub-organization-name, ub-locality-name of RFC 5280


def a_labels(name: str) -> str:
    """A host name as it is on the wire: small letters, ASCII (RFC 5891)."""
    name = name.lower().rstrip(".")
    return name if name.isascii() else idna.encode(name, uts46=True).decode()


def make_key() -> ec.EllipticCurvePrivateKey:
    """A private key for a request, on the curve that all browsers and authorities take (P-256)."""
    return ec.generate_private_key(ec.SECP256R1())


def make_request(names: Sequence[str], key: PrivateKey, organisation: str, place: str) -> str:
    """A request for a certificate for all `names`, PEM (RFC 2986), to be signed by an authority.

    The subject's parts are cut to what RFC 5280 allows, and left out where they are empty; a first
    name that is too long for it is among the alternative names alone, which are what counts.
    """
    wanted = list(dict.fromkeys(map(a_labels, names)))
    subject = {
        NameOID.COMMON_NAME: wanted[0] if len(wanted[0]) <= COMMON_NAME_LENGTH else "",
        NameOID.ORGANIZATION_NAME: organisation.strip()[:ORGANISATION_LENGTH],
        NameOID.LOCALITY_NAME: place.strip()[:PLACE_LENGTH],
    }
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(
            x509.Name([x509.NameAttribute(k, text) for k, text in subject.items() if text])
        )
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, wanted)), critical=False)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()
