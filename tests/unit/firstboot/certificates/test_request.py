"""Requests for certificates: what an authority makes of them comes back and fits."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from firstboot.certificates.request import PrivateKey, make_key, make_request
from tests.unit.firstboot.issuing import (
    CHAIN,
    HOST,
    LEAF,
    MIDDLE,
    RELAY,
    ROOT,
    answer,
    browser_accepts,
    noted,
    read,
    refusal,
)

pytestmark = pytest.mark.unit


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
