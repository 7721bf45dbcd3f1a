"""The settings on disk: whole generations, a draft for several people, what is in force."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firstboot.files import write_whole
from firstboot.settings import Settings
from firstboot.store import Applied, Draft, Store, changes, keep_secrets, merge
from firstboot.texts import Said, SaidError

pytestmark = pytest.mark.unit

HASH = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
TSIG = "c2VjcmV0c2VjcmV0c2VjcmV0"


def settings(name: str = "Gemeinde Musterhausen", **people: str) -> Settings:
    """Settings with an administrator, and whoever is named besides."""
    listed = [{"name": one, "password": each} for one, each in ({"Anna": HASH} | people).items()]
    return Settings.model_validate(
        {
            "box": {
                "certificate": {
                    "kind": "acme",
                    "directory": "https://ca.example/",
                    "dns": {"server": "192.0.2.53", "key_name": "key", "secret": TSIG},
                }
            },
            "cluster": {"house": {"name": name}, "administration": {"people": listed}},
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "secrets").mkdir()
    return Store(tmp_path / "settings", tmp_path / "secrets")


def test_before_set_up_there_are_the_settings_of_an_unknown_box(store: Store) -> None:
    assert store.numbers() == []
    assert store.history() == []
    assert store.applied() is None
    assert store.pending() is None
    assert store.settings(None) == Settings()
    assert Draft(store).read() == {
        "revision": 0,
        "done": [],
        "settings": Settings().model_dump(mode="json"),
    }


def test_a_generation_comes_back_as_it_was_kept(store: Store) -> None:
    kept = settings()
    assert store.add(kept, "Anna") == 1
    assert store.settings(1) == kept
    one = store.generation(1)
    assert (one.number, one.who, one.failed) == (1, "Anna", None)
    assert one.time.endswith("+00:00")
    assert "cluster.house.name" in one.what


def test_secrets_lie_apart_for_root_alone_and_are_in_nothing_that_is_shown(store: Store) -> None:
    store.add(settings(), "Anna")
    Draft(store).put("house", {"cluster": {"house": {"name": "x"}}}, 0)
    Draft(store).begin(settings())
    shown = (store.folder / "000001.json").read_text()
    shown += json.dumps([vars(one) for one in store.history()])
    shown += json.dumps(Draft(store).public())
    for secret in (HASH, TSIG):
        assert secret not in shown
        assert secret in (store.secrets / "settings/000001.json").read_text()
        assert secret in (store.secrets / "draft.json").read_text()
    for file in store.secrets.rglob("*.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((store.secrets / "settings").stat().st_mode) == 0o700
    assert Draft(store).public()["secrets"] == [
        "box.certificate.dns.secret",
        "cluster.administration.people.0.password",
    ]


def test_history_is_the_latest_first(store: Store) -> None:
    for name in ("eins", "zwei", "drei"):
        store.add(settings(name), name)
    assert [one.who for one in store.history()] == ["drei", "zwei", "eins"]
    assert [one.number for one in store.history(2)] == [3, 2]


def test_what_changed_is_named_against_what_is_in_force(store: Store) -> None:
    store.add(settings("eins"), "Anna")
    store.set_applied(Applied(1, "0.1", False))
    store.add(settings("zwei"), "Anna")
    store.mark_failed(2, Said("converge.went_back"))
    store.add(settings("drei"), "Anna")
    assert store.generation(3).what == ("cluster.house.name",)
    store.add(settings("eins", Berta=HASH), "Anna")
    assert store.generation(4).what == ("cluster.administration.people",)


def test_changes_are_names_and_never_values() -> None:
    before = {"a": 1, "b": {"c": [1, 2], "d": {"e": "secret"}}, "gone": "secret"}
    after = {"a": 1, "b": {"c": [1, 3], "d": {"e": "secret2"}}, "new": {"x": "secret"}}
    assert changes(before, after) == ["b.c", "b.d.e", "gone", "new"]
    assert changes(before, before) == []


@pytest.mark.parametrize("crash_at", [1, 2])
def test_a_generation_is_whole_or_not_there_when_power_goes(
    store: Store, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    store.add(settings("eins"), "Anna")
    written = 0

    def write_until(path: Path, text: str, *, mode: int) -> bool:
        nonlocal written
        written += 1
        if written == crash_at:
            raise KeyboardInterrupt
        return write_whole(path, text, mode=mode)

    monkeypatch.setattr("firstboot.store.write_whole", write_until)
    with pytest.raises(KeyboardInterrupt):
        store.add(settings("zwei", Berta=HASH), "Anna")
    monkeypatch.setattr("firstboot.store.write_whole", write_whole)
    assert store.numbers() == [1]
    assert store.settings(1) == settings("eins")
    # And its secrets, where they were kept already, are not those of the next one.
    assert store.add(settings("drei"), "Anna") == 2
    assert store.settings(2) == settings("drei")


def test_what_an_earlier_version_kept_is_shown_with_what_it_did_not_know(store: Store) -> None:
    store.add(settings(), "Anna")
    file = store.folder / "000001.json"
    kept = json.loads(file.read_text())
    del kept["settings"]["box"]["network"]["uplink"], kept["settings"]["cluster"]["texts"]
    file.write_text(json.dumps(kept))
    public = store.public(1)
    assert public["box"]["network"]["uplink"] is None
    assert public["cluster"]["texts"]["imprint"] == ""
    assert HASH not in json.dumps(public)


def test_a_generation_without_its_secrets_is_none(store: Store) -> None:
    store.add(settings(), "Anna")
    (store.secrets / "settings/000001.json").unlink()
    with pytest.raises(SaidError, match=r"store\.no_such_generation"):
        store.settings(1)


def test_a_generation_that_never_was_is_told(store: Store) -> None:
    with pytest.raises(SaidError) as error:
        store.settings(7)
    assert error.value.said == Said("store.no_such_generation", {"number": 7})


def test_files_that_a_crash_left_are_no_generations(store: Store) -> None:
    store.add(settings(), "Anna")
    (store.folder / ".000002.json.x1y2z3").write_text("{")
    (store.folder / "000003.json.old").write_text("{")
    assert store.numbers() == [1]


def test_bringing_back_makes_a_new_generation(store: Store) -> None:
    store.add(settings("eins"), "Anna")
    store.set_applied(Applied(1, "0.1", False))
    store.add(settings("zwei"), "Anna")
    store.set_applied(Applied(2, "0.1", False))
    assert store.add(store.settings(1), "Berta") == 3
    assert store.settings(3) == store.settings(1)
    assert store.generation(3).what == ("cluster.house.name",)
    assert store.numbers() == [1, 2, 3]


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "null", '{"generation": 1}', '{"generation": 1, "x": 2}', "\xff"]
)
def test_a_broken_note_of_what_is_in_force_is_none(store: Store, broken: str) -> None:
    store.add(settings(), "Anna")
    store.set_applied(Applied(1, "0.1", True))
    assert store.applied() == Applied(1, "0.1", True)
    (store.folder / "applied.json").write_bytes(broken.encode("latin-1"))
    assert store.applied() is None
    # Then all is brought into force again.
    assert store.pending() == 1


def test_the_newest_generation_is_pending_until_it_is_in_force_or_failed(store: Store) -> None:
    store.add(settings("eins"), "Anna")
    assert store.pending() == 1
    store.set_applied(Applied(1, "0.1", False))
    assert store.pending() is None
    store.add(settings("zwei"), "Anna")
    assert store.pending() == 2
    store.mark_failed(2, Said("converge.not_healthy", {"answer": "box.host_name"}))
    assert store.pending() is None
    failed = store.generation(2).failed
    assert failed == Said("converge.not_healthy", {"answer": "box.host_name"})


def test_a_step_changes_what_it_asks_and_nothing_else(store: Store) -> None:
    draft = Draft(store)
    draft.begin(settings())
    before = draft.settings()
    draft.put("house", {"cluster": {"house": {"name": "Neu"}}}, 1)
    after = draft.settings()
    assert after.cluster.house.name == "Neu"
    assert after.cluster.house.colour == before.cluster.house.colour
    assert after.box == before.box
    assert after.cluster.administration == before.cluster.administration


def test_steps_are_done_in_the_order_of_their_last_answer(store: Store) -> None:
    draft = Draft(store)
    for revision, step in enumerate(("house", "reach", "house")):
        found = draft.put(step, {}, revision)
    assert found["done"] == ["reach", "house"]
    assert found["revision"] == 3


def test_a_page_that_is_behind_changes_nothing(store: Store) -> None:
    draft = Draft(store)
    draft.put("house", {"cluster": {"house": {"name": "eins"}}}, 0)
    for stale in (0, -1, 2):
        with pytest.raises(SaidError, match=r"store\.somebody_else"):
            draft.put("house", {"cluster": {"house": {"name": "zwei"}}}, stale)
    assert draft.settings().cluster.house.name == "eins"


def test_what_is_sent_once_more_is_taken_once(store: Store) -> None:
    """A browser that got no answer sends the form again; that is nobody else's change."""
    draft = Draft(store)
    part = {"cluster": {"house": {"name": "eins"}}}
    draft.put("house", part, 0)
    kept = draft.read()
    draft.put("house", part, 0)
    assert draft.read() == kept
    draft.put("house", {"cluster": {"house": {"name": "zwei"}}}, 1)
    with pytest.raises(SaidError, match=r"store\.somebody_else"):
        draft.put("house", part, 0)
    assert draft.settings().cluster.house.name == "zwei"


