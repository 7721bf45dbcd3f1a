"""Certificates of every kind, made for tests, and what the box and a browser say of them."""

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from firstboot import texts
from firstboot.certificates.request import PrivateKey
from firstboot.certificates.uploads import Bundle, read_bundle
from firstboot.texts import Said, SaidError

NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
HOST, RELAY = "rathaus.example", "turn.rathaus.example"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PASSWORD = "schlüssel"

SigningKey = PrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Made:
    """A certificate that a test made, and its private key."""

    certificate: x509.Certificate
    key: SigningKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def key_pem(self) -> bytes:
        return self.sealed(serialization.NoEncryption())

    def sealed(self, how: serialization.KeySerializationEncryption) -> bytes:
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how)


def make(
    title: str,
    by: Made | None = None,
    *,
    ca: bool | None = False,
    names: tuple[str, ...] = (),
    key: SigningKey | None = None,
    begin: int = -10,
    days: int = 90,
    uses: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    signs: bool = True,
    extra: x509.ExtensionType | None = None,
) -> Made:
    """A certificate: begins in `begin` days from now, ends in `days`; signed by itself or `by`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)] if title else [])
    signer = by.key if by else key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=begin))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs,
                content_commitment=False,
                key_encipherment=not ca,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=bool(ca),
                crl_sign=bool(ca),
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=not title)
    if uses and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    if extra:
        builder = builder.add_extension(extra, critical=False)
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Made(builder.sign(signer, digest), key)


ROOT = make("Wurzel der Tests", ca=True, days=3000)
MIDDLE = make("Ausstellerin der Tests", ROOT, ca=True, days=1000)
LEAF = make(HOST, MIDDLE, names=(HOST, RELAY))
CHAIN = LEAF.pem + MIDDLE.pem + ROOT.pem


def server(**differences: object) -> Made:
    """A certificate for the box, as it should be but for `differences`."""
    return make(HOST, MIDDLE, **{"names": (HOST, RELAY), **differences})  # type: ignore[arg-type]


def answer(request: str, by: Made) -> Made:
    """What an authority makes of a request: its subject, names and key, under its own signature."""
    asked = x509.load_pem_x509_csr(request.encode())
    assert asked.is_signature_valid
    alternatives = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    key = asked.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    signed = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(by.certificate.subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=90))
        .public_key(key)
        .add_extension(alternatives.value, critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(by.key, hashes.SHA256())
    )
    return Made(signed, by.key)


def outdated(by: Made) -> Made:
    """A certificate of `by` (RSA) with a signature over SHA-1, which no library makes any more."""
    assert isinstance(by.key, rsa.RSAPrivateKey)
    made = make("alt", by, names=(HOST, RELAY))
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    content = made.certificate.tbs_certificate_bytes.replace(sha256, sha1)
    signature = by.key.sign(content, padding.PKCS1v15(), hashes.SHA1())
    whole = made.certificate.public_bytes(DER).replace(sha256, sha1)
    whole = whole[: -len(signature)] + signature
    return Made(x509.load_der_x509_certificate(whole), made.key)


def read(
    certificates: bytes,
    key: bytes | None = None,
    password: str | None = None,
    own_key: PrivateKey | None = None,
    names: tuple[str, ...] = (HOST, RELAY),
) -> Bundle:
    return read_bundle(certificates, key, password, own_key, names, NOW)


def through_json(said: Said) -> Said:
    """`said` as it comes from root's side to the page, where all languages can say it."""
    key, values = json.loads(json.dumps([said.key, said.values]))
    assert values == said.values
    for language in texts.LANGUAGES:
        assert Said(key, values).text(language)
    return Said(key, values)


def refusal(reading: Callable[[], object]) -> Said:
    """Why it is refused."""
    with pytest.raises(SaidError) as caught:
        reading()
    return through_json(caught.value.said)


def refused(made: Made, *others: Made) -> Said:
    """Why `made` with its key, its authorities and `others` is refused."""
    file = b"".join(one.pem for one in (made, MIDDLE, ROOT, *others))
    return refusal(lambda: read(file, made.key_pem))


def noted(bundle: Bundle) -> list[str]:
    """What is said of a bundle that is taken."""
    return [through_json(said).key.removeprefix("certificate.") for said in bundle.notes]


def browser_accepts(bundle: Bundle, host: str = HOST, root: Made = ROOT) -> None:
    """Check a bundle as a browser does that gets no more than what the web server sends."""
    sent = x509.load_pem_x509_certificates(bundle.chain_pem().encode())
    assert root.certificate not in sent
    policy = PolicyBuilder().store(Store([root.certificate])).time(NOW)
    policy.build_server_verifier(x509.DNSName(host)).verify(sent[0], sent[1:])
    key = serialization.load_pem_private_key(bundle.key_pem().encode(), password=None)
    assert key.public_key() == sent[0].public_key()


def pfx(
    made: Made,
    how: str | serialization.KeySerializationEncryption | None,
    *authorities: Made,
    key: bool = True,
) -> bytes:
    """PKCS#12, sealed by a password or in a way of its own."""
    private = made.key
    assert isinstance(private, PrivateKey)
    if isinstance(how, str):
        how = serialization.BestAvailableEncryption(how.encode())
    sealed = how or serialization.NoEncryption()
    others = [one.certificate for one in authorities]
    chosen = private if key else None
    return pkcs12.serialize_key_and_certificates(b"", chosen, made.certificate, others, sealed)
