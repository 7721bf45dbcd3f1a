"""Makes the host name that a clerk meant of what was typed, or says why it can be none."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable

from firstboot.texts import SaidError

try:
    import idna
except ImportError:  # a recommendation of Debian's, no dependency
    idna = None  # type: ignore[assignment]

LABEL_LENGTH = 63  # RFC 1123, section 2.1
NAME_LENGTH = 253 - len("turn.")  # the relay's name has to fit too

# RFC 6761, 6762, 7686, 8375 and 9476. `test` and `example` are for trials, and harm nobody.
RESERVED = ("localhost", "invalid", "onion", "alt", "arpa")


def under(name: str, suffixes: Iterable[str]) -> bool:
    """Whether `name` is one of `suffixes` or below it; all in small letters."""
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in suffixes)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _a_label(label: str) -> str:
    """The label in ASCII (RFC 5891, section 4): `münchen` is `xn--mnchen-3ya`; ß stays itself."""
    if label.isascii():
        return label
    # Python's own codec "idna" is that of 2003, which makes another name of ß.
    encoded = "xn--" + label[: LABEL_LENGTH + 1].encode("punycode").decode()
    if len(encoded) > LABEL_LENGTH:
        raise SaidError("domain.label_long", label=label)
    if idna:
        try:
            return idna.encode(label, uts46=True).decode()
        except idna.IDNAError as error:
            raise SaidError("domain.characters", label=label) from error
    if not all(sign == "-" or sign.isalnum() for sign in label):
        raise SaidError("domain.characters", label=label)
    return encoded


def _stripped(raw: str) -> str:
    """What was typed, without what surrounds a name in an address line or a letter."""
    text = "".join(sign for sign in raw if unicodedata.category(sign) != "Cf")
    text = unicodedata.normalize("NFKC", text).strip(" \t\r\n\xa0\"'„“”‚‘’<>").lower()
    text = re.sub(r"^[a-z][a-z0-9+.-]*:/+", "", text)
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0]
    if bracketed := re.match(r"\[(.*)\](:\d+)?$", text):
        text = bracketed[1]
    if not _is_address(text):
        text = re.sub(r":\d*$", "", text)
    return re.sub(r"\s*[.。]\s*", ".", text).strip().removesuffix(".")


def check_name(raw: str) -> str:
    """The host name that a clerk meant: small letters, ASCII (IDNA 2008), at most 248 characters.

    Spaces around it, capitals, `https://`, a port, a path and the final dot are forgiven. Raises
    SaidError for what cannot be the name of a box (RFC 1123, section 2.1; RFC 6761).
    """
    text = _stripped(raw)
    if not text:
        raise SaidError("domain.empty")
    if "@" in text:
        raise SaidError("domain.email", text=text)
    labels = text.split(".")
    if _is_address(text) or all(label.isdecimal() for label in labels):
        raise SaidError("domain.address", text=text)
    if "" in labels:
        raise SaidError("domain.dots", text=text)
    if "_" in text:
        raise SaidError("domain.underscore", text=text)
    for index, label in enumerate(labels):
        labels[index] = _a_label(label)
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", labels[index]):
            raise SaidError("domain.characters", label=label)
        if len(labels[index]) > LABEL_LENGTH:
            raise SaidError("domain.label_long", label=label)
    name = ".".join(labels)
    if len(name) > NAME_LENGTH:
        raise SaidError("domain.long", length=len(name), most=NAME_LENGTH)
    if under(name, ["local"]) and name != "ratssaal.local":
        raise SaidError("domain.multicast", name=name)
    if under(name, RESERVED) and not under(name, ["home.arpa"]):
        raise SaidError("domain.reserved", name=name)
    if len(labels) == 1:
        raise SaidError("domain.single", name=name)
    if not labels[-1][0].isalpha():
        raise SaidError("domain.ending", ending=labels[-1])
    return name
