"""Who may change settings later: two people, or a reason why one."""

from typing import Any

from firstboot.passwords import hash_password, strength
from firstboot.texts import SaidError
from firstboot.web.forms import Answers, Field, FieldError, Step, View

PLACES = ("1", "2")


def _fields(view: View) -> list[Field]:
    administration = view.settings["cluster"]["administration"]
    people = [*administration["people"], {}, {}]
    found: list[Field] = []
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
            ),
            Field(f"mail{place}", value=person.get("mail", ""), mode="email"),
            Field(
                f"password{place}",
                "password",
                required=first and not known,
                autocomplete="new-password",
                length=256,
            ),
        ]
    networks = " ".join(administration["networks"])
    return [
        *found,
        Field("alone_because", value=administration["alone_because"]),
        Field("networks", value=networks, more=True),
    ]


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
    return person


def _take(answers: Answers, view: View) -> dict[str, Any]:
    administration = view.settings["cluster"]["administration"]
    known = {one["name"] for one in administration["people"]}
    people = [_person(place, answers, view, known) for place in PLACES]
    if people[0] is None:
        raise FieldError("name1", "setup.administrators.name_missing")
    alone = answers.get("alone_because", "").strip()
    if people[1] is None and not alone:
        raise FieldError("alone_because", "setup.administrators.second_or_reason")
    if people[1] and people[0]["name"].casefold() == people[1]["name"].casefold():
        raise FieldError("name2", "setup.administrators.same_name")
    return {
        "cluster": {
            "administration": {
                "people": [one for one in people if one],
                "alone_because": "" if people[1] else alone,
                "networks": answers.get("networks", "").replace(",", " ").split(),
            }
        }
    }


STEP = Step("administrators", 2, _fields, _take)
