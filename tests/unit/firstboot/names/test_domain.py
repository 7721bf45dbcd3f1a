"""What follows from all that is known inside about the box's public name."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from firstboot import texts
from firstboot.names import domain
from firstboot.names.domain import Diagnosis, Reach, diagnose
from firstboot.names.lookup import Authorities, Facts, Failure, Lookup, LoopResult

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"
PUBLIC, PUBLIC6 = "203.0.113.10", "2001:db8::10"
INSIDE, INSIDE6 = "192.168.1.10", "fd00::10"
SHARED = "100.64.7.8"


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
        "the router shows its own page, but IPv6 leads here",
        facts(PUBLIC, PUBLIC6, own=(INSIDE, PUBLIC6), loop="other"),
        "public",
        ["good leads_here", "note forwarding", "note router_answers"],
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


def test_every_text_of_the_topic_is_used() -> None:
    folder = Path(domain.__file__).parent
    code = "".join((folder / one).read_text() for one in ("domain.py", "hostname.py"))
    used = set(re.findall(r'"(?:domain\.)?([a-z0-9_]+)"', code))
    for key in texts.topic("de", "domain"):
        assert key in used or key in ("letter_provider", "letter_datacentre"), key
