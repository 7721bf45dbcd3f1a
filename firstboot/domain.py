"""What the box can know from inside about its public name: asked, judged, said, and never a bar.

Only the name servers of the box's own network are asked. What the world outside sees, nobody inside
can know; such findings are notes and say so.
"""

import ipaddress
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import dns.exception
import dns.resolver
from dns.rdtypes.ANY.CAA import CAA

from firstboot.texts import Said, SaidError

try:
    import idna
except ImportError:  # a recommendation of Debian's, no dependency
    idna = None  # type: ignore[assignment]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Reach = Literal["house", "public", "datacentre"]
Severity = Literal["good", "note", "problem"]
Failure = Literal["nxdomain", "timeout", "servfail", "nameserver"]
# What came of the box's own connection to port 443 under its name; "other": somebody else answered.
LoopResult = Literal["reached", "timeout", "refused", "other"]

QUERY_SECONDS = 3.0
ALL_SECONDS = 8.0
SERVER_SECONDS = 1.0  # so that two dead name servers leave time for the third
LABEL_LENGTH = 63  # RFC 1123, section 2.1
NAME_LENGTH = 253 - len("turn.")  # the relay's name has to fit too
# Servers behind systemd-resolved, without its cache, which remembers that a name was missing.
UPSTREAM = Path("/run/systemd/resolve/resolv.conf")

# RFC 6761, 6762, 7686, 8375 and 9476. `test` and `example` are for trials, and harm nobody.
RESERVED = ("localhost", "invalid", "onion", "alt", "arpa")
IN_HOUSE = ("local", "internal", "home.arpa")
# Not ipaddress.is_private: that counts the addresses of examples as private.
# RFC 1918 and 3927, 4193 and 4291.
PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
SHARED = (ipaddress.ip_network("100.64.0.0/10"),)  # RFC 6598, carrier-grade NAT
NOWHERE = tuple(map(ipaddress.ip_network, ("0.0.0.0/8", "127.0.0.0/8", "::/127")))
NAT64 = (ipaddress.ip_network("64:ff9b::/96"),)  # RFC 6052: made up from the A record on the way
# RFC 8659, section 4; RFC 9495; the CA/Browser Forum's contacts and the mark certificates.
CAA_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}


def _under(name: str, suffixes: Iterable[str]) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in suffixes)


def _among(addresses: Iterable[str], networks: Iterable[Network]) -> list[str]:
    """Those of `addresses` that lie in one of `networks`."""
    return [one for one in addresses if any(ipaddress.ip_address(one) in net for net in networks)]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _a_label(label: str) -> str:
    """The label in ASCII (RFC 5891, section 4): `münchen` is `xn--mnchen-3ya`; ß stays itself."""
    if label.isascii():
        return label
    # Python's own codec "idna" is that of 2003, which makes another name of ß.
    encoded = "xn--" + label[: LABEL_LENGTH + 1].encode("punycode").decode()
    if len(encoded) > LABEL_LENGTH:
        raise SaidError("domain.label_long", label=label)
    if idna:
        try:
            return idna.encode(label, uts46=True).decode()
        except idna.IDNAError as error:
            raise SaidError("domain.characters", label=label) from error
    if not all(sign == "-" or sign.isalnum() for sign in label):
        raise SaidError("domain.characters", label=label)
    return encoded


def _stripped(raw: str) -> str:
    """What was typed, without what surrounds a name in an address line or a letter."""
    text = "".join(sign for sign in raw if unicodedata.category(sign) != "Cf")
    text = unicodedata.normalize("NFKC", text).strip(" \t\r\n\xa0\"'„“”‚‘’<>").lower()
    text = re.sub(r"^[a-z][a-z0-9+.-]*:/+", "", text)
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0]
    if bracketed := re.match(r"\[(.*)\](:\d+)?$", text):
        text = bracketed[1]
    if not _is_address(text):
        text = re.sub(r":\d*$", "", text)
    return re.sub(r"\s*[.。]\s*", ".", text).strip().removesuffix(".")


