"""A certificate is tried in a real handshake before anybody is served it."""

from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from firstboot.certificates.rehearsal import rehearse
from firstboot.texts import LANGUAGES, SaidError, topic
from tests.unit.firstboot.issuing import HOST, MIDDLE, RELAY, Made, make

pytestmark = pytest.mark.unit


def put(folder: Path, made: Made, *others: Made, key: Made | None = None) -> Path:
    """Chain and key as the web server would be given them."""
    folder.joinpath("fullchain.pem").write_bytes(b"".join(one.pem for one in (made, *others)))
    folder.joinpath("privkey.pem").write_bytes((key or made).key_pem)
    return folder


ROOT = make("Wurzel", ca=True, days=3000, begin=-4000)
BETWEEN = make("Dazwischen", ROOT, ca=True, days=1000, begin=-4000)
GOOD = make(HOST, BETWEEN, names=(HOST, RELAY), begin=-4000, days=1000)


@pytest.mark.parametrize("others", [(), (BETWEEN,), (BETWEEN, ROOT)])
def test_what_is_right_passes_with_as_much_of_the_chain_as_there_is(
    tmp_path: Path, others: tuple[Made, ...]
) -> None:
    rehearse(put(tmp_path, GOOD, *others), HOST)
    rehearse(tmp_path, RELAY)


@pytest.mark.parametrize(
    ("made", "others", "reason"),
    [
        (make(HOST, BETWEEN, names=(HOST,), begin=-4000, days=-3000), (BETWEEN,), "expired"),
        (make(HOST, BETWEEN, names=(HOST,), begin=4000, days=5000), (BETWEEN,), "not_yet_valid"),
        (make(HOST, BETWEEN, names=(RELAY,), begin=-4000, days=1000), (BETWEEN,), "other_name"),
        (GOOD, (make("Fremd", ca=True, begin=-4000, days=1000),), "chain"),
        (
            make(
                HOST,
                BETWEEN,
                names=(HOST,),
                begin=-4000,
                days=1000,
                uses=(ExtendedKeyUsageOID.CLIENT_AUTH,),
            ),
            (BETWEEN,),
            "chain",
        ),
    ],
    ids=["expired", "early", "name", "chain", "client"],
)
def test_what_browsers_would_refuse_is_refused_with_its_reason(
    tmp_path: Path, made: Made, others: tuple[Made, ...], reason: str
) -> None:
    with pytest.raises(SaidError, match=rf"^rehearsal\.{reason}$"):
        rehearse(put(tmp_path, made, *others), HOST)


def test_an_ended_issuer_is_as_bad_as_an_ended_certificate(tmp_path: Path) -> None:
    old = make("Alt", ROOT, ca=True, begin=-4000, days=-3000)
    made = make(HOST, old, names=(HOST,), begin=-4000, days=1000)
    with pytest.raises(SaidError, match=r"^rehearsal\.expired$"):
        rehearse(put(tmp_path, made, old, ROOT), HOST)


def test_another_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SaidError, match=r"^rehearsal\.pair$"):
        rehearse(put(tmp_path, GOOD, BETWEEN, key=MIDDLE), HOST)


def test_what_the_web_server_refuses_is_refused(tmp_path: Path, web_server: Path) -> None:
    web_server.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    with pytest.raises(SaidError, match=r"^rehearsal\.web_server$"):
        rehearse(put(tmp_path, GOOD, BETWEEN), HOST)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_sentence_that_says_what_stays(language: str) -> None:
    stays = {"de": "Was bisher galt, gilt weiter.", "en": "What was in force before stays."}
    for text in topic(language, "rehearsal").values():
        assert stays[language] in text
