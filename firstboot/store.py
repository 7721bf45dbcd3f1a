"""Keeps this box's settings: numbered generations, the draft of the next one, what is in force.

Under `Store.folder`: NNNNNN.json, one for each generation, without secrets; applied.json, which
generation of settings in which image version is in force; the files of firstboot.by_hand. Under
`Store.secrets`, for root alone: settings/NNNNNN.json with the secrets of that generation, and
draft.json.
"""

import datetime
import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firstboot.by_hand import ByHand
from firstboot.files import write_whole
from firstboot.settings import Box, Settings, join, migrate, split
from firstboot.texts import Said, SaidError

STATE = Path("/var/lib/ratssaal/settings")
SECRETS = Path("/var/lib/ratssaal/secrets")
# More than anybody ever makes of one draft.
REVISIONS = 1_000_000


@dataclass(frozen=True)
class Generation:
    """One change of the settings: its number, when (UTC, ISO 8601), by whom, and what changed."""

    number: int
    time: str
    who: str
    what: tuple[str, ...]
    public: dict[str, Any]
    failed: Said | None = None


@dataclass(frozen=True)
class Applied:
    """Which generation is in force, in which image version, and with which certificate.

    named, named_turn: for the public name, for the relay's, a certificate is served that is not
    the box's own; certificate: its SHA-256, hexadecimal.
    """

    generation: int
    image: str
    named: bool
    named_turn: bool = False
    certificate: str = ""

    @property
    def one_name(self) -> bool:
        """Whether the certificate browsers know is for the public name alone.

        Web and relay then share that name: browsers would take no other.
        """
        return self.named and not self.named_turn


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _write(path: Path, content: object, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o755 if mode & 0o004 else 0o700, parents=True, exist_ok=True)
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n", mode=mode)


def changes(before: dict[str, Any], after: dict[str, Any], name: str = "") -> list[str]:
    """Names of the settings that differ, such as `box.host_name`; never their values."""
    found: list[str] = []
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += changes(one, other, f"{name}{key}.")
        elif one != other:
            found.append(f"{name}{key}")
    return found


class Store:
    """The settings on disk. Only root can use what has to do with secrets."""

    def __init__(self, folder: Path = STATE, secrets: Path = SECRETS) -> None:
        self.folder = folder
        self.secrets = secrets

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from changing draft, generations and permits until the block ends."""
        with (self.secrets / "store.lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _public(self, number: int) -> Path:
        return self.folder / f"{number:06}.json"

    def _secret(self, number: int) -> Path:
        return self.secrets / f"settings/{number:06}.json"

    def numbers(self) -> list[int]:
        """The numbers of all generations, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]" * 6 + ".json"))

    def history(self, most: int = 50) -> list[Generation]:
        """The latest generations, newest first, without secrets."""
        return [self.generation(number) for number in self.numbers()[::-1][:most]]

    def generation(self, number: int) -> Generation:
        """One generation, without secrets. Raises SaidError where there is none."""
        try:
            raw = _read(self._public(number))
        except FileNotFoundError as error:
            raise SaidError("store.no_such_generation", number=number) from error
        failed = raw.get("failed")
        return Generation(
            number=number,
            time=raw["time"],
            who=raw["who"],
            what=tuple(raw["what"]),
            public=raw["settings"],
            failed=Said(failed["key"], failed["values"]) if failed else None,
        )

    def settings(self, number: int | None) -> Settings:
        """The settings of a generation, secrets and all; None: those before set-up.

        Raises SaidError where there is no such generation, or no whole one.
        """
        if number is None:
            network = ByHand(self.folder).network()
            return Settings(box=Box(network=network)) if network else Settings()
        public = self.generation(number).public
        try:
            content = join(public, _read(self._secret(number)))
        except FileNotFoundError as error:
            raise SaidError("store.no_such_generation", number=number) from error
        return Settings.model_validate(migrate(content))

    def public(self, number: int) -> dict[str, Any]:
        """As `settings`, without secrets: what an earlier version kept, as this one knows it."""
        return split(self.settings(number).model_dump(mode="json"))[0]

    def add(self, settings: Settings, who: str) -> int:
        """Keep `settings` as the next generation; returns its number. It is not in force yet."""
        number = max(self.numbers(), default=0) + 1
        applied = self.applied()
        before = self.settings(applied.generation if applied else None).model_dump(mode="json")
        content = settings.model_dump(mode="json")
        public, secrets = split(content)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        # The secrets first: a generation that can be seen is whole.
        _write(self._secret(number), secrets, mode=0o600)
        record = {"time": now, "who": who, "what": changes(before, content), "settings": public}
        _write(self._public(number), record)
        return number

    def mark_failed(self, number: int, said: Said) -> None:
        """Remember why a generation could not be brought into force."""
        record = _read(self._public(number))
        record["failed"] = {"key": said.key, "values": said.values}
        _write(self._public(number), record)

    def applied(self) -> Applied | None:
        """What is in force; None before set-up."""
        try:
            return Applied(**_read(self.folder / "applied.json"))
        except (OSError, ValueError, TypeError):
            return None

    def set_applied(self, applied: Applied) -> None:
        """Remember what is in force."""
        _write(self.folder / "applied.json", vars(applied))

    def pending(self) -> int | None:
        """The newest generation where it is neither in force nor failed."""
        number = max(self.numbers(), default=0)
        applied = self.applied()
        if not number or (applied and applied.generation >= number):
            return None
        return None if self.generation(number).failed else number


