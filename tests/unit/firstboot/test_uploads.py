"""Certificates that somebody else made: what is taken, what is refused, and why."""

import base64
import datetime
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from firstboot import texts
from firstboot.texts import Said, SaidError
from firstboot.uploads import (
    Bundle,
    PrivateKey,
    days_left,
    make_key,
    make_request,
    read_bundle,
)

pytestmark = pytest.mark.unit

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


def refusal(reading: Callable[[], object]) -> Said:
    """Why it is refused; the reason has to be one that can be said in all languages."""
    with pytest.raises(SaidError) as caught:
        reading()
    said = caught.value.said
    for language in texts.LANGUAGES:
        assert said.text(language)
    return said


def refused(made: Made, *others: Made) -> Said:
    """Why `made` with its key, its authorities and `others` is refused."""
    file = b"".join(one.pem for one in (made, MIDDLE, ROOT, *others))
    return refusal(lambda: read(file, made.key_pem))


def noted(bundle: Bundle) -> list[str]:
    """What is said of a bundle that is taken; all of it can be said in all languages."""
    for said in bundle.notes:
        for language in texts.LANGUAGES:
            assert said.text(language)
    return [said.key.removeprefix("certificate.") for said in bundle.notes]


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


SEVERAL = [ROOT.certificate, LEAF.certificate, MIDDLE.certificate]
WINDOWS_LABEL = pkcs7.serialize_certificates(SEVERAL, PEM).replace(b"PKCS7", b"CERTIFICATE")
EXPLAINED = b"Subject: CN=rathaus\n \xfc\n" + LEAF.pem + b"\nIssuer:\n" + MIDDLE.pem + ROOT.pem

GOOD = {
    "in order": (CHAIN, LEAF.key_pem),
    "backwards": (ROOT.pem + MIDDLE.pem + LEAF.pem, LEAF.key_pem),
    "key in the middle": (MIDDLE.pem + LEAF.key_pem + ROOT.pem + LEAF.pem, None),
    "twice the same": (CHAIN + CHAIN, LEAF.key_pem),
    "no key file but an empty one": (CHAIN + LEAF.key_pem, b""),
    "a key file of nothing but a line end": (CHAIN + LEAF.key_pem, b"\r\n"),
    "files mixed up": (LEAF.key_pem, CHAIN),
    "chain beside the key": (LEAF.pem, MIDDLE.pem + ROOT.pem + LEAF.key_pem),
    "Windows line ends": (CHAIN.replace(b"\n", b"\r\n"), LEAF.key_pem.replace(b"\n", b"\r\n")),
    "text around": (EXPLAINED, LEAF.key_pem),
    "indented": (CHAIN.replace(b"\n", b" \n  "), LEAF.key_pem.replace(b"\n", b"\n\t")),
    "no line between": (CHAIN.replace(b"-\n-", b"--"), LEAF.key_pem),
    "one long line": (CHAIN.replace(b"\n", b""), LEAF.key_pem),
    "UTF-16": (CHAIN.decode().encode("utf-16"), LEAF.key_pem.decode().encode("utf-16")),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + CHAIN, b"\xef\xbb\xbf" + LEAF.key_pem),
    "PKCS#7, PEM": (pkcs7.serialize_certificates(SEVERAL, PEM), LEAF.key_pem),
    "PKCS#7, DER": (pkcs7.serialize_certificates(SEVERAL, DER), LEAF.key_pem),
    "PKCS#7, labelled by Windows": (WINDOWS_LABEL, LEAF.key_pem),
    "PKCS#12 without a password": (pfx(LEAF, None, MIDDLE, ROOT), None),
    "PKCS#12 with the key apart": (pfx(LEAF, None, ROOT, MIDDLE, key=False), LEAF.key_pem),
    "PKCS#12 beside its chain": (MIDDLE.pem + ROOT.pem, pfx(LEAF, None)),
}


