"""The browsers' side: pages and scripts of meet/client, built by npm and Vite in the toolbox.

Packages come from package-lock.json with their checksums, and their own scripts never run. The
result is cached by the hash of sources, lock and toolbox.
"""

import shutil
from pathlib import Path

from builder.cache import exclusive, hash_of, is_complete, new_entry
from builder.errors import CommandError, MissingError
from builder.paths import PROJECT, cache_folder
from builder.progress import step
from builder.toolbox import Toolbox

CLIENT = PROJECT / "meet/client"
SOURCES = (
    ".npmrc",
    "eslint.config.js",
    "m",
    "package-lock.json",
    "package.json",
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
    key = hash_of(*sources(), toolbox.key)
    folder = cache_folder() / "client" / key
    if is_complete(folder, "work/node_modules"):
        return folder / "work"
    with exclusive("client"):
        if is_complete(folder, "work/node_modules"):
            return folder / "work"
        with step("Fetching the browsers' packages"), new_entry(folder) as growing:
            work = growing / "work"
            work.mkdir()
            for source in sources():
                copy = shutil.copytree if source.is_dir() else shutil.copyfile
                copy(source, work / source.name)
            log = cache_folder() / "logs/client.log"
            command = ["npm", "ci", "--cache", str(cache_folder() / "npm")]
            try:
                toolbox.run([*command, *(["--offline"] if offline else [])], cwd=work, log=log)
            except CommandError as error:
                raise _explained(error, offline) from error
    return folder / "work"


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
