"""Takes over what was brought to the box before set-up: a code card, and an answers file.

With answers (YAML with the schema of the settings) a box sets itself up without a click, for a
district that prepares its boxes; with a code card it needs no screen. What is wrong with either
stands on the screen and in the journal, never with its values, and the box goes on without it.
"""

import subprocess
import sys
from collections.abc import Callable

import yaml
from pydantic import ValidationError

from firstboot import agent, seed
from firstboot.access import code_card
from firstboot.by_hand import ByHand
from firstboot.files import write_whole
from firstboot.install import choice, disks
from firstboot.install import state as install
from firstboot.screen.anew import ANSWERS_ERROR, redraw
from firstboot.settings import InstallDisk, Network, Settings, migrate, place_of
from firstboot.store import Draft, Store
from firstboot.texts import LANGUAGES, Said, SaidError

# What the library raises for a file that is no YAML, and for values that are not of their kind.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)


def read(content: bytes) -> Settings:
    """The settings in an answers file. Raises SaidError where there are none in it."""
    if len(content) > seed.LIMIT_BYTES:
        raise SaidError("answers.too_large", limit=seed.LIMIT_BYTES // 1000)
    try:
        found = yaml.safe_load(content)
    except UNREADABLE as error:
        mark = getattr(error, "problem_mark", None)
        raise SaidError("answers.not_yaml", line=mark.line + 1 if mark else 1) from error
    try:
        current = migrate(found) if isinstance(found, dict) else found
    except ValueError as error:
        raise SaidError("answers.not_accepted", answer="version") from error
    try:
        return Settings.model_validate(current)
    except ValidationError as error:
        raise SaidError("answers.not_accepted", answer=place_of(error) or "-") from error


def _take_card(content: bytes) -> None:
    if code_card.take(code_card.read(content)):
        redraw()


def _take_answers(content: bytes, store: Store) -> None:
    settings = read(content)
    if settings.box.install and _install(settings.box.install.disk):
        return
    Draft(store).begin(settings)
    agent.apply(store, Said("answers.who").text("de"))


def _install(wanted: InstallDisk) -> bool:
    """Begin to install where the box runs from a stick; False where it does not. Raises SaidError.

    The answers come into force on the disk, from which the box starts then.
    """
    known = disks.found()
    if not disks.from_stick(known):
        return False
    if install.read() is None:
        install.ask(choice.by_answers(known, wanted, disks.written), "anew", "restart")
    return True


def _take_draft(content: bytes, store: Store) -> None:
    try:
        Draft(store).carry(content)
    except ValueError as error:
        raise SaidError("seed.unreadable") from error


def _take_network(content: bytes, store: Store) -> None:
    """As if somebody had typed it at the box: it is tried, and taken back where it is no good."""
    try:
        wanted = Network.model_validate_json(content)
    except ValueError as error:
        raise SaidError("seed.unreadable") from error
    typed = ByHand(store.folder)
    if not (typed.network() or typed.wanted() or typed.refused()):
        typed.ask(wanted)
        converge = ["systemctl", "start", "--no-block", "ratssaal-converge.service"]
        subprocess.run(converge, check=True)


def _said(action: Callable[[], None]) -> list[Said]:
    """Do it; what is to be said where that does not work."""
    try:
        action()
    except SaidError as error:
        return [error.said]
    return []


def main() -> int:
    """Look for what was brought, and take it over."""
    store = Store()
    if store.numbers():
        return 0
    found: dict[str, bytes] = {}
    wrong = _said(lambda: found.update(seed.read()))
    # The card first: where the answers are not accepted, its code is wanted.
    if (card := found.get(seed.CODE_CARD)) is not None:
        wrong += _said(lambda: _take_card(card))
    if (draft := found.get(seed.DRAFT)) is not None:
        wrong += _said(lambda: _take_draft(draft, store))
    if (network := found.get(seed.NETWORK)) is not None:
        wrong += _said(lambda: _take_network(network, store))
    if (answers := found.get(seed.ANSWERS)) is not None:
        wrong += _said(lambda: _take_answers(answers, store))
    if not wrong:
        if ANSWERS_ERROR.exists():  # of another stick, before this one
            ANSWERS_ERROR.unlink()
            redraw()
        return 0
    lines = [one.text(language) for one in wrong for language in LANGUAGES]
    write_whole(ANSWERS_ERROR, "\n".join(lines) + "\n")
    print("\n".join(lines[1::2]), file=sys.stderr)  # noqa: T201
    redraw()
    return 1


if __name__ == "__main__":
    sys.exit(main())