def check_name(raw: str) -> str:
    """The host name that a clerk meant: small letters, ASCII (IDNA 2008), at most 248 characters.

    Spaces around it, capitals, `https://`, a port, a path and the final dot are forgiven. Raises
    SaidError for what cannot be the name of a box (RFC 1123, section 2.1; RFC 6761).
    """
    text = _stripped(raw)
    if not text:
        raise SaidError("domain.empty")
    if "@" in text:
        raise SaidError("domain.email", text=text)
    labels = text.split(".")
    if _is_address(text) or all(label.isdecimal() for label in labels):
        raise SaidError("domain.address", text=text)
    if "" in labels:
        raise SaidError("domain.dots", text=text)
    if "_" in text:
        raise SaidError("domain.underscore", text=text)
    for index, label in enumerate(labels):
        labels[index] = _a_label(label)
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", labels[index]):
            raise SaidError("domain.characters", label=label)
        if len(labels[index]) > LABEL_LENGTH:
            raise SaidError("domain.label_long", label=label)
    name = ".".join(labels)
    if len(name) > NAME_LENGTH:
        raise SaidError("domain.long", length=len(name), most=NAME_LENGTH)
    if _under(name, ["local"]) and name != "ratssaal.local":
        raise SaidError("domain.multicast", name=name)
    if _under(name, RESERVED) and not _under(name, ["home.arpa"]):
        raise SaidError("domain.reserved", name=name)
    if len(labels) == 1:
        raise SaidError("domain.single", name=name)
    if not labels[-1][0].isalpha():
        raise SaidError("domain.ending", ending=labels[-1])
    return name


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
    """What the box found: A and AAAA of its name and of `turn.`, CAA, its own addresses, and what
    came of its own connection to its name, where one was tried.
    """

    own: tuple[str, ...]
    a: Lookup = field(default_factory=Lookup)
    aaaa: Lookup = field(default_factory=Lookup)
    turn_a: Lookup = field(default_factory=Lookup)
    turn_aaaa: Lookup = field(default_factory=Lookup)
    caa: Authorities = field(default_factory=Authorities)
    loop: LoopResult | None = None

    @property
    def found(self) -> tuple[str, ...]:
        """Every address of the name, without those that NAT64 made up."""
        both = self.a.addresses + self.aaaa.addresses
        return tuple(one for one in both if not _among([one], NAT64))

    @property
    def turn_found(self) -> tuple[str, ...]:
        """Every address of the name with `turn.`, without those that NAT64 made up."""
        both = self.turn_a.addresses + self.turn_aaaa.addresses
        return tuple(one for one in both if not _among([one], NAT64))


@dataclass(frozen=True)
class Finding:
    """One thing that is good, worth knowing, or in the way."""

    severity: Severity
    said: Said


@dataclass(frozen=True)
class Diagnosis:
    """`ready`: as far as can be known inside, the name leads here and a certificate can be asked
    for; `turn_ready`: the same for the name with `turn.`, which has to be left out otherwise.
    """

    findings: tuple[Finding, ...]
    ready: bool
    turn_ready: bool


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
) -> Facts:
    """Ask for everything about `name`, as check_name returns it. Ends in about 8 s, raises nothing.

    `own_addresses`: the global addresses of the box's cards. Without `resolver`, the name servers
    that the network gave the box. Names under .local are no matter of theirs (RFC 6762, section 3).
    """
    own = tuple(own_addresses)
    if _under(name, ["local"]):
        return Facts(own, loop=loop)
    asked = resolver or _own_resolver()
    deadline = time.monotonic() + ALL_SECONDS
    labels = name.split(".")
    climb = [".".join(labels[index:]) for index in range(len(labels))]
    turn = f"turn.{name}"
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
    )


def _finding(severity: Severity, key: str, **values: object) -> Finding:
    return Finding(severity, Said(f"domain.{key}", values))


def _without_address(name: str, facts: Facts, reach: Reach) -> Finding:
    failures = {facts.a.failure, facts.aaaa.failure}
    values = {"name": name, "own": ", ".join(facts.own)}
    if "nameserver" in failures:
        return _finding("problem", "no_nameserver", **values)
    if "nxdomain" in failures:
        key = "missing_house" if reach == "house" else "missing"
    else:
        key = next((one for one in ("timeout", "servfail") if one in failures), "no_address")
    return _finding("problem", key, **values)


