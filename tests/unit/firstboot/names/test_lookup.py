"""What name servers say about the box's public name, asked of a real one on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from firstboot.names import lookup
from firstboot.names.domain import diagnose
from firstboot.names.lookup import Authorities, Facts, Lookup, gather

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"
TURN = f"turn.{NAME}"
PUBLIC, PUBLIC6 = "203.0.113.10", "2001:db8::10"
INSIDE = "192.168.1.10"


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
        turn=TURN,
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
    monkeypatch.setattr(lookup, "ALL_SECONDS", 1)
    zone.records = {(NAME, "A"): [PUBLIC]}
    zone.silent = {(NAME, "AAAA")}
    facts = gather(NAME, [PUBLIC], zone.resolver())
    assert facts.a.addresses == (PUBLIC,)
    assert facts.aaaa.failure == "timeout"
    assert facts.turn_aaaa.failure == "nxdomain"


def test_a_deaf_name_server_costs_no_more_than_the_time_for_all(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "QUERY_SECONDS", 1)
    monkeypatch.setattr(lookup, "ALL_SECONDS", 0.5)
    zone.deaf = True
    name = ".".join(["a"] * 100 + ["example"])
    started = time.monotonic()
    facts = gather(name, [INSIDE], zone.resolver())
    # With a second for each, more than a hundred questions would take seven, sixteen at a time.
    assert time.monotonic() - started < 4
    looked_up = (facts.a, facts.aaaa, facts.turn_a, facts.turn_aaaa, facts.caa)
    assert {one.failure for one in looked_up} == {"timeout"}


def test_the_bounds_are_those_that_the_wizard_promises() -> None:
    assert lookup.QUERY_SECONDS == 3
    assert lookup.ALL_SECONDS == 8


@pytest.mark.parametrize("text", ["# no server\nsearch rathaus.example\n", "nameserver none\n"])
def test_a_network_that_named_no_server_is_recognised(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    monkeypatch.setattr(lookup, "UPSTREAM", tmp_path / "resolv.conf")
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
    said = diagnose(NAME, found, "public", "letsencrypt.org").findings[-1].said
    assert said.key == "domain.caa_forbids"


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


def test_answers_of_a_name_server_become_one_diagnosis(zone: Zone) -> None:
    zone.records = {
        (NAME, "A"): [PUBLIC],
        ("rathaus.example", "CAA"): ['0 issue "other.example"'],
    }
    found = gather(NAME, [INSIDE], zone.resolver(), "timeout")
    findings = diagnose(NAME, found, "public", "letsencrypt.org").findings
    assert [one.said.key for one in findings] == [
        "domain.forwarding",
        "domain.no_ipv6",
        "domain.turn_missing",
        "domain.hairpin",
        "domain.caa_forbids",
    ]
