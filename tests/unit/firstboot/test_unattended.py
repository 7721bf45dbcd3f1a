"""Answers that come as a file: taken whole, or refused with a sentence that repeats no value."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from firstboot import seed, unattended
from firstboot.access import code, code_card
from firstboot.access.passwords import HASHER, hash_password
from firstboot.by_hand import ByHand
from firstboot.image import image_version
from firstboot.install import disks, state
from firstboot.install.copying import gather
from firstboot.seed import LIMIT_BYTES
from firstboot.settings import Network, Settings
from firstboot.store import Applied, Draft, Store
from firstboot.texts import LANGUAGES, SaidError
from firstboot.unattended import read
from tests.unit.firstboot.folders import Box
from tests.unit.firstboot.test_install import EMPTY, STICK, WINDOWS, known

pytestmark = pytest.mark.unit

HASH = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
ANSWERS = f"""
# Der Landkreis bereitet vor.
box:
  reach: public
  host_name: Sitzung.Musterhausen.example
cluster:
  house: {{name: "Gemeinde Musterhausen", colour: "#123456"}}
  administration:
    people:
      - {{name: Anna, password: "{HASH}"}}
    alone_because: Ein kleines Haus
"""


def refused(content: bytes) -> SaidError:
    with pytest.raises(SaidError) as error:
        read(content)
    for language in LANGUAGES:
        assert error.value.said.text(language)
    return error.value


def test_answers_are_settings_with_what_was_not_answered_as_before() -> None:
    found = read(ANSWERS.encode())
    assert found.box.host_name == "sitzung.musterhausen.example"
    assert found.box.turn_name == "turn.sitzung.musterhausen.example"
    assert found.box.network == Settings().box.network
    assert found.cluster.administration.people[0].name == "Anna"


def test_a_file_from_windows_is_read_too() -> None:
    assert read(b"\xef\xbb\xbf" + ANSWERS.replace("\n", "\r\n").encode()) == read(ANSWERS.encode())


def test_a_file_that_is_too_large_is_not_read() -> None:
    error = refused(ANSWERS.encode() + b"#" * LIMIT_BYTES)
    assert error.said.key == "answers.too_large"
    assert error.said.values == {"limit": 1000}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"box: {reach: public\ncluster: x", 2),
        (b"\n\nbox: [", 3),
        (b"a: 1\n\tb: 2", 2),
        (b"\xff\xfe\x00", 1),
        (b"a: \xe4\xf6", 1),
        (b"a: \x00", 1),
        (b"!!python/object/apply:os.system ['true']", 1),
        (b"[" * 3_000, 1),
    ],
)
def test_what_is_no_yaml_is_named_by_its_line(content: bytes, line: int) -> None:
    error = refused(content)
    assert error.said.key == "answers.not_yaml"
    assert error.said.values == {"line": line}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "-"),
        ("[]", "-"),
        ("just words", "-"),
        ("7", "-"),
        ("box: {host_name: 'not a secret name'}", "box.host_name"),
        ("box: {secret_word: 1}", "box.secret_word"),
        ("box: {network: {mode: static}}", "box.network"),
        ("cluster: {house: {colour: secret}}", "cluster.house.colour"),
        (
            "cluster: {administration: {people: [{name: A}]}}",
            "cluster.administration.people.0.password",
        ),
        (
            "cluster: {administration: {people: [{name: A, password: secret}]}}",
            "cluster.administration.people.0.password",
        ),
        ("version: 2", "version"),
    ],
)
def test_an_answer_that_does_not_fit_is_named_without_its_value(content: str, place: str) -> None:
    error = refused(content.encode())
    assert error.said.key == "answers.not_accepted"
    assert error.said.values == {"answer": place}


@example(b"a: &a [*a]")
@example(b"? {a: 1}\n: 2")
@example(b"2026-13-45")
@example(b"1: 2")
@example(b"a: !!timestamp x")
@example(b"a: !!int ''")
@example(b"a: !!bool x")
@example(b"a: !!float x")
@example(b"box: {1: 2}")
@given(
    st.binary(max_size=80)
    | st.text(alphabet="abc:{}[]&*!|>-\n \"'#?%@0123", max_size=60).map(str.encode)
)
def test_no_file_breaks_the_reading(content: bytes) -> None:
    try:
        read(content)
    except SaidError as error:
        assert error.said.key.startswith("answers.")


def test_aliases_that_grow_without_end_are_refused_soon() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert refused("\n".join(lines).encode()).said.key == "answers.not_accepted"


def card(typed: str) -> str:
    """A code card's file, as the builder writes it."""
    return code_card.CodeCard(
        version=1, hash=hash_password(code.plain(typed), HASHER)
    ).model_dump_json()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box that looks for answers in the folders of this test."""
    box = Box(tmp_path, monkeypatch)
    monkeypatch.setattr(unattended, "Store", lambda: box.store)
    monkeypatch.setattr(seed, "PARTITIONS", (tmp_path / "no-stick",))
    file = box.store.secrets / "code.json"
    monkeypatch.setattr(code.take_over, "__defaults__", (file,))
    monkeypatch.setattr(code_card.take, "__defaults__", (file,))
    monkeypatch.setattr(unattended, "ANSWERS_ERROR", tmp_path / "answers-error.txt")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    return box


def give(box: Box, content: str, name: str = "answers") -> None:
    (box.folder / f"credentials/ratssaal.{name}").write_text(content)


def test_answers_are_brought_into_force_without_a_click(box: Box) -> None:
    give(box, ANSWERS)
    assert unattended.main() == 0
    assert box.commands() == ["start --no-block ratssaal-converge.service"]
    assert box.converge()
    assert box.store.settings(1) == read(ANSWERS.encode())
    assert box.store.generation(1).who == "Antwortdatei"
    assert not (box.store.secrets / "draft.json").exists()


def test_without_answers_nothing_happens(box: Box) -> None:
    assert unattended.main() == 0
    assert box.commands() == []
    assert box.store.numbers() == []


def test_once_settings_were_made_no_file_changes_anything(box: Box) -> None:
    give(box, ANSWERS)
    unattended.main()
    box.converge()
    give(box, ANSWERS.replace("Gemeinde", "Stadt"))
    assert unattended.main() == 0
    assert box.store.numbers() == [1]


@pytest.mark.parametrize("content", ["box: {host_name: 'geheim geheim'}", "box: {reach: public}"])
def test_what_is_wrong_with_the_file_is_for_the_screen_without_its_values(
    box: Box, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    give(box, content)
    assert unattended.main() == 1
    lines = (box.folder / "answers-error.txt").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0] != lines[1]
    assert capsys.readouterr().err.strip() == lines[1]
    assert "geheim" not in "".join(lines)
    assert box.store.numbers() == []
    assert box.commands() == ["restart --no-block ratssaal-console.service"]


def test_a_good_file_follows_a_bad_one(box: Box) -> None:
    give(box, "box: {reach: public}")
    assert unattended.main() == 1
    give(box, ANSWERS)
    assert unattended.main() == 0
    assert box.store.settings(1) == read(yaml.safe_dump(yaml.safe_load(ANSWERS)).encode())


def errors(box: Box) -> str:
    return (box.folder / "answers-error.txt").read_text()


def test_a_code_card_takes_the_place_of_the_code_on_the_screen(box: Box) -> None:
    before = box.code()
    give(box, card("abcd efgh jkmn"), "code-card")
    assert unattended.main() == 0
    assert box.commands() == ["restart --no-block ratssaal-console.service"]
    known = code.read()
    assert known
    assert known.shown is None
    assert not code.check(before)
    assert code.check("ABCD efgh-jkmn")


def test_a_card_counts_once_and_a_code_asked_for_at_the_box_stays(box: Box) -> None:
    give(box, card("abcdefghjkmn"), "code-card")
    unattended.main()
    asked = code.renew().shown
    assert asked
    assert unattended.main() == 0
    assert code.check(asked)
    give(box, card("nmkjhgfedcba"), "code-card")
    assert unattended.main() == 0
    assert code.check("nmkjhgfedcba"), "another stick is another card"


def test_a_damaged_card_is_named_and_the_code_stays_on_the_screen(box: Box) -> None:
    before = box.code()
    give(box, card("abcdefghjkmn")[:-5], "code-card")
    assert unattended.main() == 1
    assert "Code-Karte" in errors(box)
    assert code.check(before)
    give(box, card("abcdefghjkmn"), "code-card")
    assert unattended.main() == 0
    assert not (box.folder / "answers-error.txt").exists()


def test_card_and_answers_come_on_one_stick(box: Box) -> None:
    give(box, card("abcdefghjkmn"), "code-card")
    give(box, ANSWERS)
    assert unattended.main() == 0
    assert code.check("abcdefghjkmn"), "until the answers are in force"
    assert box.converge()
    assert code.read() is None
    assert unattended.main() == 0
    assert code.read() is None


def test_a_good_card_counts_beside_bad_answers_and_the_other_way_round(box: Box) -> None:
    give(box, card("abcdefghjkmn"), "code-card")
    give(box, "box: {reach: public}")
    assert unattended.main() == 1
    assert code.check("abcdefghjkmn")
    assert len(errors(box).splitlines()) == 2
    give(box, "no card", "code-card")
    give(box, ANSWERS)
    assert unattended.main() == 1
    assert len(errors(box).splitlines()) == 2
    assert box.converge()


def test_a_stick_that_cannot_be_read_is_named(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stick").write_bytes(b"this is no file system")
    monkeypatch.setattr(seed, "PARTITIONS", (tmp_path / "stick",))
    box.program("mount", "exit 32")
    assert unattended.main() == 1
    assert "RATSSAAL" in errors(box)


INSTALLED = ANSWERS.replace("box:", "box:\n  install: {disk: {serial: S-1}}")


@pytest.fixture
def stick(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box that runs from a stick and has an empty disk S-1, and one with data, S-2."""
    shown, asked = box.folder / "install.json", box.folder / "request.json"
    monkeypatch.setattr(state.read, "__defaults__", (shown,))
    monkeypatch.setattr(state.State.write, "__defaults__", (shown,))
    monkeypatch.setattr(state.ask, "__defaults__", (asked,))
    monkeypatch.setattr(disks, "found", lambda: known(STICK, EMPTY, WINDOWS))
    return box


