"""The command line: `./ratssaal VERB`, a function a verb, each thin over the module behind it."""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from builder import answers as answers_file
from builder import demo as demonstration
from builder import image, keys, stack, testrun
from builder import inspect as inspection
from builder.artifacts import open_artifacts
from builder.bench import measure
from builder.cache import exclusive
from builder.errors import CommandError, RatssaalError, UsageError
from builder.host import as_root, require_programs, require_root
from builder.machines import boot as boot_image
from builder.paths import build_folder, cache_folder
from builder.progress import console, say
from builder.stick import flash as flashing
from builder.stick import seed
from builder.toolbox import open_toolbox

# What lies in the cache folder. Only that is cleaned: the folder may hold keys or a person's own.
CACHES = (
    "bench",
    "browsers",
    "client",
    "go",
    "host",
    "initrd",
    "logs",
    "mkosi",
    "neighbours",
    "npm",
    "recorder",
    "recordings",
    "stacks",
    "toolbox",
)
# What is made under a lock of its own name; a stack under that of stack-NAME, all else under image.
LOCKED = ("browsers", "client", "host", "neighbours", "recorder", "recordings", "toolbox")

app = typer.Typer(
    name="ratssaal",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Turns a commodity computer into a town hall's own conferencing server.\n\n"
    "Begin with `./ratssaal demo`: it builds the image, starts it and holds a call on it.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage. Everything is made as root, in the cache "
    "folder ($RATSSAAL_CACHE, else /var/cache/ratssaal) and in build/.",
)

