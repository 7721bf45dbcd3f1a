"""The table of endpoints and the description that is made of it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meet import api, models
from meet.api import ENDPOINTS
from meet.endpoint import HOST, Call
from meet.errors import STATUS, RefusedError
from meet.openapi import description
from meet.service import Service
from meet.tries import Tries, network

pytestmark = pytest.mark.unit

FOUND = description(ENDPOINTS, "1")


def references(content: Any) -> set[str]:
    if isinstance(content, dict):
        own = {content["$ref"]} if "$ref" in content else set()
        return own.union(*(references(one) for one in content.values()))
    if isinstance(content, list):
        return set().union(*(references(one) for one in content))
    return set()


def test_every_endpoint_is_described_with_all_that_it_may_answer() -> None:
    for one in ENDPOINTS:
        operation = FOUND["paths"][one.path][one.method.lower()]
        if one.leads:
            # A browser that comes as to a page is led to one, whatever is refused.
            assert set(operation["responses"]) == {"303"}
            assert all(key in operation["responses"]["303"]["description"] for key in one.errors)
        else:
            assert {str(STATUS[key]) for key in one.errors} <= set(operation["responses"])
        assert ("requestBody" in operation) is (one.asks is not None)
        assert ("security" in operation) is (one.who not in ("anyone", "page"))
        assert bool(one.handler) is not bool(one.stream)
    assert sum(len(one) for one in FOUND["paths"].values()) == len(ENDPOINTS)


def test_every_reference_leads_somewhere() -> None:
    for one in references(FOUND):
        assert one.removeprefix("#/components/schemas/") in FOUND["components"]["schemas"], one


def test_every_text_that_is_sent_has_a_longest_length() -> None:
    def endless(schema: Any, place: str) -> list[str]:
        if isinstance(schema, list):
            return [bad for one in schema for bad in endless(one, place)]
        if not isinstance(schema, dict):
            return []
        bounded = {"maxLength", "pattern", "enum", "const", "format"}
        bad = [place] if schema.get("type") == "string" and not bounded & set(schema) else []
        bad += [place] if schema.get("type") == "array" and "maxItems" not in schema else []
        return bad + [bad for key, one in schema.items() for bad in endless(one, f"{place}.{key}")]

    asked = [one.asks for one in ENDPOINTS if one.asks]
    assert asked
    for model in asked:
        assert endless(model.model_json_schema(), model.__name__) == []


def test_the_door_that_nginx_asks_is_in_no_description() -> None:
    assert "/api/gate" not in FOUND["paths"]


def test_hosts_that_links_may_lead_to() -> None:
    for good in ("a.example", "192.0.2.1", "[2001:db8::1]", "ratssaal.local"):
        assert HOST.fullmatch(good)
    for bad in ("", "a.example/x", "a b", "a@b", "-a", "a.example#", "[::1]x"):
        assert not HOST.fullmatch(bad)


def test_wrong_guesses_are_counted_by_address_and_all_together() -> None:
    tries = Tries(2, 3)
    for _ in range(2):
        tries.allow("192.0.2.1")
        tries.count("192.0.2.1")
    with pytest.raises(RefusedError, match="slow"):
        tries.allow("192.0.2.1")
    tries.allow("192.0.2.2")
    tries.count("192.0.2.2")
    with pytest.raises(RefusedError, match="slow"):
        tries.allow("192.0.2.3")


def test_a_seat_writes_no_more_than_its_share_and_others_go_on_writing() -> None:
    async def story() -> None:
        written: list[str] = []

        async def say(seat: Any, *_: object) -> None:
            written.append(seat.identity)

        service = SimpleNamespace(
            texts=Tries(2, 100, 10.0, who=str), visits=SimpleNamespace(say=say)
        )
        body = models.SayAsked(topic="chat", id="1", text="Guten Abend", done=True)

        async def post(identity: str) -> None:
            seat: Any = SimpleNamespace(identity=identity)
            await api._say(
                Call(cast(Service, service), cast(Any, None), cast(Any, None), body, seat)
            )

        await post("anna")
        await post("anna")
        with pytest.raises(RefusedError, match="slow"):
            await post("anna")
        await post("bernd")
        assert written == ["anna", "anna", "bernd"]

    asyncio.run(story())


def test_one_subscriber_of_ipv6_counts_as_one() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("x") == network("") == "unknown"
