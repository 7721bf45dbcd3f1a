"""What the way to the house's directory is told: where there is one, and to root alone."""

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from firstboot import converge, openid, support
from firstboot.access.passwords import proof_of_staff
from firstboot.settings import Settings
from firstboot.store import Store
from meet.openid import Known
from tests.unit.firstboot.folders import Box
from tests.unit.firstboot.test_settings import CHAIN, HASH

pytestmark = pytest.mark.unit

DIRECTORY = {"issuer": "https://id.example", "client_id": "box", "client_secret": "geheim"}
BACK = "https://konferenz.example/api/staff/directory/back"


def settings(directory: dict[str, Any] | None, **network: str) -> Settings:
    people = [{"name": "Anna", "password": HASH}]
    administration = {"people": people, "alone_because": "klein", "openid": directory}
    box = {"host_name": "konferenz.example", "network": network}
    return Settings.model_validate({"box": box, "cluster": {"administration": administration}})


def test_the_file_is_there_where_a_directory_is_and_for_root_alone(tmp_path: Path) -> None:
    file = tmp_path / "openid.json"
    openid.publish(settings(None), file)
    assert not file.exists()
    proxy = {"proxy": "http://proxy.example:3128", "proxy_authority": CHAIN}
    openid.publish(settings(DIRECTORY, **proxy), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    known = Known.model_validate_json(file.read_bytes())
    assert known.directory.client_secret == "geheim"
    assert (known.proxy, known.proxy_authority) == (proxy["proxy"], CHAIN)
    openid.publish(settings(None), file)
    assert not file.exists()


def test_the_store_is_told_of_the_directory_without_its_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        said.append(more["input"])
        assert not any("geheim" in one for one in command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    converge._publish(settings(DIRECTORY), 7)
    published = json.loads(said[0])
    assert published["generation"] == 7
    assert published["administration"]["openid"]["issuer"] == "https://id.example"
    (anna,) = published["administration"]["people"]
    assert anna == {"name": "Anna", "mail": "", "proof": proof_of_staff("Anna", HASH)}
    assert "geheim" not in said[0]
    assert "argon2" not in said[0]


def test_the_bundle_for_support_says_no_more_than_that_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(tmp_path, monkeypatch)
    box.set_up(settings(DIRECTORY))
    store: Store = box.store
    told = support.harmless(store.generation(1).public)
    assert told["directory"] is True
    assert "id.example" not in json.dumps(told)
    assert "geheim" in support.private_words(store)


def test_the_address_to_come_back_to_is_the_one_that_the_rooms_service_has() -> None:
    from meet import directory

    assert openid.BACK.format(host_name="konferenz.example") == BACK
    assert BACK.endswith(directory.BACK)
