"""Judges what is known inside about the box's public name: said in sentences, and never a bar.

What the world outside sees, nobody inside can know; such findings are notes and say so.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from firstboot.names.hostname import under
from firstboot.names.lookup import NOWHERE, Authorities, Facts, among
from firstboot.texts import Said

Reach = Literal["house", "public", "datacentre"]
Severity = Literal["good", "note", "problem"]

IN_HOUSE = ("local", "internal", "home.arpa")  # RFC 6762, ICANN's resolution of 2024, RFC 8375
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
# RFC 8659, section 4; RFC 9495; the CA/Browser Forum's contacts and the mark certificates.
CAA_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}


@dataclass(frozen=True)
class Finding:
    """One thing that is good, worth knowing, or in the way."""

    severity: Severity
    said: Said


@dataclass(frozen=True)
class Diagnosis:
    """`ready`: as far as can be known inside, the name leads here and a certificate can be asked
    for; `turn_ready`: the same for the relay's name, which has to be left out otherwise.
    """

    findings: tuple[Finding, ...]
    ready: bool
    turn_ready: bool


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
    if nowhere := among(found, NOWHERE):
        yield _finding("problem", "nowhere", found=", ".join(nowhere), **values)
        return
    if reach != "house" and (shared := among(found, SHARED)):
        yield _finding("problem", "shared", found=", ".join(shared), **values)
        return
    if mine := [one for one in found if one in own]:
        values["found"] = ", ".join(mine)
        if reach != "house" and among(mine, PRIVATE):
            yield _finding("note", "split", **values)
        else:
            yield _finding("good", "leads_here", **values)
    ipv4 = [one for one in found if one not in own and ":" not in one]
    ipv6 = [one for one in found if one not in own and ":" in one]
    if ipv4 and facts.loop != "reached":
        values["found"] = ", ".join(ipv4)
        not_public = {*among(own, PRIVATE), *among(own, SHARED)}
        public = [one for one in own if ":" not in one and one not in not_public]
        if private := among(ipv4, PRIVATE):
            values["found"] = ", ".join(private)
            yield _finding("problem", "private_elsewhere", **values)
        elif reach == "datacentre":
            yield _finding("note", "forwarding_datacentre", **values)
        elif reach == "house" or public:
            yield _finding("problem", "elsewhere", **values)
        elif among(own, SHARED):
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
    relay = facts.turn or f"turn.{name}"
    if facts.aaaa.failure:
        yield _finding("note", "ipv6_unknown", name=name)
    elif reach != "house" and not any(":" in one for one in found):
        yield _finding("note", "no_ipv6", name=name)
    elif all(":" in one for one in found):
        yield _finding("note", "ipv6_only", name=name)
    if alias := facts.a.alias or facts.aaaa.alias:
        yield _finding("good", "alias", name=name, target=alias)
    if not turn:
        key = "turn_missing_house" if reach == "house" else "turn_missing"
        yield _finding("note", key, name=name, turn=relay)
    elif strange := [one for one in turn if one not in found]:
        values = {"name": name, "turn": relay, "found": ", ".join(strange)}
        yield _finding("note", "turn_elsewhere", **values)


def _loop(name: str, facts: Facts, wrong: bool) -> Iterator[Finding]:
    """What the box's own connection says. `wrong`: the name is known to lead elsewhere."""
    # Where some of the addresses are another's, it is those that were tried.
    mine = all(one in facts.own for one in facts.found)
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
    if under(name, IN_HOUSE) and reach != "house":
        yield _finding("problem", "house_name", name=name)
        return
    if not facts.own:
        yield _finding("problem", "no_network", name=name)
        return
    if under(name, ["local"]):
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
    return Diagnosis(findings, ready, ready and (turn_leads_here or under(name, ["local"])))
