"""What is in the image, and what must not be."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from builder import keys
from builder.artifacts import Artifacts
from builder.toolbox import Toolbox
from firstboot.stack import Stack

pytestmark = pytest.mark.image

# Programs that may gain rights: D-Bus starts services, the others come with Debian's
# login and mount and have no user on the box who could call them.
SETUID = {
    "bin/chage",
    "bin/chfn",
    "bin/chsh",
    "bin/expiry",
    "bin/gpasswd",
    "bin/mount",
    "bin/newgrp",
    "bin/passwd",
    "bin/ssh-agent",
    "bin/su",
    "bin/umount",
    "lib/openssh/ssh-keysign",
    "lib/polkit-1/polkit-agent-helper-1",
    "sbin/unix_chkpwd",
}

# The initrd of a unified kernel image, which is one archive for the base and one for the kernel's
# modules, each compressed by itself and filled up with zeros. By the toolbox's Python.
UNPACK = r"""
import pathlib, sys, pefile, zstandard
image = pefile.PE(sys.argv[1], fast_load=True)
(initrd,) = [one for one in image.sections if one.Name.rstrip(b"\0") == b".initrd"]
rest, found = initrd.get_data(length=initrd.Misc_VirtualSize), b""
while rest := rest.lstrip(b"\0"):
    frame = zstandard.ZstdDecompressor().decompressobj()
    found += frame.decompress(rest)
    rest = frame.unused_data
pathlib.Path(sys.argv[2]).write_bytes(found)
"""


def test_no_way_to_compile_or_to_install(usr: Path) -> None:
    for name in ("gcc", "cc", "g++", "make", "ld", "go", "rustc", "apt", "apt-get", "pip"):
        assert not (usr / "bin" / name).exists(), name


def test_what_sorts_for_the_line_of_the_house_is_there(usr: Path) -> None:
    assert list(usr.glob("lib/modules/*/kernel/net/sched/sch_htb.ko*"))
    assert (usr / "sbin/tc").exists()


def test_no_documentation_but_licences(usr: Path) -> None:
    assert not (usr / "share/man").exists()
    assert not (usr / "share/info").exists()
    kept = {path.name for path in (usr / "share/doc").rglob("*") if path.is_file()}
    assert {name for name in kept if not name.startswith("copyright")} == set()
    assert "copyright" in kept


def test_no_login_anywhere(etc: Path, usr: Path) -> None:
    fields = [line.split(":") for line in (etc / "shadow").read_text().splitlines()]
    assert [line[0] for line in fields if not line[1].startswith(("!", "*"))] == []
    assert {line[0]: line[1] for line in fields}["root"].startswith("!")
    assert not (usr / "lib/systemd/system-generators/systemd-getty-generator").exists()
    wanted = etc / "systemd/system"
    prompts = [path for path in wanted.rglob("*getty*") if not path.is_dir()]
    assert prompts
    assert {str(path.readlink()) for path in prompts} == {"/dev/null"}
    assert not list(wanted.rglob("ssh*.service")) + list(wanted.rglob("ssh*.socket"))


def test_no_secret_that_every_box_would_share(etc: Path, usr: Path) -> None:
    assert not list((etc / "ssh").glob("ssh_host_*"))
    assert not (etc / "machine-id").exists()
    for folder in (etc, usr / "lib/ratssaal", usr / "share/ratssaal"):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
                content = path.read_bytes()
                assert not re.search(
                    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]", content
                ), path


@pytest.fixture(scope="session")
def private_lines() -> list[bytes]:
    """A line out of the middle of each private key of the builder."""
    found = [
        pair.key.read_text().splitlines()[3].encode() for pair in keys.existing_pairs().values()
    ]
    assert [len(line) for line in found] == [64] * len(keys.PURPOSES)
    return found


def test_no_private_key_of_the_builder(artifacts: Artifacts, private_lines: list[bytes]) -> None:
    for file in (artifacts.kernel, artifacts.raw):
        content = file.read_bytes()
        assert not any(line in content for line in private_lines), file


def test_no_private_key_of_the_builder_in_usr(usr: Path, private_lines: list[bytes]) -> None:
    """The file system is compressed: what is in it does not show in the raw image."""
    # From standard input: everybody on the machine can read command lines.
    search = ["grep", "--recursive", "--text", "--files-with-matches", "--fixed-strings", "-f", "-"]
    ended = subprocess.run(
        [*search, usr], input=b"\n".join(private_lines), capture_output=True, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, b""), ended.stderr  # 1: it is nowhere


@pytest.fixture(scope="module")
def initrd(
    artifacts: Artifacts, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """All of the initrd as one archive (cpio), in which the files stand as they are."""
    folder = tmp_path_factory.mktemp("initrd")
    unpacked = folder / "initrd.cpio"
    toolbox.run(
        ["python3", "-c", UNPACK, artifacts.kernel, unpacked], writable=[artifacts.folder, folder]
    )
    return unpacked.read_bytes()


def test_no_private_key_of_the_builder_in_the_initrd(
    initrd: bytes, private_lines: list[bytes]
) -> None:
    assert b"usr/lib/systemd/systemd-cryptsetup\0" in initrd
    assert b"/kernel/drivers/" in initrd
    assert not any(line in initrd for line in private_lines)


def test_a_recovery_key_is_typed_on_a_german_keyboard(initrd: bytes) -> None:
    """Who is asked for it has nothing but the initrd."""
    assert b"\nKEYMAP=de\n" in initrd or b"\0KEYMAP=de\n" in initrd
    assert b"keymaps/i386/qwertz/de.kmap.gz\0" in initrd
    assert b"bin/loadkeys\0" in initrd


def test_few_programs_may_gain_rights(usr: Path) -> None:
    found = {
        path.relative_to(usr).as_posix()
        for path in usr.rglob("*")
        if not path.is_symlink()
        and path.is_file()
        and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    }
    assert found - SETUID == set()


def test_speaks_german_and_english(usr: Path, etc: Path) -> None:
    assert "LANG=de_DE.UTF-8" in (etc / "locale.conf").read_text()
    assert "KEYMAP=de" in (etc / "vconsole.conf").read_text()
    assert (usr / "share/keymaps/i386/qwertz/de.kmap.gz").exists()
    generated = (etc / "locale.gen").read_text()
    assert "de_DE.UTF-8" in generated
    assert "en_GB.UTF-8" in generated
    assert (usr / "lib/locale/locale-archive").exists()


def test_licences_of_everything_in_the_stack_are_there(usr: Path) -> None:
    notices = (usr / "share/doc/livekit/copyright").read_text()
    for module in ("github.com/livekit/livekit-server ", "github.com/pion/webrtc/v4 "):
        assert f"\n{module}" in notices
    assert "Apache License" in notices
    assert "MIT License" in notices


@pytest.mark.parametrize(
    "firmware",
    [
        "i915/*.bin*",  # Intel's graphics: the console
        "rtl_nic/rtl8168*",  # Realtek's network cards
        "tigon/*",  # Broadcom's network cards
        "bnx2/*",
    ],
)
def test_firmware_for_commodity_boxes(usr: Path, firmware: str) -> None:
    assert list((usr / "lib/firmware").glob(firmware))


@pytest.mark.parametrize(
    "driver",
    [
        "igb",
        "e1000e",
        "igc",
        "r8169",
        "tg3",
        "nvme",
        "ahci",
        "sdhci-pci",
        "mmc_block",
        "usb-storage",
        "i915",
    ],
)
def test_drivers_for_commodity_boxes(usr: Path, driver: str) -> None:
    names = {
        path.name.partition(".")[0].replace("_", "-")
        for path in (usr / "lib/modules").rglob("*.ko*")
    }
    assert driver.replace("_", "-") in names


@pytest.mark.parametrize(
    "driver",
    [
        "kvm-intel",
        "cfg80211",
        "bluetooth",
        "snd-hda-intel",
        "amdgpu",
        "nouveau",
        "psmouse",
    ],
)
def test_no_drivers_for_what_no_box_needs(usr: Path, driver: str) -> None:
    assert not list(usr.glob(f"lib/modules/*/kernel/**/{driver}.ko*"))


def test_a_driver_that_another_needs_stays(usr: Path) -> None:
    """Of drivers/media, where no other is: Intel's graphics speak to screens by it."""
    (needs,) = [
        line.partition(":")[2].split()
        for line in next(usr.glob("lib/modules/*/modules.dep")).read_text().splitlines()
        if re.match(r"\S*/i915\.ko[^/]*:", line)
    ]
    media = [one for one in needs if "/media/" in one]
    assert media
    assert all(list(usr.glob(f"lib/modules/*/{one}")) for one in media)


