"""What is brought to a box: checked before anything starts, and never shown."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from builder import answers, cli
from builder.errors import CommandError, UsageError
from builder.paths import PROJECT
from builder.stick import seed
from firstboot import seed as on_the_box
from firstboot.settings import Network

pytestmark = pytest.mark.unit

EXAMPLE = PROJECT / "docs/answers-example.yaml"


def test_names_are_those_that_the_box_looks_for() -> None:
    assert seed.CREDENTIALS == on_the_box.CREDENTIALS
    unit = (PROJECT / "overlays/base/usr/lib/systemd/system/ratssaal-answers.service").read_text()
    for name in seed.CREDENTIALS.values():
        assert f"ImportCredential={name}\n" in unit
        assert f"ConditionPathExists=|/run/credentials/@system/{name}\n" in unit


def test_answers_and_card_come_together_or_alone(tmp_path: Path) -> None:
    assert seed.prepare(None, None) == seed.NOTHING
    assert not seed.NOTHING.sets_up
    both = seed.prepare(EXAMPLE, tmp_path / "card.pdf")
    assert both.files[seed.ANSWERS] == EXAMPLE.read_bytes()
    assert set(both.files) == {seed.ANSWERS, seed.CODE_CARD}
    assert both.sets_up
    assert not seed.prepare(None, tmp_path / "other.pdf").sets_up


def test_a_network_alone_is_what_the_box_takes_for_one_typed_there(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("{mode: static, card: enp1s0, address: 192.0.2.10/24, gateway: 192.0.2.1}\n")
    brought = seed.prepare(None, None, file)
    assert not brought.sets_up
    network = Network.model_validate_json(brought.files[on_the_box.NETWORK])
    assert (network.mode, str(network.address)) == ("static", "192.0.2.10/24")
    with pytest.raises(UsageError, match="does not go with"):
        seed.prepare(EXAMPLE, None, file)
    file.write_text("mode: static\ncard: enp1s0\naddres: 192.0.2.10/24\n")
    with pytest.raises(UsageError, match=r'net.yaml:3:1: addres: .*Did you mean "address"'):
        seed.prepare(None, None, file)


def test_credentials_are_files_for_their_owner_alone(tmp_path: Path) -> None:
    found = seed.prepare(EXAMPLE, None).credentials(tmp_path)
    assert list(found) == ["ratssaal.answers"]
    assert found["ratssaal.answers"].read_bytes() == EXAMPLE.read_bytes()
    assert stat.S_IMODE(found["ratssaal.answers"].stat().st_mode) == 0o600


def test_what_is_in_it_is_in_no_representation() -> None:
    assert "geheim" not in repr(seed.Seed({seed.ANSWERS: b"geheim"}))


def test_problems_are_told_before_a_card_is_made(tmp_path: Path) -> None:
    file, card = tmp_path / "answers.yaml", tmp_path / "card.pdf"
    file.write_text("x: 1\nbox: {reach: here}\n")
    with pytest.raises(UsageError) as error:
        seed.prepare(file, card)
    assert [*error.value.message.splitlines()[1:]] == answers.check(file).lines()
    assert not card.exists()


@pytest.mark.parametrize(
    "text", ["version: 1", "cluster: {}", "cluster: {administration: {people: []}}"]
)
def test_answers_in_which_nobody_administers_are_refused_as_the_box_does(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match="nobody could administer"):
        seed.prepare(file, None)


@pytest.mark.parametrize("verb", ["demo", "boot"])
def test_nothing_starts_with_answers_that_are_not_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, verb: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(yaml.safe_dump({"box": {"host_name": "kein name"}}))
    monkeypatch.setattr(cli, "require_root", lambda *_: None)
    monkeypatch.setattr(cli, "open_artifacts", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["ratssaal", verb, "--answers", str(file)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "nothing was started" in said
    assert "1:18: box.host_name" in said or "2:14: box.host_name" in said
    assert "kein name" not in said


class Box:
    """A box that has said what it says."""

    address = "192.0.2.1"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.shell = answer


def test_a_box_that_did_not_set_itself_up_is_quoted() -> None:
    seed.wait_for_set_up(Box(lambda _: "applied\n"))
    with pytest.raises(CommandError, match="an answer does not fit"):
        seed.wait_for_set_up(
            Box(lambda script: "an answer does not fit" if "journal" in script else "")
        )
