"""The browsers' side: pages and scripts of meet/client, built by npm and Vite in the toolbox.

Packages come from package-lock.json with their checksums, and their own scripts never run. They are
cached by the hash of that lock and of the toolbox, the built pages by all sources as well: a change
in a source fetches and unpacks nothing.
"""

import shutil
from pathlib import Path

from builder.cache import exclusive, hash_of, is_complete, new_entry
from builder.errors import CommandError, MissingError
from builder.paths import PROJECT, cache_folder
from builder.progress import step
from builder.toolbox import Toolbox

CLIENT = PROJECT / "meet/client"
# What npm reads: package.json too, since it refuses one that does not fit the lock.
LOCK = (".npmrc", "package-lock.json", "package.json")
SOURCES = (
    *LOCK,
    "eslint.config.js",
    "m",
    "public",
    "rooms",
    "src",
    "test",
    "tsconfig.json",
    "vite.config.js",
)


def sources() -> list[Path]:
    """What the browsers' side is made from; never what a person's own npm has left beside it."""
    return [CLIENT / name for name in SOURCES]


def prepare(toolbox: Toolbox, *, offline: bool = False) -> Path:
    """A folder with the sources and all packages that they need, to build and to check.

    Raises CommandError where a package is not the one in the lock file, MissingError where
    `offline` forbids fetching.
    """
    folder = cache_folder() / "client" / hash_of(*sources(), toolbox.key)
    with exclusive("client"):
        packages = _packages(toolbox, offline)
        if not is_complete(folder, "work/node_modules"):
            with new_entry(folder) as growing:
                work = growing / "work"
                work.mkdir()
                _copy(sources(), work)
                # Beside it in the cache, which may move as a whole.
                (work / "node_modules").symlink_to(f"../../{packages.name}/node_modules")
    return folder / "work"


def _packages(toolbox: Toolbox, offline: bool) -> Path:
    """A folder with node_modules as package-lock.json has them; the caller holds the lock."""
    lock = [CLIENT / name for name in LOCK]
    folder = cache_folder() / "client" / f"{hash_of(*lock, toolbox.key)}-packages"
    whole = "node_modules/.package-lock.json"  # what npm writes once it is done
    if is_complete(folder, whole):
        return folder
    with step("Fetching the browsers' packages"), new_entry(folder, whole) as growing:
        _copy(lock, growing)
        log = cache_folder() / "logs/client.log"
        command = ["npm", "ci", "--cache", str(cache_folder() / "npm")]
        try:
            toolbox.run([*command, *(["--offline"] if offline else [])], cwd=growing, log=log)
        except CommandError as error:
            raise _explained(error, offline) from error
    return folder


def _copy(files: list[Path], folder: Path) -> None:
    for file in files:
        copy = shutil.copytree if file.is_dir() else shutil.copyfile
        copy(file, folder / file.name)


def build(toolbox: Toolbox, *, offline: bool = False) -> Path:
    """A folder with the built pages, laid out as they go over the image's tree."""
    work = prepare(toolbox, offline=offline)
    folder = cache_folder() / "client" / f"{work.parent.name}-built"
    style = "tree/usr/share/ratssaal/www/assets/kern.css"
    if is_complete(folder, style):
        return folder / "tree"
    building = step("Building the browsers' side")
    with exclusive("client"), building, new_entry(folder, style) as growing:
        target = growing / "tree/usr/share/ratssaal/www"
        target.parent.mkdir(parents=True)
        command = ["npx", "--no-install", "vite", "build", "--emptyOutDir", "--outDir", str(target)]
        toolbox.run(command, cwd=work, log=cache_folder() / "logs/client.log")
    return folder / "tree"


def _explained(error: CommandError, offline: bool) -> CommandError | MissingError:
    if "EINTEGRITY" in error.message:
        return CommandError(
            f"A package of the browsers' side is not the one in its lock file.\n{error.message}",
            "Nothing was built. If meet/client/package-lock.json was edited, restore it; "
            "otherwise somebody changed the package on its way to you.",
        )
    if offline:
        return MissingError(
            "Packages of the browsers' side are not in the cache, and --offline forbids fetching.",
            "Run './ratssaal build' once with a network.",
        )
    return error
