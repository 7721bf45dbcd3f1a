"""The settings of a box: one validated model, the only source of truth for its services.

Two parts: what belongs to this box alone (`box`), and what all boxes of a cluster share
(`cluster`). A field that is `writeOnly` in the JSON Schema holds a secret; `split` takes those out,
so that what is shown, logged or handed to Ansible never has any. `python3 -m firstboot.settings`
prints the settings of a box before set-up, as JSON for Ansible, and `… schema` the JSON Schema.
"""

import ipaddress
import json
import sys
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from firstboot.fields import (
    HOST_NAME,
    Address,
    Card,
    Claim,
    ClaimValue,
    ClientId,
    Colour,
    HostName,
    Interface,
    Issuer,
    Line,
    Mail,
    Name,
    NetworkRange,
    Pem,
    RsaPublicKey,
    Text,
    Url,
    kept_secret,
    named_by,
    needs,
    together,
)
from firstboot.rules import LIMITS as LIMITS
from firstboot.rules import PRESETS as PRESETS
from firstboot.rules import Encryption as Encryption
from firstboot.rules import Level as Level
from firstboot.rules import Preset as Preset
from firstboot.rules import PresetName as PresetName
from firstboot.rules import Rules as Rules
from firstboot.secret_fields import SECRETS as SECRETS
from firstboot.secret_fields import join as join
from firstboot.secret_fields import split as split
from firstboot.stack import Stack

VERSION = 1
Language = Literal["de", "en"]


