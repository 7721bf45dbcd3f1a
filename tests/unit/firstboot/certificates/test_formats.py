"""Files with certificates and keys: every format and order is read, and damage is explained."""

import base64
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from firstboot.certificates.request import make_key, make_request
from tests.unit.firstboot.issuing import (
    CHAIN,
    DER,
    HOST,
    LEAF,
    MIDDLE,
    PASSWORD,
    PEM,
    RELAY,
    ROOT,
    browser_accepts,
    make,
    noted,
    pfx,
    read,
    refusal,
    server,
)

pytestmark = pytest.mark.unit


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


def test_a_file_that_is_too_large_is_refused() -> None:
    most = CHAIN + b"\n" * (200_000 - len(CHAIN))
    assert read(most, LEAF.key_pem).leaf == LEAF.certificate
    found = refusal(lambda: read(most + b"\n", LEAF.key_pem))
    assert (found.key, found.values) == ("certificate.too_large", {"size": 201, "largest": 200})
    found = refusal(lambda: read(CHAIN, LEAF.key_pem + b"\n" * 200_000))
    assert found.key == "certificate.too_large"
