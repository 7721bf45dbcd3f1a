"""The box's public name: what clerks type, what name servers say, what follows, the letters."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest
from pydantic import TypeAdapter

from firstboot import domain, letters, texts
from firstboot.domain import (
    Authorities,
    Diagnosis,
    Facts,
    Failure,
    Lookup,
    LoopResult,
    Reach,
    check_name,
    diagnose,
    gather,
)
from firstboot.letters import letter
from firstboot.settings import HostName
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"
TURN = f"turn.{NAME}"
PUBLIC, PUBLIC6 = "203.0.113.10", "2001:db8::10"
INSIDE, INSIDE6 = "192.168.1.10", "fd00::10"
SHARED = "100.64.7.8"


# What clerks type.


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (NAME, NAME),
        (f"  {NAME}\n", NAME),
        ("Konferenz.Rathaus.EXAMPLE", NAME),
        (f"https://{NAME}/", NAME),
        (f"HTTP://{NAME}:8443/raum?x=1#y", NAME),
        (f"{NAME}:443", NAME),
        (f"{NAME}.", NAME),
        ("konferenz. rathaus .example", NAME),
        ("konferenz\u00ad.rathaus\u200b.example", NAME),
        ("konferenz．rathaus。example", NAME),
        (f"„{NAME}“", NAME),
        ("konferenz.münchen.example", "konferenz.xn--mnchen-3ya.example"),
        ("Konferenz.MU\u0308NCHEN.example", "konferenz.xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("großstadt.example", "xn--grostadt-sya.example"),
        ("ratssaal.local", "ratssaal.local"),
        ("rathaus.test", "rathaus.test"),
        ("rathaus.home.arpa", "rathaus.home.arpa"),
        ("3com.example", "3com.example"),
    ],
)
@pytest.mark.parametrize("library", ["idna", "without idna"])
def test_what_a_clerk_typed_becomes_a_host_name_that_the_settings_take(
    raw: str, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "without idna":
        monkeypatch.setattr(domain, "idna", None)
    assert check_name(raw) == name
    for one in (name, f"turn.{name}"):
        assert TypeAdapter[str](HostName).validate_python(one) == one


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("https://", "empty"),
        (".", "empty"),
        ("rathaus", "single"),
        ("https://rathaus/", "single"),
        ("192.0.2.1", "address"),
        ("https://192.0.2.1:8443/", "address"),
        ("2001:db8::1", "address"),
        ("https://[2001:db8::1]:443/", "address"),
        ("192.0.2", "address"),
        ("info@rathaus.example", "email"),
        ("rathaus..example", "dots"),
        (".rathaus.example", "dots"),
        ("mein_rathaus.example", "underscore"),
        ("mein rathaus.example", "characters"),
        ("-rathaus.example", "characters"),
        ("rathaus-.example", "characters"),
        ("*.rathaus.example", "characters"),
        ("rathaus,example.example", "characters"),
        ("☎.example", "characters"),
        ("rathaus.4you", "ending"),
        (f"{'a' * 64}.example", "label_long"),
        (f"{'ü' * 64}.example", "label_long"),
        (".".join(["a" * 60] * 5), "long"),
        ("localhost", "reserved"),
        ("box.localhost", "reserved"),
        ("rathaus.invalid", "reserved"),
        ("rathaus.onion", "reserved"),
        ("10.in-addr.arpa", "reserved"),
        ("rathaus.local", "multicast"),
        ("turn.ratssaal.local", "multicast"),
        ("local", "multicast"),
    ],
)
@pytest.mark.parametrize("library", ["idna", "without idna"])
def test_what_cannot_be_the_name_of_a_box_is_refused_with_the_reason(
    raw: str, key: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "without idna":
        monkeypatch.setattr(domain, "idna", None)
    with pytest.raises(SaidError) as caught:
        check_name(raw)
    assert caught.value.said.key == f"domain.{key}"
    for language in texts.LANGUAGES:
        assert caught.value.said.text(language)


def test_the_longest_name_leaves_room_for_the_relays_name() -> None:
    longest = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 57, "example"])
    assert len(f"turn.{longest}") == 253
    assert check_name(longest) == longest
    with pytest.raises(SaidError) as caught:
        check_name(longest.replace("example", "examples"))
    assert caught.value.said.values == {"length": 249, "most": 248}


# What name servers say.


class Zone:
    """A name server on loopback, as small as the questions of the box."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.codes: dict[tuple[str, str], dns.rcode.Rcode] = {}
        self.silent: set[tuple[str, str]] = set()
        self.deaf = False
        self.asked: list[tuple[str, str]] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)

    def resolver(self) -> dns.resolver.Resolver:
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self.socket.getsockname()[1]
        return made

    def _serve(self) -> None:
        while True:
            wire, sender = self.socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text(omit_final_dot=True).lower()
            kind = dns.rdatatype.to_text(query.question[0].rdtype)
            self.asked.append((name, kind))
            if not self.deaf and (name, kind) not in self.silent:
                self.socket.sendto(self._respond(query, name, kind).to_wire(), sender)

    def _respond(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        while alias := self.records.get((name, "CNAME")):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
            name = alias[0].removesuffix(".")
        if records := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if (name, kind) in self.codes:
            response.answer.clear()
            response.set_rcode(self.codes[name, kind])
        return response

    def stop(self) -> None:
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()


@pytest.fixture
def zone() -> Iterator[Zone]:
    made = Zone()
    made.thread.start()
    yield made
    made.stop()


def test_all_addresses_of_both_names_are_found(zone: Zone) -> None:
    zone.records = {
        (NAME, "A"): [PUBLIC, "203.0.113.9"],
        (NAME, "AAAA"): [PUBLIC6],
        (TURN, "A"): [PUBLIC],
    }
    facts = gather(NAME, [PUBLIC, PUBLIC6], zone.resolver(), "reached")
    assert facts == Facts(
        (PUBLIC, PUBLIC6),
        a=Lookup((PUBLIC, "203.0.113.9")),
        aaaa=Lookup((PUBLIC6,)),
        turn_a=Lookup((PUBLIC,)),
        loop="reached",
    )


def test_a_name_that_does_not_exist_is_told_from_one_without_an_address(zone: Zone) -> None:
    zone.records = {(NAME, "TXT"): ["nothing"]}
    facts = gather(NAME, [INSIDE], zone.resolver())
    assert (facts.a, facts.aaaa) == (Lookup(), Lookup())
    assert facts.turn_a.failure == facts.turn_aaaa.failure == "nxdomain"


def test_an_alias_is_followed_and_named(zone: Zone) -> None:
    zone.records = {
        (NAME, "CNAME"): ["box.provider.example."],
        ("box.provider.example", "A"): [PUBLIC],
    }
    facts = gather(NAME, [PUBLIC], zone.resolver())
    assert facts.a == Lookup((PUBLIC,), alias="box.provider.example")


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_name_server_in_trouble_is_recognised(zone: Zone, code: dns.rcode.Rcode) -> None:
    zone.records = {(NAME, "AAAA"): [PUBLIC6]}
    zone.codes = {(NAME, "A"): code}
    facts = gather(NAME, [PUBLIC], zone.resolver())
    assert facts.a == Lookup(failure="servfail")
    assert facts.aaaa == Lookup((PUBLIC6,))


def test_one_question_without_an_answer_holds_up_no_other(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "ALL_SECONDS", 1)
    zone.records = {(NAME, "A"): [PUBLIC]}
    zone.silent = {(NAME, "AAAA")}
    facts = gather(NAME, [PUBLIC], zone.resolver())
    assert facts.a.addresses == (PUBLIC,)
    assert facts.aaaa.failure == "timeout"
    assert facts.turn_aaaa.failure == "nxdomain"


def test_a_deaf_name_server_costs_no_more_than_the_time_for_all(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "QUERY_SECONDS", 1)
    monkeypatch.setattr(domain, "ALL_SECONDS", 0.5)
    zone.deaf = True
    name = ".".join(["a"] * 100 + ["example"])
    started = time.monotonic()
    facts = gather(name, [INSIDE], zone.resolver())
    # With a second for each, more than a hundred questions would take seven, sixteen at a time.
    assert time.monotonic() - started < 4
    looked_up = (facts.a, facts.aaaa, facts.turn_a, facts.turn_aaaa, facts.caa)
    assert {one.failure for one in looked_up} == {"timeout"}


def test_the_bounds_are_those_that_the_wizard_promises() -> None:
    assert domain.QUERY_SECONDS == 3
    assert domain.ALL_SECONDS == 8


@pytest.mark.parametrize("text", ["# no server\nsearch rathaus.example\n", "nameserver none\n"])
def test_a_network_that_named_no_server_is_recognised(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    monkeypatch.setattr(domain, "UPSTREAM", tmp_path / "resolv.conf")
    facts = gather(NAME, [INSIDE])
    assert facts.a.failure == facts.caa.failure == "nameserver"


def test_a_server_to_which_there_is_no_way_counts_as_none() -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["255.255.255.255"]  # the kernel refuses to send there
    assert gather(NAME, [INSIDE], resolver).a.failure == "nameserver"


def test_names_of_the_own_network_alone_are_asked_of_nobody(zone: Zone) -> None:
    assert gather("ratssaal.local", [INSIDE], zone.resolver()) == Facts((INSIDE,))
    assert zone.asked == []


ISSUE = '0 issue "letsencrypt.org; validationmethods=http-01"'


def test_the_records_of_the_closest_name_above_say_who_may_issue(zone: Zone) -> None:
    zone.records = {
        (NAME, "A"): [PUBLIC],
        ("rathaus.example", "CAA"): [ISSUE],
        ("example", "CAA"): ['0 issue ";"'],
    }
    caa = gather(NAME, [PUBLIC], zone.resolver()).caa
    value = "letsencrypt.org; validationmethods=http-01"
    assert caa == Authorities(((0, "issue", value),), "rathaus.example")


def test_records_of_the_name_itself_come_first_and_flags_are_kept(zone: Zone) -> None:
    zone.records = {
        (NAME, "CAA"): ['128 Tbs "unknown"'],
        ("rathaus.example", "CAA"): [ISSUE],
    }
    caa = gather(NAME, [PUBLIC], zone.resolver()).caa
    assert caa == Authorities(((128, "tbs", "unknown"),), NAME)


def test_records_above_a_name_that_does_not_exist_yet_are_found(zone: Zone) -> None:
    zone.records = {("rathaus.example", "CAA"): [ISSUE]}
    facts = gather(NAME, [PUBLIC], zone.resolver())
    assert facts.a.failure == "nxdomain"
    assert facts.caa.at == "rathaus.example"


def test_records_of_any_bytes_are_taken(zone: Zone) -> None:
    zone.records = {(NAME, "CAA"): [r'0 issue "\255"']}
    found = gather(NAME, [PUBLIC], zone.resolver())
    assert found.caa.records[0][:2] == (0, "issue")
    assert "problem caa_forbids" in keys(diagnose(NAME, found, "public", "letsencrypt.org"))


def test_no_record_up_to_the_top_binds_nobody(zone: Zone) -> None:
    zone.records = {(NAME, "A"): [PUBLIC]}
    assert gather(NAME, [PUBLIC], zone.resolver()).caa == Authorities()
    asked = {name for name, kind in zone.asked if kind == "CAA"}
    assert asked == {NAME, "rathaus.example", "example"}


def test_a_failure_on_the_way_up_hides_what_is_above(zone: Zone) -> None:
    zone.records = {(NAME, "A"): [PUBLIC], ("example", "CAA"): [ISSUE]}
    zone.codes = {("rathaus.example", "CAA"): dns.rcode.SERVFAIL}
    caa = gather(NAME, [PUBLIC], zone.resolver()).caa
    assert caa == Authorities(at="rathaus.example", failure="servfail")


# What follows from it.


def facts(
    *found: str,
    own: tuple[str, ...] = (INSIDE,),
    loop: LoopResult | None = None,
    turn: tuple[str, ...] | None = None,
    failure: Failure | None = None,
) -> Facts:
    """Facts about a name with the addresses `found`; both names have the same, unless told."""

    def lookups(addresses: tuple[str, ...]) -> tuple[Lookup, Lookup]:
        ipv4 = tuple(one for one in addresses if ":" not in one)
        ipv6 = tuple(one for one in addresses if ":" in one)
        return Lookup(ipv4, failure=failure), Lookup(ipv6, failure=failure)

    a, aaaa = lookups(found)
    turn_a, turn_aaaa = lookups(found if turn is None else turn)
    return Facts(own, a, aaaa, turn_a, turn_aaaa, loop=loop)


def keys(diagnosis: Diagnosis) -> list[str]:
    """The findings, `severity key`; each can be said in both languages, with all its values."""
    for finding in diagnosis.findings:
        for language in texts.LANGUAGES:
            assert "{" not in finding.said.text(language)
    return [f"{one.severity} {one.said.key.removeprefix('domain.')}" for one in diagnosis.findings]


CASES: list[tuple[str, Facts, Reach, list[str], bool]] = [
    (
        "the box's own public addresses",
        facts(PUBLIC, PUBLIC6, own=(PUBLIC, PUBLIC6)),
        "public",
        ["good leads_here"],
        True,
    ),
    (
        "missing IPv6 does no harm",
        facts(PUBLIC, own=(PUBLIC,)),
        "public",
        ["good leads_here", "note no_ipv6"],
        True,
    ),
    (
        "an address that NAT64 made up is none",
        facts(PUBLIC, "64:ff9b::cb00:710a", own=(PUBLIC,)),
        "public",
        ["good leads_here", "note no_ipv6"],
        True,
    ),
    (
        "IPv6 alone",
        facts(PUBLIC6, own=(SHARED, PUBLIC6)),
        "public",
        ["good leads_here", "note ipv6_only"],
        True,
    ),
    (
        "a router stands between",
        facts(PUBLIC),
        "public",
        ["note forwarding", "note no_ipv6"],
        True,
    ),
    (
        "the router forwards, and even back in",
        facts(PUBLIC, loop="reached"),
        "public",
        ["note no_ipv6", "good reached"],
        True,
    ),
    (
        "hairpin NAT is missing or the port is closed",
        facts(PUBLIC, loop="timeout"),
        "public",
        ["note forwarding", "note no_ipv6", "note hairpin"],
        True,
    ),
    (
        "the router refuses",
        facts(PUBLIC, loop="refused"),
        "public",
        ["note forwarding", "note no_ipv6", "note refused"],
        True,
    ),
    (
        "the router shows its own page to those inside",
        facts(PUBLIC, loop="other"),
        "public",
        ["note forwarding", "note no_ipv6", "note router_answers"],
        True,
    ),
    (
        "another server answers under the box's own address",
        facts(PUBLIC, own=(PUBLIC,), loop="other"),
        "public",
        ["good leads_here", "note no_ipv6", "problem other_server"],
        False,
    ),
    (
        "another public address",
        facts("198.51.100.7", own=(PUBLIC,), loop="timeout"),
        "public",
        ["problem elsewhere", "note no_ipv6"],
        False,
    ),
    (
        "another public address, where another server answers",
        facts("198.51.100.7", own=(PUBLIC,), loop="other"),
        "public",
        ["problem elsewhere", "note no_ipv6", "problem other_server"],
        False,
    ),
    (
        "one address of two is another's",
        facts("198.51.100.7", PUBLIC, own=(PUBLIC,)),
        "public",
        ["good leads_here", "problem elsewhere", "note no_ipv6"],
        False,
    ),
    (
        "IPv6 leads elsewhere",
        facts(PUBLIC, "2001:db8::99", own=(PUBLIC, PUBLIC6)),
        "public",
        ["good leads_here", "problem ipv6_elsewhere"],
        False,
    ),
    (
        "IPv6 leads elsewhere, but the box was reached",
        facts(PUBLIC, "2001:db8::99", loop="reached"),
        "public",
        ["note ipv6_elsewhere", "good reached"],
        True,
    ),
    (
        "split DNS",
        facts(INSIDE),
        "public",
        ["note split", "note no_ipv6"],
        True,
    ),
    (
        "split DNS over IPv6 alone",
        facts(PUBLIC, INSIDE6, own=(INSIDE, INSIDE6)),
        "public",
        ["note split", "note forwarding"],
        True,
    ),
    (
        "split DNS behind a data centre",
        facts(INSIDE),
        "datacentre",
        ["note split", "note no_ipv6"],
        True,
    ),
    (
        "an inside address of somebody else",
        facts("10.1.2.3"),
        "public",
        ["problem private_elsewhere", "note no_ipv6"],
        False,
    ),
    (
        "an inside address although the box has a public one",
        facts("192.168.1.10", own=(PUBLIC,)),
        "public",
        ["problem private_elsewhere", "note no_ipv6"],
        False,
    ),
    (
        "a shared address of the provider",
        facts(SHARED),
        "public",
        ["problem shared", "note no_ipv6"],
        False,
    ),
    (
        "a shared address that is the box's own",
        facts(SHARED, own=(SHARED,)),
        "public",
        ["problem shared", "note no_ipv6"],
        False,
    ),
    (
        "the box itself behind CGNAT",
        facts(PUBLIC, own=(SHARED,)),
        "public",
        ["problem own_shared", "note no_ipv6"],
        False,
    ),
    (
        "an address just beyond the shared ones is public",
        facts("100.128.0.1"),
        "public",
        ["note forwarding", "note no_ipv6"],
        True,
    ),
    (
        "a filter's address",
        facts("0.0.0.0"),
        "public",
        ["problem nowhere", "note no_ipv6"],
        False,
    ),
    (
        "loopback",
        facts("::1", "127.0.0.1"),
        "house",
        ["problem nowhere"],
        False,
    ),
    (
        "the data centre's address",
        facts(PUBLIC, "2001:db8::99", own=("198.51.100.7",)),
        "datacentre",
        ["note forwarding_datacentre", "note ipv6_elsewhere"],
        True,
    ),
    (
        "the house's own name server",
        facts(INSIDE),
        "house",
        ["good leads_here"],
        True,
    ),
    (
        "a public address for a box that is to stay in the house",
        facts(PUBLIC),
        "house",
        ["problem elsewhere"],
        False,
    ),
    (
        "no second name",
        facts(PUBLIC, PUBLIC6, own=(PUBLIC, PUBLIC6), turn=()),
        "public",
        ["good leads_here", "note turn_missing"],
        True,
    ),
    (
        "the second name led elsewhere by a wildcard",
        facts(PUBLIC, PUBLIC6, own=(PUBLIC, PUBLIC6), turn=("198.51.100.7",)),
        "public",
        ["good leads_here", "note turn_elsewhere"],
        True,
    ),
    (
        "a name without an address",
        facts(),
        "public",
        ["problem no_address"],
        False,
    ),
    (
        "no such name",
        facts(failure="nxdomain"),
        "public",
        ["problem missing"],
        False,
    ),
    (
        "no such name in the house",
        facts(failure="nxdomain"),
        "house",
        ["problem missing_house"],
        False,
    ),
    (
        "a deaf name server",
        facts(failure="timeout"),
        "public",
        ["problem timeout"],
        False,
    ),
    (
        "a name server in trouble",
        facts(failure="servfail"),
        "public",
        ["problem servfail"],
        False,
    ),
    (
        "no name server",
        facts(failure="nameserver"),
        "public",
        ["problem no_nameserver"],
        False,
    ),
    (
        "no network",
        facts(own=(), failure="nameserver"),
        "public",
        ["problem no_network"],
        False,
    ),
]


@pytest.mark.parametrize(
    ("found", "reach", "expected", "ready"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_each_case_is_recognised(
    found: Facts, reach: Reach, expected: list[str], ready: bool
) -> None:
    diagnosis = diagnose(NAME, found, reach, None)
    assert keys(diagnosis) == expected
    assert diagnosis.ready is ready


def test_the_second_name_belongs_into_the_certificate_only_where_it_leads_here() -> None:
    both = (PUBLIC, PUBLIC6)
    assert diagnose(NAME, facts(*both, own=both), "public", None).turn_ready
    assert diagnose(NAME, facts(*both, own=both, turn=(PUBLIC,)), "public", None).turn_ready
    for turn in ((), ("198.51.100.7",), (*both, "198.51.100.7")):
        found = facts(*both, own=both, turn=turn)
        diagnosis = diagnose(NAME, found, "public", None)
        assert diagnosis.ready
        assert not diagnosis.turn_ready


def test_an_alias_is_fine() -> None:
    found = replace(facts(PUBLIC, own=(PUBLIC,)), a=Lookup((PUBLIC,), alias="box.provider.example"))
    diagnosis = diagnose(NAME, found, "public", None)
    assert keys(diagnosis) == ["good leads_here", "note no_ipv6", "good alias"]
    assert "box.provider.example" in diagnosis.findings[-1].said.text("de")


def test_an_unknown_ipv6_address_is_not_taken_for_a_missing_one() -> None:
    found = replace(facts(PUBLIC, own=(PUBLIC,)), aaaa=Lookup(failure="servfail"))
    assert keys(diagnose(NAME, found, "public", None)) == ["good leads_here", "note ipv6_unknown"]


def test_the_name_of_every_box_needs_nobody_inside_the_house() -> None:
    diagnosis = diagnose("ratssaal.local", Facts((INSIDE,)), "house", None)
    assert keys(diagnosis) == ["good local"]
    assert diagnosis.ready
    assert diagnosis.turn_ready


@pytest.mark.parametrize("name", ["ratssaal.local", "box.internal", "box.home.arpa"])
@pytest.mark.parametrize("reach", ["public", "datacentre"])
def test_names_of_the_own_network_are_no_names_for_guests(name: str, reach: Reach) -> None:
    diagnosis = diagnose(name, facts(INSIDE), reach, None)
    assert keys(diagnosis) == ["problem house_name"]
    assert not diagnosis.ready


@pytest.mark.parametrize(
    ("records", "allowed"),
    [
        ((), True),
        (((0, "issue", "letsencrypt.org"),), True),
        (((0, "issue", "LetsEncrypt.org ; accounturi=x"),), True),
        (((0, "issue", "other.example"), (0, "issue", "letsencrypt.org")), True),
        (((0, "issue", "other.example"),), False),
        (((0, "issue", ";"),), False),
        (((0, "issue", "evil-letsencrypt.org"),), False),
        (((0, "issuewild", ";"), (0, "iodef", "mailto:it@rathaus.example")), True),
        (((0, "issue", "other.example"), (0, "issuewild", "letsencrypt.org")), False),
        (((128, "issue", "letsencrypt.org"),), True),
        (((128, "tbs", "x"), (0, "issue", "letsencrypt.org")), False),
        (((0, "tbs", "x"), (0, "issue", "letsencrypt.org")), True),
    ],
)
def test_who_may_issue_follows_rfc_8659(
    records: tuple[tuple[int, str, str], ...], allowed: bool
) -> None:
    found = replace(
        facts(PUBLIC, PUBLIC6, own=(PUBLIC, PUBLIC6)),
        caa=Authorities(records, "rathaus.example" if records else None),
    )
    diagnosis = diagnose(NAME, found, "public", "letsencrypt.org")
    expected = ["good leads_here"] + ([] if allowed else ["problem caa_forbids"])
    assert keys(diagnosis) == expected
    assert diagnosis.ready is allowed
    assert diagnose(NAME, found, "public", None).ready


def test_a_prohibition_is_said_before_the_name_exists() -> None:
    caa = Authorities(((0, "issue", "other.example"),), "rathaus.example")
    diagnosis = diagnose(
        NAME, replace(facts(failure="nxdomain"), caa=caa), "public", "letsencrypt.org"
    )
    assert keys(diagnosis) == ["problem missing", "problem caa_forbids"]
    said = diagnosis.findings[1].said.text("de")
    assert "rathaus.example" in said
    assert "letsencrypt.org" in said


def test_an_unanswered_question_who_may_issue_is_no_prohibition() -> None:
    found = replace(
        facts(PUBLIC, PUBLIC6, own=(PUBLIC, PUBLIC6)), caa=Authorities(failure="timeout")
    )
    diagnosis = diagnose(NAME, found, "public", "letsencrypt.org")
    assert keys(diagnosis) == ["good leads_here", "note caa_unknown"]
    assert diagnosis.ready


def test_answers_of_a_name_server_become_one_diagnosis(zone: Zone) -> None:
    zone.records = {
        (NAME, "A"): [PUBLIC],
        ("rathaus.example", "CAA"): ['0 issue "other.example"'],
    }
    found = gather(NAME, [INSIDE], zone.resolver(), "timeout")
    assert keys(diagnose(NAME, found, "public", "letsencrypt.org")) == [
        "note forwarding",
        "note no_ipv6",
        "note turn_missing",
        "note hairpin",
        "problem caa_forbids",
    ]


def test_every_text_of_the_topic_is_used() -> None:
    code = Path(domain.__file__).read_text()
    used = set(re.findall(r'"(?:domain\.)?([a-z0-9_]+)"', code))
    for key in texts.topic("de", "domain"):
        assert key in used or key in ("letter_provider", "letter_datacentre"), key


# The letters.


@pytest.mark.parametrize("kind", ["provider", "datacentre"])
@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("ipv6", [None, PUBLIC6])
def test_a_letter_asks_for_exactly_the_records_and_ports(
    kind: letters.Kind, language: str, private: bool, ipv6: str | None
) -> None:
    address = INSIDE if private else PUBLIC
    written = letter(kind, language, NAME, address, "Verwaltung\nMusterdorf", private, ipv6)
    assert NAME in written.subject
    assert "\n" not in written.subject
    lines = written.body.splitlines()
    assert max(map(len, lines)) <= 72
    assert f"  {NAME}" in lines
    assert f"  {TURN}" in lines
    assert re.findall(r"^  (\d+/\w+) ", written.body, re.MULTILINE) == [
        "443/tcp",
        "443/udp",
        "80/tcp",
    ]
    records = re.findall(r"^  (A+) +(\S+)", written.body, re.MULTILINE)
    assert [kind for kind, _ in records] == (["A", "AAAA"] if ipv6 else ["A"])
    assert (("A", PUBLIC) in records) is not private
    assert (("AAAA", ipv6) in records) is (ipv6 is not None)
    text = " ".join(written.body.split())
    assert address in text
    assert "Proxy" in text or "proxy" in text
    assert "TLS" in text
    assert text.count("Verwaltung Musterdorf") == 2
    assert lines[-1].startswith("[") and lines[-1].endswith("]")
    assert "\n\n\n" not in written.body
    assert not re.search(r"[{}%]|None", written.body)


@pytest.mark.parametrize("kind", ["provider", "datacentre"])
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_box_with_ipv6_alone_asks_for_no_other_record(kind: letters.Kind, language: str) -> None:
    body = letter(kind, language, NAME, PUBLIC6, "Musterdorf", False).body
    assert re.findall(r"^  (A+) +(\S+)", body, re.MULTILINE) == [("AAAA", PUBLIC6)]
    assert " ".join(body.split()).count(PUBLIC6) == 2


def test_the_letters_to_provider_and_data_centre_differ_and_have_their_languages() -> None:
    bodies = {
        letter(kind, language, NAME, INSIDE, "Musterdorf", True).body
        for kind in ("provider", "datacentre")
        for language in texts.LANGUAGES
    }
    assert len(bodies) == 4
    assert sum(body.startswith("Sehr geehrte Damen und Herren,\n") for body in bodies) == 2


def test_a_long_name_stays_whole_in_a_letter() -> None:
    name = ".".join(["videokonferenz", *["verwaltungsgemeinschaft"] * 3, "example"])
    body = letter("provider", "de", name, INSIDE, "Musterdorf", True).body
    assert f"  turn.{name}\n" in body


def test_signs_that_html_would_escape_stay_themselves() -> None:
    body = letter("provider", "de", NAME, INSIDE, "Müller & Söhne <GmbH>", True).body
    assert "Müller & Söhne <GmbH>" in body


@pytest.mark.parametrize("address", ["rathaus.example", ""])
def test_a_letter_with_no_address_is_not_written(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        letter("provider", "de", NAME, address, "Musterdorf", True)
