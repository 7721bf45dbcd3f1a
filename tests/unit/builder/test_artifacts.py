"""The files of one built image, and whether they are what they were when it was built."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.artifacts import SUMS, Artifacts, key_of, open_artifacts, wrong_sums
from builder.cache import COMPLETE, sha256
from builder.errors import MissingError
from builder.paths import build_folder, version

pytestmark = pytest.mark.unit

NAME = "ratssaal_1.2.3"
FILES = (
    ".raw",
    ".raw.zst",
    ".raw.bmap",
    ".efi",
    ".usr-x86-64.0123abcd.raw",
    ".usr-x86-64-verity.4567cdef.raw",
    ".manifest.json",
)


def image(folder: Path) -> Path:
    """A folder as a build leaves it, with a few bytes in place of each file."""
    folder.mkdir(parents=True)
    for ending in FILES:
        (folder / f"{folder.name}{ending}").write_text(f"content of {ending}")
    packages = [{"name": "nginx", "version": "1.26.3-3"}, {"name": "adduser", "version": "3.152"}]
    (folder / f"{folder.name}.manifest.json").write_text(json.dumps({"packages": packages}))
    files = sorted(folder.iterdir())
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (folder / SUMS).write_text("\n".join(lines) + "\n")
    (folder / "build.json").write_text(json.dumps({"key": "0123456789abcdef"}))
    (folder / COMPLETE).touch()
    return folder


def test_an_image_is_found_by_its_folder_or_by_any_of_its_files(tmp_path: Path) -> None:
    folder = image(tmp_path / NAME)
    expected = Artifacts(folder, NAME)
    assert open_artifacts(folder) == expected
    for file in folder.iterdir():
        assert open_artifacts(file) == expected
    assert key_of(folder) == "0123456789abcdef"


def test_without_a_name_it_is_the_image_of_this_checkout() -> None:
    folder = image(build_folder() / f"ratssaal_{version()}")
    assert open_artifacts() == Artifacts(folder, folder.name)


@pytest.mark.parametrize("place", [".", f"{NAME}.raw"])
def test_an_image_is_found_from_within_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(image(tmp_path / NAME))
    assert open_artifacts(Path(place)).name == NAME


def test_each_file_of_an_image_has_a_name_of_its_own(tmp_path: Path) -> None:
    artifacts = open_artifacts(image(tmp_path / NAME))
    assert {path.name for path in artifacts.all()} == {NAME + ending for ending in FILES}
    assert artifacts.usr.name == f"{NAME}.usr-x86-64.0123abcd.raw"
    assert artifacts.verity.name == f"{NAME}.usr-x86-64-verity.4567cdef.raw"
    assert artifacts.packages() == {
        "nginx": {"version": "1.26.3-3", "size": 0},
        "adduser": {"version": "3.152", "size": 0},
    }


def test_a_missing_image_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        open_artifacts(tmp_path / NAME)
    assert str(tmp_path / NAME) in caught.value.message
    assert "./ratssaal build" in caught.value.hint


def test_a_checkout_without_an_image_says_how_to_build_one() -> None:
    with pytest.raises(MissingError) as caught:
        open_artifacts()
    assert f"ratssaal_{version()}" in caught.value.message


def a_foreign_folder(parent: Path) -> Path:
    (parent / "holiday").mkdir()
    return parent / "holiday"


def a_foreign_file(parent: Path) -> Path:
    (parent / "debian.iso").touch()
    return parent / "debian.iso"


def an_empty_folder_of_that_name(parent: Path) -> Path:
    (parent / NAME).mkdir()
    return parent / NAME


def an_image_under_another_name(parent: Path) -> Path:
    return image(parent / NAME).rename(parent / "renamed_1.2.3")


def an_image_that_was_never_finished(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / COMPLETE).unlink()
    return folder


def an_image_without_its_kernel(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / f"{NAME}.efi").unlink()
    return folder


def an_image_without_its_file_system(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / f"{NAME}.usr-x86-64.0123abcd.raw").unlink()
    return folder


def an_image_with_two_file_systems(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / f"{NAME}.usr-x86-64.ffffffff.raw").touch()
    return folder


def an_image_with_a_shortened_kernel(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / COMPLETE).write_text(json.dumps({f"{NAME}.efi": 12345}))
    return folder


def an_image_without_its_record(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / "build.json").unlink()
    return folder


def an_image_with_an_empty_record(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / "build.json").write_text("")
    return folder


def an_image_with_a_foreign_record(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / "build.json").write_text("[]")
    return folder


def an_image_without_its_sums(parent: Path) -> Path:
    folder = image(parent / NAME)
    (folder / SUMS).unlink()
    return folder


@pytest.mark.parametrize(
    "make",
    [
        a_foreign_folder,
        a_foreign_file,
        an_empty_folder_of_that_name,
        an_image_under_another_name,
        an_image_that_was_never_finished,
        an_image_without_its_kernel,
        an_image_without_its_file_system,
        an_image_with_two_file_systems,
        an_image_with_a_shortened_kernel,
        an_image_without_its_record,
        an_image_with_an_empty_record,
        pytest.param(an_image_with_a_foreign_record),
        pytest.param(an_image_without_its_sums),
    ],
)
def test_what_is_no_whole_image_of_ours_is_refused(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    place = make(tmp_path)
    with pytest.raises(MissingError) as caught:
        open_artifacts(place)
    assert str(place) in caught.value.message
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_a_whole_image_has_no_wrong_sums(tmp_path: Path) -> None:
    assert wrong_sums(open_artifacts(image(tmp_path / NAME))) == []


@pytest.mark.parametrize("ending", FILES)
def test_exactly_the_changed_file_is_named(tmp_path: Path, ending: str) -> None:
    artifacts = open_artifacts(image(tmp_path / NAME))
    changed = artifacts.folder / f"{NAME}{ending}"
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    assert wrong_sums(artifacts) == [changed.name]


def test_a_file_that_sha256sums_does_not_list_is_not_taken_for_unchanged(tmp_path: Path) -> None:
    artifacts = open_artifacts(image(tmp_path / NAME))
    sums = artifacts.folder / SUMS
    kept = [line for line in sums.read_text().splitlines() if not line.endswith(".efi")]
    sums.write_text("\n".join(kept) + "\n")
    assert wrong_sums(artifacts) == [f"{NAME}.efi"]


def test_the_sum_of_a_file_is_that_of_every_other_tool(tmp_path: Path) -> None:
    (tmp_path / "abc").write_text("abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == expected