class _Model(BaseModel):
    # Nothing of what was typed is in an error's text: it may be a secret, and ends in a journal.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Network(_Model):
    """How the box is reached on its wires; without `card` the same holds for every card.

    uplink: Mbit/s (10^6) that the house's line carries outwards; None where nobody knows.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                needs(
                    "mode",
                    "static",
                    ("card", "address"),
                    "a fixed address belongs to one card, and both are named",
                ),
                {
                    "if": {"properties": {"vlan": {"type": "integer"}}, "required": ["vlan"]},
                    "then": {
                        "description": "a VLAN belongs to one card, which is named",
                        "required": ["card"],
                        "properties": {"card": {"type": "string"}},
                    },
                },
            ],
            "x-inside": {"gateway": "address"},
        }
    )

    card: Card | None = None
    mode: Literal["dhcp", "static"] = "dhcp"
    address: Interface | None = None
    gateway: Address | None = None
    dns: tuple[Address, ...] = ()
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    proxy: Url | None = None
    proxy_authority: Pem | None = None
    time_servers: tuple[HostName | Address, ...] = ()
    uplink: Annotated[int, Field(ge=1, le=10000)] | None = None

    @model_validator(mode="after")
    def _static_is_whole(self) -> Self:
        if self.mode == "static" and not self.address:
            raise ValueError("A fixed address needs to be named, such as 192.0.2.10/24.")
        if self.mode == "static" and not self.card:
            raise ValueError("A fixed address belongs to one card, which has to be named.")
        if self.vlan and not self.card:
            raise ValueError("A VLAN belongs to one card, which has to be named.")
        if self.gateway and self.address:
            network = ipaddress.ip_interface(self.address).network
            gateway = ipaddress.ip_address(self.gateway)
            # Routers of IPv6 have addresses of the link, too (RFC 4861, section 6.1.2).
            near = gateway.version == network.version == 6 and gateway.is_link_local
            if gateway not in network and not near:
                raise ValueError("The gateway lies outside of the network of the address.")
        return self


class Dns(_Model):
    """Where and with which key certbot writes its proof into the name server (RFC 2136, 8945)."""

    server: Address
    port: Annotated[int, Field(ge=1, le=65535)] = 53
    key_name: HostName
    algorithm: Literal["HMAC-SHA256", "HMAC-SHA384", "HMAC-SHA512"] = "HMAC-SHA512"
    secret: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9+/=]{16,200}$"),
        kept_secret(description="the secret of a TSIG key, base64"),
    ]


class Certificate(_Model):
    """Who vouches for the box's name.

    own: the box itself; acme: an authority by ACME (RFC 8555), by HTTP-01 or with `dns` by DNS-01;
    files: a chain and key that somebody else made, or the answer to the box's own request.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                needs("kind", "acme", ("directory",), "an authority is asked at its directory"),
                needs("kind", "files", ("chain", "key"), "a certificate has a chain and a key"),
            ]
        }
    )

    kind: Literal["own", "acme", "files"] = "own"
    directory: Url | None = None
    authority: Pem | None = None
    contact: Mail = ""
    dns: Dns | None = None
    chain: Pem | None = None
    key: (
        Annotated[
            str,
            StringConstraints(
                max_length=200_000, pattern=r"^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----"
            ),
            kept_secret(description="a private key in PEM notation"),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _kind_is_whole(self) -> Self:
        if self.kind == "acme" and not self.directory:
            raise ValueError("An authority needs the address of its ACME directory.")
        if self.kind == "files" and not (self.chain and self.key):
            raise ValueError("A certificate of your own needs its chain and its key.")
        return self


class InstallDisk(_Model):
    """The disk that a box is to be installed on: the one that all that is named here fits.

    size: as it is sold, in GB. only: the only one of the box. By size or as the only one a disk is
    taken that holds nothing; what is overwritten has to be named by serial number or model.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                named_by("serial", {"pattern": r"\S"}, "a serial number"),
                named_by("model", {"pattern": r"\S"}, "a model"),
                named_by("size", {"minimum": 1}, "a size in GB"),
                named_by("only", {"const": True}, "only: true"),
            ]
        }
    )

    serial: Line = ""
    model: Line = ""
    size: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    only: Annotated[bool, Field(description="true or false")] = False

    @model_validator(mode="after")
    def _names_a_disk(self) -> Self:
        if not (self.serial or self.model or self.size or self.only):
            raise ValueError("A disk is named by serial number, model or size, or is the only one.")
        return self


class Install(_Model):
    """Where a box that runs from a stick installs itself; without a meaning once it has done so."""

    disk: InstallDisk


class Box(_Model):
    """What belongs to this box alone."""

    model_config = ConfigDict(
        json_schema_extra={
            # The name of the relay is made of it, with five characters more.
            "if": {"properties": {"turn_name": {"const": ""}}},
            "then": {"properties": {"host_name": {"maxLength": 248}}},
            "x-different": ["host_name", "turn_name"],
        }
    )

    language: Language = "de"
    install: Install | None = None
    network: Network = Network()
    reach: Literal["house", "public", "datacentre"] = "house"
    host_name: HostName = "ratssaal.local"
    # Empty: `turn.` before the host name.
    turn_name: Annotated[HostName, Field(json_schema_extra={"pattern": f"^$|{HOST_NAME}"})] = ""
    certificate: Certificate = Certificate()
    # The district's: a copy of the disk's recovery key is encrypted to it.
    recovery_key_for: RsaPublicKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _turn_by_default(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("turn_name", "") == "":
            name = raw.get("host_name", cls.model_fields["host_name"].default)
            return {**raw, "turn_name": f"turn.{name}"} if isinstance(name, str) else raw
        return raw

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if self.host_name == self.turn_name:
            raise ValueError("Web and relay are told apart by their names, which have to differ.")
        return self


class House(_Model):
    """The municipality as guests see it. `logo`: an SVG or PNG picture, base64."""

    name: Name = "Ratssaal"
    colour: Colour = "#0b4f8a"
    logo: (
        Annotated[
            str, StringConstraints(max_length=400_000), Field(description="a picture, base64")
        ]
        | None
    ) = None


class Administrator(_Model):
    """Somebody who may change settings. Passwords are kept as argon2id hashes (RFC 9106) alone."""

    name: Name
    mail: Mail = ""
    password: Annotated[
        str,
        StringConstraints(pattern=r"^\$argon2id\$[\x21-\x7e]{20,300}$"),
        kept_secret(description="the hash of a password; ./ratssaal answers hash makes one"),
    ]
    totp: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Z2-7]{16,64}$"),
            kept_secret(description="the secret of an authenticator app, base32, in quotes"),
        ]
        | None
    ) = None


class OpenId(_Model):
    """The house's directory, by which staff sign in to book rooms (OpenID Connect Core 1.0).

    issuer: as the directory names itself; claim, value: what a person has to carry, without them
    whoever the directory knows may book; authority: the root of a directory whose certificate no
    public one vouches for; button: the words on the page, empty for the page's own. Nobody becomes
    an administrator by it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                together("claim", "value", "what has to be carried has a name and a value"),
                together("value", "claim", "what has to be carried has a name and a value"),
            ]
        }
    )

    issuer: Issuer
    client_id: ClientId
    client_secret: Annotated[
        str,
        StringConstraints(pattern=r"^[\x21-\x7e]{1,500}$"),
        kept_secret(description="the secret that the directory gave the box"),
    ]
    claim: Claim | None = None
    value: ClaimValue | None = None
    authority: Pem | None = None
    button: Line = ""

    @model_validator(mode="after")
    def _claim_is_whole(self) -> Self:
        if bool(self.claim) != bool(self.value):
            raise ValueError("What a person has to carry has a name and a value.")
        return self