StackName = Annotated[str, typer.Option("--stack", help="The conferencing stack in the image.")]
MirrorAddress = Annotated[
    str | None,
    typer.Option("--mirror", help="A Debian mirror, such as http://mirror.example/debian."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Use caches alone, or say what is missing.")
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--answers", help="An answers file, with which the box sets itself up."),
]
CodeCard = Annotated[
    Path | None,
    typer.Option("--code-card", help="Write a card with the set-up code to this file, PDF."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


answers_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Prepare an answers file, with which a box sets itself up without a click.\n\n"
    "Examples:\n\n"
    "* `./ratssaal answers check answers.yaml` - is it in order?\n"
    "* `./ratssaal answers hash` - an administrator's password, as the file wants it",
)
app.add_typer(answers_app, name="answers")


def show(result: object) -> None:
    """Print a result as JSON on standard output."""
    print(json.dumps(result, indent=2, default=str, allow_nan=False))  # noqa: T201


def ask(question: str) -> str:
    """Show a question on standard error and give the answer; Ctrl-C stays Ctrl-C."""
    try:
        return str(typer.prompt(question, err=True))
    except typer.Abort as error:
        raise KeyboardInterrupt from error


@app.callback()
def common() -> None:
    """Options that all verbs share: none yet, but the verbs stay verbs."""


@app.command()
def build(
    stack_name: StackName = stack.DEFAULT,
    mirror: MirrorAddress = None,
    offline: Offline = False,
    force: Annotated[
        bool, typer.Option("--force", help="Build anew with the newest packages.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build the image into build/.

    Examples:

    * `./ratssaal build` - as usual; a second call with nothing changed takes a second
    * `./ratssaal build --mirror http://mirror.example/debian` - from your own mirror
    * `./ratssaal build --offline` - without a network, from what is cached
    """
    options = image.BuildOptions(stack=stack_name, mirror=mirror, offline=offline, force=force)
    built = image.build(options)
    if as_json:
        files = {path.name: path.stat().st_size for path in built.artifacts.all()}
        show({"folder": built.artifacts.folder, "fresh": built.fresh, "files": files})
    else:
        say(f"The image: {built.artifacts.raw}")
        say("Next: ./ratssaal demo holds a call on it; ./ratssaal inspect shows what is in it.")


@app.command()
def boot(
    place: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="An image's folder or version.")
    ] = None,
    container: Annotated[
        bool, typer.Option("--container", help="Services alone, in a container: within seconds.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Do not show the box's serial console here.")
    ] = False,
    shell: Annotated[
        bool,
        typer.Option(
            "--shell", help="Open a root shell, through a door made for this start alone."
        ),
    ] = False,
    tpm: Annotated[bool, typer.Option("--tpm", help="Give the machine a TPM 2.")] = False,
    set_up_mode: Annotated[
        bool, typer.Option("--set-up-mode", help="Firmware without keys: the image enrols its own.")
    ] = False,
    forward: Annotated[
        list[str] | None,
        typer.Option("--forward", help="HERE:BOX, a port of this machine and the box's."),
    ] = None,
    serial_log: Annotated[
        Path | None, typer.Option("--serial-log", help="Write the serial console to this file.")
    ] = None,
    answers: AnswersFile = None,
    code_card: CodeCard = None,
) -> None:
    """Start an image on a throw-away copy of its disk, until Ctrl-C.

    Examples:

    * `./ratssaal boot` - firmware, Secure Boot and all, in QEMU; shows the box's console
    * `./ratssaal boot --container --shell` - the services within seconds, and a root shell in them
    * `./ratssaal boot --headless --forward 8443:443` - its web page at https://127.0.0.1:8443
    * `./ratssaal boot --answers answers.yaml` - with a stick that sets it up
    * `./ratssaal boot --code-card card.pdf` - as a box without a screen: the code is on the card
    """
    if container:
        machines_own = {
            "--headless": headless,
            "--tpm": tpm,
            "--set-up-mode": set_up_mode,
            "--forward": forward,
            "--serial-log": serial_log,
        }
        if given := [name for name, value in machines_own.items() if value]:
            raise UsageError(
                f"A container has no {given[0]}: firmware, console and ports are a machine's.",
                "Leave that option away, or --container.",
            )
    require_root()
    found = open_artifacts(inspection.locate(place) if place else None)
    options = boot_image.BootOptions(
        container=container,
        headless=headless,
        shell=shell,
        tpm=tpm,
        set_up_mode=set_up_mode,
        forward=tuple(boot_image.parse_forward(one) for one in forward or []),
        serial_log=serial_log,
        seed=seed.prepare(answers, code_card),
    )
    require_programs()
    boot_image.boot(found, open_toolbox(), options)


@app.command()
def demo(
    stack_name: StackName = stack.DEFAULT,
    mirror: MirrorAddress = None,
    offline: Offline = False,
    exit_after: Annotated[
        bool, typer.Option("--exit", help="End after the call, for scripts: 0 where it was held.")
    ] = False,
    container: Annotated[
        bool, typer.Option("--container", help="Services alone, in a container: within seconds.")
    ] = False,
    answers: AnswersFile = None,
    code_card: CodeCard = None,
    as_json: AsJson = False,
) -> None:
    """Build the image, start it, hold a call on it, and say how to reach it.

    Examples:

    * `./ratssaal demo` - stays up until Ctrl-C
    * `./ratssaal demo --exit --json` - for scripts: the figures, and the exit code
    * `./ratssaal demo --answers answers.yaml` - on a box that has set itself up
    """
    options = image.BuildOptions(stack=stack_name, mirror=mirror, offline=offline)
    brought = seed.prepare(answers, code_card)
    with demonstration.demo(options, brought, container=container) as shown:
        if as_json:
            show(
                {
                    "address": shown.address,
                    "frames": shown.held.frames,
                    "moving": shown.held.moving,
                    "picture": shown.picture,
                    "accelerator": shown.accelerator,
                    "administration": shown.administration,
                    "meeting": shown.meeting,
                }
            )
        demonstration.report(shown)
        if not exit_after:
            boot_image.stay()


@app.command()
def flash(
    place: Annotated[
        str,
        typer.Argument(metavar="IMAGE", help="An image's folder, version, .raw or .raw.zst."),
    ],
    device: Annotated[
        Path | None, typer.Argument(metavar="DEVICE", help="The stick, such as /dev/sdb.")
    ] = None,
    answers: AnswersFile = None,
    code_card: CodeCard = None,
    network: Annotated[
        Path | None,
        typer.Option(
            "--network", help="The box's network: what stands below `network` in an answers file."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; only with --serial.")] = False,
    serial: Annotated[
        str | None, typer.Option("--serial", help="The stick's serial number; no other is written.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write an image to a USB stick or memory card, and read it back.

    Lists the sticks and asks which one is meant where none is named; never writes to another kind
    of disk. All that is on the stick is lost. Ends with 130 after Ctrl-C.

    Examples:

    * `./ratssaal flash build/ratssaal_1.2.3` - lists the sticks, asks, writes, reads back
    * `./ratssaal flash 1.2.3 /dev/sdb` - build/ratssaal_1.2.3 to this one
    * `./ratssaal flash ratssaal_1.2.3.raw.zst --yes --serial 4C530001` - for scripts
    * `./ratssaal flash 1.2.3 --answers answers.yaml` - a box that sets itself up
    * `./ratssaal flash 1.2.3 --code-card card.pdf` - for a box without a screen
    * `./ratssaal flash 1.2.3 --code-card card.pdf --network net.yaml` - and without DHCP
    """
    options = flashing.FlashOptions(
        inspection.locate(place), device, answers, code_card, network, yes, serial
    )
    disk, written = flashing.flash(options, ask if sys.stdin.isatty() else None)
    if as_json:
        show(
            {
                "device": disk.path,
                "model": disk.name,
                "serial": disk.serial,
                "bytes": written.count,
                "seconds": {"writing": written.writing, "reading": written.reading},
                "code_card": code_card,
            }
        )
    else:
        flashing.report(options, disk)


@app.command()
def test(
    stages: Annotated[
        list[str] | None, typer.Argument(metavar="[STAGE]...", help=f"{', '.join(testrun.STAGES)}.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the long ones.")] = False,
    select: Annotated[str, typer.Option("-k", help="Only tests whose name matches.")] = "",
    verbose: Annotated[bool, typer.Option("-v", help="Name each test.")] = False,
) -> None:
    """Run all tests, or some stages of them, cheapest first.

    Examples:

    * `./ratssaal test` - everything that a change has to pass
    * `./ratssaal test unit` - seconds: code and linters, no image needed
    * `./ratssaal test box -k ready -v` - one test in a container
    """
    options = testrun.TestOptions(tuple(stages or testrun.STAGES), everything, select, verbose)
    testrun.run(options)


@app.command()
def inspect(
    place: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="An image's folder or version.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Another image: show what differs from it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in an image: sizes, package versions, keys; or how it differs from another.

    Examples:

    * `./ratssaal inspect` - this checkout's own image
    * `./ratssaal inspect --against 1.2.3` - what changed since build/ratssaal_1.2.3
    * `./ratssaal inspect --json | jq .packages` - for scripts
    """
    require_root("it reads the image with the toolbox's programs")
    artifacts = open_artifacts(inspection.locate(place) if place else None)
    others = open_artifacts(inspection.locate(against)) if against else None
    require_programs()
    toolbox = open_toolbox()
    report = inspection.inspect(artifacts, toolbox)
    if others:
        found = inspection.differences(inspection.inspect(others, toolbox), report)
        show(found) if as_json else inspection.show_differences(found)
        return
    show(vars(report)) if as_json else inspection.show(report)
    if report.wrong_sums:
        raise CommandError(
            f"Changed since it was built: {', '.join(report.wrong_sums)}.",
            "Do not give it away. Build again: ./ratssaal build --force",
        )


@app.command("keys")
def keys_verb(
    make: Annotated[
        bool, typer.Option("--make", help="Make them where there are none yet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the builder's own keys, or make them. Private keys never leave their folder.

    Examples:

    * `./ratssaal keys` - where they lie, what they sign, their fingerprints
    * `./ratssaal keys --make` - before the first build, to make a safe copy at once
    """
    pairs = keys.ensure_pairs() if make else keys.existing_pairs()
    facts = [
        {
            "purpose": pair.purpose,
            "certificate": str(pair.certificate),
            "sha256": pair.fingerprint(),
            "valid_until": pair.load().not_valid_after_utc.date().isoformat(),
            "use": keys.PURPOSES[pair.purpose],
        }
        for pair in pairs.values()
    ]
    if as_json:
        show(facts)
        return
    if not facts:
        say(
            f"No keys in {keys.keys_folder()} yet: the first build makes them, "
            "or ./ratssaal keys --make."
        )
    for fact in facts:
        say(f"{fact['purpose']}: {fact['use']}")
        say(f"    {fact['certificate']}, valid until {fact['valid_until']}")
        say(f"    SHA-256 {fact['sha256']}")


@app.command()
def lock(
    stack_name: StackName = stack.DEFAULT,
    to: Annotated[str, typer.Option("--to", help="A version, such as v1.2.3.")] = "latest",
    mirror: MirrorAddress = None,
) -> None:
    """Raise a conferencing stack's version in its lock file; the old one stays where that fails.

    Examples:

    * `./ratssaal lock` - to the newest version
    * `./ratssaal lock --to v1.2.3` - to a certain one
    """
    require_root()
    chosen = stack.choose(stack_name)
    require_programs()
    old, new = stack.raise_version(chosen, open_toolbox(mirror), to)
    say(f"{stack_name}: {old} -> {new}" if old != new else f"{stack_name} stays at {old}.")


@app.command()
def bench(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUBJECT]...", help=f"{', '.join(measure.SUBJECTS)}."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 where a goal falls short.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure speed and size; speed as a ratio to a floor taken in the same run.

    Examples:

    * `./ratssaal bench size` - sizes of image and initrd
    * `./ratssaal bench flash` - writing a stick, beside bmaptool and dd
    * `./ratssaal bench build boot --check` - and say at the end which goals fall short
    """
    figures = measure.measure(subjects or list(measure.SUBJECTS))
    show([one.content() for one in figures]) if as_json else measure.show(figures)
    if check and not all(one.met for one in figures):
        raise CommandError(measure.short_of_goals(figures))


@answers_app.command("check")
def answers_check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An answers file, YAML.")],
    as_json: AsJson = False,
) -> None:
    """Check an answers file by the rules of the box: all that is wrong, with line and column.

    Examples:

    * `./ratssaal answers check docs/answers-example.yaml` - an example to begin with
    * `./ratssaal answers check answers.yaml --json | jq .problems` - for scripts
    """
    checked = answers_file.check(file)
    number = len(checked.problems)
    if as_json:
        problems = [vars(one) for one in checked.problems]
        show({"file": file, "answers": checked.answers, "problems": problems})
    else:
        for line in checked.lines():
            typer.echo(line)
    if number:
        raise CommandError(
            f"{file} has {number} {'problem' if number == 1 else 'problems'}.",
            "docs/answers-example.yaml explains every answer.",
        )
    if not as_json:
        say(f"{file} is in order: {checked.answers} answers.")


@answers_app.command("hash")
def answers_hash() -> None:
    """Print the hash of an administrator's password, for an answers file.

    Asks for the password twice without showing it; where standard input is no terminal, takes its
    first line.

    Examples:

    * `./ratssaal answers hash` - prints what belongs after `password:`
    * `pass show town-hall | ./ratssaal answers hash` - from a password store
    """
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
    else:
        line = sys.stdin.buffer.readline(4096)
        password = line.decode(errors="surrogateescape").rstrip("\r\n")
    typer.echo(answers_file.hash_password(password))


@app.command()
def clean(
    caches: Annotated[
        bool, typer.Option("--caches", help="Also the caches: toolbox, packages, compiled stacks.")
    ] = False,
) -> None:
    """Take away what was built; keys are never touched.

    Examples:

    * `./ratssaal clean` - the images in build/
    * `./ratssaal clean --caches` - everything that can be made again
    """
    require_root()
    stacks = sorted(one.name for one in (cache_folder() / "stacks").glob("*")) if caches else []
    with contextlib.ExitStack() as held:
        # In the order in which a build takes them.
        for lock in ("image", *(LOCKED if caches else ()), *(f"stack-{one}" for one in stacks)):
            held.enter_context(exclusive(lock))
        made = [build_folder() / "screens", *build_folder().glob("ratssaal_*")]
        made += build_folder().glob(".ratssaal_*")
        made += [cache_folder() / name for name in CACHES] if caches else []
        for folder in made:
            if folder.exists():
                shutil.rmtree(folder)
                say(f"Removed {folder}.")


def main() -> None:
    """Run the command line; errors that a person can act on are one sentence and a hint."""
    try:
        app(prog_name="./ratssaal")
    except RatssaalError as error:
        _end(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        denied = isinstance(error, PermissionError) and os.geteuid() != 0
        hint = as_root() if denied else "Put that right, then start again."
        _end(RatssaalError(f"{where}{error.strerror or error}.", hint))


def _end(error: RatssaalError) -> NoReturn:
    console.print(f"ratssaal: {error.message}", style="red", markup=False, soft_wrap=True)
    if error.hint:
        console.print(f"  {error.hint}", markup=False, soft_wrap=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