def _address(name: str, facts: Facts, reach: Reach) -> Iterator[Finding]:
    """Whether the name leads here, through a router or elsewhere."""
    found, own = facts.found, facts.own
    values = {"name": name, "own": ", ".join(own)}
    if nowhere := _among(found, NOWHERE):
        yield _finding("problem", "nowhere", found=", ".join(nowhere), **values)
        return
    if reach != "house" and (shared := _among(found, SHARED)):
        yield _finding("problem", "shared", found=", ".join(shared), **values)
        return
    if mine := [one for one in found if one in own]:
        values["found"] = ", ".join(mine)
        if reach != "house" and _among(mine, PRIVATE):
            yield _finding("note", "split", **values)
        else:
            yield _finding("good", "leads_here", **values)
    ipv4 = [one for one in found if one not in own and ":" not in one]
    ipv6 = [one for one in found if one not in own and ":" in one]
    if ipv4 and facts.loop != "reached":
        values["found"] = ", ".join(ipv4)
        not_public = {*_among(own, PRIVATE), *_among(own, SHARED)}
        public = [one for one in own if ":" not in one and one not in not_public]
        if private := _among(ipv4, PRIVATE):
            values["found"] = ", ".join(private)
            yield _finding("problem", "private_elsewhere", **values)
        elif reach == "datacentre":
            yield _finding("note", "forwarding_datacentre", **values)
        elif reach == "house" or public:
            yield _finding("problem", "elsewhere", **values)
        elif _among(own, SHARED):
            yield _finding("problem", "own_shared", **values)
        else:
            yield _finding("note", "forwarding", **values)
    if ipv6:
        values["found"] = ", ".join(ipv6)
        doubt = reach == "datacentre" or facts.loop == "reached"
        yield _finding("note" if doubt else "problem", "ipv6_elsewhere", **values)


def _beside(name: str, facts: Facts, reach: Reach) -> Iterator[Finding]:
    """The address family that is missing, the alias, and the relay's name."""
    found, turn = facts.found, facts.turn_found
    if facts.aaaa.failure:
        yield _finding("note", "ipv6_unknown", name=name)
    elif reach != "house" and not any(":" in one for one in found):
        yield _finding("note", "no_ipv6", name=name)
    elif all(":" in one for one in found):
        yield _finding("note", "ipv6_only", name=name)
    if alias := facts.a.alias or facts.aaaa.alias:
        yield _finding("good", "alias", name=name, target=alias)
    if not turn:
        yield _finding("note", "turn_missing", turn=f"turn.{name}")
    elif strange := [one for one in turn if one not in found]:
        values = {"name": name, "turn": f"turn.{name}", "found": ", ".join(strange)}
        yield _finding("note", "turn_elsewhere", **values)


def _loop(name: str, facts: Facts, wrong: bool) -> Iterator[Finding]:
    """What the box's own connection says. `wrong`: the name is known to lead elsewhere."""
    mine = any(one in facts.own for one in facts.found)
    if facts.loop == "reached":
        yield _finding("good", "reached", name=name)
    elif facts.loop == "other" and (mine or wrong):
        yield _finding("problem", "other_server", name=name)
    elif facts.loop == "other":
        # Routers without hairpin NAT show their own page to those inside.
        yield _finding("note", "router_answers", name=name)
    elif facts.loop and not wrong:
        yield _finding("note", "hairpin" if facts.loop == "timeout" else "refused", name=name)


def _permission(name: str, caa: Authorities, authority: str) -> Iterator[Finding]:
    """Whether `authority` may issue (RFC 8659, sections 4.1 and 4.2)."""
    if caa.failure:
        yield _finding("note", "caa_unknown", name=name, ca=authority)
        return
    named = [
        value.partition(";")[0].strip().lower() for _, tag, value in caa.records if tag == "issue"
    ]
    critical = any(flags & 128 and tag not in CAA_TAGS for flags, tag, _ in caa.records)
    if critical or (named and authority.lower() not in named):
        yield _finding("problem", "caa_forbids", name=name, at=caa.at, ca=authority)


def _findings(name: str, facts: Facts, reach: Reach, authority: str | None) -> Iterator[Finding]:
    if _under(name, IN_HOUSE) and reach != "house":
        yield _finding("problem", "house_name", name=name)
        return
    if not facts.own:
        yield _finding("problem", "no_network", name=name)
        return
    if _under(name, ["local"]):
        yield _finding("good", "local", name=name)
        return
    if facts.found:
        address = list(_address(name, facts, reach))
        yield from address
        yield from _beside(name, facts, reach)
        yield from _loop(name, facts, any(one.severity == "problem" for one in address))
    else:
        yield _without_address(name, facts, reach)
    if authority:
        yield from _permission(name, facts.caa, authority)


def diagnose(name: str, facts: Facts, reach: Reach, ca_domain: str | None) -> Diagnosis:
    """Judge what was found. `ca_domain`: by what name CAA records know the authority that is to
    issue, such as `letsencrypt.org`; None where none is to be asked, or none is known.
    """
    findings = tuple(_findings(name, facts, reach, ca_domain))
    ready = all(one.severity != "problem" for one in findings)
    turn = set(facts.turn_found)
    turn_leads_here = bool(turn) and turn <= set(facts.found)
    return Diagnosis(findings, ready, ready and (turn_leads_here or _under(name, ["local"])))