class Administration(_Model):
    """Who administers, and from where (`networks`: none named means from everywhere).

    openid: how staff may sign in to book rooms beside the administrators; None: not at all.
    """

    people: Annotated[tuple[Administrator, ...], Field(json_schema_extra={"x-unique": "name"})] = ()
    alone_because: Line = ""
    networks: tuple[NetworkRange, ...] = ()
    openid: OpenId | None = None

    @model_validator(mode="after")
    def _names_are_different(self) -> Self:
        names = [one.name.casefold() for one in self.people]
        if len(set(names)) != len(names):
            raise ValueError("Two administrators have the same name.")
        return self


class Meetings(Rules):
    """Who may meet, and how: a preset, and the rules that this house has otherwise.

    The rooms service enforces them. None: as the preset says.
    """

    preset: PresetName = "council"
    create: Literal["staff", "anyone"] | None = None

    def own(self) -> dict[str, Any]:
        """The rules that are set beside the preset, whatever it says."""
        return self.model_dump(exclude_none=True, exclude={"preset"})


class Texts(_Model):
    """Texts of law; an empty one is not shown, and the wizard offers a draft for it."""

    imprint: Text = ""
    privacy: Text = ""
    notice: Text = ""


class Cluster(_Model):
    """What all boxes of a cluster share."""

    house: House = House()
    administration: Administration = Administration()
    meetings: Meetings = Meetings()
    texts: Texts = Texts()


class Settings(_Model):
    """What a box serves, to whom and under which names. The defaults are those before set-up."""

    version: Literal[1] = 1
    box: Box = Box()
    cluster: Cluster = Cluster()


def place_of(error: ValidationError) -> str:
    """The first setting that `error` is about, such as `box.host_name`; empty: of all together."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ".".join(str(one) for one in first["loc"])


def migrate(content: dict[str, Any]) -> dict[str, Any]:
    """Bring settings of an earlier version to this one; ValueError for a later one.

    Those without a version, as an answers file may be, count as of this one.
    """
    version = content.get("version", VERSION)
    if type(version) is not int or version > VERSION or version < 1:
        raise ValueError(
            f"These settings have version {version!r}; this box knows versions 1 to {VERSION}."
        )
    for number in range(version, VERSION):
        content = MIGRATIONS[number](content)
    return {**content, "version": VERSION}


# From version N to N + 1, for each N; none yet. An answers file leaves out what is as usual, so a
# step must bear that anything is missing.
MIGRATIONS: dict[int, Any] = {}


def ansible_variables(settings: Settings, stack: Stack) -> dict[str, object]:
    """What the roles may use: those settings that end in a service's configuration, and `stack`.

    Names, addresses and networks alone. Ansible takes what comes from a file for a template of its
    own, so no text that a person may choose freely is ever among these.
    """
    return {
        "settings": {
            "box": {
                "host_name": settings.box.host_name,
                "turn_name": settings.box.turn_name,
                "network": settings.box.network.model_dump(
                    mode="json", exclude={"proxy", "proxy_authority"}
                ),
            },
            "cluster": {
                "administration": {"networks": list(settings.cluster.administration.networks)}
            },
        },
        "stack": {
            "doors": [vars(door) for door in stack.doors],
            "relays": [vars(relay) for relay in stack.relays],
            "store": list(stack.store),
        },
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of answers files and stored settings."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "Ratssaal: settings of a box",
        # The model takes settings without administrators, those before set-up; a box that is to set
        # itself up by an answers file does not.
        "x-needed": ["cluster", "administration", "people"],
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["schema"]:
        print(json.dumps(schema(), indent=2))  # noqa: T201
    else:
        print(json.dumps(ansible_variables(Settings(), Stack.read())))  # noqa: T201
