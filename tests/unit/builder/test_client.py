"""The browsers' side: when its packages are fetched, and what is said where they are others."""

from pathlib import Path

import pytest

from builder import client
from builder.errors import CommandError, MissingError, RatssaalError
from builder.toolbox import Toolbox

pytestmark = pytest.mark.unit


class Npm:
    """Stands where the toolbox runs programs: makes what npm and Vite make, or fails."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails_with = ""

    def __call__(self, command: list[str], *, cwd: Path, log: Path, **_: object) -> str:
        self.calls.append(" ".join(command[:2]))
        if self.fails_with:
            raise CommandError(f"A program ended with 1:\n{self.fails_with}")
        if command[0] == "npm":
            (cwd / "node_modules").mkdir()
            (cwd / "node_modules/.package-lock.json").write_text("{}")
        else:
            assert (cwd / "node_modules/.package-lock.json").read_text() == "{}"
            (Path(command[-1]) / "assets").mkdir(parents=True)
            (Path(command[-1]) / "assets/kern.css").write_text((cwd / "src/kern.css").read_text())
        return ""


@pytest.fixture
def npm(own_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """Sources of one file, a cache of the test's own, and a toolbox that counts its calls."""
    sources = tmp_path / "client"
    (sources / "src").mkdir(parents=True)
    (sources / "src/kern.css").write_text("first")
    for name in client.LOCK:
        (sources / name).write_text(name)
    monkeypatch.setattr(client, "CLIENT", sources)
    monkeypatch.setattr(client, "SOURCES", (*client.LOCK, "src"))
    found = Npm()
    monkeypatch.setattr(Toolbox, "run", lambda _, *words, **named: found(*words, **named))
    return found


def built() -> str:
    tree = client.build(Toolbox(Path("/nowhere"), "key"))
    return (tree / "usr/share/ratssaal/www/assets/kern.css").read_text()


def test_a_change_in_a_source_fetches_no_package_again(npm: Npm) -> None:
    assert built() == "first"
    (client.CLIENT / "src/kern.css").write_text("second")
    assert built() == "second"
    assert built() == "second"
    assert npm.calls == ["npm ci", "npx --no-install", "npx --no-install"]


@pytest.mark.parametrize("name", client.LOCK)
def test_what_npm_reads_makes_the_packages_anew(npm: Npm, name: str) -> None:
    built()
    (client.CLIENT / name).write_text("changed")
    built()
    assert npm.calls.count("npm ci") == 2


def test_packages_that_are_gone_are_fetched_again_for_the_same_sources(npm: Npm) -> None:
    work = client.prepare(Toolbox(Path("/nowhere"), "key"))
    (work / "node_modules/.package-lock.json").unlink()
    work = client.prepare(Toolbox(Path("/nowhere"), "key"))
    assert (work / "node_modules/.package-lock.json").exists()
    assert npm.calls == ["npm ci", "npm ci"]


@pytest.mark.parametrize(
    ("words", "offline", "error", "said"),
    [
        ("npm error code EINTEGRITY\nnpm error sha512-AA==", False, CommandError, "lock file"),
        ("npm error code EINTEGRITY", True, CommandError, "lock file"),
        ("npm error code ENOTCACHED", True, MissingError, "not in the cache"),
    ],
)
def test_packages_that_do_not_come_are_explained_and_nothing_is_kept(
    npm: Npm, own_folders: Path, words: str, offline: bool, error: type[RatssaalError], said: str
) -> None:
    npm.fails_with = words
    with pytest.raises(error, match=said) as caught:
        client.build(Toolbox(Path("/nowhere"), "key"), offline=offline)
    assert caught.value.exit_code == 1
    assert ("package-lock.json was edited" in caught.value.hint) == ("EINTEGRITY" in words)
    assert list((own_folders / "cache/client").iterdir()) == []
