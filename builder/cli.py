"""The command line: `./ratssaal VERB`, one function a verb, each thin over the module that does it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from builder import image, stack
from builder.errors import RatssaalError
from builder.progress import console, say

app = typer.Typer(
    name="ratssaal",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Turns a commodity computer into a town hall's own conferencing server.\n\n"
    "Begin with `./ratssaal demo`: it builds the image, starts it and holds a call on it.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage. Everything is made as root, in the cache folder "
    "($RATSSAAL_CACHE, else /var/cache/ratssaal) and in build/.",
)

StackName = Annotated[str, typer.Option("--stack", help="The conferencing stack in the image.")]
MirrorAddress = Annotated[
    str | None,
    typer.Option("--mirror", help="A Debian mirror, such as http://mirror.example/debian."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Use caches alone, or say what is missing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def show(result: object) -> None:
    """Print a result as JSON on standard output."""
    print(json.dumps(result, indent=2, default=str))  # noqa: T201


@app.callback()
def common() -> None:
    """Options that all verbs share: none yet, but the verbs stay verbs."""


@app.command()
def build(
    stack_name: StackName = stack.DEFAULT,
    mirror: MirrorAddress = None,
    offline: Offline = False,
    force: Annotated[bool, typer.Option("--force", help="Build anew although nothing changed.")] = False,
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


def main() -> None:
    """Run the command line; errors that a person can act on are one sentence and a hint."""
    try:
        app(standalone_mode=False)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except typer.Abort:
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("ratssaal: stopped.", style="red")
        sys.exit(1)
    except RatssaalError as error:
        console.print(f"ratssaal: {error.message}", style="red", markup=False)
        if error.hint:
            console.print(f"  {error.hint}", markup=False)
        sys.exit(error.exit_code)
    except typer._click.exceptions.ClickException as error:  # noqa: SLF001
        error.show()
        sys.exit(2)


if __name__ == "__main__":
    main()
