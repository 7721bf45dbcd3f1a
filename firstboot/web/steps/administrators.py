"""Who may change settings later: two people, or a reason why one; from where, and with what app.

Also by which directory others may sign in to book rooms, without a say in settings.
"""

import datetime
import re
from typing import Any

import segno

from firstboot.access.passwords import hash_password, strength, totp_secret, totp_uri, totp_valid
from firstboot.texts import Said, SaidError
from firstboot.web.forms import Answers, App, Field, FieldError, Note, Step, View
from firstboot.web.steps import openid
from firstboot.web.visitor import inside

PLACES = ("1", "2")
# On which answers others depend.
SECOND, ALONE = "setup.when.second", "setup.when.alone"
SECRET = re.compile(r"[A-Z2-7]{32}")


def app(secret: str, name: str, house: str) -> App:
    """A secret as an authenticator app takes it: as a picture, and in groups to type."""
    code = segno.make(totp_uri(secret, name, house), error="m", micro=False)
    groups = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return App(secret, groups, code.svg_data_uri(scale=4, border=4, light="#fff"))


def _app_field(place: str, name: str, view: View) -> Field:
    """Setting an app up, or doing without it again."""
    if f"cluster.administration.people.{int(place) - 1}.totp" in view.secrets:
        return Field(f"app_off{place}", "checkbox", more=True)
    shown = name or "Ratssaal"
    made = app(totp_secret(), shown, view.settings["cluster"]["house"]["name"])
    return Field(
        f"app{place}", "app", more=True, autocomplete="one-time-code", mode="numeric", length=10,
        app=made,
    )  # fmt: skip


def _fields(view: View) -> list[Field]:
    administration = view.settings["cluster"]["administration"]
    people = [*administration["people"], {}, {}]
    found: list[Field] = []
    apps: list[Field] = []
    for place, person in zip(PLACES, people, strict=False):
        first = place == "1"
        known = bool(person.get("name"))
        found += [
            Field(
                f"name{place}",
                value=person.get("name", ""),
                required=first,
                length=80,
                autocomplete="name" if first else "off",
                when="" if first else SECOND,
            ),
            Field(f"mail{place}", value=person.get("mail", ""), mode="email"),
            Field(
                f"password{place}",
                "password",
                required=first and not known,
                hint=Said("setup.administrators.password_keep") if known else None,
                autocomplete="new-password",
                length=256,
                when="" if first else SECOND,
            ),
        ]
        apps.append(_app_field(place, person.get("name", ""), view))
    networks = " ".join(administration["networks"])
    return [
        *found,
        Field("alone_because", value=administration["alone_because"], when=ALONE),
        *apps,
        Field("networks", value=networks, more=True),
        Field("networks_anyway", "checkbox", more=True),
        *openid.fields(view),
    ]


def _totp(place: str, answers: Answers) -> dict[str, Any]:
    """The person's app where one is set up or given up; nothing where all stays as it is."""
    if answers.get(f"app_off{place}"):
        return {"totp": None}
    digits = answers.get(f"app{place}", "").strip()
    if not digits:
        return {}
    secret = answers.get(f"app{place}_secret", "")
    now = datetime.datetime.now(datetime.UTC)
    if not SECRET.fullmatch(secret) or totp_valid(secret, digits, now, None) is None:
        raise FieldError(f"app{place}", "setup.administrators.app_wrong")
    return {"totp": secret}


def _person(place: str, answers: Answers, view: View, known: set[str]) -> dict[str, Any] | None:
    name = answers.get(f"name{place}", "").strip()
    password = answers.get(f"password{place}", "")
    if not name:
        return None
    person: dict[str, Any] = {"name": name, "mail": answers.get(f"mail{place}", "").strip()}
    if password:
        about = (name, view.settings["cluster"]["house"]["name"], view.settings["box"]["host_name"])
        try:
            found = strength(password, about)
        except SaidError as error:
            raise FieldError(f"password{place}", error.said.key, **error.said.values) from error
        if not found.accepted:
            raise FieldError(f"password{place}", found.said.key, **found.said.values)
        person["password"] = hash_password(password)
    elif name not in known:
        raise FieldError(f"password{place}", "setup.administrators.password_missing")
    return person | _totp(place, answers)


def _take(answers: Answers, view: View) -> dict[str, Any]:
    administration = view.settings["cluster"]["administration"]
    known = {one["name"] for one in administration["people"]}
    people = [_person(place, answers, view, known) for place in PLACES]
    if people[0] is None:
        raise FieldError("name1", "setup.administrators.name_missing")
    alone = answers.get("alone_because", "").strip()
    # Settings of a file may name more than there are places for: they stay.
    others = [
        {"name": one["name"], "mail": one["mail"]}
        for one in administration["people"][len(PLACES) :]
    ]
    if people[1] is None and not others and not alone:
        raise FieldError("alone_because", "setup.administrators.second_or_reason")
    if people[1] and people[0]["name"].casefold() == people[1]["name"].casefold():
        raise FieldError("name2", "setup.administrators.same_name")
    theirs = {one["name"].casefold() for one in others}
    for place, one in zip(PLACES, people, strict=True):
        if one and one["name"].casefold() in theirs:
            raise FieldError(f"name{place}", "setup.administrators.same_name")
    networks = answers.get("networks", "").replace(",", " ").split()
    if not inside(view.address, networks) and not answers.get("networks_anyway"):
        raise FieldError("networks", "setup.administrators.locked_out", address=view.address)
    return {
        "cluster": {
            "administration": {
                "people": [one for one in (*people, *others) if one],
                "alone_because": "" if people[1] or others else alone,
                "networks": networks,
                "openid": openid.take(answers, view),
            }
        }
    }


def _notes(view: View) -> list[Note]:
    people = view.settings["cluster"]["administration"]["people"]
    names = ", ".join(one["name"] for one in people[len(PLACES) :])
    return [Note("note", Said("setup.administrators.others", {"names": names}))] if names else []


STEP = Step("administrators", 2, _fields, _take, _notes)