def test_answers_that_name_a_disk_install_from_a_stick_and_set_nothing_up_there(stick: Box) -> None:
    give(stick, INSTALLED)
    assert unattended.main() == 0
    assert stick.commands() == [f"start --no-block {state.UNIT}"]
    assert stick.store.numbers() == []
    asked = json.loads((stick.folder / "request.json").read_text())
    assert (asked["disk"]["path"], asked["way"]) == ("/dev/nvme0n1", "anew")
    assert asked["then"] == "restart"
    # The same stick, noticed once more while it copies.
    (stick.folder / "request.json").unlink()
    assert unattended.main() == 0
    assert not (stick.folder / "request.json").exists()


def test_answers_that_name_no_disk_of_the_box_stop_with_a_sentence(stick: Box) -> None:
    give(stick, INSTALLED.replace("S-1", "S-9"))
    assert unattended.main() == 1
    assert "Good Disk S-1, 500 GB (nvme0n1)" in errors(stick)
    assert not (stick.folder / "request.json").exists()
    assert stick.store.numbers() == []


def test_on_the_disk_the_same_answers_set_the_box_up(
    stick: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "found", lambda: known(EMPTY, WINDOWS))
    give(stick, INSTALLED)
    assert unattended.main() == 0
    assert stick.converge()
    assert stick.store.settings(1) == read(INSTALLED.encode())