def test_the_stack_is_known_by_its_description_alone(usr: Path) -> None:
    stack = usr / "lib/ratssaal/stack"
    assert Stack.read(stack / "stack.json") == Stack.read(stack / "stack.yaml")
    assert (usr / "lib/systemd/system/livekit.service").exists()


def test_owners_stay_the_same_numbers(etc: Path) -> None:
    """/var outlives an image: a name must mean the same number in the next one."""
    expected = (Path(__file__).parent / "owners.txt").read_text().split()
    users = [line.split(":") for line in (etc / "passwd").read_text().splitlines()]
    groups = [line.split(":") for line in (etc / "group").read_text().splitlines()]
    found = [f"user:{line[0]}:{line[2]}:{line[3]}" for line in users]
    found += [f"group:{line[0]}:{line[2]}" for line in groups]
    assert sorted(found) == sorted(expected)


def test_the_rooms_service_is_there_without_the_sources_of_its_pages(usr: Path) -> None:
    assert (usr / "lib/ratssaal/meet/gate.py").exists()
    assert not (usr / "lib/ratssaal/meet/client").exists()
    assert (usr / "lib/systemd/system/ratssaal-meet.service").exists()


def test_what_the_pages_load_later_lies_on_the_box(usr: Path) -> None:
    """Icons of the installable page, and what blurs a background."""
    www = usr / "share/ratssaal/www"
    manifest = json.loads((www / "m/ratssaal.webmanifest").read_text())
    icons = [icon["src"] for icon in manifest["icons"]]
    assert len(icons) == 4
    engine = "_solution_simd_wasm_bin"
    parts = (".js", ".binarypb", "_landscape.tflite", f"{engine}.js", f"{engine}.wasm")
    blur = [f"/assets/selfie_segmentation{part}" for part in parts]
    for file in [*icons, "/assets/icon-180.png", *blur]:
        assert (www / file[1:]).stat().st_size > 0, file


@pytest.mark.parametrize("page", ["m", "rooms", "test"])
def test_a_browser_without_modules_reads_that_it_is_too_old(usr: Path, page: str) -> None:
    """In words of the page itself, which a script without a word of newer JavaScript shows."""
    www = usr / "share/ratssaal/www"
    text = (www / page / "index.html").read_text()
    assert '<script defer src="/assets/old.js"></script>' in text
    assert "Dieser Browser ist zu alt" in text
    assert "This browser is too old" in text
    script = (www / "assets/old.js").read_text()
    assert not re.search(r"\b(let|const|class|import|export)\b|=>|`", script.partition("*/")[2])
