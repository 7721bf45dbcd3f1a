"""The files that a build gives away."""

import json
from xml.etree import ElementTree

import pytest

from builder import inspect, keys
from builder.artifacts import Artifacts, wrong_sums
from builder.bench import measure
from builder.cache import sha256
from builder.paths import version
from builder.toolbox import Toolbox

pytestmark = pytest.mark.image


def test_all_files_carry_the_version(artifacts: Artifacts) -> None:
    for path in artifacts.all():
        assert path.exists()
        assert path.name.startswith(f"ratssaal_{version()}.")


def test_sums_are_right(artifacts: Artifacts) -> None:
    assert wrong_sums(artifacts) == []


def test_compressed_image_is_the_image(artifacts: Artifacts, toolbox: Toolbox) -> None:
    unpack = f'zstd -dcq "{artifacts.compressed}" | sha256sum'
    found = toolbox.run(["sh", "-c", unpack], writable=[artifacts.folder]).split()[0]
    assert found == sha256(artifacts.raw)


def test_block_map_covers_the_image(artifacts: Artifacts) -> None:
    root = ElementTree.fromstring(artifacts.block_map.read_text())
    assert int(root.findtext("ImageSize", "0")) == artifacts.raw.stat().st_size
    mapped = int(root.findtext("MappedBlocksCount", "0")) * int(root.findtext("BlockSize", "0"))
    assert 0 < mapped < artifacts.raw.stat().st_size


def test_manifest_names_packages_with_versions(artifacts: Artifacts) -> None:
    packages = artifacts.packages()
    for name in ("systemd", "nginx", "etcd-server", "certbot", "ansible-core", "wireguard-tools"):
        assert packages[name]["version"]
    assert str(packages["systemd"]["version"]).startswith("257")
    # Sizes are bytes: the kernel's modules and firmware are what weighs most.
    sizes = {name: int(str(facts["size"])) for name, facts in packages.items()}
    assert sizes["systemd"] > 10**6
    assert all(sizes.values()), [name for name, size in sizes.items() if not size]


def test_kernel_image_is_signed_by_the_builder(artifacts: Artifacts, toolbox: Toolbox) -> None:
    pair = keys.existing_pairs()["secure-boot"]
    folders = [artifacts.folder, pair.certificate.parent]
    toolbox.run(["sbverify", "--cert", pair.certificate, artifacts.kernel], writable=folders)
    other = keys.existing_pairs()["pcr"]
    with pytest.raises(Exception, match="A program ended with 1"):
        toolbox.run(["sbverify", "--cert", other.certificate, artifacts.kernel], writable=folders)


def test_kernel_image_binds_usr_and_carries_microcode(
    artifacts: Artifacts, toolbox: Toolbox
) -> None:
    answer = toolbox.run(
        ["ukify", "--json=short", "inspect", artifacts.kernel], writable=[artifacts.folder]
    )
    sections = json.loads(answer)
    words = sections[".cmdline"]["text"].split()
    assert any(word.startswith("usrhash=") and len(word) == len("usrhash=") + 64 for word in words)
    assert "systemd.import_credentials=no" in words
    assert "lockdown=integrity" in words
    # tty0 last: prompts for a recovery key belong on the screen.
    assert [word for word in words if word.startswith("console=")][-1] == "console=tty0"
    assert sections[".ucode"]["size"] > 2**20
    assert sections[".pcrsig"]["size"] > 0


def test_sizes_meet_their_goals(artifacts: Artifacts) -> None:
    figures = {one.name: one for one in measure.measure_size()}
    assert figures.keys() == {"initrd", "compressed image"}
    assert [one for one in figures.values() if not one.met] == []


def test_inspect_finds_no_difference_between_an_image_and_itself(
    artifacts: Artifacts, toolbox: Toolbox
) -> None:
    report = inspect.inspect(artifacts, toolbox)
    assert report.ours
    assert report.wrong_sums == []
    assert not any(inspect.differences(report, report).values())
    assert {"esp", f"ratssaal_{version()}"} <= set(report.partitions)