@pytest.mark.parametrize("case", GOOD)
def test_every_format_and_order_gives_the_same(case: str) -> None:
    bundle = read(*GOOD[case])
    assert bundle.chain == (LEAF.certificate, MIDDLE.certificate)
    assert bundle.leaf == LEAF.certificate
    assert bundle.names() == (HOST, RELAY)
    assert bundle.not_after == LEAF.certificate.not_valid_after_utc
    assert noted(bundle) == []
    browser_accepts(bundle)


def test_a_single_der_certificate_goes_with_a_der_key() -> None:
    made = make(HOST, ROOT, names=(HOST, RELAY))
    key = made.key.private_bytes(
        DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    bundle = read(made.certificate.public_bytes(DER), ROOT.pem + made.key_pem)
    assert bundle.chain == (made.certificate,)
    browser_accepts(bundle)
    assert read(made.pem + ROOT.pem, key).key_pem() == bundle.key_pem()


@pytest.mark.parametrize("password", [PASSWORD, "a b", "x" * 40])
def test_pkcs12_opens_with_its_password(password: str) -> None:
    browser_accepts(read(pfx(LEAF, password, MIDDLE, ROOT), None, password))


def test_pkcs12_opens_as_older_windows_encrypts_it() -> None:
    sealed = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSWORD.encode())
    )
    browser_accepts(read(pfx(LEAF, sealed, MIDDLE, ROOT), None, PASSWORD))


def test_a_password_that_is_not_needed_is_no_mistake() -> None:
    browser_accepts(read(CHAIN, LEAF.key_pem, PASSWORD))
    browser_accepts(read(pfx(LEAF, None, MIDDLE, ROOT), None, PASSWORD))


@pytest.mark.parametrize(
    "kind",
    [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL],
    ids=["PKCS#8", "traditional"],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_an_encrypted_key_opens_with_its_password_and_is_served_without(
    kind: serialization.PrivateFormat, end: bytes
) -> None:
    sealed = serialization.BestAvailableEncryption(PASSWORD.encode())
    key = LEAF.key.private_bytes(PEM, kind, sealed).replace(b"\n", end)
    bundle = read(CHAIN, key, PASSWORD)
    assert "ENCRYPTED" not in bundle.key_pem()
    browser_accepts(bundle)
    assert refusal(lambda: read(CHAIN, key)).key == "certificate.key_password_missing"
    assert refusal(lambda: read(CHAIN, key, "")).key == "certificate.key_password_missing"
    for wrong in ("Schlüssel", "a\0b", "\udcff", "x" * 2000):
        found = refusal(lambda wrong=wrong: read(CHAIN, key, wrong))  # type: ignore[misc]
        assert found.key == "certificate.key_password_wrong"


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["RSA", "P-384"],
)
def test_every_kind_of_key_that_browsers_know_is_taken(key: SigningKey) -> None:
    made = server(key=key)
    browser_accepts(read(made.pem + CHAIN.replace(LEAF.pem, b""), made.key_pem))


def test_a_certificate_without_a_subject_is_taken() -> None:
    made = make("", MIDDLE, names=(HOST, RELAY))
    browser_accepts(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem))


def test_of_two_issuers_with_one_key_the_shorter_way_to_a_root_is_taken() -> None:
    older = make("Ältere Wurzel", ca=True, days=5000)
    crossed = make("Wurzel der Tests", older, ca=True, key=ROOT.key, days=4000)
    bundle = read(LEAF.pem + crossed.pem + MIDDLE.pem + older.pem + ROOT.pem, LEAF.key_pem)
    assert bundle.chain == (LEAF.certificate, MIDDLE.certificate)
    assert noted(bundle) == ["left_out"]
    without = read(LEAF.pem + crossed.pem + MIDDLE.pem + older.pem, LEAF.key_pem)
    assert without.chain == (LEAF.certificate, MIDDLE.certificate, crossed.certificate)
    browser_accepts(without, root=older)


