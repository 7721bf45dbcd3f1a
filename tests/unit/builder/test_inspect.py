"""What differs between two images, and which image a person means."""

from pathlib import Path

import pytest

from builder.inspect import Report, differences, locate
from builder.paths import build_folder

pytestmark = pytest.mark.unit


def report(packages: dict[str, str], usr: int = 2**20) -> Report:
    return Report(
        name="ratssaal_1.2.3",
        version="1.2.3",
        stack="livekit",
        files={},
        partitions={"usr": usr, "esp": 2**30},
        kernel={".linux": 5, ".initrd": 7},
        packages={name: {"version": one, "size": 1} for name, one in packages.items()},
        signer="CN=Ratssaal",
        ours=True,
        wrong_sums=[],
    )


def test_packages_that_came_went_or_changed_are_named() -> None:
    old = report({"nginx": "1.26.3-3", "adduser": "3.152", "etcd": "3.5.16"})
    new = report({"nginx": "1.26.3-4", "adduser": "3.152", "openssl": "3.5.1"}, usr=2**20 + 4096)
    assert differences(old, new) == {
        "added": {"openssl": "3.5.1"},
        "removed": {"etcd": "3.5.16"},
        "changed": {"nginx": ["1.26.3-3", "1.26.3-4"]},
        "partitions": {"usr": 4096},
        "kernel": {},
    }


def test_an_image_does_not_differ_from_itself() -> None:
    one = report({"nginx": "1.26.3-3"})
    assert not any(differences(one, one).values())


@pytest.mark.parametrize("name", ["1.2.3", "ratssaal_1.2.3"])
def test_a_version_means_the_image_below_the_build_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = build_folder() / "ratssaal_1.2.3"
    folder.mkdir(parents=True)
    assert locate(name) == folder


def test_a_path_that_exists_is_meant_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (build_folder() / "ratssaal_1.2.3").mkdir(parents=True)
    (tmp_path / "1.2.3").mkdir()
    assert locate("1.2.3") == Path("1.2.3")


def test_a_name_that_means_nothing_stays_as_the_person_wrote_it() -> None:
    assert locate("9.9.9") == Path("9.9.9")
