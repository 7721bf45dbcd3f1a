"""Administrators' passwords: nobody reads them, and they are judged honestly; the six digits."""

import datetime
import re
import urllib.parse

import argon2
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn_rs_py import Warning as Complaint

from firstboot import texts
from firstboot.access import passwords
from firstboot.access.passwords import (
    Strength,
    hash_password,
    proof_of_staff,
    strength,
    totp_secret,
    totp_uri,
    totp_valid,
    verify,
)
from firstboot.texts import Said, SaidError

pytestmark = pytest.mark.unit

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ABOUT = ["Erika Mustermann", "Stadt Möckmühl", "video.moeckmuehl.example"]
GOOD = "wolke-giraffe-tisch-anker"
# RFC 6238, appendix B: this key, and the last six digits of what SHA-1 gives at these seconds.
KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TABLE = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


def at(second: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(second, datetime.UTC)


def step_of(second: float) -> int:
    return int(second) // 30


def reason(password: str) -> str:
    """The key of the sentence that a refused password gets."""
    judged = strength(password, ABOUT)
    assert not judged.accepted
    assert judged.score < 3
    return judged.said.key


def test_a_password_fits_its_hash_and_no_other_does() -> None:
    hashed = hash_password(GOOD)
    assert verify(hashed, GOOD)
    for other in (GOOD.upper(), GOOD + " ", GOOD[:-1], ""):
        assert not verify(hashed, other)


def test_the_hash_says_nothing_and_differs_each_time() -> None:
    one, other = hash_password(GOOD, CHEAP), hash_password(GOOD, CHEAP)
    assert one != other
    assert GOOD not in one + other
    assert verify(one, GOOD)
    assert verify(other, GOOD)


def test_the_costs_are_those_of_rfc_9106() -> None:
    assert hash_password(GOOD).startswith("$argon2id$v=19$m=65536,t=3,p=2$")
    parameters = argon2.extract_parameters(hash_password(GOOD))
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


@pytest.mark.parametrize(
    ("typed", "later"),
    [
        ("Grüße aus Möckmühl", "Gru\u0308ße aus Mo\u0308ckmu\u0308hl"),
        ("Straße\u00a0im Nebel", "Straße im Nebel"),
        ("A\u030angstro\u0308m im Nebel", "\u212bngström im Nebel"),
    ],
    ids=["umlauts", "no-break space", "sign for a letter"],
)
def test_a_phone_and_a_desk_may_encode_the_same_password_differently(
    typed: str, later: str
) -> None:
    assert typed != later
    assert verify(hash_password(typed, CHEAP), later)
    assert verify(hash_password(later, CHEAP), typed)


def test_what_looks_alike_but_is_another_character_is_another_password() -> None:
    # OpaqueString composes; it does not fold as NFKC would.
    assert not verify(hash_password("ﬁschernetz", CHEAP), "fischernetz")


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "x",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$",
        "$argon2id$v=19$m=99999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$argon2id$v=19$m=8,t=1,p=1$ßß$ßß",
        "$argon2id$v=19$m=8,t=1,p=1\0$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$2b$12$abcdefghijklmnopqrstuu",
        "\ud800",
    ],
)
def test_what_is_no_hash_fits_no_password(hashed: str) -> None:
    assert verify(hashed, GOOD) is False


@given(st.text(max_size=80), st.text(max_size=300))
def test_verify_never_raises(hashed: str, password: str) -> None:
    assert verify(hashed, password) is False
    assert verify("$argon2id$" + hashed, password) is False


def test_256_characters_are_taken_and_all_of_them_count() -> None:
    longest = "ü" * 255
    hashed = hash_password(longest + "x", CHEAP)
    assert verify(hashed, longest + "x")
    assert not verify(hashed, longest + "y")
    assert verify(hashed, "u\u0308" * 255 + "x")


