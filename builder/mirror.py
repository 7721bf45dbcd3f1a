"""Which Debian mirror is used: the one named, else the host's own, else the tools' default."""

import re
from dataclasses import dataclass
from pathlib import Path

from builder.errors import UsageError

RELEASE = "trixie"
# What apt takes for no (StringToBool in its strutl.cc).
NO = {"no", "false", "without", "off", "disable", "0"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Mirror:
    """Base addresses of a Debian archive and of its security archive."""

    main: str
    security: str

    def deb822(self, components: str) -> str:
        """The same as `sources`, in the format of a .sources file (sources.list(5))."""
        paragraphs = [
            f"Types: deb\nURIs: {address}\nSuites: {suites}\nComponents: {components}\n"
            f"Signed-By: {KEYRING}\n"
            for address, suites in (
                (self.main, f"{RELEASE} {RELEASE}-updates"),
                (self.security, f"{RELEASE}-security"),
            )
        ]
        return "\n".join(paragraphs)

    def sources(self, components: str) -> list[str]:
        """Lines for sources.list(5) with the release, its updates and its security updates."""
        return [
            f"deb [signed-by={KEYRING}] {self.main} {RELEASE} {components}",
            f"deb [signed-by={KEYRING}] {self.main} {RELEASE}-updates {components}",
            f"deb [signed-by={KEYRING}] {self.security} {RELEASE}-security {components}",
        ]


def named(address: str) -> Mirror:
    """A mirror given by hand; its security archive is taken to lie beside it, as is usual."""
    if not re.fullmatch(r"https?://[^/\s]\S*", address):
        raise UsageError(
            f"{address!r} is not the address of a mirror.",
            "A mirror begins with http:// or https://, and holds a folder dists/.",
        )
    base = address.rstrip("/")
    security = f"{base}-security" if base.endswith("/debian") else f"{base}/debian-security"
    return Mirror(base, security)


def _entries(text: str, deb822: bool) -> list[tuple[str, list[str]]]:
    """Addresses and suites of a sources file."""
    found: list[tuple[str, list[str]]] = []
    if deb822:
        for paragraph in re.split(r"\n\s*\n", text):
            pattern = r"^([A-Za-z-]+):(.*(?:\n[ \t].*)*)"
            pairs = re.findall(pattern, paragraph, re.MULTILINE)
            fields = {name.lower(): value.split() for name, value in pairs}
            enabled = [word.lower() for word in fields.get("enabled", ["yes"])]
            if "deb" in fields.get("types", []) and not set(enabled) & NO:
                suites = fields.get("suites", [])
                found += [(address, suites) for address in fields.get("uris", [])]
    else:
        for line in text.splitlines():
            match = re.match(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line)
            if match:
                found.append((match[1], [match[2]]))
    return found


def of_tree(root: Path) -> Mirror | None:
    """The mirror of the Debian system at `root`; None where it is not Debian or names none."""
    try:
        release = (root / "etc/os-release").read_text()
    except OSError:
        return None
    if not re.search(r'^ID="?debian"?$', release, re.MULTILINE):
        return None
    lists = root / "etc/apt"
    files = [lists / "sources.list", *sorted((lists / "sources.list.d").glob("*"))]
    entries: list[tuple[str, list[str]]] = []
    for file in files:
        if file.suffix in (".list", ".sources") and file.is_file():
            entries += _entries(file.read_text(), file.suffix == ".sources")
    # Not file:// and the like: they mean files of that tree, or methods it alone has.
    entries = [one for one in entries if re.match(r"https?://[^/]", one[0])]
    codename = re.search(r"^VERSION_CODENAME=(\S+)$", release, re.MULTILINE)
    if not codename:
        return None
    main = [address for address, suites in entries if codename[1] in suites]
    security = [address for address, suites in entries if f"{codename[1]}-security" in suites]
    if not main:
        return None
    beside = named(main[0])
    return Mirror(beside.main, security[0].rstrip("/") if security else beside.security)


def choose(address: str | None) -> Mirror | None:
    """The mirror to use; None leaves it to the tools' default."""
    return named(address) if address else of_tree(Path("/"))
