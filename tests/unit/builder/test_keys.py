"""The builder's own keys: made once, never overwritten, never inside a checkout."""

import contextlib
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from builder import keys
from builder.errors import MissingError, UsageError
from builder.paths import PROJECT

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all keys. Making them takes a while, so that tests share it through copies."""
    folder = tmp_path_factory.mktemp("made") / "below/keys"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATSSAAL_KEYS", str(folder))
        keys.ensure_pairs()
    return folder


@pytest.fixture
def folder(made_once: Path, own_folders: Path) -> Path:
    """A copy of the keys, where this test's builder looks for them."""
    return Path(shutil.copytree(made_once, own_folders / "keys"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_only_their_owner_can_read_new_keys(made_once: Path) -> None:
    assert mode(made_once) == 0o700
    assert {path.name for path in made_once.glob("*.key")} == {
        f"{one}.key" for one in keys.PURPOSES
    }
    assert {mode(path) for path in made_once.glob("*.key")} == {0o600}


def test_each_certificate_belongs_to_its_key_and_outlives_the_box(made_once: Path) -> None:
    for purpose in keys.PURPOSES:
        certificate = x509.load_pem_x509_certificate((made_once / f"{purpose}.crt").read_bytes())
        key = serialization.load_pem_private_key(
            (made_once / f"{purpose}.key").read_bytes(), password=None
        )
        assert certificate.public_key() == key.public_key()
        lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert lasts.days >= 365 * 10
        assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_making_keys_says_where_they_lie_and_that_they_matter(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(keys, "PURPOSES", {"pcr": keys.PURPOSES["pcr"]})
    keys.ensure_pairs()
    said = "".join(capsys.readouterr().err.split())
    assert str(own_folders / "keys") in said
    assert "keepasafecopy" in said


def test_a_second_build_keeps_the_keys_and_says_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    first = keys.ensure_pairs()
    assert contents(folder) == before
    assert set(first) == set(keys.PURPOSES)
    assert {name: pair.fingerprint() for name, pair in keys.ensure_pairs().items()} == {
        name: pair.fingerprint() for name, pair in first.items()
    }
    assert capsys.readouterr().err == ""


def test_the_fingerprint_tells_keys_apart(folder: Path) -> None:
    prints = [pair.fingerprint() for pair in keys.ensure_pairs().values()]
    assert len(set(prints)) == len(prints) == 2
    assert all(len(bytes.fromhex(one)) == 32 for one in prints)


@pytest.mark.parametrize(
    "lost",
    [
        ["pcr.key"],
        ["secure-boot.key"],
        ["pcr.key", "pcr.crt"],
        pytest.param(["pcr.crt"]),
        pytest.param(["secure-boot.key", "pcr.key"]),
    ],
    ids=" and ".join,
)
def test_keys_of_which_a_part_is_lost_are_never_replaced_silently(
    folder: Path, lost: list[str]
) -> None:
    for name in lost:
        (folder / name).unlink()
    before = contents(folder)
    with pytest.raises(MissingError) as caught:
        keys.ensure_pairs()
    assert contents(folder) == before
    assert lost[0].split(".")[0] in caught.value.message
    assert "copy" in caught.value.hint


def test_keys_that_another_build_is_just_making_are_waited_for(
    made_once: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_folders / "keys"
    folder.mkdir(parents=True)
    shutil.copy(made_once / "secure-boot.key", folder)

    @contextlib.contextmanager
    def wait_for_the_other(_: str) -> Iterator[None]:
        shutil.copytree(made_once, folder, dirs_exist_ok=True)
        yield

    monkeypatch.setattr(keys, "exclusive", wait_for_the_other)
    assert set(keys.ensure_pairs()) == set(keys.PURPOSES)
    assert contents(folder) == contents(made_once)


@pytest.mark.parametrize("purpose", list(keys.PURPOSES))
def test_a_broken_certificate_is_named_and_left_alone(folder: Path, purpose: str) -> None:
    broken = folder / f"{purpose}.crt"
    broken.write_text("half a certif")
    with pytest.raises(MissingError) as caught:
        keys.ensure_pairs()
    assert str(broken) in caught.value.message
    assert "copy" in caught.value.hint
    assert broken.read_text() == "half a certif"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the builder takes for its repository, so that no fault puts keys into ours."""
    assert vars(keys)["PROJECT"] == PROJECT
    monkeypatch.setattr(keys, "PROJECT", tmp_path / "checkout")
    (tmp_path / "checkout").mkdir()
    return tmp_path / "checkout"


@pytest.mark.parametrize("place", ["checkout/keys", "elsewhere/../checkout/a/b", "checkout"])
def test_keys_never_lie_inside_the_repository(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("RATSSAAL_KEYS", str(checkout.parent / place))
    with pytest.raises(UsageError) as caught:
        keys.ensure_pairs()
    assert caught.value.exit_code == 2
    assert "RATSSAAL_KEYS" in caught.value.hint
    assert list(checkout.iterdir()) == []


def test_a_link_into_the_repository_is_seen_through(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = checkout.parent / "link"
    link.symlink_to(checkout)
    monkeypatch.setenv("RATSSAAL_KEYS", str(link / "keys"))
    with pytest.raises(UsageError):
        keys.ensure_pairs()
    assert list(checkout.iterdir()) == []


def test_a_key_is_never_written_over(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(FileExistsError):
        keys.make_pair(folder, "pcr", "another")
    assert contents(folder) == before


def test_without_a_named_folder_keys_lie_in_the_persons_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RATSSAAL_KEYS")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert keys.keys_folder() == tmp_path / ".config/ratssaal/keys"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    assert keys.keys_folder() == tmp_path / "conf/ratssaal/keys"
