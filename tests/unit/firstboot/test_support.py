"""The bundle for support: what is in it, and that nothing of people is."""

import datetime
import io
import json
import tarfile
from pathlib import Path

import pytest

from firstboot import support
from firstboot.access.passwords import hash_password, totp_secret
from firstboot.settings import Settings
from firstboot.stack import Door, Stack
from tests.unit.firstboot.folders import PASSWORD, Box

pytestmark = pytest.mark.unit

NAME, MAIL = "Xanthippe Kanarienvogel", "x@kanarienvogel.example"


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box that Xanthippe administers, whose programs say more than they should."""
    made = Box(tmp_path, monkeypatch)
    person = {"name": NAME, "mail": MAIL, "password": hash_password(PASSWORD)}
    cluster = {
        "house": {"name": "Gemeinde Kanarienhausen"},
        "texts": {"imprint": "Kanarienweg 17\nzweite Zeile"},
        "administration": {
            "people": [{**person, "totp": totp_secret()}],
            "alone_because": "Kanarienvertretung",
        },
    }
    made.set_up(Settings.model_validate({"cluster": cluster}))
    stack = Stack("Test", ("stack.service",), (Door(443, "udp", "media"),), ())
    monkeypatch.setattr(Stack, "read", staticmethod(lambda: stack))
    monkeypatch.setattr(support, "_environment", lambda: {"PATH": f"{tmp_path}/programs:/bin"})
    return made


def test_nothing_of_people_is_in_the_bundle(box: Box) -> None:
    secrets = box.store.settings(1).cluster.administration.people[0]
    planted = (
        f"{NAME} {MAIL} Kanarienweg 17 / zweite Zeile / kanarienvertretung {secrets.password}"
        f" {secrets.totp} gemeinde kanarienhausen 192.0.2.9"
    )
    for program in ("journalctl", "systemctl", "ip", "df", "uname"):
        box.program(program, f"cat <<'END'\nstarted {planted}\nEND")
    files = support.collect(box.store)
    for name in ("journal.txt", "units.txt", "disk.txt", "versions.txt"):
        assert "started" in files[name]
        for one in (*planted.split(" / "), NAME, MAIL, "Xanthippe", "Kanarien", secrets.totp or ""):
            assert one.lower() not in files[name].lower(), (name, one)
    told = json.loads(files["settings.json"])
    assert told["settings"]["administrators"] == 1
    assert told["settings"]["texts"] == {"imprint": True, "privacy": False, "notice": False}
    assert [one["number"] for one in told["history"]] == [1]
    assert "Xanthippe" not in files["settings.json"]


def test_a_program_that_hangs_or_says_too_much_is_cut(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support, "COMMAND_SECONDS", 0.2)
    monkeypatch.setattr(support, "MOST_BYTES", 100)
    box.program("df", "exec sleep 60")
    box.program("uname", "head -c 5000 /dev/zero | tr '\\0' x; echo end")
    assert support.said("df") == "df: TimeoutExpired\n"
    assert support.said("uname") == "x" * 96 + "end\n"
    assert support.said("no-such-program") == "no-such-program: FileNotFoundError\n"


def test_the_bundle_is_an_archive_with_a_folder_of_its_own() -> None:
    content = support.packed([("README.txt", "ä")], datetime.datetime.now(datetime.UTC))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.uid, entry.mode) == ("ratssaal-support/README.txt", 0, 0o644)
        opened = archive.extractfile(entry)
        assert opened
        assert opened.read().decode() == "ä"