def test_two_who_answer_different_steps_are_not_in_each_other_s_way(store: Store) -> None:
    draft = Draft(store)
    draft.put("house", {"cluster": {"house": {"name": "eins"}}}, 0)
    draft.put("reach", {"box": {"reach": "public"}}, 0)
    draft.put("house", {"cluster": {"house": {"name": "zwei"}}}, 1)
    found = draft.settings()
    assert (found.cluster.house.name, found.box.reach) == ("zwei", "public")
    with pytest.raises(SaidError, match=r"store\.somebody_else"):
        draft.put("house", {"cluster": {"house": {"name": "drei"}}}, 2)


def test_to_save_what_is_there_makes_nobody_s_page_old(store: Store) -> None:
    draft = Draft(store)
    draft.put("house", {"cluster": {"house": {"name": "eins"}}}, 0)
    draft.put("house", {"cluster": {"house": {"name": "eins"}}}, 1)
    draft.put("house", {"cluster": {"house": {"name": "zwei"}}}, 1)
    assert draft.settings().cluster.house.name == "zwei"


def test_settings_that_do_not_hold_together_change_nothing(store: Store) -> None:
    draft = Draft(store)
    before = draft.read()
    with pytest.raises(ValidationError):
        draft.put("network", {"box": {"network": {"mode": "static"}}}, 0)
    assert draft.read() == before
    assert not draft.path.exists()


