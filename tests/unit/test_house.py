"""The rules of the house that no module breaks alone: who knows whom, and what is nowhere."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.paths import PROJECT, version

pytestmark = pytest.mark.unit

BASE = (
    "overlays/base",
    "overlays/disk",
    "overlays/network",
    "overlays/hardening",
    "overlays/update",
    "overlays/initrd",
    "images/mkosi.conf",
    "images/mkosi.conf.d",
    "images/mkosi.repart",
    "images/mkosi.finalize",
    "images/mkosi.postinst.chroot",
    "images/mkosi.prepare.chroot",
    "images/initrd",
    "firstboot",
)
PRODUCT = ("builder", "images", "overlays", "firstboot", "meet")
LOCK_FILES = ("go.mod", "go.sum", "package-lock.json")
STACKS = re.compile(rb"livekit|jitsi", re.IGNORECASE)
OURS = ("builder", "firstboot", "meet")
# Modules of ours as texts name them: programs given to a box's Python, units, the handbook.
NAMED = re.compile(
    rf"\b(?:from ((?:{'|'.join(OURS)})(?:\.[a-z_]+)*) import ([a-z_]+(?:, [a-z_]+)*)\b"
    rf"|-m ((?:{'|'.join(OURS)})(?:\.[a-z_]+)+)\b"
    rf"|((?:{'|'.join(OURS)})(?:/[a-z_]+)+\.py)\b)"
)
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----")


def kept_files() -> list[Path]:
    """Every file that git keeps, or would at the next `git add`."""
    answer = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    names = [name.decode() for name in answer.stdout.split(b"\0") if name]
    return [path for name in names if (path := PROJECT / name).is_file() and not path.is_symlink()]


def below(*places: str) -> list[Path]:
    """The kept files at or below `places`."""
    roots = [PROJECT / place for place in places]
    return [path for path in kept_files() if any(path.is_relative_to(root) for root in roots)]


def imports(source: str) -> Iterator[str]:
    """Every module that a Python text imports, `from a import b` as a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_or_is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_the_rules_below_see_imports_wherever_they_stand() -> None:
    source = (
        "import a.b\nfrom c.d import e\ndef f():\n    from g import h as i\n    import j as k\n"
    )
    assert sorted(imports(source)) == ["a.b", "c.d.e", "g.h", "j"]
    assert is_or_is_in("meet.rooms", "meet")
    assert not is_or_is_in("meeting", "meet")


def test_the_builder_knows_nothing_of_the_programs_on_the_box() -> None:
    files = [path for path in below("builder") if path.suffix == ".py"]
    assert PROJECT / "builder/cli.py" in files
    for path in files:
        for module in imports(path.read_text()):
            assert not is_or_is_in(module, "firstboot"), path
            assert not is_or_is_in(module, "meet"), path


def test_the_programs_on_the_box_know_nothing_of_the_builder() -> None:
    for path in below("firstboot", "meet"):
        if path.suffix == ".py":
            assert not any(
                is_or_is_in(module, "builder") for module in imports(path.read_text())
            ), path


def test_the_rooms_take_from_the_box_only_its_settings() -> None:
    files = [path for path in below("meet") if path.suffix == ".py"]
    assert files
    for path in files:
        for module in imports(path.read_text()):
            if is_or_is_in(module, "firstboot"):
                assert is_or_is_in(module, "firstboot.settings"), path


def test_the_base_never_mentions_a_stack() -> None:
    for place in BASE:
        files = below(place)
        assert files, f"{place} has moved: this test has to follow it"
        for path in files:
            assert not STACKS.search(path.relative_to(PROJECT).as_posix().encode()), path
            assert not STACKS.search(path.read_bytes()), path


def test_no_private_key_is_kept_in_the_repository() -> None:
    files = kept_files()
    assert PROJECT / "pyproject.toml" in files
    found = [str(path) for path in files if PRIVATE_KEY.search(path.read_bytes())]
    assert found == []


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
def test_the_rule_above_sees_every_kind_of_private_key(kind: str) -> None:
    assert PRIVATE_KEY.search(f"key: |\n  -----BEGIN {kind}PRIVATE KEY-----\n  MII".encode())


def test_the_version_stands_in_pyproject_alone() -> None:
    alone = re.compile(rb"(?<![0-9.])" + re.escape(version().encode()) + rb"(?!\d|\.\d)")
    assert alone.search((PROJECT / "pyproject.toml").read_bytes())
    # Lock files name versions of others, which may happen to be the same.
    files = [path for path in below(*PRODUCT) if path.name not in LOCK_FILES]
    found = [str(path.relative_to(PROJECT)) for path in files if alone.search(path.read_bytes())]
    assert found == []


def named_modules(text: str) -> Iterator[Path]:
    """The files, from the project's root, of the modules of ours that a text names."""
    for package, members, program, path in NAMED.findall(text):
        if package and (PROJECT / package.replace(".", "/")).is_dir():
            yield from (Path(f"{package}.{one}".replace(".", "/")) for one in members.split(", "))
        elif package or program:
            yield Path((package or program).replace(".", "/"))
        else:
            yield Path(path.removesuffix(".py"))


def test_a_module_that_a_text_names_is_where_it_says() -> None:
    """Linters see imports, but not programs inside of strings, units and documents."""
    files = [
        path
        for path in below(*PRODUCT, "tests", "docs", "README.md", "CONTRIBUTING.md")
        if path.name not in LOCK_FILES and b"\0" not in path.read_bytes()
    ]
    named = {(one, path) for path in files for one in named_modules(path.read_text())}
    assert Path("firstboot/certificates/rehearsal") in {one for one, _ in named}
    assert not exists(Path("firstboot/rehearsal"))
    lost = sorted(f"{one} in {path.relative_to(PROJECT)}" for one, path in named if not exists(one))
    assert lost == []


def exists(module: Path) -> bool:
    """Whether it is a module, a package, or a name that its package itself defines."""
    place = PROJECT / module
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    package = place.with_name("__init__.py")
    own = rf"^(?:(?:def|class) )?{place.name}\b"
    return package.is_file() and bool(re.search(own, package.read_text(), re.MULTILINE))
