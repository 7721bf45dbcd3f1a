"""The toolbox: a Debian tree with all tools for building and trying an image.

It is made once by mmdebstrap and found again by the hash of its inputs, so that the host's own
distribution does not matter. Programs run in it inside a sandbox made by bubblewrap.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder import mirror
from builder.cache import exclusive, hash_of, is_complete, new_entry, require_space
from builder.errors import CommandError, MissingError
from builder.paths import IMAGES, PROJECT, cache_folder
from builder.progress import step
from builder.run import Argument, run

PACKAGES = IMAGES / "toolbox"
# What the host's tools are told about the way to the network holds in the toolbox too.
NETWORK = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
REGISTRIES = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "npm_config_registry")
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
# mmdebstrap binds parts of the host into the growing tree. Its mounts are its own and it ends with
# its parent, so that after a kill nothing of the host is left in what the next build removes.
ALONE = [
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
]


@dataclass(frozen=True)
class Toolbox:
    """A finished toolbox at `tree`; `key` is the hash of its inputs."""

    tree: Path
    key: str

    def command(
        self,
        command: Sequence[Argument],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        writable: Sequence[Path] = (),
        overlay: Mapping[str, Path] | None = None,
        memory: Mapping[Path, int] | None = None,
        own_processes: bool = False,
    ) -> list[str]:
        """`command` as the host starts it, so that it runs inside the toolbox.

        The project, the cache and `writable` are at their own paths; network, devices and /run are
        the host's. `overlay` binds further host paths, by their path inside. `memory` names places
        that are in memory and end with `command`, and how many bytes each may take. With
        `own_processes` all that `command` ever starts ends with it.
        """
        words: list[Argument] = ["bwrap", "--bind", self.tree, "/"]
        words += ["--unshare-pid"] if own_processes else []
        words += ["--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        words += ["--bind", "/sys", "/sys", "--bind", "/run", "/run"]
        words += ["--bind", "/tmp", "/tmp", "--bind", "/var/tmp", "/var/tmp"]  # noqa: S108
        for path in dict.fromkeys([PROJECT, cache_folder(), *writable]):
            words += ["--bind", path, path]
        for inside, outside in (overlay or {}).items():
            words += ["--bind", outside, inside]
        for place, size in (memory or {}).items():
            words += ["--size", str(size), "--tmpfs", place]
        for path in (Path("/etc/resolv.conf"), Path("/etc/hosts"), TRUST):
            if path.exists():
                words += ["--ro-bind", path.resolve(), path]
        words += ["--cap-add", "ALL", "--die-with-parent", "--clearenv"]
        settings = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "SSL_CERT_FILE": str(TRUST),
            **{name: os.environ[name] for name in (*NETWORK, *REGISTRIES) if name in os.environ},
            **(environment or {}),
        }
        for key, value in settings.items():
            words += ["--setenv", key, value]
        if cwd:
            words += ["--chdir", cwd]
        return [str(word) for word in [*words, "--", *command]]

    def run(
        self,
        command: Sequence[Argument],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        writable: Sequence[Path] = (),
        memory: Mapping[Path, int] | None = None,
        stdin: str | None = None,
        log: Path | None = None,
        hint: str = "",
    ) -> str:
        """Run `command` inside to its end; as builder.run.run."""
        inside = self.command(
            command, environment=environment, cwd=cwd, writable=writable, memory=memory
        )
        return run(inside, stdin=stdin, log=log, hint=hint)


def _packages(file: Path) -> str:
    lines = file.read_text().splitlines()
    return ",".join(line.strip() for line in lines if line.strip() and line[0] != "#")


def open_toolbox(address: str | None = None, *, offline: bool = False) -> Toolbox:
    """The toolbox of this checkout, made first where it does not exist yet; as `open_tree`."""
    backports = f'{PACKAGES / "backports"} "$1" {_packages(PACKAGES / "backports-packages")}'
    return open_tree(
        "toolbox",
        hash_of(PACKAGES),
        PACKAGES / "packages",
        ("usr/bin/mkosi", "usr/bin/qemu-system-x86_64", "usr/bin/go"),
        (f"--customize-hook={backports}",),
        address=address,
        offline=offline,
    )


def open_tree(
    name: str,
    key: str,
    packages: Path,
    needed: tuple[str, ...],
    more: tuple[str, ...] = (),
    *,
    address: str | None = None,
    offline: bool = False,
) -> Toolbox:
    """A Debian tree with the packages listed in the file `packages`, made where there is none yet.

    `more` goes to mmdebstrap. Raises MissingError where it would have to be made but `offline`
    forbids that, UsageError for a mirror address that is none, CommandError where mmdebstrap fails.
    """
    folder = cache_folder() / name / key
    whole = tuple(f"tree/{path}" for path in needed)
    tree = Toolbox(folder / "tree", key)
    if is_complete(folder, *whole):
        return tree
    with exclusive(name):
        if is_complete(folder, *whole):
            return tree
        if offline:
            raise MissingError(
                f"The {name} {key} is not in the cache, and --offline forbids making it.",
                "Run './ratssaal build' once with a network.",
            )
        require_space(folder, 6)
        source = mirror.choose(address)
        lines = source.sources("main") if source else []
        with step(f"Making the {name}"), new_entry(folder, *whole) as growing:
            command: list[Argument] = [*ALONE, "mmdebstrap", "--mode=root", "--variant=apt"]
            command += ["--format=directory", f"--include={_packages(packages)}"]
            for setting in ("path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*"):
                command += [f"--dpkgopt={setting}"]
            command += ['--aptopt=APT::Install-Recommends "false"', *more]
            command += [mirror.RELEASE, growing / "tree", *lines]
            try:
                run(command, log=cache_folder() / f"logs/{name}.log")
            except CommandError as error:
                raise CommandError(
                    f"The {name} could not be made.\n{error.message}",
                    "Check that the mirror is reachable and complete, or name one with --mirror; "
                    "then start again. Nothing half made was kept.",
                ) from error
            # systemd-nspawn asks on which machine it runs.
            (growing / "tree/etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    return tree
