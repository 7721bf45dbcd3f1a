"""Builds the image: initrd, system and artifacts, each step cached by what it was made from."""

import json
import re
import shutil
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from builder import artifacts, client, keys, legacy, mirror, stack
from builder.artifacts import Artifacts
from builder.cache import exclusive, hash_of, is_complete, new_entry, require_space
from builder.errors import CommandError, MissingError
from builder.host import require_programs, require_root
from builder.paths import IMAGES, OVERLAYS, PROJECT, build_folder, cache_folder, version
from builder.progress import say, step
from builder.run import Argument
from builder.toolbox import Toolbox, open_toolbox

BUILD_SPACE_GIB = 8
# mkosi's trees and images take 2.0 GiB while it works: twice that is in memory, where as much again
# is left for its tools and for whatever else runs.
WORKSPACE_GIB = 4
MEMORY = Path("/proc/meminfo")
# What of images/ makes the system; the toolbox and the initrd have keys of their own.
SYSTEM_PARTS = (
    "mkosi.conf",
    "mkosi.conf.d",
    "mkosi.repart",
    "mkosi.profiles",
    "mkosi.prepare.chroot",
    "mkosi.postinst.chroot",
    "mkosi.finalize",
)


@dataclass(frozen=True)
class BuildOptions:
    """What may be chosen for a build."""

    stack: str = stack.DEFAULT
    mirror: str | None = None
    offline: bool = False
    force: bool = False


@dataclass
class Built:
    """A finished image, and how long each step of making it took, in seconds."""

    artifacts: Artifacts
    toolbox: Toolbox
    fresh: bool
    seconds: dict[str, float] = field(default_factory=dict)


def mkosi(
    toolbox: Toolbox,
    directory: Path,
    options: BuildOptions,
    output: Path,
    arguments: list[Argument],
) -> None:
    """Run mkosi on the configuration in `directory`. Raises CommandError with its last words."""
    folders = {
        "--output-directory": output,
        "--cache-directory": cache_folder() / "mkosi/cache",
        "--package-cache-dir": cache_folder() / "mkosi/packages",
        # Below the output, so that on a disk what is made there is renamed, not copied.
        "--workspace-directory": (workspace := output / ".workspace"),
    }
    # Twice "--force" also throws away the tree with the packages, so that updates come in.
    again = ["--force", "--force"] if options.force else ["--force"]
    command: list[Argument] = ["mkosi", *again, "--incremental=yes"]
    for name, path in folders.items():
        path.mkdir(parents=True, exist_ok=True)
        command += [name, path]
    source = mirror.choose(options.mirror) or mirror.of_tree(toolbox.tree)
    if source:
        sandbox = cache_folder() / "mkosi/sandbox"
        lists = sandbox / "etc/apt/sources.list.d"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "mkosi.sources").write_text(source.deb822("main non-free-firmware"))
        command += ["--sandbox-tree", f"{sandbox}:/"]
    if options.offline:
        command += ["--cache-only=always"]
    log = cache_folder() / f"logs/mkosi-{directory.name}.log"
    try:
        toolbox.run(
            [*command, *arguments, "build"],
            cwd=directory,
            writable=[output, keys.keys_folder()],
            memory={workspace: WORKSPACE_GIB * 2**30} if has_memory(2 * WORKSPACE_GIB) else {},
            log=log,
        )
    except CommandError as error:
        raise _explained(error, log, options) from error
    shutil.rmtree(workspace)


def has_memory(gibibytes: float) -> bool:
    """Whether as much memory is free, or can be freed at once (proc_meminfo(5), MemAvailable)."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", MEMORY.read_text(), re.MULTILINE)
    return found is not None and int(found[1]) / 2**20 >= gibibytes


def _explained(error: CommandError, log: Path, options: BuildOptions) -> Exception:
    words = log.read_text(errors="replace")
    unknown = "Unable to locate package" in words or "has no installation candidate" in words
    if options.offline and (unknown or "Unable to fetch" in words or "Failed to fetch" in words):
        return MissingError(
            "Some packages are not in the cache, and --offline forbids fetching them.",
            "Run './ratssaal build' once with a network.",
        )
    if (
        unknown
        or "Failed to fetch" in words
        or "Hash Sum mismatch" in words
        or "does not have a Release" in words
    ):
        return CommandError(
            f"The mirror does not give all packages.\n{error.message}",
            "Check that it is reachable and complete, or name another with --mirror; then start "
            "again. The last good image stays as it was.",
        )
    if "No space left on device" in words:
        return MissingError(
            f"The disk is full.\n{error.message}", "Free some space, then start again."
        )
    return error


def plain_modes(places: Iterable[Path]) -> None:
    """Give files and folders the modes that git knows, 644 and 755: mkosi takes them into an image.

    A checkout has those of the umask under which it was made.
    """
    for path in places:
        mode = path.lstat().st_mode
        plain = 0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644
        if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != plain:
            path.chmod(plain)


def build_initrd(toolbox: Toolbox, options: BuildOptions) -> Path:
    """The initrd without kernel modules, which the system's build adds for its own kernel."""
    key = hash_of(IMAGES / "initrd", OVERLAYS / "disk", OVERLAYS / "initrd", toolbox.key)
    folder = cache_folder() / "initrd" / key
    name = "initrd.cpio.zst"
    if options.force or not is_complete(folder, name):
        with step("Building the initrd"), new_entry(folder, name) as growing:
            mkosi(toolbox, IMAGES / "initrd", options, growing, [])
    return folder / name


