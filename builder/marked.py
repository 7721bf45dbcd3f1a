"""Reads YAML and remembers where each value stands, so that what is wrong has a line and a column.

Bounded for files of any origin: size, number of values with every alias written out, and depth. No
message quotes the file: any value may be a secret in the wrong place.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_BYTES = 1024 * 1024
MOST_VALUES = 10_000  # with every alias written out
MOST_LEVELS = 30
SCALARS = ("str", "int", "float", "bool", "null")
TOO_MUCH = "Too many values in the file, or too deep in each other."
ESCAPE = "After \\ stands something that YAML does not know; within single quotes a \\ is itself."
# By what PyYAML complains of, the most certain first. Its own words would quote the file.
COMPLAINTS = {
    r"'\t'": "A tab stands here; YAML is indented with spaces alone.",
    "mapping values are not allowed": "The indentation does not fit the lines above, or a text with"
    " a colon in it needs quotes.",
    "could not find expected ':'": "A colon is missing after a key, or the indentation is wrong.",
    "undefined alias": "No anchor of this name stands above; a text that begins with * needs "
    "quotes.",
    "duplicate anchor": "An anchor of this name stands above already.",
    "expected alphabetic or numeric": "A text that begins with & or * needs quotes.",
    "expected a single document": "A second document begins here; the file has to hold one alone.",
    "expected ',' or": "A bracket is opened and not closed, or a comma is missing.",
    "expected <block end>": "The indentation does not fit the lines above, or a closing quote is "
    "followed by more.",
    "entries are not allowed": "A list cannot begin here; its first dash needs a line of its own.",
    "escape": ESCAPE,
    "quoted scalar": "A quote is opened here and not closed.",
    "block scalar": "After | or > the line ends; a text that begins with one of them needs quotes.",
    "tag": "A text that begins with ! needs quotes.",
    "directive": "A text that begins with % needs quotes.",
    "cannot start any token": "A text that begins with this character needs quotes.",
}
OTHERWISE = "This is not YAML: look at indentation, colons, quotes and brackets."

# The way to a value: keys, and numbers from 0 in lists.
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Mark:
    """A place in a text; line and column count from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class Fault:
    """What is wrong with a text as YAML, where, and at which value."""

    mark: Mark
    sentence: str
    place: Place = ()


class _UnreadableError(Exception):
    """What keeps all of a text from being read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


class _Loader(yaml.SafeLoader):
    """Composes nodes, not too many and not too deep. Those of aliases stand where the alias is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.level = 0
        self.number = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.level += 1
        self.number += 1
        if self.level > MOST_LEVELS or self.number > MOST_VALUES:
            raise _UnreadableError(Fault(_mark(event.start_mark), TOO_MUCH))
        node = super().compose_node(parent, index)
        self.level -= 1
        if node is not None and isinstance(event, yaml.AliasEvent):
            start: Any = event.start_mark
            return type(node)(node.tag, node.value, start, start)
        return node


def _mark(found: Any) -> Mark:
    return Mark(found.line, found.column) if found else Mark(0, 0)


def _end_of(text: str) -> Mark:
    return Mark(text.count("\n"), len(text) - text.rfind("\n") - 1)


def _compose(data: bytes) -> Any:
    """The root node, None where there is none. Raises _UnreadableError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        fault = Fault(_end_of(before), "This file is not text in UTF-8; save it as that.")
        raise _UnreadableError(fault) from error
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        fault = Fault(_end_of(text[: error.position]), "A character that cannot be seen is here.")
        raise _UnreadableError(fault) from error
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        words = f"{error.problem} {error.context}"
        sentence = next((text for sign, text in COMPLAINTS.items() if sign in words), OTHERWISE)
        # What is never closed is looked for where it was opened.
        opened = error.context_mark if "end of stream" in words else None
        fault = Fault(_mark(opened or error.problem_mark or error.context_mark), sentence)
        raise _UnreadableError(fault) from error
    except (ValueError, OverflowError) as error:  # an escape beyond Unicode, "\U00110000"
        raise _UnreadableError(Fault(_mark(loader.get_mark()), ESCAPE)) from error


@dataclass
class Marked:
    """A YAML text that was read: its content, where each value and key stands, and its faults.

    content: None, booleans, numbers, texts, lists and mappings with keys of text; None also for a
    value that is at fault, whose place is in `unread`. answers: how many values there are that
    hold no others.
    """

    content: Any = None
    values: dict[Place, Mark] = field(default_factory=dict)
    keys: dict[Place, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unread: set[Place] = field(default_factory=set)
    answers: int = 0
    whole: bool = False

    @classmethod
    def read(cls, data: bytes) -> "Marked":
        """Read a text in UTF-8. Where that ends early, `whole` is False and a fault says why."""
        marked = cls()
        try:
            if len(data) > MOST_BYTES:
                raise _UnreadableError(Fault(Mark(0, 0), "The file is larger than 1 MiB."))
            node = _compose(data)
            if node is None:
                raise _UnreadableError(Fault(Mark(0, 0), "Nothing stands in the file."))
            marked.content = marked._value(node, ())
            marked.whole = True
        except _UnreadableError as error:
            marked.faults.append(error.fault)
        return marked

    def _value(self, node: Any, place: Place) -> Any:
        self.values[place] = _mark(node.start_mark)
        if len(self.values) > MOST_VALUES or len(place) > MOST_LEVELS:
            raise _UnreadableError(Fault(_mark(node.start_mark), TOO_MUCH))
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self._value(one, (*place, number)) for number, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and kind in SCALARS:
            return self._scalar(node, place)
        self._unread(node, "YAML takes this for something else than a text; quotes help.", place)
        return None

    def _unread(self, node: Any, sentence: str, place: Place) -> None:
        self.unread.add(place)
        self._fault(node, sentence, place)

    def _fault(self, node: Any, sentence: str, place: Place) -> None:
        self.faults.append(Fault(_mark(node.start_mark), sentence, place))

    def _mapping(self, node: Any, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                self._fault(key, "A key is a word here; YAML takes this for something else.", place)
            elif key.value in found:
                line = self.keys[(*place, key.value)].line + 1
                sentence = f"This key stands in line {line} already; one of them has to go."
                self._fault(key, sentence, (*place, key.value))
            else:
                self.keys[(*place, key.value)] = _mark(key.start_mark)
                found[key.value] = self._value(item, (*place, key.value))
        return found

    def _scalar(self, node: Any, place: Place) -> Any:
        self.answers += 1
        try:
            node.value.encode()
            return yaml.constructor.SafeConstructor().construct_object(node)
        except UnicodeEncodeError:
            self._unread(node, "Half a character stands in this text.", place)
        except (ValueError, KeyError):
            self._unread(node, "This begins like a number and is none; quotes help.", place)
        return None