class Draft:
    """The answers given so far, secrets and all: a file for root alone, whole at any moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = store.secrets / "draft.json"

    def read(self) -> dict[str, Any]:
        """`revision`, `done` (steps), and `settings`, secrets included.

        From the first answer on also `since`, the revision it began with, and `answered`, the
        revision that each step's latest answers made.
        """
        try:
            found: dict[str, Any] = _read(self.path)
            return {**found, "settings": migrate(found["settings"])}
        except (OSError, ValueError, TypeError, KeyError):
            applied = self.store.applied()
            number = applied.generation if applied else None
            settings = self.store.settings(number).model_dump(mode="json")
            # A page from before this generation must not pass for one that knows it.
            return {"revision": (number or 0) * REVISIONS, "done": [], "settings": settings}

    def public(self) -> dict[str, Any]:
        """As `read`, without secrets; `secrets` names those that are there.

        `changed` names what differs from what is in force, secrets included.
        """
        content = self.read()
        applied = self.store.applied()
        now = self.store.settings(applied.generation if applied else None).model_dump(mode="json")
        changed = changes(now, content["settings"])
        public, secrets = split(content["settings"])
        return {**content, "settings": public, "secrets": sorted(secrets), "changed": changed}

    def put(self, step: str, part: dict[str, Any], revision: int) -> dict[str, Any]:
        """Take over `part` of the settings, answered in `step`; returns the draft without secrets.

        Raises SaidError where somebody else has answered `step` since `revision`, pydantic's
        ValidationError where the settings would not hold together.
        """
        content = self.read()
        merged = merge(content["settings"], part)
        keep_secrets(content["settings"], merged)
        forget_secret(content["settings"], merged, part)
        stale = _stale(content, step, revision)
        try:
            settings = Settings.model_validate(merged).model_dump(mode="json")
        except ValidationError as error:
            if stale:
                raise SaidError("store.somebody_else") from error
            raise
        same = settings == content["settings"]
        if stale and same and step in content["done"]:
            # Sent once more, since no answer came back the first time: nothing is left to do.
            return self.public()
        if stale:
            raise SaidError("store.somebody_else")
        made = content["revision"] + 1
        answered = content.get("answered", {})
        fresh = {
            "revision": made,
            "since": content.get("since", content["revision"]),
            "answered": answered if same else {**answered, step: made},
            "done": [*(one for one in content["done"] if one != step), step],
            "settings": settings,
        }
        _write(self.path, fresh, mode=0o600)
        return self.public()

    def begin(self, settings: Settings, done: Sequence[str] = ()) -> None:
        """Begin with `settings`, as answered all at once; done: steps that are."""
        content = {"revision": 1, "done": list(done), "settings": settings.model_dump(mode="json")}
        _write(self.path, content, mode=0o600)

    def carry(self, content: bytes) -> None:
        """Take over a draft that was begun elsewhere, unless there is one here.

        Raises ValueError for what is none.
        """
        if self.path.exists():
            return
        found = json.loads(content)
        try:
            settings = Settings.model_validate(migrate(found["settings"]))
            done = [str(one) for one in found["done"]]
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("this is no draft") from error
        self.begin(settings, done)

    def lay(self, part: dict[str, Any]) -> None:
        """Lay over a draft that there is what somebody has answered elsewhere than in the wizard.

        Pages that are open meanwhile are told, as with any other's change.
        """
        if self.path.exists():
            content = self.read()
            merged = merge(content["settings"], part)
            content = {**content, "revision": content["revision"] + 1, "settings": merged}
            _write(self.path, content, mode=0o600)

    def settings(self) -> Settings:
        """The draft as settings."""
        return Settings.model_validate(self.read()["settings"])

    def discard(self) -> None:
        """Forget the draft; the next one begins with what is in force."""
        self.path.unlink(missing_ok=True)


def _stale(content: dict[str, Any], step: str, revision: int) -> bool:
    """Whether a page drawn at `revision` shows other answers to `step` than the draft has now."""
    since = content.get("since", content["revision"])
    last = content.get("answered", {}).get(step, since)
    return not last <= revision <= content["revision"]


def merge(content: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """`content` with `part` laid over it; lists are replaced whole."""
    merged = dict(content)
    for key, value in part.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = merge(below, value) if both and isinstance(below, dict) else value
    return merged


def keep_secrets(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Fill in what a form never shows: the passwords of administrators who were there before."""
    known = {one["name"]: one for one in before["cluster"]["administration"]["people"]}
    for one in after["cluster"]["administration"]["people"]:
        for secret in ("password", "totp"):
            if secret not in one and one["name"] in known:
                one[secret] = known[one["name"]][secret]


def forget_secret(before: dict[str, Any], after: dict[str, Any], part: dict[str, Any]) -> None:
    """Take a directory's secret out where `part` names another directory without one of its own.

    Else whoever may change settings could have the box tell it to a server of his.
    """
    known, wanted = (one["cluster"]["administration"].get("openid") for one in (before, after))
    given = part.get("cluster", {}).get("administration", {}).get("openid") or {}
    if known and wanted and known["issuer"] != wanted["issuer"] and "client_secret" not in given:
        del wanted["client_secret"]
