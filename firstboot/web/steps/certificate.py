"""Who vouches for the box's name. Root's side reads the files: it holds the key of a request."""

from typing import Any

from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, FieldError, Note, Option, Step, View
from firstboot.web.steps.pem import LENGTH, pasted

KINDS = ("own", "acme", "request", "files")
# Let's Encrypt, the authority that most districts use; any other can be named.
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
# On which answers others depend.
ACME, DNS, UPLOAD = "setup.when.acme", "setup.when.dns", "setup.when.upload"
ALGORITHMS = ("HMAC-SHA512", "HMAC-SHA384", "HMAC-SHA256")


def suggested(view: View) -> dict[str, Any]:
    """The certificate of the draft; before anybody has answered, what is right for a public name.

    With its own certificate a box on the internet stays a box that browsers warn of.
    """
    box = view.settings["box"]
    found: dict[str, Any] = box["certificate"]
    named = box["reach"] != "house" and box["host_name"] != "ratssaal.local"
    if "certificate" in view.unanswered and named:
        return {**found, "kind": "acme", "directory": found["directory"] or DIRECTORY}
    return found


def _fields(view: View) -> list[Field]:
    found = suggested(view)
    dns = found["dns"] or {}
    options = tuple(
        Option(one, Said(f"setup.certificate.{one}"), Said(f"setup.certificate.{one}_hint"))
        for one in KINDS
    )
    algorithms = tuple(Option(one, one) for one in ALGORITHMS)
    return [
        Field("kind", "radio", found["kind"], options, required=True),
        Field(
            "contact",
            value=found["contact"],
            more=True,
            mode="email",
            autocomplete="email",
            when=ACME,
        ),
        Field("directory", value=found["directory"] or DIRECTORY, more=True, mode="url", when=ACME),
        Field("authority", "textarea", found["authority"] or "", more=True, length=LENGTH),
        Field("dns_server", value=dns.get("server", ""), more=True),
        Field("dns_key_name", value=dns.get("key_name", ""), more=True, when=DNS),
        Field(
            "dns_algorithm",
            "select",
            dns.get("algorithm", ALGORITHMS[0]),
            algorithms,
            more=True,
            when=DNS,
        ),
        Field("dns_secret", "password", more=True, when=DNS),
        Field("chain", "file", more=True, when=UPLOAD),
        Field("key", "file", more=True, when=UPLOAD),
        Field("password", "password", more=True, when=UPLOAD),
    ]


def _dns(answers: Answers, view: View) -> dict[str, Any] | None:
    server = answers.get("dns_server", "").strip()
    if not server:
        return None
    dns: dict[str, Any] = {
        "server": server,
        "key_name": answers.get("dns_key_name", "").strip().rstrip("."),
        "algorithm": answers.get("dns_algorithm") or ALGORITHMS[0],
    }
    secret = answers.get("dns_secret", "").strip()
    if secret:
        dns["secret"] = secret
    elif "box.certificate.dns.secret" not in view.secrets:
        raise FieldError("dns_secret", "setup.certificate.dns_secret_missing")
    return dns


def _take(answers: Answers, view: View) -> dict[str, Any]:
    kind = answers.get("kind")
    if kind not in KINDS:
        raise FieldError("kind", "setup.choose_one")
    if kind == "acme":
        certificate = {
            "kind": "acme",
            "directory": answers.get("directory", "").strip() or DIRECTORY,
            "contact": answers.get("contact", "").strip(),
            "authority": pasted(answers, "authority"),
            "dns": _dns(answers, view),
        }
    elif kind == "files":
        if not answers.get("chain"):
            if view.settings["box"]["certificate"]["kind"] == "files":
                return {}
            raise FieldError("chain", "setup.certificate.chain_missing")
        # Root's side reads the files, matches them with the key, and fills in the rest.
        certificate = {
            "kind": "files",
            "upload": {one: answers.get(one, "") for one in ("chain", "key", "password")},
        }
    else:
        # A request is an errand: until its answer is uploaded, the box vouches for itself.
        certificate = {"kind": "own"}
    return {"box": {"certificate": certificate}}


def _notes(view: View) -> list[Note]:
    kind = view.settings["box"]["certificate"]["kind"]
    name = view.settings["box"]["host_name"]
    if name == "ratssaal.local":
        return [Note("note", Said("setup.certificate.without_name"))]
    return [Note("good", Said("setup.certificate.have_files"))] if kind == "files" else []


STEP = Step("certificate", 1, _fields, _take, _notes)
