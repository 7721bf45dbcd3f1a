"""The conferencing stacks: their lock files, and the build step of those that are compiled.

A stack is a profile of the image. Its lock file lies in images/stacks/NAME/: go.mod and go.sum for
one that is a Go program. The result is cached by the hash of lock and toolbox.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from builder.cache import exclusive, hash_of, is_complete, new_entry
from builder.errors import CommandError, MissingError, UsageError
from builder.paths import IMAGES, PROJECT, STACKS, cache_folder
from builder.progress import step
from builder.toolbox import Toolbox

DEFAULT = "livekit"


@dataclass(frozen=True)
class Stack:
    """A conferencing stack: its profile's name and its lock."""

    name: str
    lock: Path

    def tool(self) -> tuple[str, str, str]:
        """Package, module and version of the Go program that go.mod names as its tool."""
        package = module = version = ""
        for line in (self.lock / "go.mod").read_text().splitlines():
            words = line.split()
            if words[:1] == ["tool"]:
                package = words[1]
        for line in (self.lock / "go.mod").read_text().splitlines():
            words = [word for word in line.split() if word != "require"]
            if len(words) >= 2 and words[1].startswith("v") and package.startswith(words[0] + "/"):
                module, version = words[0], words[1]
        return package, module, version


def stacks() -> dict[str, Stack]:
    """All stacks that this checkout can build."""
    names = sorted(path.name for path in (IMAGES / "mkosi.profiles").iterdir() if path.is_dir())
    return {name: Stack(name, STACKS / name) for name in names}


def choose(name: str) -> Stack:
    """The stack `name`. Raises UsageError where there is none of that name."""
    known = stacks()
    if name not in known:
        raise UsageError(
            f"There is no conferencing stack {name!r}.", f"Known are: {', '.join(known)}."
        )
    return known[name]


def _go_environment(toolbox: Toolbox, offline: bool) -> dict[str, str]:
    environment = {
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache_folder() / "go/build"),
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOMODCACHE": str(cache_folder() / "go/modules"),
        "GOTOOLCHAIN": "local",
    }
    return {**environment, "GOPROXY": "off"} if offline else environment


def _program(module: str) -> str:
    """What the program of `module` is called: its last part that is not a major version."""
    return next(part for part in module.split("/")[::-1] if not re.fullmatch(r"v\d+", part))


def build(stack: Stack, toolbox: Toolbox, *, offline: bool = False) -> Path:
    """A folder with the stack's compiled programs, laid out as they go over the image's tree.

    Raises CommandError where a module's checksum differs from the lock or it does not compile.
    """
    key = hash_of(stack.lock, toolbox.key)
    folder = cache_folder() / "stacks" / stack.name / key
    package, module, version = stack.tool()
    program = f"tree/usr/lib/ratssaal/stack/{_program(module)}"
    licences = f"tree/usr/share/doc/{stack.name}/copyright"
    if is_complete(folder, program, licences):
        return folder / "tree"
    with exclusive(f"stack-{stack.name}"):
        if is_complete(folder, program, licences):
            return folder / "tree"
        compiling = step(f"Compiling {module} {version}")
        with compiling, new_entry(folder, program, licences) as growing:
            (growing / program).parent.mkdir(parents=True)
            environment = _compile(stack, toolbox, package, growing / program, offline)
            notices = growing / licences
            notices.parent.mkdir(parents=True)
            notices.write_text(_licences(stack, toolbox, package, environment))
    return folder / "tree"


def build_own(stack: Stack, toolbox: Toolbox) -> Path:
    """A Go program of the project's own, whose source lies beside its lock; as `build`."""
    folder = cache_folder() / "stacks" / stack.name / hash_of(stack.lock, toolbox.key)
    if not is_complete(folder, stack.name):
        with exclusive(f"stack-{stack.name}"):
            if not is_complete(folder, stack.name):
                with step(f"Compiling {stack.name}"), new_entry(folder, stack.name) as growing:
                    _compile(stack, toolbox, ".", growing / stack.name, offline=False)
    return folder / stack.name


def _compile(
    stack: Stack, toolbox: Toolbox, package: str, program: Path, offline: bool
) -> dict[str, str]:
    """Compile `package` into the file `program`; the environment that Go had for it."""
    command = ["go", "build", "-ldflags", "-s -w", "-o", str(program), package]
    log = cache_folder() / f"logs/stack-{stack.name}.log"
    environment = _go_environment(toolbox, offline)
    try:
        toolbox.run(
            command, environment=environment, cwd=stack.lock, log=log, writable=[program.parent]
        )
    except CommandError as error:
        raise _explained(error, stack, offline) from error
    return environment


def _licences(stack: Stack, toolbox: Toolbox, package: str, environment: dict[str, str]) -> str:
    """The licences and notices of all modules in the program, as their authors ask for them."""
    wanted = "{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}"
    listed = toolbox.run(
        ["go", "list", "-deps", "-f", wanted, package], environment=environment, cwd=stack.lock
    )
    parts = []
    for line in sorted(set(listed.splitlines()) - {""}):
        name, _, place = line.partition("\t")
        files = [
            path
            for path in sorted(Path(place).glob("*"))
            if path.name.upper().startswith(("LICEN", "NOTICE", "COPYING")) and path.is_file()
        ]
        texts = [f"--- {path.name}\n{path.read_text(errors='replace')}" for path in files]
        parts.append(f"{'=' * 78}\n{name}\n" + "\n".join(texts))
    return "\n".join(parts)


def _explained(error: CommandError, stack: Stack, offline: bool) -> CommandError | MissingError:
    if "checksum mismatch" in error.message or "SECURITY ERROR" in error.message:
        # The tests' own programs are compiled here as well, from locks in other places.
        sums = stack.lock / "go.sum"
        shown = sums.relative_to(PROJECT) if sums.is_relative_to(PROJECT) else sums
        return CommandError(
            f"A module of {stack.name} is not the one in its lock file: its checksum differs.\n"
            f"{error.message}",
            f"Nothing was built. If {shown} was edited, restore it; "
            "otherwise somebody changed the module on its way to you.",
        )
    if offline and "GOPROXY=off" in error.message:
        return MissingError(
            f"Modules of {stack.name} are not in the cache, and --offline forbids fetching them.",
            "Run './ratssaal build' once with a network.",
        )
    return CommandError(f"{stack.name} could not be compiled.\n{error.message}", error.hint)


def raise_version(stack: Stack, toolbox: Toolbox, wanted: str = "latest") -> tuple[str, str]:
    """Move the lock to version `wanted`; returns the old and the new version.

    The old lock stays where the new one cannot be resolved or does not compile.
    """
    before = {file: file.read_bytes() for file in (stack.lock / "go.mod", stack.lock / "go.sum")}
    _, module, old = stack.tool()
    environment = {**_go_environment(toolbox, False), "GOFLAGS": "-mod=mod"}
    try:
        for command in (["go", "get", f"{module}@{wanted}"], ["go", "mod", "tidy"]):
            toolbox.run(command, environment=environment, cwd=stack.lock)
        build(stack, toolbox)
    except BaseException as error:
        for file, content in before.items():
            file.write_bytes(content)
        if not isinstance(error, CommandError):
            raise
        raise CommandError(
            f"{module}@{wanted} cannot be used; the lock stays at {old}.\n{error.message}",
            "A version that replaces modules by forks cannot be compiled so: choose an older one.",
        ) from error
    return old, stack.tool()[2]
