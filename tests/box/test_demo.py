"""The command line as an engineer calls it: a demo in a container, set up by what was brought."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from builder import answers
from builder.artifacts import Artifacts
from builder.demo import demo
from builder.errors import CommandError
from builder.image import BuildOptions
from builder.machines.container import Box
from builder.machines.stage import Stage
from builder.paths import PROJECT
from builder.stick import seed
from tests.box.browser import browser, visit
from tests.box.test_answers import ask
from tests.box.test_meeting import JOIN_MS, MOVES, admit, enter, open_people, texts

# One demo at a time has a cable to this machine.
pytestmark = [pytest.mark.box, pytest.mark.alone]

SCREEN = "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"


@pytest.fixture(scope="module")
def answers_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A short answers file that is in order."""
    hashed = answers.hash_password("korrekt pferd batterie klammer")
    people = {"people": [{"name": "Anna", "password": hashed}], "alone_because": "Ein kleines Haus"}
    file = tmp_path_factory.mktemp("answers") / "answers.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "box": {"host_name": "sitzung.musterhausen.example"},
                "cluster": {"administration": people},
            }
        )
    )
    yield file


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> str:
    """The code on the next card."""
    shown = "abcdefghjkmn"
    drawn = iter(shown)
    monkeypatch.setattr("builder.stick.code_card.secrets.choice", lambda _: next(drawn))
    return shown


def test_a_box_is_set_up_by_its_card_alone_without_a_screen(
    stage: Stage, artifacts: Artifacts, tmp_path: Path, letters: str
) -> None:
    brought = seed.prepare(None, tmp_path / "card.pdf").credentials(stage.folder)
    with Box(stage, artifacts, credentials=brought) as box:
        assert "steht auf der Karte des Sticks" in box.shell(SCREEN)
        assert ask(box, "code", typed="nmkjhgfedcba") is None
        permit = ask(box, "code", typed=f"{letters[:4]} {letters[4:8].upper()}-{letters[8:]}")
        assert permit
        # Somebody at the box asks for a code on the screen: from then on it is that one.
        box.run("systemctl", "start", "ratssaal-new-code.service")
        asked = json.loads(box.shell("cat /var/lib/ratssaal/secrets/code.json"))["shown"]
        box.stop()
        box.start()
        assert asked[:4] in box.shell(SCREEN)
        assert ask(box, "code", typed=letters) is None
        assert ask(box, "code", typed=asked)
        assert letters not in box.shell(
            "journalctl --no-pager; grep -rh '' /var/lib/ratssaal/secrets"
        )


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_damaged_card_is_named_on_the_screen_and_the_code_stays_there(
    stage: Stage, artifacts: Artifacts
) -> None:
    brought = seed.Seed({seed.CODE_CARD: b'{"version": 1, "hash": "$argon2id$"}'})
    with Box(stage, artifacts, credentials=brought.credentials(stage.folder)) as box:
        shown = json.loads(box.shell("cat /var/lib/ratssaal/secrets/code.json"))["shown"]
        screen = box.shell(SCREEN)
        assert f"{shown[:4]} {shown[4:]}" in screen
        assert "Code-Karte" in screen
        assert "code card" in screen


@pytest.mark.usefixtures("artifacts")
def test_demo_sets_a_box_up_by_answers_and_a_card_and_holds_a_call(
    stage: Stage, answers_file: Path, tmp_path: Path
) -> None:
    with demo(
        BuildOptions(), seed.prepare(answers_file, tmp_path / "card.pdf"), container=True
    ) as shown:
        assert shown.held.held()
        assert shown.administration == f"https://{shown.address}/admin/"
        assert (tmp_path / "card.pdf").read_bytes().startswith(b"%PDF")
        # Its links lead this machine's own browser into a meeting.
        assert shown.reachable
        with browser(stage, outside=True) as chromium:
            t = texts("de")
            anna, berta = (visit(chromium).new_page() for _ in range(2))
            enter(anna, t, shown.meeting["moderator"], "Anna")
            anna.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
            enter(berta, t, shown.meeting["participant"], "Berta")
            open_people(anna)
            admit(anna, t, "Berta")
            for page in (anna, berta):
                page.locator("[data-remote=camera]").wait_for(timeout=JOIN_MS)
                assert page.evaluate(MOVES) > 0


# Too long for every run: with --all.
@pytest.mark.slow
@pytest.mark.usefixtures("artifacts")
def test_demo_tells_in_the_boxs_own_words_why_it_is_not_set_up() -> None:
    brought = seed.Seed({seed.ANSWERS: b"box: {host_name: 'not a name'}"})
    with (
        pytest.raises(CommandError, match=r"box\.host_name"),
        demo(BuildOptions(), brought, container=True),
    ):
        pass


# Too long for every run: with --all.
@pytest.mark.slow
@pytest.mark.usefixtures("artifacts")
def test_the_command_line_itself_prints_the_figures_and_ends(
    answers_file: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "builder.cli", "demo", "--container", "--exit", "--json"),
            *("--answers", str(answers_file), "--code-card", str(tmp_path / "card.pdf")),
        ],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["administration"] == f"https://{found['address']}/admin/"
    assert min(found["moving"].values()) >= 30
    place = f"https://{found['address']}/m/#i="
    assert all(found["meeting"][one].startswith(place) for one in ("moderator", "participant"))
    assert (tmp_path / "card.pdf").stat().st_mode & 0o777 == 0o600
