"""The secrets among the settings: taken out of what is shown, logged or handed on, and put back."""

import copy
from typing import Any

SECRETS = (
    ("box", "certificate", "dns", "secret"),
    ("box", "certificate", "key"),
    ("cluster", "administration", "people", "*", "password"),
    ("cluster", "administration", "people", "*", "totp"),
    ("cluster", "administration", "openid", "client_secret"),
)


def _places(content: Any, path: tuple[str, ...]) -> list[tuple[Any, str, str]]:
    """Where `path` leads in `content`: (holder, key, path with numbers), only where it exists."""
    found: list[tuple[Any, str, str]] = [({"": content}, "", "")]
    for word in path:
        following: list[tuple[Any, str, str]] = []
        for holder, key, name in found:
            inside = holder[key]
            if word == "*" and isinstance(inside, list | tuple):
                following += [(inside, n, f"{name}.{n}") for n in range(len(inside))]  # type: ignore[misc]
            elif isinstance(inside, dict) and word in inside:
                following.append((inside, word, f"{name}.{word}"))
        found = following
    return [(holder, key, name.lstrip(".")) for holder, key, name in found]


def split(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Take the secrets out of dumped settings: (what is left, secrets by their path)."""
    public = copy.deepcopy(content)
    secrets: dict[str, str] = {}
    for path in SECRETS:
        for holder, key, name in _places(public, path):
            if holder[key] is not None:
                secrets[name] = holder[key]
            holder[key] = None
    return public, secrets


def join(public: dict[str, Any], secrets: dict[str, str]) -> dict[str, Any]:
    """Put secrets back where `split` took them from."""
    content = copy.deepcopy(public)
    for name, value in secrets.items():
        *way, last = name.split(".")
        inside: Any = content
        for word in way:
            inside = inside[int(word)] if isinstance(inside, list | tuple) else inside[word]
        inside[last] = value
    return content