def system_key(toolbox: Toolbox, options: BuildOptions, pairs: dict[str, keys.KeyPair]) -> str:
    """The hash of all that goes into an image."""
    chosen = stack.choose(options.stack)
    parts: list[Path | str] = [IMAGES / part for part in SYSTEM_PARTS]
    parts += [IMAGES / "initrd", OVERLAYS, PROJECT / "firstboot"]
    parts += [*sorted((PROJECT / "meet").glob("*.py")), *client.sources()]
    parts += [chosen.lock, toolbox.key, options.stack, version(), legacy.PROGRAM.hex()]
    parts += [pair.fingerprint() for _, pair in sorted(pairs.items())]
    return hash_of(*parts)


def build(options: BuildOptions) -> Built:
    """The image of this checkout, made first where anything it is made from has changed.

    Raises RatssaalError; an earlier image stays as it was then.
    """
    chosen = stack.choose(options.stack)
    require_root()
    require_programs(offline=options.offline)
    seconds: dict[str, float] = {}
    begun = time.monotonic()
    toolbox = open_toolbox(options.mirror, offline=options.offline)
    seconds["toolbox"] = time.monotonic() - begun
    pairs = keys.ensure_pairs()
    with exclusive("image"):
        key = system_key(toolbox, options, pairs)
        name = f"ratssaal_{version()}"
        folder = build_folder() / name
        if not options.force and artifacts.key_of(folder) == key:
            found = artifacts.open_artifacts(folder)
            say(f"{name} is up to date.")
            return Built(found, toolbox, fresh=False)
        require_space(folder, BUILD_SPACE_GIB)
        require_space(cache_folder(), BUILD_SPACE_GIB)
        begun = time.monotonic()
        program = stack.build(chosen, toolbox, offline=options.offline)
        seconds["stack"] = time.monotonic() - begun
        pages = client.build(toolbox, offline=options.offline)
        meet = PROJECT / "meet"
        plain_modes([meet, *meet.glob("*.py")])  # not meet/client, which is not taken as it is
        for tree in (OVERLAYS, PROJECT / "firstboot", program, pages):
            plain_modes([tree, *tree.rglob("*")])
        begun = time.monotonic()
        initrd = build_initrd(toolbox, options)
        seconds["initrd"] = time.monotonic() - begun
        with new_entry(folder) as growing:
            begun = time.monotonic()
            with step("Building the system"):
                mkosi(
                    toolbox,
                    IMAGES,
                    options,
                    growing,
                    system_arguments(options, pairs, [program, pages], initrd),
                )
            seconds["system"] = time.monotonic() - begun
            begun = time.monotonic()
            with step("Writing compressed image, block map and checksums"):
                legacy.mark(growing / f"{name}.raw")
                artifacts.complete(growing, name, toolbox)
            seconds["artifacts"] = time.monotonic() - begun
            record = {"key": key, "stack": options.stack, "version": version(), "seconds": seconds}
            (growing / "build.json").write_text(json.dumps(record, indent=2) + "\n")
        return Built(artifacts.open_artifacts(folder), toolbox, fresh=True, seconds=seconds)


def system_arguments(
    options: BuildOptions, pairs: dict[str, keys.KeyPair], trees: list[Path], initrd: Path
) -> list[Argument]:
    """What mkosi has to be told on its command line: all that belongs to this machine."""
    secure_boot, pcr = pairs["secure-boot"], pairs["pcr"]
    return [
        "--profile",
        options.stack,
        f"--image-version={version()}",
        f"--secure-boot-key={secure_boot.key}",
        f"--secure-boot-certificate={secure_boot.certificate}",
        f"--sign-expected-pcr-key={pcr.key}",
        f"--sign-expected-pcr-certificate={pcr.certificate}",
        *(f"--extra-tree={tree}:/" for tree in trees),
        f"--initrd={initrd}",
    ]
