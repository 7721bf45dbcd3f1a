"""Checks an answers file on the engineer's machine, by the rules that the settings on the box have.

The rules are read as data, firstboot/answers.schema.json: JSON Schema 2020-12 with `x-different`
(keys whose values differ), `x-inside` (an address in the network of another), `x-unique` (a key
by which entries of a list differ) and `x-needed` (the way to a list that may not be empty). Values
are never in a message, since any may be a secret.
"""

import difflib
import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from builder.errors import UsageError
from builder.marked import MOST_BYTES, Fault, Marked, Place
from builder.paths import PROJECT

SCHEMA = PROJECT / "firstboot/answers.schema.json"
# Keys that nobody knows are shown where they look like keys, and never like a secret out of place.
WORD = re.compile(r"[a-z][a-z_]{0,29}")
WANTED = {
    "array": "a list, each entry after a dash",
    "integer": "a whole number without quotes",
    "object": "keys with values, each on a line of its own",
}
NOT_WITHOUT = "a box that nobody could administer does not set itself up."
PASSWORD_LENGTH = (10, 256)  # characters; the wizard asks for as many
# RFC 9106, section 4, second recommended option, with two lanes: the smallest box has two cores.
HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=2, hash_len=32, salt_len=16)


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong at a place of the file; line and column count from 1."""

    line: int
    column: int
    path: str
    sentence: str


@dataclass(frozen=True)
class Checked:
    """An answers file that was looked at: how many answers it holds, and its problems in order."""

    file: Path
    answers: int
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        """Each problem as `FILE:LINE:COLUMN: path: sentence`."""
        return [
            f"{self.file}:{one.line}:{one.column}: {one.path}: {one.sentence}"
            for one in self.problems
        ]


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    # ECMA 262, which JSON Schema refers to, takes $ for the end alone; Python also for what is
    # before a last line break.
    signs = r"\\.|\[(?:\\.|[^\]\\])*\]|\$"
    python = re.sub(signs, lambda one: r"\Z" if one[0] == "$" else one[0], pattern)
    if isinstance(instance, str) and not re.search(python, instance):
        yield ValidationError("does not fit")


def _different(_: Any, keys: list[str], instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        values = [instance.get(key, schema["properties"][key].get("default")) for key in keys]
        texts = [value.lower() for value in values if isinstance(value, str)]
        if len(set(texts)) < len(texts):
            last = [key for key in keys if key in instance][-1:]
            yield ValidationError(f"{' and '.join(keys)} have to differ.", path=last)


def _unique(_: Any, key: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    seen: set[str] = set()
    for number, entry in enumerate(instance if isinstance(instance, list) else []):
        value = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(value, str) and value.strip().casefold() in seen:
            yield ValidationError(f"An entry above has the same {key}.", path=[number, key])
        elif isinstance(value, str):
            seen.add(value.strip().casefold())


def _needed(_: Any, way: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    place: list[str] = []
    for key in way:
        if not isinstance(instance, dict):
            return
        if key not in instance:
            break
        instance = instance[key]
        place.append(key)
    if len(place) < len(way) or instance == []:
        sentence = f"At least one entry is missing at {'.'.join(way)}: {NOT_WITHOUT}"
        yield ValidationError(sentence, path=place)


def _inside(_: Any, pairs: dict[str, str], instance: Any, __: Any) -> Iterator[ValidationError]:
    for one, whole in pairs.items() if isinstance(instance, dict) else ():
        try:
            address = ipaddress.ip_address(str(instance.get(one)))
            network = ipaddress.ip_interface(str(instance.get(whole))).network
        except ValueError:
            continue
        # Routers of IPv6 have addresses of the link, too (RFC 4861, section 6.1.2).
        near = address.version == network.version == 6 and address.is_link_local
        if address not in network and not near:
            yield ValidationError(f"This lies outside of the network of {whole}.", path=[one])


def _rsa_public_key(text: str) -> object:
    try:
        key = load_pem_public_key(text.encode())
    except UnsupportedAlgorithm:
        return None
    return key if isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 8192 else None


def _formats() -> FormatChecker:
    checks: dict[str, Callable[[str], object]] = {
        "ipvanyaddress": ipaddress.ip_address,
        "ipvanyinterface": ipaddress.ip_interface,
        "ipvanynetwork": ipaddress.ip_network,
        "rsa-public-key": _rsa_public_key,
        "printable": lambda text: text.isprintable() or None,
    }
    formats = FormatChecker(formats=())

    def add(name: str, check_text: Callable[[str], object]) -> None:
        @formats.checks(name, raises=ValueError)
        def _(instance: object) -> bool:
            return not isinstance(instance, str) or check_text(instance) is not None

    for name, check_text in checks.items():
        add(name, check_text)
    return formats


FORMATS = _formats()
KEYWORDS = {
    "pattern": _pattern,
    "x-different": _different,
    "x-inside": _inside,
    "x-needed": _needed,
    "x-unique": _unique,
}
# JSON Schema takes 1.0 for an integer, the box does not.
TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, one: type(one) is int)
RULES: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, KEYWORDS, type_checker=TYPES
)


# Errors are those of jsonschema, whose types leave open whether they are set; here they are.


def _known_words(schema: dict[str, Any]) -> set[str]:
    models = [schema, *schema.get("$defs", {}).values()]
    return {key for model in models for key in model.get("properties", {})}


def _found(value: object) -> str:
    if value is None:
        return (
            "nothing stands here. Without an answer leave the line out; what begins with # "
            "needs quotes."
        )
    if isinstance(value, bool | int | float):
        kind = "true or false" if isinstance(value, bool) else "a number"
        return f"YAML takes this for {kind}. Put it in quotes."
    kind = "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "keys"
    return f"this is {kind}."


def _sentence(error: Any) -> str:
    """What a broken rule about one value asks for, without the value."""
    rule, value, wanted = error.validator_value, error.instance, error.schema.get("description")
    match error.validator:
        case "type":
            word = WANTED.get(str(rule)) or wanted or "a text"
            found = _found(value)
            if rule != "string":
                found = found.removesuffix(" Put it in quotes.")
            return f"Wanted here: {word}; {found}"
        case "enum" | "const":
            words = [str(one) for one in (rule if isinstance(rule, list) else [rule])]
            near = _near(str(value).lower(), words)
            one_of = "one of " if len(words) > 1 else ""
            return f"Wanted here: {one_of}{', '.join(words)}.{near}"
        case "maxLength":
            return f"At most {rule} characters fit here; these are {len(value)}."
        case "minLength":
            return f"At least {rule} characters are wanted here; these are {len(value)}."
        case "minimum":
            return f"The smallest number that is possible here is {rule}."
        case "maximum":
            return f"The largest number that is possible here is {rule}."
        case "anyOf":
            words = [one["description"] for one in rule if "description" in one]
            return f"Wanted here: {'; or '.join(words)}."
        case str(name) if name.startswith("x-"):
            return str(error.message)
    return f"Wanted here: {wanted or 'something else'}."


def _near(text: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(text[:50], words, 1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _explain(error: Any, marked: Marked) -> Iterator[Fault]:
    """What an error of jsonschema comes down to: a fault for each place that it is about."""
    place: Place = tuple(error.absolute_path)
    rules = error.schema.get("properties", {})
    if error.validator == "additionalProperties":
        for key in error.instance:
            if key not in rules:
                more = _near(key, rules) or f" Known here: {', '.join(rules)}."
                sentence = f"This key is not known.{more}"
                yield Fault(marked.keys[(*place, key)], sentence, (*place, key))
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                about = rules.get(key, {}).get("description") or error.schema.get("description")
                yield Fault(marked.values[place], f"This is missing: {about}.", (*place, key))
    elif error.validator == "anyOf" and len(_kinds(error)) == 1:
        for inner in error.context or ():
            if inner.schema_path[0] in _kinds(error):
                yield from _explain(inner, marked)
    else:
        yield Fault(marked.values[place], _sentence(error), place)


def _kinds(error: Any) -> list[int]:
    """Which of the ways that an anyOf leaves open are more than to say nothing."""
    return [n for n, one in enumerate(error.validator_value) if one != {"type": "null"}]


def _way(place: Place, words: set[str]) -> str:
    """A place as `box.network.dns[0]`; keys that the schema does not know only at its end."""
    way = ""
    for number, one in enumerate(place):
        if isinstance(one, int):
            way += f"[{one}]"
        else:
            last = number == len(place) - 1 and WORD.fullmatch(one)
            way += f".{one}" if one in words or last else ".…"
    return way.lstrip(".") or "answers"


def check(file: Path, schema: Path = SCHEMA, part: str | None = None) -> Checked:
    """Look at an answers file; all its problems in the order of its lines.

    part: the schema's name for a part of the answers, where the file holds that alone. Raises
    UsageError where it cannot be read. Nothing beyond 1 MiB or 10,000 values is looked at.
    """
    try:
        with file.open("rb") as opened:
            marked = Marked.read(opened.read(MOST_BYTES + 1))
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}.",
            "Name an answers file, such as docs/answers-example.yaml.",
        ) from error
    rules = json.loads(schema.read_text())
    if part:
        rules = {"$defs": rules["$defs"], **rules["$defs"][part]}
    found: dict[Place, Fault] = {}
    for broken in RULES(rules, format_checker=FORMATS).iter_errors(marked.content):
        for fault in _explain(broken, marked) if marked.whole else ():
            if fault.place not in marked.unread:
                found.setdefault(fault.place, fault)
    words = _known_words(rules)
    problems = sorted(
        Problem(one.mark.line + 1, one.mark.column + 1, _way(one.place, words), one.sentence)
        for one in (*marked.faults, *found.values())
    )
    return Checked(file, marked.answers, tuple(problems))


def hash_password(password: str) -> str:
    """The Argon2id hash of an administrator's password, in the PHC string format.

    Prepared as RFC 8265, section 4.2 says, as the box does. Raises UsageError for a password that
    is shorter than 10 or longer than 256 characters, or has characters that cannot be seen.
    """
    spaces = "".join(" " if unicodedata.category(one) == "Zs" else one for one in password)
    prepared = unicodedata.normalize("NFC", spaces)
    least, most = PASSWORD_LENGTH
    if not least <= len(prepared) <= most:
        raise UsageError(
            f"The password has {len(prepared)} characters; {least} to {most} are possible.",
            "Take several words that have nothing to do with each other.",
        )
    if any(unicodedata.category(one).startswith("C") for one in prepared):
        raise UsageError(
            "The password has characters that cannot be seen.", "Type it, rather than paste it."
        )
    return HASHER.hash(prepared)
