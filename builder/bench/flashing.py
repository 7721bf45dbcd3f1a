"""Measures flashing beside the tools that engineers use, on one loop device in the same run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from builder import image, release
from builder.artifacts import Artifacts
from builder.bench.figure import Figure, timed
from builder.cache import require_space
from builder.paths import cache_folder
from builder.progress import step
from builder.run import Argument, run
from builder.stick.direct import Device
from builder.stick.writing import Content, Stick, Written, content_of
from builder.toolbox import Toolbox

# The best of so many rounds counts; the first one also makes room in the file below the device.
ROUNDS = 3
ROOM = 64 * 2**20


@contextlib.contextmanager
def _loop(size: int) -> Iterator[Path]:
    """A loop device of `size` bytes on a file in the cache; both are gone after the block."""
    file = cache_folder() / "bench/stick"
    file.parent.mkdir(parents=True, exist_ok=True)
    require_space(file.parent, size / 2**30)
    with file.open("wb") as opened:
        opened.truncate(size)
    try:
        device = run(["losetup", "--find", "--show", file]).strip()
        try:
            yield Path(device)
        finally:
            run(["losetup", "--detach", device])
    finally:
        file.unlink()


def _ours(content: Content, path: Path) -> Written:
    with Device(path) as device:
        return Stick(device, content).write()


def _bmaptool(artifacts: Artifacts, toolbox: Toolbox, path: Path) -> None:
    command: list[Argument] = ["bmaptool", "--quiet", "copy", "--bmap", artifacts.block_map]
    toolbox.run([*command, artifacts.compressed, path], writable=[artifacts.folder])


def _dd(artifacts: Artifacts, path: Path) -> None:
    words = ["bs=4M", "oflag=direct", "conv=fsync", "status=none"]
    run(["dd", f"if={artifacts.raw}", f"of={path}", *words])


def measure_flash() -> Iterator[Figure]:
    """Writing from the compressed image beside bmaptool, and with reading back beside it and dd."""
    built = image.build(image.BuildOptions())
    artifacts = built.artifacts
    content = content_of(release.find(artifacts.compressed))
    ours: list[Written] = []
    mapped: list[float] = []
    whole: list[float] = []
    with _loop(content.block_map.size + ROOM) as device:
        for _ in range(ROUNDS):
            ours.append(_ours(content, device))
            with step("bmaptool copy", estimate=False):
                mapped.append(timed(lambda: _bmaptool(artifacts, built.toolbox, device)))
            with step("dd", estimate=False):
                whole.append(timed(lambda: _dd(artifacts, device)))
    yield from figures(ours, min(mapped), min(whole))


def figures(ours: list[Written], mapped: float, whole: float) -> Iterator[Figure]:
    """What was measured, beside the seconds that bmaptool (`mapped`) and dd (`whole`) took."""
    writing = min(one.writing for one in ours)
    both = min(one.writing + one.reading for one in ours)
    size = f"{ours[0].count / 1e6:.0f} MB"
    detail = f"{writing:.1f} s for {size} beside {mapped:.1f} s"
    yield Figure("writing a stick", writing / mapped, 1.0, "x bmaptool copy", detail)
    detail = f"{both:.1f} s for {size} beside {mapped:.1f} s, which reads nothing back"
    yield Figure("writing and reading back", both / mapped, 1.0, "x bmaptool copy", detail)
    detail = f"{both:.1f} s for {size} beside {whole:.1f} s, which reads nothing back"
    yield Figure("writing and reading back", both / whole, None, "x dd", detail)