@pytest.mark.parametrize("password", ["x" * 257, "x" * 100_000, "u\u0308" * 257])
def test_longer_ones_are_refused_before_anything_is_computed(password: str) -> None:
    for refused in (lambda: hash_password(password, CHEAP), lambda: strength(password, ABOUT)):
        with pytest.raises(SaidError) as raised:
            refused()
        assert raised.value.said == Said("password.long", {"most": 256})
    assert not verify(hash_password(GOOD, CHEAP), password)


@pytest.mark.parametrize("hidden", ["\t", "\n", "\0", "\u200b", "\u00ad", "\ud800", "\ue000"])
def test_characters_that_nobody_sees_are_refused(hidden: str) -> None:
    with pytest.raises(SaidError) as raised:
        hash_password(GOOD + hidden, CHEAP)
    assert raised.value.said.key == "password.character"


def test_there_is_no_empty_password() -> None:
    with pytest.raises(SaidError) as raised:
        hash_password("", CHEAP)
    assert raised.value.said.key == "password.empty"
    assert strength("", ABOUT).said.key == "password.short"


@pytest.mark.parametrize("password", [GOOD, "Wolke Rathaus Tisch Giraffe Anker", "zXq9-kL2w!Vt"])
def test_good_passwords_are_accepted(password: str) -> None:
    judged = strength(password, ABOUT)
    assert judged.accepted
    assert judged.score >= 3
    assert judged.said.key == "password.good"


def test_nine_characters_are_too_few_however_good_they_are() -> None:
    assert strength("zXq9-kL2w!", ABOUT).accepted
    judged = strength("zXq9-kL2w", ABOUT)
    assert judged == Strength(False, 2, Said("password.short", {"length": 9, "least": 10}))
    assert "9 Zeichen" in judged.said.text("de")


@pytest.mark.parametrize(
    "password",
    [
        "ErikaMustermann",
        "mustermann.erika1",
        "MUSTERMANN-2025!",
        "Möckmühl#2024",
        "Moeckmuehl2024",
        "MOECKMUEHL2024!",
        "Mockmuhl2024!",
        "Mo\u0308ckmu\u0308hl#2024",
        "moeckmuehl.example",
    ],
)
def test_names_of_people_house_and_box_are_refused_as_such(password: str) -> None:
    assert reason(password) == "password.about"


def test_a_name_does_no_harm_where_the_rest_is_good() -> None:
    assert strength(f"Mustermann {GOOD}", ABOUT).accepted


@pytest.mark.parametrize(
    "password",
    ["Rathaus2025!", "Willkommen1!", "Sitzungssaal12", "BÜRGERMEISTER1", "Buergermeister!"],
)
def test_what_is_tried_first_in_a_german_office_is_refused(password: str) -> None:
    assert reason(password) == "password.office"


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("yxcvbnm,.-", "keys"),
        ("1qay2wsx3edc", "listed"),
        ("asdfghjkl123", "listed"),
        ("P@ssw0rd123", "similar"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abcabcabcabc", "repeats"),
        ("abcdefghijkl", "sequence"),
        ("12.03.1985", "dates"),
        ("basketball", "word"),
        ("elizabeth1978", "names"),
        ("extraordinary1", "weak"),
    ],
)
def test_the_sentence_names_what_makes_a_password_weak(password: str, key: str) -> None:
    assert reason(password) == f"password.{key}"


def test_every_complaint_of_zxcvbn_has_a_sentence() -> None:
    complaints = {name for name in vars(Complaint) if not name.startswith("_")}
    assert set(passwords._WARNINGS) == complaints
    for key in passwords._WARNINGS.values():
        for language in texts.LANGUAGES:
            assert Said(key).text(language)


def test_nothing_about_the_administrator_is_needed() -> None:
    assert strength(GOOD, []).accepted
    assert strength(GOOD, ["", " ", "–", "a"]).accepted


