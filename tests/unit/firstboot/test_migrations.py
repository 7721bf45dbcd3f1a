"""Settings that an earlier version kept or wrote, met by the next one: a version made up here."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from firstboot import settings, store, unattended
from firstboot.settings import Settings
from firstboot.store import Applied, Draft, Store
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

HASH = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
PEOPLE = [{"name": "Anna", "password": HASH}]
BEFORE = Settings.model_validate(
    {
        "cluster": {
            "house": {"name": "Gemeinde Musterhausen"},
            "administration": {"people": PEOPLE, "alone_because": "klein"},
        }
    }
)


class Next(Settings):
    """As now, save for its number."""

    version: Literal[2] = 2  # type: ignore[assignment]


def to_the_next(content: dict[str, Any]) -> dict[str, Any]:
    """Municipalities are called towns now; whoever has not named one has none."""
    cluster = content.get("cluster", {})
    house = cluster.get("house", {})
    if "name" in house:
        house = {**house, "name": house["name"].replace("Gemeinde", "Stadt")}
    return {**content, "cluster": {**cluster, "house": house}}


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    """What this version keeps: a generation in force with its secrets, and a draft of the next."""
    made = Store(tmp_path / "settings", tmp_path / "secrets")
    made.secrets.mkdir(mode=0o700)
    made.set_applied(Applied(made.add(BEFORE, "Anna"), "0.1.0", named=False))
    part = {"box": {"reach": "public"}}
    Draft(made).put("reach", part, Draft(made).read()["revision"])
    return made


@pytest.fixture
def updated(kept: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same box under the next version."""
    monkeypatch.setattr(settings, "VERSION", 2)
    monkeypatch.setattr(settings, "MIGRATIONS", {1: to_the_next})
    for module in (store, unattended):
        monkeypatch.setattr(module, "Settings", Next)
    return kept


def described(found: Settings) -> tuple[int, str]:
    return found.version, found.cluster.house.name


def test_a_generation_is_brought_to_the_next_version_with_its_secrets(updated: Store) -> None:
    found = updated.settings(1)
    assert described(found) == (2, "Stadt Musterhausen")
    assert found.cluster.administration.people[0].password == HASH
    assert updated.public(1)["cluster"]["house"]["name"] == "Stadt Musterhausen"
    # On the disk it stays as it was written: the version before may have to read it again.
    assert json.loads((updated.folder / "000001.json").read_text())["settings"]["version"] == 1


def test_a_draft_is_brought_to_the_next_version_and_goes_on(updated: Store) -> None:
    draft = Draft(updated)
    assert described(draft.settings()) == (2, "Stadt Musterhausen")
    assert draft.settings().box.reach == "public"
    content = draft.read()
    draft.put("meetings", {"cluster": {"meetings": {"preset": "school"}}}, content["revision"])
    assert json.loads(draft.path.read_text())["settings"]["version"] == 2
    number = updated.add(draft.settings(), "Anna")
    assert described(updated.settings(number)) == (2, "Stadt Musterhausen")
    assert updated.generation(number).what == ("box.reach", "cluster.meetings.preset")


def test_a_draft_that_is_carried_to_another_disk_is_brought_to_the_next_version(
    kept: Store, updated: Store
) -> None:
    draft = Draft(updated)
    content = draft.path.read_bytes()
    draft.discard()
    draft.carry(content)
    assert described(draft.settings()) == (2, "Stadt Musterhausen")
    assert draft.read()["done"] == ["reach"]
    draft.discard()
    for damaged in (b'{"settings": [], "done": []}', b'{"settings": {"version": 3}, "done": []}'):
        with pytest.raises(ValueError, match=r"draft|version"):
            draft.carry(damaged)
    assert not draft.path.exists()
    del kept


@pytest.mark.usefixtures("updated")
@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("version: 1\ncluster: {house: {name: Gemeinde A}}", (2, "Stadt A")),
        ("version: 2\ncluster: {house: {name: Gemeinde A}}", (2, "Gemeinde A")),
        ("cluster: {house: {name: Gemeinde A}}", (2, "Gemeinde A")),
        ("version: 1", (2, "Ratssaal")),
    ],
)
def test_answers_of_the_version_before_are_taken(content: str, found: tuple[int, str]) -> None:
    assert described(unattended.read(content.encode())) == found


@pytest.mark.usefixtures("updated")
@pytest.mark.parametrize("version", ["3", "0", "'1'", "true", "1.0"])
def test_answers_of_no_version_that_is_known_are_named(version: str) -> None:
    with pytest.raises(SaidError) as error:
        unattended.read(f"version: {version}".encode())
    assert error.value.said.values == {"answer": "version"}
