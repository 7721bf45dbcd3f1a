"""Takes people out of texts that leave the house: addresses, names, and all that looks secret."""

import ipaddress
import re
from collections.abc import Iterable

_MAC = re.compile(r"\b[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5,19}\b")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_IPV4 = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])([0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d+){0,3})(?![\w:])"
)
# Tokens, hashes and keys: long, and not a word, a path or a unit's name.
_TOKEN = re.compile(r"(?<![\w/-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{24,}")
_JWT = re.compile(r"eyJ[\w-]+(\.[\w-]+)*")
_HASH = re.compile(r"\$argon2\S+")
_CODE = re.compile(r"(?i)(\bcode\b\W{0,10})[a-x]{4}[ -]?[a-x]{4}\b")
# What follows the word goes, to the end of the line: a password may have blanks.
_PASSWORD = re.compile(r"(?i)\b(pass(?:word|wort|phrase)|kennwort|secret)(\s*[:=]\s*).+")
# What the kernel says of a stick.
_SERIAL = re.compile(r"(?i)(\bserial ?number: )\S+")
_QUERY = re.compile(r"\?[^\s\"']+")


def _shortened(found: re.Match[str], *, private: bool) -> str:
    text = found[1]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.is_loopback or address.is_unspecified:
        return text
    if private and (address.is_private or address.is_link_local or address.is_multicast):
        return text
    if not private:
        return "<address>"
    if address.version == 4:
        return ".".join([*text.split(".")[:2], "x", "x"])
    return ":".join([*address.exploded.split(":")[:2], "x"])


def shorten_addresses(text: str) -> str:
    """`text` without hardware addresses, and with public addresses cut to their first half."""
    text = _MAC.sub("<mac>", text)
    for pattern in (_IPV6, _IPV4):
        text = pattern.sub(lambda found: _shortened(found, private=True), text)
    return text


def mask(text: str, known: Iterable[str] = ()) -> str:
    """`text` without addresses, mails and secrets, and without `known` words, however written."""
    # Looking for each first is quick; a pattern of thousands over a whole journal is not.
    small = text.lower()
    found = {one for one in known if len(one) > 2 and one.lower() in small}
    words = sorted(found, key=lambda one: (-len(one), one))
    for start in range(0, len(words), 200):
        pattern = "|".join(map(re.escape, words[start : start + 200]))
        text = re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", "<hidden>", text, flags=re.IGNORECASE)
    for pattern_of, instead in (
        (_HASH, "<secret>"), (_JWT, "<secret>"), (_MAIL, "<mail>"), (_MAC, "<mac>"),
        (_QUERY, "?<query>"), (_TOKEN, "<secret>"),
    ):  # fmt: skip
        text = pattern_of.sub(instead, text)
    text = _PASSWORD.sub(r"\1\2<secret>", text)
    text = _SERIAL.sub(r"\1<serial>", text)
    text = _CODE.sub(r"\1<code>", text)
    for pattern_of in (_IPV6, _IPV4):
        text = pattern_of.sub(lambda found: _shortened(found, private=False), text)
    return text