def test_passwords_stay_where_a_form_does_not_show_them(store: Store) -> None:
    draft = Draft(store)
    draft.begin(settings())
    people: list[dict[str, Any]] = [{"name": "Anna", "mail": "anna@example.de"}]
    part = {"cluster": {"administration": {"people": people}}}
    draft.put("administrators", part, 1)
    (anna,) = draft.settings().cluster.administration.people
    assert (anna.mail, anna.password) == ("anna@example.de", HASH)
    people[0] = {"name": "Berta"}
    with pytest.raises(ValidationError):
        draft.put("administrators", part, 2)


def test_the_draft_begins_with_what_is_in_force(store: Store) -> None:
    store.add(settings("eins"), "Anna")
    store.set_applied(Applied(1, "0.1", False))
    draft = Draft(store)
    assert draft.settings() == settings("eins")
    first = draft.read()["revision"]
    draft.put("house", {"cluster": {"house": {"name": "zwei"}}}, first)
    draft.discard()
    assert draft.settings() == settings("eins")
    draft.discard()


def test_a_page_from_before_the_settings_in_force_is_behind(store: Store) -> None:
    draft = Draft(store)
    seen = [draft.read()["revision"]]
    for number in (1, 2):
        store.add(settings(str(number)), "Anna")
        store.set_applied(Applied(number, "0.1", False))
        for stale in seen:
            with pytest.raises(SaidError, match=r"store\.somebody_else"):
                draft.put("house", {}, stale)
        seen.append(draft.read()["revision"])


@pytest.mark.parametrize("broken", ["", "{", "null", "{}", "[]", '{"revision": 3'])
def test_a_broken_draft_begins_anew(store: Store, broken: str) -> None:
    draft = Draft(store)
    draft.put("house", {"cluster": {"house": {"name": "eins"}}}, 0)
    draft.path.write_text(broken)
    assert draft.read()["revision"] == 0
    assert draft.settings() == Settings()


def test_merging_replaces_lists_whole_and_goes_into_the_rest() -> None:
    content = {"a": {"b": 1, "c": [1, 2, 3]}, "d": {"e": 1}}
    assert merge(content, {"a": {"c": [9]}, "d": None, "f": {"g": 1}}) == {
        "a": {"b": 1, "c": [9]},
        "d": None,
        "f": {"g": 1},
    }
    assert content == {"a": {"b": 1, "c": [1, 2, 3]}, "d": {"e": 1}}


def test_a_secret_that_is_given_is_not_replaced_by_the_one_before() -> None:
    def people(*listed: dict[str, Any]) -> dict[str, Any]:
        return {"cluster": {"administration": {"people": list(listed)}}}

    after = people({"name": "Anna", "password": "new"}, {"name": "Berta"})
    keep_secrets(people({"name": "Anna", "password": "old", "totp": "T"}), after)
    assert after == people({"name": "Anna", "password": "new", "totp": "T"}, {"name": "Berta"})


def with_directory(**openid: str | None) -> dict[str, Any]:
    """The part of the settings that a step says of the house's directory."""
    return {"cluster": {"administration": {"openid": openid}}}


def test_a_directory_s_secret_stays_where_a_form_does_not_show_it(store: Store) -> None:
    draft = Draft(store)
    known = {"issuer": "https://id.example", "client_id": "box"}
    draft.put("administrators", with_directory(**known, client_secret="geheim"), 0)
    draft.put("administrators", with_directory(**known, button="Rathauskonto"), 1)
    openid = draft.settings().cluster.administration.openid
    assert openid
    assert (openid.client_secret, openid.button) == ("geheim", "Rathauskonto")
    assert "geheim" not in json.dumps(draft.public())


def test_a_directory_s_secret_is_told_to_no_other_directory(store: Store) -> None:
    draft = Draft(store)
    known = {"issuer": "https://id.example", "client_id": "box"}
    draft.put("administrators", with_directory(**known, client_secret="geheim"), 0)
    other = {**known, "issuer": "https://elsewhere.example"}
    with pytest.raises(ValidationError, match="client_secret"):
        draft.put("administrators", with_directory(**other), 1)
    draft.put("administrators", with_directory(**other, client_secret="anderes"), 1)
    openid = draft.settings().cluster.administration.openid
    assert openid
    assert openid.client_secret == "anderes"
    draft.put("administrators", {"cluster": {"administration": {"openid": None}}}, 2)
    assert draft.settings().cluster.administration.openid is None
