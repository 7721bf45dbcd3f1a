"""Certificates that somebody else made: read, judged, and put in the order a web server needs.

They come from a data centre or an authority, as files, or as the answer to a request of this box
(RFC 2986). Whatever browsers would refuse is refused here, with a sentence that says why. Whether
browsers know the root at the chain's end is not judged.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firstboot.certificates.formats import UNREADABLE, read_file
from firstboot.certificates.named import WARNING_DAYS
from firstboot.certificates.own import COMMON_NAME_LENGTH
from firstboot.certificates.request import PrivateKey, a_labels
from firstboot.texts import Said, SaidError

# Apple's devices refuse certificates that live longer, whoever made them
# (Apple, "Requirements for trusted certificates in iOS 13 and macOS 10.15").
LONGEST_DAYS = 825
RSA_BITS = 2048  # CA/Browser Forum, Baseline Requirements, section 6.1.5
CURVES = ("secp256r1", "secp384r1")
SIGNATURES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True)
class Bundle:
    """What a web server takes: `chain` from the server's certificate `leaf` up to below the root.

    `notes`: what is no reason to refuse it but should be said.
    """

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: PrivateKey
    notes: tuple[Said, ...] = ()

    @property
    def not_after(self) -> datetime.datetime:
        """When the certificate ends, in UTC."""
        return self.leaf.not_valid_after_utc

    def names(self) -> tuple[str, ...]:
        """The host names it is for, as in the certificate: A-labels, perhaps wildcards."""
        return _names(self.leaf)

    def chain_pem(self) -> str:
        """The chain, server's certificate first, as nginx wants it."""
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in self.chain)

    def key_pem(self) -> str:
        """The private key without a password, as PKCS#8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def _called(name: x509.Name) -> str:
    """How people know a subject or issuer."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for one in name.get_attributes_for_oid(kind):
            return str(one.value)[:COMMON_NAME_LENGTH]
    return name.rfc4514_string()[:COMMON_NAME_LENGTH]


def _title(certificate: x509.Certificate) -> str:
    """How people know a certificate; many of today have no subject, but names alone."""
    return _called(certificate.subject) or _listed(_names(certificate)[:1]) or "?"


def _listed(names: Iterable[str], most: int = 8) -> str:
    all_names = list(names)
    return ", ".join(all_names[:most] + ["…"] * (len(all_names) > most))