def test_of_two_issuers_with_one_key_one_that_ended_is_not_taken() -> None:
    ended = make("Ausstellerin der Tests", ROOT, ca=True, key=MIDDLE.key, begin=-20, days=-5)
    bundle = read(LEAF.pem + ended.pem + MIDDLE.pem + ROOT.pem, LEAF.key_pem)
    assert bundle.chain == (LEAF.certificate, MIDDLE.certificate)
    found = refusal(lambda: read(LEAF.pem + ended.pem + ROOT.pem, LEAF.key_pem))
    assert found.key == "certificate.issuer_expired"


def test_a_root_that_ended_is_not_taken_where_another_vouches_for_its_key() -> None:
    newer = make("Neuere Wurzel", ca=True)
    ended = make("Alte Wurzel", ca=True, begin=-20, days=-5)
    crossed = make("Alte Wurzel", newer, ca=True, key=ended.key)
    leaf = make(HOST, ended, names=(HOST, RELAY))
    bundle = read(leaf.pem + ended.pem + crossed.pem + newer.pem, leaf.key_pem)
    assert bundle.chain == (leaf.certificate, crossed.certificate)
    browser_accepts(bundle, root=newer)


def test_authorities_that_sign_each_other_do_not_hold_up_the_reading() -> None:
    one = make("Eins", ca=True)
    other = make("Zwei", one, ca=True)
    back = make("Eins", other, ca=True, key=one.key)
    leaf = make(HOST, back, names=(HOST, RELAY))
    bundle = read(leaf.pem + other.pem + back.pem, leaf.key_pem)
    assert bundle.chain == (leaf.certificate, back.certificate, other.certificate)


# What is refused.


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"%PDF-1.7 \xff", b"\x30\x03\x02\x01\x01", b"Ihr Zertifikat", b"\xff\xfe-"],
)
def test_a_file_without_a_certificate_is_refused(content: bytes) -> None:
    assert refusal(lambda: read(content)).key == "certificate.nothing"
    assert refusal(lambda: read(content, LEAF.key_pem)).key == "certificate.key_alone"


def test_the_boxs_own_request_is_told_from_its_answer() -> None:
    request = make_request([HOST], make_key(), "Rathaus", "Musterstadt").encode()
    assert refusal(lambda: read(request)).key == "certificate.request_alone"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pem: pem[:-40],
        lambda pem: pem.replace(b"-----END CERTIFICATE-----\n", b"", 1),
        lambda pem: pem[:300] + b"?" + pem[301:],
        lambda pem: pem[:300] + pem[305:],
        lambda pem: pem.replace(b"BEGIN CERTIFICATE", b"BEGIN CERTIFICATE PART", 1),
        lambda pem: b"-----BEGIN PKCS7-----\nMAsGCSqGSIb3DQEHAg==\n-----END PKCS7-----",
    ],
    ids=["cut", "end lost", "strange sign", "letters lost", "labels differ", "empty PKCS#7"],
)
def test_broken_pem_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    found = refusal(lambda: read(spoil(CHAIN), LEAF.key_pem))
    assert found.key == "certificate.broken_pem"


def test_a_broken_key_is_refused() -> None:
    for spoilt in (LEAF.key_pem[:60] + LEAF.key_pem[80:], LEAF.key_pem.replace(b"\nM", b"\nN")):
        found = refusal(lambda spoilt=spoilt: read(CHAIN, spoilt))  # type: ignore[misc]
        assert found.key == "certificate.key_broken"


@pytest.mark.parametrize("content", [b"MIGHAgEA", b"\x30\x03\x02\x01\x01", b"%PDF-1.7"])
def test_a_key_file_without_a_key_is_refused(content: bytes) -> None:
    assert refusal(lambda: read(CHAIN, content)).key == "certificate.key_broken"
    found = refusal(lambda: read(CHAIN, content, None, make_key()))
    assert found.key == "certificate.key_broken"


