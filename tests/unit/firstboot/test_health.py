"""What health says of the certificate for the public name; the rest needs a whole box."""

import json
from pathlib import Path

import pytest

from firstboot import health
from firstboot.certificates import named
from firstboot.screen.console import read as read_screen
from firstboot.settings import Settings
from firstboot.store import Applied
from tests.unit.firstboot.certificates.test_named import pair
from tests.unit.firstboot.folders import Box

pytestmark = pytest.mark.unit


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(tmp_path, monkeypatch)
    settings = {
        "host_name": "rat.example",
        "certificate": {"kind": "acme", "directory": "https://acme.example/"},
    }
    made.store.add(Settings.model_validate({"box": settings}), "Anna")
    return made


def look(box: Box, days: int) -> dict[str, object] | None:
    """What stands in the file for the screen, with a certificate that ends in so many days."""
    named.remove(box.tls)
    # The rehearsal would keep one out that has ended.
    chain, key = pair("rat.example", "turn.rat.example", days=days)
    (box.tls / "named").mkdir(exist_ok=True)
    (box.tls / "named/fullchain.pem").write_text(chain)
    (box.tls / "named/privkey.pem").write_text(key)
    box.store.set_applied(Applied(1, "0.1", named=True))
    file = box.folder / "certificate.json"
    health.certificate(box.store.folder / "applied.json", file)
    return json.loads(file.read_text()) if file.exists() else None


def test_three_weeks_before_its_end_it_is_told_once(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(box, 22) is None
    assert capsys.readouterr().err == ""
    found = look(box, 20)
    assert found
    assert found["ended"] is False
    told = capsys.readouterr().err
    assert "ends on" in told
    assert "“Certificate”" in told
    look(box, 20)
    assert capsys.readouterr().err == "", "every two minutes would be too often"
    found = look(box, 0)
    assert found
    assert found["ended"] is True
    screen = read_screen(
        box.folder / "none",
        box.folder / "none",
        code_file=box.store.secrets / "code.json",
        applied=box.store.folder / "applied.json",
        answers=box.folder / "none",
        notice=box.folder / "none",
        certificate=box.folder / "certificate.json",
        served=box.tls,
    )
    assert "Zertifikat endete am" in screen.text()
    assert look(box, 90) is None


def test_a_box_without_such_a_certificate_says_nothing(box: Box) -> None:
    file = box.folder / "certificate.json"
    health.certificate(box.store.folder / "applied.json", file)
    assert not file.exists()
    box.store.set_applied(Applied(1, "0.1", named=False))
    file.write_text("{}")
    health.certificate(box.store.folder / "applied.json", file)
    assert not file.exists()