def _day(moment: datetime.datetime) -> str:
    """A day as it goes through JSON to the text that says it (ISO 8601)."""
    return moment.date().isoformat()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in found.value.get_values_for_type(x509.DNSName))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether `by` signed `certificate` (RFC 5280, section 6.1.3 (a)(1) and (a)(4))."""
    try:
        certificate.verify_directly_issued_by(by)
    except UnsupportedAlgorithm:
        return True  # so outdated that it cannot be checked; it is refused for that later
    except (InvalidSignature, TypeError, ValueError):  # the last for another name
        return False
    return True


def _check_strength(certificate: x509.Certificate) -> None:
    """Raise SaidError for a key or signature that browsers refuse."""
    name = _title(certificate)
    try:
        key = certificate.public_key()
    except UNREADABLE:
        raise SaidError("certificate.unsupported_key", name=name) from None
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_BITS:
            raise SaidError("certificate.weak_key", name=name, bits=key.key_size, least=RSA_BITS)
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise SaidError("certificate.unsupported_key", name=name)
    try:
        signed = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        signed = None
    if signed is None or signed.name not in SIGNATURES:
        oid = certificate.signature_algorithm_oid.dotted_string
        algorithm = signed.name.upper() if signed else oid
        raise SaidError("certificate.weak_signature", name=name, algorithm=algorithm)


def _find_leaf(certificates: list[x509.Certificate]) -> x509.Certificate:
    """The one certificate of a server; of several for one key, that which ends last."""
    signers = [
        one for one in certificates if any(_issued(c, one) for c in certificates if c != one)
    ]
    servers = [one for one in certificates if not _is_authority(one) and one not in signers]
    for one in servers or certificates:
        if _issued(one, one) and (servers or _names(one)):
            raise SaidError("certificate.self_signed", name=_title(one))
    if not servers:
        raise SaidError("certificate.authority", name=_title(certificates[0]))
    for one in servers:
        _check_strength(one)
    if any(one.public_key() != servers[0].public_key() for one in servers):
        raise SaidError("certificate.two_servers", names=_listed(map(_title, servers)))
    return max(servers, key=lambda one: one.not_valid_after_utc)


def _find_chain(
    leaf: x509.Certificate, certificates: list[x509.Certificate], now: datetime.datetime
) -> tuple[list[x509.Certificate], x509.Certificate | None]:
    """From `leaf` on up, each signed by the next; and the root, where it is in the files."""
    chain, used = [leaf], {leaf}
    while True:
        issuers = [one for one in certificates if one not in used and _issued(chain[-1], one)]
        if not issuers:
            break
        # Of several for one key: one that is still valid, then a root, then what ends last.
        ranks = {
            (c.not_valid_after_utc > now, _issued(c, c), c.not_valid_after_utc): c for c in issuers
        }
        best = ranks[max(ranks)]
        if _issued(best, best):
            return chain, best
        if not _is_authority(best):
            raise SaidError("certificate.not_an_authority", name=_title(leaf), issuer=_title(best))
        chain.append(best)
        used.add(best)
    # A root that leads nowhere shows that something is missing in between.
    if len(chain) == 1 or any(_issued(one, one) for one in certificates):
        name, issuer = _title(chain[-1]), _called(chain[-1].issuer)
        # One from in between that has not signed this one: the chain that goes with another.
        strangers = [one for one in certificates if one.subject != leaf.issuer]
        others = [one for one in strangers if one not in used and not _issued(one, one)]
        if len(chain) == 1 and others:
            found = _listed(map(_title, others))
            raise SaidError("certificate.chain_of_another", name=name, issuer=issuer, found=found)
        raise SaidError("certificate.chain_incomplete", name=name, issuer=issuer)
    return chain, None


def _find_key(
    leaf: x509.Certificate, keys: list[PrivateKeyTypes], own_key: PrivateKey | None
) -> PrivateKey:
    for key in [*keys, own_key]:
        if isinstance(key, PrivateKey) and key.public_key() == leaf.public_key():
            return key
    if keys:
        raise SaidError("certificate.key_mismatch", name=_title(leaf))
    if own_key:
        raise SaidError("certificate.key_of_other_request", name=_title(leaf))
    raise SaidError("certificate.key_missing", name=_title(leaf))


def _covering(certificate: x509.Certificate, name: str) -> str | None:
    """The name in `certificate` that is for the host `name` (RFC 6125, section 6.4.3).

    An asterisk stands for the whole of the first label, and not below a top-level domain.
    """
    label, _, parent = name.partition(".")
    accepted = [name, f"*.{parent}"] if label and "." in parent else [name]
    return next((one for one in accepted if one in _names(certificate)), None)


def _check_leaf(leaf: x509.Certificate, host: str, now: datetime.datetime) -> None:
    """Names, purpose (RFC 5280, sections 4.2.1.3 and 4.2.1.12) and dates."""
    name, names = _title(leaf), _names(leaf)
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not names:
        raise SaidError("certificate.no_names", name=name)
    if not _covering(leaf, host):
        raise SaidError("certificate.name_not_covered", name=host, covered=_listed(names))
    for extension in leaf.extensions:
        match extension.value:
            case x509.ExtendedKeyUsage() as uses if ExtendedKeyUsageOID.SERVER_AUTH not in uses:
                raise SaidError("certificate.wrong_purpose", name=name, missing="serverAuth")
            case x509.KeyUsage(digital_signature=False):
                raise SaidError("certificate.wrong_purpose", name=name, missing="digitalSignature")
    if end < now:
        raise SaidError("certificate.expired", name=name, end=_day(end))
    if begin > now:
        raise SaidError("certificate.not_yet_valid", name=name, begin=_day(begin))


def _notes(leaf: x509.Certificate, names: list[str], now: datetime.datetime) -> list[Said]:
    notes, left = [], days_left(leaf, now)
    end = _day(leaf.not_valid_after_utc)
    if left < WARNING_DAYS:
        notes.append(Said("certificate.ends_soon", {"days": left, "end": end}))
    if (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days > LONGEST_DAYS:
        notes.append(Said("certificate.lives_long", {"most": LONGEST_DAYS, "end": end}))
    covering = _covering(leaf, names[0])
    if covering != names[0]:
        notes.append(Said("certificate.wildcard", {"pattern": covering, "name": names[0]}))
    if names[1:] and not _covering(leaf, names[1]):
        notes.append(Said("certificate.relay_not_covered", {"name": names[1]}))
    return notes


def read_bundle(
    certificates: bytes,
    key: bytes | None,
    password: str | None,
    own_key: PrivateKey | None,
    names: Sequence[str],
    now: datetime.datetime,
) -> Bundle:
    """What a web server needs, from files that somebody uploaded.

    `certificates`: PEM in any order (RFC 7468), with or without the key, DER, PKCS#7 (RFC 2315) or
    PKCS#12 (RFC 7292); `key`: PEM or DER; either may hold what is meant for the other. `own_key`:
    the key of an earlier request, if any. `names`: the host name, which has to be covered, then the
    relay's, which should be. `now`: with its zone. Raises SaidError for what browsers would refuse.
    """
    one_file, other = read_file(certificates, password), read_file(key or b"", password)
    keys = one_file.keys + other.keys
    several = one_file.certificates + other.certificates
    if not several:
        if one_file.request:
            raise SaidError("certificate.request_alone")
        if keys:
            raise SaidError("certificate.key_alone")
        raise SaidError("certificate.nothing")
    if key and key.strip() and not (other.keys or other.certificates):
        raise SaidError("certificate.key_broken")
    for number, one in enumerate(several, start=1):
        try:
            _ = one.subject, one.issuer, one.extensions
        except UNREADABLE:
            raise SaidError("certificate.malformed", number=number) from None
    wanted = [a_labels(name) for name in names]
    leaf = _find_leaf(several)
    _check_leaf(leaf, wanted[0], now)
    chain, root = _find_chain(leaf, several, now)
    for one in chain[1:]:
        _check_strength(one)
        if one.not_valid_after_utc < now:
            end = _day(one.not_valid_after_utc)
            raise SaidError("certificate.issuer_expired", name=_title(one), end=end)
    fitting = _find_key(leaf, keys, own_key)
    notes = _notes(leaf, wanted, now)
    if root is None:
        notes.append(Said("certificate.root_not_included", {"issuer": _called(chain[-1].issuer)}))
    superfluous = {_title(c): c for c in several if c not in chain and c != root}
    if superfluous:
        notes.append(Said("certificate.left_out", {"names": _listed(superfluous)}))
    return Bundle(leaf, tuple(chain), fitting, tuple(notes))


def days_left(certificate: x509.Certificate, now: datetime.datetime) -> int:
    """Whole days until `certificate` ends, rounded down; below zero once it has ended."""
    return (certificate.not_valid_after_utc - now).days
