"""The fields of the settings: what each takes, and how JSON Schema says the same.

Whatever is in one may end in environments, units, command lines and configuration files, so that
nothing gets through that means something there.
"""

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

# RFC 1123, section 2.1: labels of letters, digits and hyphens, 253 characters in all. The last one
# begins with a letter, so that no address passes for a name. Capitals are in the pattern since it
# is checked before they are lowered.
HOST_NAME = (
    r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only letters, digits and signs that can be printed, on one line")
    return text


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _interface(text: str) -> str:
    return str(ipaddress.ip_interface(text))


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _without_key(text: str) -> str:
    if "PRIVATE KEY-----" in text:
        raise ValueError("a private key is in it, which belongs elsewhere")
    return text


def _rsa_public_key(text: str) -> str:
    # A library that only whoever names such a key has to load.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text.encode())
    except UnsupportedAlgorithm:
        key = None
    if not isinstance(key, RSAPublicKey) or not 2048 <= key.key_size <= 8192:
        raise ValueError("an RSA key of 2048 to 8192 bits")
    return text


# A `description` ends the sentence "Wanted here: …" of `./ratssaal answers check`. A `format` is
# checked there as the validator beside it does here. Patterns of addresses keep scopes out, in
# which Python's ipaddress takes any character (`fe80::1%…`, RFC 4007).
HostName = Annotated[
    str,
    StringConstraints(to_lower=True, max_length=253, pattern=HOST_NAME),
    Field(description="a host name, such as konferenz.rathaus.example"),
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200),
    AfterValidator(_printable),
    Field(description="one line of text", json_schema_extra={"format": "printable"}),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80),
    AfterValidator(_printable),
    Field(
        description="a name on one line",
        json_schema_extra={"format": "printable", "pattern": r"\S"},
    ),
]
Text = Annotated[str, StringConstraints(max_length=50_000), Field(description="a text")]
Address = Annotated[
    str,
    StringConstraints(max_length=45, pattern=r"^[0-9A-Fa-f:.]+$"),
    AfterValidator(_address),
    Field(
        description="an address, such as 192.0.2.1 or 2001:db8::1",
        json_schema_extra={"format": "ipvanyaddress"},
    ),
]
Interface = Annotated[
    str,
    StringConstraints(max_length=61, pattern=r"^[0-9A-Fa-f:.]+/[0-9.]+$"),
    AfterValidator(_interface),
    Field(
        description="an address with the length of its network, such as 192.0.2.10/24",
        json_schema_extra={"format": "ipvanyinterface"},
    ),
]
NetworkRange = Annotated[
    str,
    StringConstraints(max_length=61, pattern=r"^[0-9A-Fa-f:.]+(/[0-9.]+)?$"),
    AfterValidator(_network),
    Field(
        description="a network by its first address, such as 192.0.2.0/24",
        json_schema_extra={"format": "ipvanynetwork"},
    ),
]
Card = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$"),
    Field(description="the name of a network card, such as enp1s0"),
]
Pem = Annotated[
    str,
    StringConstraints(max_length=200_000, pattern=r"^\s*-----BEGIN [A-Z0-9 ]+-----[\s\S]*$"),
    AfterValidator(_without_key),
    Field(
        description="certificates in PEM notation, without a private key",
        json_schema_extra={"not": {"pattern": "PRIVATE KEY-----"}},
    ),
]
RsaPublicKey = Annotated[
    str,
    StringConstraints(max_length=4000, pattern=r"^\s*-----BEGIN PUBLIC KEY-----[\s\S]*$"),
    AfterValidator(_rsa_public_key),
    Field(
        description="a public RSA key of 2048 to 8192 bits, in PEM notation",
        json_schema_extra={"format": "rsa-public-key"},
    ),
]
# Of a web address: a name, or an address, and perhaps a port.
_HOST = r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
# Fewer signs than RFC 3986 allows: addresses end in environments, units and command lines.
Url = Annotated[
    str,
    StringConstraints(
        max_length=500,
        pattern=rf"^https?://{_HOST}(/[A-Za-z0-9._~/?=+:@,-]*)?$",
    ),
    Field(description="a web address, such as https://name.example/path"),
]
# An issuer is compared letter by letter, and has neither query nor fragment (OpenID Connect
# Discovery 1.0, sections 2 and 4.3).
Issuer = Annotated[
    str,
    StringConstraints(
        max_length=500,
        pattern=rf"^https://{_HOST}(/[A-Za-z0-9._~/:@,-]*)?$",
    ),
    Field(
        description="the address by which a directory names itself, such as "
        "https://anmeldung.rathaus.example/realms/rathaus"
    ),
]
# RFC 6749, appendix A.1, without blanks.
ClientId = Annotated[
    str,
    StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$"),
    Field(description="the name under which a directory knows the box"),
]
Claim = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$"),
    Field(description="the name of something that a directory says of people, such as groups"),
]
ClaimValue = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
    Field(
        description="what a person has to carry, on one line",
        json_schema_extra={"format": "printable", "pattern": r"\S"},
    ),
]
Colour = Annotated[
    str,
    StringConstraints(to_lower=True, pattern=r"^#[0-9A-Fa-f]{6}$"),
    Field(description='a colour in quotes, such as "#0b4f8a"'),
]
Mail = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^([A-Za-z0-9_][A-Za-z0-9._+=-]*@[A-Za-z0-9.-]+)?$"),
    Field(description="a mail address"),
]


def kept_secret(**more: Any) -> Any:
    """A field that holds a secret: `writeOnly` in the JSON Schema."""
    return Field(json_schema_extra={"writeOnly": True}, **more)


def needs(kind: str, value: str, needed: tuple[str, ...], why: str) -> dict[str, Any]:
    """A rule of JSON Schema: where `kind` is `value`, all of `needed` have to be there."""
    return {
        "if": {"properties": {kind: {"const": value}}, "required": [kind]},
        "then": {
            "description": why,
            "required": list(needed),
            "properties": {one: {"type": "string"} for one in needed},
        },
    }


def together(key: str, other: str, why: str) -> dict[str, Any]:
    """A rule of JSON Schema: where the text `key` is there, `other` has to be there as well."""
    return {
        "if": {"properties": {key: {"type": "string"}}, "required": [key]},
        "then": {
            "description": why,
            "required": [other],
            "properties": {other: {"type": "string"}},
        },
    }


def named_by(key: str, rule: dict[str, Any], what: str) -> dict[str, Any]:
    """A rule of JSON Schema: `key` is there and says something."""
    return {"description": what, "required": [key], "properties": {key: rule}}
