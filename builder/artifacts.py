"""The files of one built image: their names, sums and description, and reading them back."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from builder.cache import damage, said_sums, sha256
from builder.errors import MissingError
from builder.paths import build_folder, version
from builder.run import Argument
from builder.toolbox import Toolbox

SUMS = "SHA256SUMS"
NAME = re.compile(r"ratssaal_[0-9A-Za-z.~+-]+")


@dataclass(frozen=True)
class Artifacts:
    """One image under `folder`, all its files named after `name`, such as ratssaal_1.2.3."""

    folder: Path
    name: str

    @property
    def raw(self) -> Path:
        """The whole disk image."""
        return self.folder / f"{self.name}.raw"

    @property
    def compressed(self) -> Path:
        """The whole disk image, compressed with zstd."""
        return self.folder / f"{self.name}.raw.zst"

    @property
    def block_map(self) -> Path:
        """Which blocks of the disk image hold data, with their sums (bmap format 2.0)."""
        return self.folder / f"{self.name}.raw.bmap"

    @property
    def kernel(self) -> Path:
        """The signed unified kernel image."""
        return self.folder / f"{self.name}.efi"

    @property
    def manifest(self) -> Path:
        """Packages with their versions, JSON."""
        return self.folder / f"{self.name}.manifest.json"

    @property
    def usr(self) -> Path:
        """The erofs file system of /usr."""
        return self._one(f"{self.name}.usr-x86-64.*.raw")

    @property
    def verity(self) -> Path:
        """The hash tree of /usr."""
        return self._one(f"{self.name}.usr-x86-64-verity.*.raw")

    def _one(self, pattern: str) -> Path:
        found = sorted(self.folder.glob(pattern))
        if len(found) != 1:
            raise MissingError(
                f"{self.folder} holds {len(found)} files {pattern} where there should be one.",
                "Build the image again: ./ratssaal build --force",
            )
        return found[0]

    def all(self) -> list[Path]:
        """All files that are given away."""
        return [
            self.raw,
            self.compressed,
            self.block_map,
            self.kernel,
            self.usr,
            self.verity,
            self.manifest,
        ]

    def packages(self) -> dict[str, dict[str, object]]:
        """Debian packages in the image by name: `version`, and `size` installed, in bytes."""
        manifest = json.loads(self.manifest.read_text())
        return {
            entry["name"]: {"version": entry["version"], "size": int(entry.get("size") or 0)}
            for entry in manifest["packages"]
        }


def complete(folder: Path, name: str, toolbox: Toolbox) -> None:
    """Add to mkosi's output in `folder` what mkosi does not make, and take away its by-products."""
    (folder / name).unlink(missing_ok=True)
    (folder / f"{name}.esp.raw").unlink(missing_ok=True)
    made = Artifacts(folder, name)
    _write_manifest(folder / f"{name}.manifest", folder / "packages.sizes", made.manifest)
    # The file system in the image is compressed already: a higher level costs minutes for nothing.
    compress: list[Argument] = [
        "zstd",
        "--quiet",
        "--force",
        "-T0",
        "-3",
        "--sparse",
        made.raw,
        "-o",
        made.compressed,
    ]
    with ThreadPoolExecutor() as beside:
        # Meanwhile: the image is large, and zstd keeps no two processors busy to its end.
        early = {
            one: beside.submit(sha256, one)
            for one in made.all()
            if one not in (made.compressed, made.block_map)
        }
        toolbox.run(compress, writable=[folder])
        toolbox.run(
            ["bmaptool", "--quiet", "create", "-o", made.block_map, made.raw], writable=[folder]
        )
        sums = [
            f"{early[one].result() if one in early else sha256(one)}  {one.name}"
            for one in made.all()
        ]
    (folder / SUMS).write_text("\n".join(sums) + "\n")


def _write_manifest(raw: Path, sizes: Path, target: Path) -> None:
    """mkosi's manifest `raw` with the size of each package, in bytes, from `sizes` (in KiB)."""
    lines = (line.split("\t") for line in sizes.read_text().splitlines())
    known = {name: int(size) * 1024 for name, size in lines if size}
    manifest = json.loads(raw.read_text())
    for entry in manifest["packages"]:
        entry["size"] = known.get(entry["name"], 0)
    target.write_text(json.dumps(manifest, indent=2) + "\n")
    for path in (raw, sizes):
        path.unlink()


def key_of(folder: Path) -> str | None:
    """The hash of what the image in `folder` was made from; None where there is no whole image."""
    try:
        key = json.loads((folder / "build.json").read_text())["key"]
        found = Artifacts(folder, folder.name)
        names = [path.name for path in (*found.all(), folder / SUMS)]
        return None if damage(folder, *names) else str(key)
    except (OSError, ValueError, KeyError, TypeError, MissingError):
        return None


def open_artifacts(place: Path | None = None) -> Artifacts:
    """The image at `place`: its folder or one of its files; without it, this checkout's own.

    Raises MissingError where there is none, or where it is not an image of ours.
    """
    folder = (place or build_folder() / f"ratssaal_{version()}").absolute()
    if not folder.exists():
        raise no_image(folder)
    if folder.is_file():
        folder = folder.parent
    if not NAME.fullmatch(folder.name) or key_of(folder) is None:
        raise not_ours(place or folder)
    return Artifacts(folder, folder.name)


def not_ours(place: Path) -> MissingError:
    """The error for what is no whole image of ours."""
    return MissingError(
        f"{place} is not an image made by './ratssaal build'.",
        "Name the folder that holds its files, such as build/ratssaal_1.2.3.",
    )


def no_image(place: Path) -> MissingError:
    """The error for a place at which nothing is."""
    return MissingError(f"There is no image at {place}.", "Build one: ./ratssaal build")


def wrong_sums(artifacts: Artifacts) -> list[str]:
    """Names of the files whose content is not what SHA256SUMS says."""
    said = said_sums(artifacts.folder / SUMS)
    return [path.name for path in artifacts.all() if sha256(path) != said.get(path.name)]