def test_a_certificate_that_cannot_be_read_to_the_end_is_refused() -> None:
    oid = x509.oid.ExtensionOID.NAME_CONSTRAINTS
    made = server(extra=x509.UnrecognizedExtension(oid, b"\x01"))
    found = refusal(lambda: read(MIDDLE.pem + made.pem + ROOT.pem, made.key_pem))
    assert (found.key, found.values) == ("certificate.malformed", {"number": 2})


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", "broken_pem"),
        (b"\x0c\x0f" + HOST.encode(), b"\x2e\x0f" + HOST.encode(), "malformed"),
    ],
    ids=["unknown version", "unknown kind of text"],
)
def test_what_the_library_cannot_read_is_refused_with_a_sentence(
    old: bytes, new: bytes, kind: str
) -> None:
    der = LEAF.certificate.public_bytes(DER)
    assert old in der
    body = base64.encodebytes(der.replace(old, new, 1))
    pem = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    found = refusal(lambda: read(pem + MIDDLE.pem + ROOT.pem, LEAF.key_pem))
    assert found.key == f"certificate.{kind}"


def test_pkcs12_without_its_password_is_refused() -> None:
    file = pfx(LEAF, PASSWORD, MIDDLE, ROOT)
    assert refusal(lambda: read(file)).key == "certificate.bundle_password_missing"
    assert refusal(lambda: read(file, None, "")).key == "certificate.bundle_password_missing"


@pytest.mark.parametrize("wrong", ["Schlüssel", "a\0b", "\udcff", "x" * 2000])
def test_pkcs12_with_a_wrong_password_is_refused(wrong: str) -> None:
    file = pfx(LEAF, PASSWORD, MIDDLE, ROOT)
    assert refusal(lambda: read(file, None, wrong)).key == "certificate.bundle_password_wrong"


def test_a_missing_key_is_refused() -> None:
    assert refusal(lambda: read(CHAIN)).key == "certificate.key_missing"


@pytest.mark.parametrize("stranger", [MIDDLE, ROOT, server()], ids=["issuer", "root", "other"])
def test_a_key_of_another_certificate_is_refused(stranger: Made) -> None:
    found = refusal(lambda: read(CHAIN, stranger.key_pem))
    assert (found.key, found.values) == ("certificate.key_mismatch", {"name": HOST})


def test_an_expired_certificate_is_refused() -> None:
    found = refused(server(begin=-30, days=-1))
    assert found.key == "certificate.expired"
    assert "23.11.2026" in found.text("de")
    assert "2026-11-23" in found.text("en")


def test_a_certificate_that_begins_later_is_refused() -> None:
    found = refused(server(begin=3))
    assert found.key == "certificate.not_yet_valid"
    assert "27.11.2026" in found.text("de")


@pytest.mark.parametrize(
    "names",
    [
        ("www.rathaus.example",),
        ("*.rathaus.example",),
        ("*.example",),
        ("rat*.example", "*"),
        ("rathaus.example.bank.example",),
    ],
)
def test_a_certificate_for_other_names_is_refused_and_its_names_are_said(
    names: tuple[str, ...],
) -> None:
    found = refused(server(names=names))
    assert found.key == "certificate.name_not_covered"
    assert found.values == {"name": HOST, "covered": ", ".join(names)}


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("video.rathaus.example", True),
        ("VIDEO.Rathaus.Example.", True),
        ("turn.video.rathaus.example", False),
        (".rathaus.example", False),
    ],
)
def test_a_wildcard_covers_one_label(host: str, covered: bool) -> None:
    made = server(names=("*.Rathaus.example",))
    file = made.pem + MIDDLE.pem + ROOT.pem
    if covered:
        assert noted(read(file, made.key_pem, names=(host,))) == ["wildcard"]
    else:
        found = refusal(lambda: read(file, made.key_pem, names=(host,)))
        assert found.key == "certificate.name_not_covered"