def test_what_was_answered_on_the_stick_is_there_on_the_disk(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(box.store)
    draft.put("house", {"cluster": {"house": {"name": "Gemeinde Musterhausen"}}}, 0)
    content = draft.path.read_bytes()
    draft.discard()
    monkeypatch.setattr(seed, "read", lambda: {seed.DRAFT: content})
    assert unattended.main() == 0
    assert draft.read()["done"] == ["house"]
    assert draft.settings().cluster.house.name == "Gemeinde Musterhausen"
    # Once somebody goes on there, nothing brings the former answers back.
    draft.put("house", {"cluster": {"house": {"name": "Stadt Musterhausen"}}}, 1)
    assert unattended.main() == 0
    assert draft.settings().cluster.house.name == "Stadt Musterhausen"


def test_what_the_box_was_set_up_with_on_the_stick_is_answered_on_the_disk(
    box: Box, tmp_path: Path
) -> None:
    brought = tmp_path / "brought"
    assert not gather(box.store, brought)
    settings = read(ANSWERS.encode())
    number = box.store.add(settings, "Anna")
    box.store.set_applied(Applied(number, image_version(), named=False))
    assert gather(box.store, brought)
    (tmp_path / "other").mkdir()
    there = Draft(Store(tmp_path / "other", tmp_path / "other"))
    there.carry((brought / seed.DRAFT).read_bytes())
    assert there.settings() == settings


def test_the_network_that_was_typed_on_the_stick_is_tried_on_the_disk(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Network(mode="static", card="eno1", address="192.0.2.20/24", gateway="192.0.2.1")
    typed = ByHand(box.store.folder)
    typed.ask(wanted)
    typed.accept()
    brought = tmp_path / "brought"
    assert gather(box.store, brought)
    content = (brought / seed.NETWORK).read_bytes()
    (box.store.folder / "network.json").unlink()
    monkeypatch.setattr(seed, "read", lambda: {seed.NETWORK: content})
    assert unattended.main() == 0
    assert typed.wanted() == wanted
    assert any("ratssaal-converge" in one for one in box.commands())
    # Once it was no good, it is not tried at each start.
    typed.refuse("network.unreachable")
    assert unattended.main() == 0
    assert typed.wanted() is None
    monkeypatch.setattr(seed, "read", lambda: {seed.NETWORK: b"{"})
    assert unattended.main() == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"settings": {"box": 1}, "done": []}'])
def test_what_is_no_draft_is_said_and_left(
    box: Box, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(seed, "read", lambda: {seed.DRAFT: content})
    assert unattended.main() == 1
    assert "RATSSAAL" in errors(box)
    assert not Draft(box.store).path.exists()
