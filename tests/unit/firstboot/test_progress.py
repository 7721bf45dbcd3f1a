"""How far an undertaking has come, as a file that is whole at any moment."""

import json
import stat
import threading
from pathlib import Path

import pytest

from firstboot.progress import Progress, read
from firstboot.texts import Said

pytestmark = pytest.mark.unit


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(7, ("certificate", "services"), tmp_path / "progress.json")


def test_where_nothing_was_undertaken_nothing_is_known(tmp_path: Path) -> None:
    assert read(tmp_path / "progress.json") is None
    (tmp_path / "progress.json").write_text('{"generation": 1, "sta')
    assert read(tmp_path / "progress.json") is None


def test_all_stages_wait_at_first(progress: Progress) -> None:
    progress.write()
    assert read(progress.file) == {
        "generation": 7,
        "stages": [["certificate", "waiting"], ["services", "waiting"]],
        "notes": [],
        "finished": False,
        "ok": None,
    }


def test_each_change_is_there_at_once(progress: Progress) -> None:
    progress.set("certificate", "running")
    found = read(progress.file)
    assert found
    assert found["stages"] == [["certificate", "running"], ["services", "waiting"]]
    progress.set("certificate", "noted")
    progress.note(Said("acme.too_many"))
    progress.note(Said("converge.not_healthy", {"answer": "box.host_name"}))
    found = read(progress.file)
    assert found
    assert found["stages"][0] == ["certificate", "noted"]
    assert found["notes"] == [
        ["acme.too_many", {}],
        ["converge.not_healthy", {"answer": "box.host_name"}],
    ]
    assert not found["finished"]


@pytest.mark.parametrize("ok", [True, False])
def test_the_end_says_whether_it_is_a_good_one(progress: Progress, ok: bool) -> None:
    progress.finish(ok=ok)
    found = read(progress.file)
    assert found
    assert (found["finished"], found["ok"]) == (True, ok)


def test_the_web_server_may_read_it(progress: Progress) -> None:
    progress.write()
    assert stat.S_IMODE(progress.file.stat().st_mode) == 0o644


def test_whoever_reads_meanwhile_never_sees_half_of_it(progress: Progress) -> None:
    progress.write()
    over = threading.Event()

    def change() -> None:
        for _ in range(200):
            progress.note(Said("acme.too_many", {"x": "y" * 200}))
        over.set()

    changing = threading.Thread(target=change)
    changing.start()
    seen = 0
    while not over.is_set():
        found = json.loads(progress.file.read_text())
        assert len(found["notes"]) >= seen
        seen = len(found["notes"])
    changing.join()
    assert len(json.loads(progress.file.read_text())["notes"]) == 200
