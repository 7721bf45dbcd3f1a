"""Steps of the wizard and their fields, as data: a step asks, one template draws it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from firstboot.texts import Said, SaidError

Kind = Literal[
    "text", "password", "radio", "select", "textarea", "checkbox", "colour", "file", "app", "shown"
]  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One of several answers; `label` and `hint` are keys of texts, or words as they are."""

    value: str
    label: str | Said
    hint: str | Said = ""


@dataclass(frozen=True)
class App:
    """A secret for an authenticator app: `groups` to type, `picture` a QR code as a data URI."""

    secret: str
    groups: str
    picture: str


@dataclass(frozen=True)
class Field:
    """One question. Its words are `setup.STEP.NAME` and, where they exist, `…NAME_help`.

    hint: what stands there instead of the latter, where it needs values. more: folded away until
    somebody wants it, under the words `setup.STEP.FOLD`. The kind `shown` asks nothing, and is
    there to be copied. when: the key of words that say on which other answer it depends whether
    this one is needed; without them a question that is not required is anybody's choice.
    """

    name: str
    kind: Kind = "text"
    value: str = ""
    options: tuple[Option, ...] = ()
    required: bool = False
    more: bool = False
    fold: str = "more"
    autocomplete: str = "off"
    mode: str = "text"
    length: int = 200
    label: Said | None = None
    hint: Said | None = None
    app: App | None = None
    when: str = ""


@dataclass(frozen=True)
class Fold:
    """Questions that are folded away together, and whether they are open all the same."""

    name: str
    fields: tuple[Field, ...]
    open: bool


def folds(fields: list[Field], at_fault: str) -> list[Fold]:
    """What is folded away, in the order of its first questions; open where an answer is wrong."""
    found: dict[str, list[Field]] = {}
    for one in fields:
        if one.more:
            found.setdefault(one.fold, []).append(one)
    return [
        Fold(name, tuple(inside), any(one.name == at_fault for one in inside))
        for name, inside in found.items()
    ]


class FieldError(SaidError):
    """An answer that cannot be taken, and to which question it belongs."""

    def __init__(self, name: str, key: str, /, **values: object) -> None:
        super().__init__(key, **values)
        self.name = name


@dataclass(frozen=True)
class View:
    """What a step sees: the draft without secrets, facts of the box, and the person's language.

    address: from which address the person's browser asks; empty where that is not known.
    unanswered: before set-up the steps that nobody has answered yet.
    """

    language: str
    settings: dict[str, Any]
    secrets: frozenset[str]
    facts: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    unanswered: frozenset[str] = frozenset()


Answers = Mapping[str, str]


@dataclass(frozen=True)
class Note:
    """Something a step tells beside its questions: a sentence, and how weighty it is."""

    severity: Literal["good", "note", "problem"]
    said: Said


@dataclass(frozen=True)
class Letter:
    """A text that the clerk sends to somebody else."""

    name: str
    subject: str
    body: str


@dataclass(frozen=True)
class Step:
    """One page of the wizard.

    fields: its questions; take: the part of the settings that its answers make, or FieldError;
    look: facts of the box and its network, found in a thread of their own before anything is shown;
    notes and letters: what it tells; decisions: how many it asks of everybody, one at least;
    take_looks: whether taking the answers needs those facts, too.
    """

    name: str
    decisions: int
    fields: Callable[[View], list[Field]]
    take: Callable[[Answers, View], dict[str, Any]]
    notes: Callable[[View], list[Note]] = lambda _: []
    letters: Callable[[View], list[Letter]] = lambda _: []
    look: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}
    take_looks: bool = True
