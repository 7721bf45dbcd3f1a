"""By which directory of the house staff may sign in; a part of the step `administrators`."""

from typing import Any

from firstboot.openid import BACK
from firstboot.web.forms import Answers, Field, FieldError, View
from firstboot.web.steps.pem import LENGTH, pasted

SECRET = "cluster.administration.openid.client_secret"  # noqa: S105 - where it is kept
FOLD = "openid"


def fields(view: View) -> list[Field]:
    """The questions, and the address that the directory's administrator has to enter."""
    found = view.settings["cluster"]["administration"].get("openid") or {}
    back = BACK.format(host_name=view.settings["box"]["host_name"])

    def text(name: str, length: int = 200, mode: str = "text") -> Field:
        value = found.get(name) or ""
        return Field(f"openid_{name}", value=value, more=True, fold=FOLD, length=length, mode=mode)

    return [
        Field("openid_back", "shown", back, more=True, fold=FOLD),
        text("issuer", 500, "url"),
        text("client_id"),
        Field("openid_client_secret", "password", more=True, fold=FOLD, length=500),
        text("claim", 100),
        text("value"),
        text("button"),
        Field(
            "openid_authority", "textarea", found.get("authority") or "", more=True, fold=FOLD,
            length=LENGTH,
        ),
    ]  # fmt: skip


def take(answers: Answers, view: View) -> dict[str, Any] | None:
    """The directory as settings have it; None where its address was left empty."""
    given = {
        name: answers.get(f"openid_{name}", "").strip()
        for name in ("issuer", "client_id", "client_secret", "claim", "value", "button")
    }
    if not given["issuer"]:
        return None
    if not given["issuer"].startswith("https://"):
        raise FieldError("openid_issuer", "setup.administrators.openid_not_https")
    if not given["client_id"]:
        raise FieldError("openid_client_id", "setup.administrators.openid_missing")
    if bool(given["claim"]) != bool(given["value"]):
        name = "openid_value" if given["claim"] else "openid_claim"
        raise FieldError(name, "setup.administrators.openid_half")
    found: dict[str, Any] = {
        "issuer": given["issuer"],
        "client_id": given["client_id"],
        "claim": given["claim"] or None,
        "value": given["value"] or None,
        "authority": pasted(answers, "openid_authority"),
        "button": given["button"],
    }
    known = view.settings["cluster"]["administration"].get("openid") or {}
    same = SECRET in view.secrets and known.get("issuer") == given["issuer"]
    if given["client_secret"]:
        found["client_secret"] = given["client_secret"]
    elif not same:
        raise FieldError("openid_client_secret", "setup.administrators.openid_secret")
    return found