def test_many_names_are_not_all_said() -> None:
    found = refused(server(names=tuple(f"n{number}.example" for number in range(90))))
    assert "n7.example, …" in found.text("de")
    assert "n8.example" not in found.text("de")


def test_names_with_umlauts_are_compared_as_they_are_on_the_wire() -> None:
    made = server(names=("xn--rathaus-mller-4ob.example", "xn--strae-oqa.example"))
    names = ("Rathaus-Müller.example", "straße.example")
    assert noted(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem, names=names)) == []


def test_an_authoritys_certificate_alone_is_refused() -> None:
    found = refusal(lambda: read(MIDDLE.pem + ROOT.pem, MIDDLE.key_pem))
    assert (found.key, found.values) == (
        "certificate.authority",
        {"name": "Ausstellerin der Tests"},
    )
    assert refusal(lambda: read(ROOT.pem, ROOT.key_pem)).key == "certificate.authority"


@pytest.mark.parametrize("ca", [False, True, None])
def test_a_certificate_that_signed_itself_is_refused(ca: bool | None) -> None:
    made = make(HOST, ca=ca, names=(HOST, RELAY))
    assert refusal(lambda: read(made.pem, made.key_pem)).key == "certificate.self_signed"


def test_a_certificate_that_signed_itself_is_not_taken_for_an_authoritys() -> None:
    made = make(HOST)
    assert refusal(lambda: read(made.pem, made.key_pem)).key == "certificate.self_signed"


@pytest.mark.parametrize("file", [LEAF.pem, LEAF.pem + ROOT.pem], ids=["leaf", "leaf and root"])
def test_a_chain_without_its_intermediate_is_refused_and_the_issuer_is_said(file: bytes) -> None:
    found = refusal(lambda: read(file, LEAF.key_pem))
    assert found.key == "certificate.chain_incomplete"
    assert found.values == {"name": HOST, "issuer": "Ausstellerin der Tests"}


def test_a_gap_below_a_root_is_found() -> None:
    lower = make("Untere Ausstellerin", MIDDLE, ca=True)
    made = make(HOST, lower, names=(HOST, RELAY))
    found = refusal(lambda: read(made.pem + lower.pem + ROOT.pem, made.key_pem))
    assert found.key == "certificate.chain_incomplete"
    assert found.values == {"name": "Untere Ausstellerin", "issuer": "Ausstellerin der Tests"}
    whole = read(made.pem + ROOT.pem + lower.pem + MIDDLE.pem, made.key_pem)
    assert whole.chain == (made.certificate, lower.certificate, MIDDLE.certificate)
    browser_accepts(whole)


def test_an_issuer_of_the_same_name_with_another_key_does_not_count() -> None:
    namesake = make("Ausstellerin der Tests", ROOT, ca=True)
    found = refusal(lambda: read(LEAF.pem + namesake.pem + ROOT.pem, LEAF.key_pem))
    assert found.key == "certificate.chain_incomplete"


def test_an_issuer_that_is_no_authority_is_refused() -> None:
    pretender = make("Nachbar", MIDDLE, names=("nachbar.example",))
    found = refused(make(HOST, pretender, names=(HOST, RELAY)), pretender)
    assert found.key == "certificate.not_an_authority"


def test_two_servers_certificates_are_refused() -> None:
    found = refused(LEAF, make("anderes.example", MIDDLE, names=("anderes.example",)))
    assert found.key == "certificate.two_servers"
    assert found.values == {"names": f"{HOST}, anderes.example"}


def test_of_an_older_and_a_newer_certificate_for_one_key_the_newer_is_taken() -> None:
    newer = server(key=LEAF.key, days=200)
    bundle = read(CHAIN + newer.pem, LEAF.key_pem)
    assert bundle.chain == (newer.certificate, MIDDLE.certificate)
    assert noted(bundle) == ["left_out"]


