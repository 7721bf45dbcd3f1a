"""An image as it is given away: the disk image, raw or compressed, with its block map and sums."""

from dataclasses import dataclass
from pathlib import Path

from builder.artifacts import NAME, SUMS, Artifacts, no_image, not_ours
from builder.cache import said_sums, sha256
from builder.errors import CommandError, MissingError

AGAIN = "Copy it from where the image comes from, or build again: ./ratssaal build --force"


@dataclass(frozen=True)
class Release:
    """The file of a disk image, `.raw` or `.raw.zst`, and the block map beside it."""

    file: Path
    block_map: Path

    def check(self) -> None:
        """Raise CommandError where a file is not what SHA256SUMS says, or is not named in it."""
        said = said_sums(self.file.parent / SUMS)
        for path in (self.block_map, self.file):
            if path.name not in said:
                raise CommandError(
                    f"{SUMS} beside {path} says nothing of it, so nobody knows whether it is "
                    "whole.",
                    AGAIN,
                )
            if sha256(path) != said[path.name]:
                raise CommandError(
                    f"{path} is not what {SUMS} says: it was changed, or copied in part.",
                    f"Do not use it. {AGAIN}",
                )


def find(place: Path) -> Release:
    """The image at `place`: a folder that holds its files, or its `.raw` or `.raw.zst`.

    The raw image is taken from a folder that holds both: nothing is faster than skipping its holes.
    Raises MissingError where it is none of ours, or where block map or sums are missing beside it.
    """
    path = place.absolute()
    if not path.exists():
        raise no_image(path)
    if path.is_dir():
        artifacts = Artifacts(path, path.name)
        file = artifacts.raw if artifacts.raw.exists() else artifacts.compressed
    else:
        artifacts = Artifacts(path.parent, path.name.removesuffix(".zst").removesuffix(".raw"))
        file = path
    known = file in (artifacts.raw, artifacts.compressed)
    if not known or not NAME.fullmatch(artifacts.name) or not file.is_file():
        raise not_ours(place)
    for beside in (artifacts.folder / SUMS, artifacts.block_map):
        if not beside.is_file():
            raise MissingError(
                f"{beside.name} is missing beside {file}, so nobody knows whether it is whole.",
                AGAIN,
            )
    return Release(file, artifacts.block_map)
