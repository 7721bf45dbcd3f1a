"""Certificates that somebody else made: what is taken, what is refused, and why."""

import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from firstboot.certificates.uploads import days_left
from tests.unit.firstboot.issuing import (
    CHAIN,
    HOST,
    LEAF,
    MIDDLE,
    NOW,
    RELAY,
    ROOT,
    Made,
    SigningKey,
    browser_accepts,
    make,
    noted,
    outdated,
    read,
    refusal,
    refused,
    server,
)

pytestmark = pytest.mark.unit


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


@pytest.mark.parametrize(
    ("later", "left"), [({}, 90), ({"seconds": 1}, 89), ({"days": 90}, 0), ({"days": 92}, -2)]
)
def test_days_are_counted_down_to_the_end(later: dict[str, int], left: int) -> None:
    assert days_left(LEAF.certificate, NOW + datetime.timedelta(**later)) == left


def test_the_chain_of_another_authority_is_told_apart_from_a_missing_one() -> None:
    other = make("Andere Stelle", ROOT, ca=True)
    found = refusal(lambda: read(LEAF.pem + other.pem + ROOT.pem, LEAF.key_pem))
    assert found.key == "certificate.chain_of_another"
    assert found.values["issuer"] == "Ausstellerin der Tests"
    assert found.values["found"] == "Andere Stelle"