def test_a_short_rsa_key_is_refused() -> None:
    found = refused(server(key=rsa.generate_private_key(65537, 1024)))
    assert found.key == "certificate.weak_key"
    assert found.values["bits"] == 1024


def test_an_authority_with_a_short_rsa_key_is_refused() -> None:
    weak = make("Schwache", ROOT, ca=True, key=rsa.generate_private_key(65537, 1024))
    found = refused(make(HOST, weak, names=(HOST, RELAY)), weak)
    assert (found.key, found.values["name"]) == ("certificate.weak_key", "Schwache")


def test_a_signature_over_sha1_is_refused() -> None:
    issuer = make("RSA", ROOT, ca=True, key=rsa.generate_private_key(65537, 2048))
    found = refused(outdated(issuer), issuer)
    assert found.key == "certificate.weak_signature"
    assert "SHA1" in found.text("de")


def test_a_signature_that_browsers_do_not_know_is_refused() -> None:
    issuer = make("Ed25519", ROOT, ca=True, key=ed25519.Ed25519PrivateKey.generate())
    found = refused(make(HOST, issuer, names=(HOST, RELAY)), issuer)
    assert found.key == "certificate.weak_signature"


@pytest.mark.parametrize(
    "key",
    [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP521R1())],
    ids=["Ed25519", "P-521"],
)
def test_a_key_that_browsers_do_not_know_is_refused(key: SigningKey) -> None:
    assert refused(server(key=key)).key == "certificate.unsupported_key"


def test_a_certificate_without_alternative_names_is_refused() -> None:
    assert refused(server(names=())).key == "certificate.no_names"


def test_a_certificate_that_is_not_for_servers_is_refused() -> None:
    found = refused(server(uses=(ExtendedKeyUsageOID.CLIENT_AUTH,)))
    assert (found.key, found.values["missing"]) == ("certificate.wrong_purpose", "serverAuth")
    found = refused(server(signs=False))
    assert (found.key, found.values["missing"]) == (
        "certificate.wrong_purpose",
        "digitalSignature",
    )


def test_a_certificate_for_servers_among_other_purposes_is_taken() -> None:
    for uses in ((), (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)):
        made = server(uses=uses)
        assert noted(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem)) == []


def test_a_file_that_is_too_large_is_refused() -> None:
    most = CHAIN + b"\n" * (200_000 - len(CHAIN))
    assert read(most, LEAF.key_pem).leaf == LEAF.certificate
    found = refusal(lambda: read(most + b"\n", LEAF.key_pem))
    assert (found.key, found.values) == ("certificate.too_large", {"size": 201, "largest": 200})
    found = refusal(lambda: read(CHAIN, LEAF.key_pem + b"\n" * 200_000))
    assert found.key == "certificate.too_large"


# What is taken but should be said.


@pytest.mark.parametrize(("days", "said"), [(20, ["ends_soon"]), (21, [])])
def test_an_end_within_three_weeks_is_said(days: int, said: list[str]) -> None:
    made = server(days=days)
    assert noted(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem)) == said


@pytest.mark.parametrize(("days", "said"), [(816, ["lives_long"]), (815, [])])
def test_a_life_that_apples_devices_refuse_is_said(days: int, said: list[str]) -> None:
    made = server(begin=-10, days=days)
    assert noted(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem)) == said


def test_a_wildcard_is_explained() -> None:
    made = server(names=("*.rathaus.example",))
    names = ("video.rathaus.example", "turn.video.rathaus.example")
    bundle = read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem, names=names)
    assert noted(bundle) == ["wildcard", "relay_not_covered"]
    assert "*.rathaus.example" in bundle.notes[0].text("de")
    browser_accepts(bundle, "video.rathaus.example")


