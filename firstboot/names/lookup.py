"""Asks the name servers of the box's own network about its public name, and keeps the answers.

What the world outside sees, nobody inside can know.
"""

import ipaddress
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import dns.exception
import dns.resolver
from dns.rdtypes.ANY.CAA import CAA

from firstboot.names.hostname import under

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Failure = Literal["nxdomain", "timeout", "servfail", "nameserver"]
# What came of the box's own connection to port 443 under its name; "other": somebody else answered.
LoopResult = Literal["reached", "timeout", "refused", "other"]

QUERY_SECONDS = 3.0
ALL_SECONDS = 8.0
SERVER_SECONDS = 1.0  # so that two dead name servers leave time for the third
# Servers behind systemd-resolved, without its cache, which remembers that a name was missing.
UPSTREAM = Path("/run/systemd/resolve/resolv.conf")
NOWHERE = tuple(map(ipaddress.ip_network, ("0.0.0.0/8", "127.0.0.0/8", "::/127")))
NAT64 = (ipaddress.ip_network("64:ff9b::/96"),)  # RFC 6052: made up from the A record on the way


def among(addresses: Iterable[str], networks: Iterable[Network]) -> list[str]:
    """Those of `addresses` that lie in one of `networks`."""
    return [one for one in addresses if any(ipaddress.ip_address(one) in net for net in networks)]


@dataclass(frozen=True)
class Lookup:
    """The answer to one question for addresses. `alias`: the name that a CNAME led to."""

    addresses: tuple[str, ...] = ()
    alias: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Authorities:
    """CAA records in force (RFC 8659, section 3): (flags, tag, value), found at the name `at`."""

    records: tuple[tuple[int, str, str], ...] = ()
    at: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Facts:
    """What the box found: A and AAAA of its name and of the relay's, CAA, its own addresses, and
    what came of its own connection to its name, where one was tried. turn: the relay's name.
    """

    own: tuple[str, ...]
    a: Lookup = field(default_factory=Lookup)
    aaaa: Lookup = field(default_factory=Lookup)
    turn_a: Lookup = field(default_factory=Lookup)
    turn_aaaa: Lookup = field(default_factory=Lookup)
    caa: Authorities = field(default_factory=Authorities)
    loop: LoopResult | None = None
    turn: str = ""

    @property
    def found(self) -> tuple[str, ...]:
        """Every address of the name, without those that NAT64 made up."""
        both = self.a.addresses + self.aaaa.addresses
        return tuple(one for one in both if not among([one], NAT64))

    @property
    def turn_found(self) -> tuple[str, ...]:
        """Every address of the relay's name, without those that NAT64 made up."""
        both = self.turn_a.addresses + self.turn_aaaa.addresses
        return tuple(one for one in both if not among([one], NAT64))


def _answer(
    resolver: dns.resolver.Resolver | None, name: str, kind: str, deadline: float
) -> dns.resolver.Answer | Failure | None:
    """What the name servers say in time; None where the name has no such record."""
    if resolver is None:
        return "nameserver"
    seconds = max(0.0, min(QUERY_SECONDS, deadline - time.monotonic()))
    try:
        return resolver.resolve(f"{name}.", kind, lifetime=seconds, search=False)
    except dns.resolver.NXDOMAIN:
        return "nxdomain"
    except dns.resolver.NoAnswer:
        return None
    except dns.exception.Timeout:
        return "timeout"
    except dns.resolver.NoNameservers as error:
        # Where no server is known, or none has a route, there was nobody to ask.
        errors = [one[3] for one in error.kwargs.get("errors", [])]
        return "nameserver" if all(isinstance(one, OSError) for one in errors) else "servfail"
    except dns.exception.DNSException:
        return "servfail"


def _lookup(name: str, answer: dns.resolver.Answer | Failure | None) -> Lookup:
    if isinstance(answer, str):
        return Lookup(failure=answer)
    if answer is None:
        return Lookup()
    canonical = answer.canonical_name.to_text(omit_final_dot=True).lower()
    return Lookup(
        tuple(sorted(one.to_text() for one in answer)), canonical if canonical != name else None
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _authorities(
    answers: Iterable[tuple[str, dns.resolver.Answer | Failure | None]],
) -> Authorities:
    """The first that has records, from the name up (RFC 8659, section 3)."""
    for at, answer in answers:
        if isinstance(answer, dns.resolver.Answer):
            records = [one for one in answer if isinstance(one, CAA)]
            return Authorities(
                tuple((one.flags, _text(one.tag).lower(), _text(one.value)) for one in records), at
            )
        if answer not in (None, "nxdomain"):
            # Authorities must not take a failure for a permission; no higher name counts either.
            return Authorities(at=at, failure=answer)
    return Authorities()


def _own_resolver() -> dns.resolver.Resolver | None:
    path = UPSTREAM if UPSTREAM.exists() else Path("/etc/resolv.conf")
    try:
        resolver = dns.resolver.Resolver(str(path))
    except (dns.exception.DNSException, ValueError):  # the latter: a server that is no address
        return None
    resolver.timeout = SERVER_SECONDS
    return resolver


def gather(
    name: str,
    own_addresses: Iterable[str],
    resolver: dns.resolver.Resolver | None = None,
    loop: LoopResult | None = None,
    turn: str = "",
) -> Facts:
    """Ask for everything about `name`, as check_name returns it. Ends in about 8 s, raises nothing.

    `own_addresses`: the global addresses of the box's cards; `turn`: the relay's name, without it
    `turn.` before the other. Without `resolver`, the name servers that the network gave the box.
    Names under .local are no matter of theirs (RFC 6762, section 3).
    """
    own = tuple(own_addresses)
    if under(name, ["local"]):
        return Facts(own, loop=loop)
    asked = resolver or _own_resolver()
    deadline = time.monotonic() + ALL_SECONDS
    labels = name.split(".")
    climb = [".".join(labels[index:]) for index in range(len(labels))]
    turn = turn or f"turn.{name}"
    questions = [(name, "A"), (name, "AAAA"), (turn, "A"), (turn, "AAAA")]
    questions += [(one, "CAA") for one in climb]
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda one: _answer(asked, one[0], one[1], deadline), questions))
    return Facts(
        own,
        a=_lookup(name, answers[0]),
        aaaa=_lookup(name, answers[1]),
        turn_a=_lookup(turn, answers[2]),
        turn_aaaa=_lookup(turn, answers[3]),
        caa=_authorities(zip(climb, answers[4:], strict=True)),
        loop=loop,
        turn=turn,
    )