@given(
    st.text(st.characters(exclude_categories=["C"]), max_size=256),
    st.lists(st.text(max_size=40), max_size=4),
)
def test_every_password_is_judged_and_only_good_ones_are_accepted(
    password: str, about: list[str]
) -> None:
    try:
        judged = strength(password, about)
    except SaidError as error:
        assert error.said.key in {"password.long", "password.character"}
        return
    assert 0 <= judged.score <= 4
    assert judged.accepted is (judged.score >= 3) is (judged.said.key == "password.good")
    for language in texts.LANGUAGES:
        assert judged.said.text(language)


def test_secrets_are_160_random_bits() -> None:
    one, other = totp_secret(), totp_secret()
    assert one != other
    assert len(one) == len(other) == 32
    assert pyotp.TOTP(one).byte_secret() != pyotp.TOTP(other).byte_secret()
    assert len(pyotp.TOTP(one).byte_secret()) == 20


def test_the_address_for_the_app_names_house_and_person() -> None:
    uri = totp_uri(KEY, "Erika Müller", "Stadt Möckmühl: Ratssaal")
    parsed = pyotp.parse_uri(uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.name, parsed.issuer) == (
        KEY,
        "Erika Müller",
        "Stadt Möckmühl Ratssaal",
    )
    path = urllib.parse.urlsplit(uri).path
    assert urllib.parse.unquote(path).count(":") == 1


@pytest.mark.parametrize(("second", "code"), TABLE.items())
def test_the_digits_are_those_of_rfc_6238(second: int, code: str) -> None:
    assert totp_valid(KEY, code, at(second), None) == step_of(second)


def test_one_step_either_side_is_taken_and_no_further_one() -> None:
    second, code = 1234567890, TABLE[1234567890]
    own = step_of(second)
    taken = {
        offset: totp_valid(KEY, code, at(second + offset * 30), None) for offset in range(-3, 4)
    }
    assert taken == {-3: None, -2: None, -1: own, 0: own, 1: own, 2: None, 3: None}


def test_a_code_works_once_and_no_older_one_after_it() -> None:
    second = 1234567890
    used = totp_valid(KEY, TABLE[second], at(second), None)
    assert used == step_of(second)
    assert totp_valid(KEY, TABLE[second], at(second), used) is None
    assert totp_valid(KEY, TABLE[second], at(second + 30), used) is None
    before = pyotp.TOTP(KEY).at(second - 30)
    assert totp_valid(KEY, before, at(second), None) == step_of(second) - 1
    assert totp_valid(KEY, before, at(second), used) is None
    after = pyotp.TOTP(KEY).at(second + 30)
    assert totp_valid(KEY, after, at(second + 30), used) == step_of(second) + 1


def test_a_code_that_fits_two_steps_works_once_too() -> None:
    step = 153567  # found by trying: the first of this key with the digits of the next but one
    assert pyotp.TOTP(KEY).generate_otp(step) == pyotp.TOTP(KEY).generate_otp(step + 2)
    code = pyotp.TOTP(KEY).generate_otp(step)
    now = at((step + 1) * 30)
    used = totp_valid(KEY, code, now, None)
    assert used == step + 2
    assert totp_valid(KEY, code, now, used) is None


def test_apps_show_the_digits_in_groups() -> None:
    assert totp_valid(KEY, " 005 924 ", at(1234567890), None) == step_of(1234567890)


@pytest.mark.parametrize(
    "code", ["", "5924", "0005924", "00592a", "005925", "００５９２４", "-05924"]
)
def test_anything_else_is_no_code(code: str) -> None:
    assert totp_valid(KEY, code, at(1234567890), None) is None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        totp_valid(KEY, TABLE[59], datetime.datetime(2025, 1, 1), None)


def test_what_a_password_proves_changes_with_it_and_says_nothing_of_it() -> None:
    first, second = hash_password(GOOD, CHEAP), hash_password(GOOD, CHEAP)
    proof = proof_of_staff("Anna", first)
    assert proof == proof_of_staff("Anna", first)
    # The same password set anew is a new one.
    assert len({proof, proof_of_staff("Anna", second), proof_of_staff("Berta", first)}) == 3
    assert re.fullmatch("[0-9a-f]{64}", proof)
