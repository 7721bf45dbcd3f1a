"""Who counts as one for nginx's limits: the rules in its configuration, read as nginx does."""

import re
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from builder.paths import PROJECT

pytestmark = pytest.mark.unit

TEMPLATE = PROJECT / "firstboot/ansible/roles/web/templates/nginx.conf.j2"
# Zeros often, since they are what is left out of an address.
GROUP = some.sampled_from((0, 0, 0, 1, 0xFFFF)) | some.integers(0, 0xFFFF)
GROUPS = some.tuples(*[GROUP] * 8)
WHOLE = "$binary_remote_addr"


def rules() -> tuple[str, list[tuple[re.Pattern[str], str]]]:
    """What holds where no rule fits, and the rules: expression and value, in order."""
    found = re.search(
        r"map \$remote_addr \$subscriber \{\n(.*?)\n    \}\n", TEMPLATE.read_text(), re.S
    )
    assert found
    default, *lines = [line.strip() for line in found[1].splitlines()]
    read = []
    for line in lines:
        parts = re.fullmatch(r'"~(?P<expression>\S+)" (?P<value>\S+);', line)
        assert parts, line
        read.append(
            (re.compile(parts["expression"].replace("(?<", "(?P<")), parts["value"].strip('"'))
        )
    return default.removeprefix("default ").removesuffix(";"), read


DEFAULT, RULES = rules()


def subscriber(text: str) -> str:
    """The key by which an address is counted, as nginx finds it: by the first rule that fits."""
    for expression, value in RULES:
        if found := expression.search(text):
            if value == WHOLE:
                return text
            return found.expand(re.sub(r"\$\{?([a-z]+)\}?", r"\\g<\1>", value))
    assert DEFAULT == WHOLE
    return text


def address(groups: tuple[int, ...]) -> IPv6Address:
    return IPv6Address(b"".join(one.to_bytes(2, "big") for one in groups))


def network(groups: tuple[int, ...]) -> str:
    return ":".join(f"{one:x}" for one in groups[:4])


@given(GROUPS)
@example((0x2001, 0xDB8, 0, 0, 0, 0, 0, 1))
@example((0x2001, 0xDB8, 0, 0, 1, 0, 0, 0))
@example((0x2001, 0xDB8, 0, 1, 0, 0, 0, 5))
@example((0x2001, 0xDB8, 9, 0, 0, 0, 0, 5))
@example((0x2001, 0, 0, 0, 0, 0, 0, 7))
@example((0x2001, 0, 0, 7, 1, 2, 3, 4))
@example((0, 0, 1, 2, 3, 4, 5, 6))
@example((0, 0, 0, 1, 2, 3, 4, 5))
@example((0, 0, 0, 5, 0, 0, 0, 0))
@example((0, 0, 0, 0, 0, 0, 0, 0))
def test_an_address_counts_by_its_first_64_bits(groups: tuple[int, ...]) -> None:
    found = address(groups)
    if found.ipv4_mapped is None:
        assert subscriber(found.compressed) == network(groups)


@given(some.tuples(*[GROUP] * 4), some.tuples(*[GROUP] * 4), some.tuples(*[GROUP] * 4), GROUPS)
def test_one_network_is_one_key_and_another_is_another(
    front: tuple[int, ...], one: tuple[int, ...], two: tuple[int, ...], other: tuple[int, ...]
) -> None:
    keys = [subscriber(address(it).compressed) for it in ((*front, *one), (*front, *two), other)]
    if any(address(it).ipv4_mapped for it in ((*front, *one), (*front, *two), other)):
        return
    assert keys[0] == keys[1]
    assert (keys[0] == keys[2]) is (front == other[:4])


@given(some.integers(0, 2**32 - 1))
def test_an_ipv4_address_counts_alone_in_either_spelling(number: int) -> None:
    text = str(IPv4Address(number))
    assert subscriber(text) == text
    # As nginx writes an IPv4 address in the clothes of IPv6.
    assert subscriber(f"::ffff:{text}") == f"::ffff:{text}"
    assert subscriber(f"::{text}") == "0:0:0:0"


def test_every_limit_counts_subscribers() -> None:
    text = TEMPLATE.read_text()
    zones = set(re.findall(r"limit_(?:req|conn)_zone (\S+) zone=", text))
    # A key of its own for rooms: only who makes one is counted.
    assert zones == {"$subscriber", "$maker"}
    assert re.search(r"map \$request_method \$maker \{[^}]*\bPOST \$subscriber;", text)
    # Nowhere but where a subscriber is found out.
    assert text.count(WHOLE) == 2