def test_a_missing_name_of_the_relay_is_said() -> None:
    made = server(names=(HOST,))
    bundle = read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem)
    assert noted(bundle) == ["relay_not_covered"]
    assert RELAY in bundle.notes[0].text("de")
    assert noted(read(made.pem + MIDDLE.pem + ROOT.pem, made.key_pem, names=(HOST,))) == []


def test_a_chain_without_its_root_is_taken_and_said() -> None:
    bundle = read(LEAF.pem + MIDDLE.pem, LEAF.key_pem)
    assert noted(bundle) == ["root_not_included"]
    assert "Wurzel der Tests" in bundle.notes[0].text("de")
    browser_accepts(bundle)


def test_certificates_that_are_not_needed_are_left_out_and_said() -> None:
    spare = make("Reserve", ROOT, ca=True)
    bundle = read(spare.pem + CHAIN + spare.pem, LEAF.key_pem)
    assert bundle.chain == (LEAF.certificate, MIDDLE.certificate)
    assert noted(bundle) == ["left_out"]
    assert bundle.notes[0].values == {"names": "Reserve"}


# Requests of the box.


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


@pytest.mark.parametrize(
    "key", [make_key(), rsa.generate_private_key(65537, 2048)], ids=["P-256", "RSA"]
)
def test_a_request_of_the_box_comes_back_signed(key: PrivateKey) -> None:
    request = make_request([HOST, RELAY], key, "Gemeinde Musterstadt", "Musterstadt")
    signed = answer(request, MIDDLE)
    bundle = read(MIDDLE.pem + ROOT.pem + signed.pem, None, None, key)
    assert bundle.key is key
    assert noted(bundle) == []
    browser_accepts(bundle)
    browser_accepts(bundle, RELAY)
    subject = {one.oid: one.value for one in bundle.leaf.subject}
    assert subject == {
        NameOID.COMMON_NAME: HOST,
        NameOID.ORGANIZATION_NAME: "Gemeinde Musterstadt",
        NameOID.LOCALITY_NAME: "Musterstadt",
    }


def test_the_answer_to_another_request_is_refused() -> None:
    signed = answer(make_request([HOST, RELAY], make_key(), "", ""), MIDDLE)
    found = refusal(lambda: read(signed.pem + MIDDLE.pem + ROOT.pem, None, None, make_key()))
    assert found.key == "certificate.key_of_other_request"


def test_a_certificate_with_its_own_key_is_taken_although_there_was_a_request() -> None:
    bundle = read(CHAIN, LEAF.key_pem, None, make_key())
    browser_accepts(bundle)


def test_keys_of_requests_are_new_and_of_a_kind_that_all_know() -> None:
    one, other = make_key(), make_key()
    assert isinstance(one.curve, ec.SECP256R1)
    assert one.public_key() != other.public_key()


def test_a_request_keeps_to_the_lengths_that_authorities_allow() -> None:
    name = ".".join(["videokonferenz", *["verwaltungsgemeinschaft"] * 3, "example"])
    assert len(name) > 64
    asked = x509.load_pem_x509_csr(make_request([name], make_key(), "V" * 90, " ").encode())
    assert [(one.oid, one.value) for one in asked.subject] == [
        (NameOID.ORGANIZATION_NAME, "V" * 64)
    ]
    alternatives = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == [name]


def test_a_request_has_names_once_and_as_they_are_on_the_wire() -> None:
    request = make_request(["Müller.example", "xn--mller-kva.example"], make_key(), "", "")
    asked = x509.load_pem_x509_csr(request.encode())
    alternatives = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == ["xn--mller-kva.example"]


@pytest.mark.parametrize(
    ("later", "left"), [({}, 90), ({"seconds": 1}, 89), ({"days": 90}, 0), ({"days": 92}, -2)]
)
def test_days_are_counted_down_to_the_end(later: dict[str, int], left: int) -> None:
    assert days_left(LEAF.certificate, NOW + datetime.timedelta(**later)) == left
