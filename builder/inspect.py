"""Shows what is in an image, and what differs between two."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from builder import keys
from builder.artifacts import Artifacts, wrong_sums
from builder.disk import partitions
from builder.paths import build_folder
from builder.progress import console
from builder.toolbox import Toolbox


@dataclass(frozen=True)
class Report:
    """All facts of one image; sizes in bytes."""

    name: str
    version: str
    stack: str
    files: dict[str, int]
    partitions: dict[str, int]
    kernel: dict[str, int]
    packages: dict[str, dict[str, object]]
    signer: str
    ours: bool
    wrong_sums: list[str]


def kernel_sections(artifacts: Artifacts, toolbox: Toolbox) -> dict[str, int]:
    """Sizes of the sections of the unified kernel image, in bytes."""
    answer = toolbox.run(
        ["ukify", "--json=short", "inspect", artifacts.kernel], writable=[artifacts.folder]
    )
    return {name: int(section["size"]) for name, section in json.loads(answer).items()}


def _signer(artifacts: Artifacts, toolbox: Toolbox) -> str:
    answer = toolbox.run(["sbverify", "--list", artifacts.kernel], writable=[artifacts.folder])
    match = re.search(r"subject: (.*)", answer)
    return match[1].strip() if match else "nobody"


def _signed_by_us(artifacts: Artifacts, toolbox: Toolbox) -> bool:
    pair = keys.existing_pairs().get("secure-boot")
    if pair is None:
        return False
    verify = f'sbverify --cert "{pair.certificate}" "{artifacts.kernel}" >/dev/null 2>&1'
    check = f"{verify} && echo yes || echo no"
    folders = [artifacts.folder, pair.certificate.parent]
    return toolbox.run(["sh", "-c", check], writable=folders).strip() == "yes"


def inspect(artifacts: Artifacts, toolbox: Toolbox) -> Report:
    """Read all facts of an image; also checks its sums."""
    record = json.loads((artifacts.folder / "build.json").read_text())
    files = [*artifacts.all()]
    return Report(
        name=artifacts.name,
        version=str(record["version"]),
        stack=str(record["stack"]),
        files={path.name: path.stat().st_size for path in files},
        partitions={one.name: one.size for one in partitions(toolbox, artifacts.raw)},
        kernel=kernel_sections(artifacts, toolbox),
        packages=artifacts.packages(),
        signer=_signer(artifacts, toolbox),
        ours=_signed_by_us(artifacts, toolbox),
        wrong_sums=wrong_sums(artifacts),
    )


def differences(old: Report, new: Report) -> dict[str, object]:
    """Packages added, removed and changed, and the change in size of files and partitions."""

    def versions(report: Report) -> dict[str, str]:
        return {name: str(facts["version"]) for name, facts in report.packages.items()}

    before, after = versions(old), versions(new)
    changed = {
        name: [before[name], after[name]]
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    }
    return {
        "added": {name: after[name] for name in sorted(after.keys() - before.keys())},
        "removed": {name: before[name] for name in sorted(before.keys() - after.keys())},
        "changed": changed,
        "partitions": _changes(old.partitions, new.partitions),
        "kernel": _changes(old.kernel, new.kernel),
    }


def _changes(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    names = sorted({*old, *new})
    found = {name: new.get(name, 0) - old.get(name, 0) for name in names}
    return {name: change for name, change in found.items() if change}


def _size(count: object) -> str:
    return f"{int(str(count)) / 2**20:,.1f} MiB"


def show(report: Report, most: int = 15) -> None:
    """Print tables for people."""
    console.print(f"\n[bold]{report.name}[/bold]  stack {report.stack}")
    signed = "this machine's own key" if report.ours else "a key that is not on this machine"
    console.print(f"signed by {report.signer} ({signed})")
    for title, rows in (
        ("Files", report.files),
        ("Partitions", report.partitions),
        ("Unified kernel image", report.kernel),
    ):
        table = Table("name", "size", title=title, title_justify="left")
        for name, size in rows.items():
            table.add_row(name, _size(size))
        console.print(table)
    ordered = sorted(report.packages.items(), key=lambda item: -int(str(item[1]["size"])))
    table = Table(
        "package",
        "version",
        "size",
        title=f"Packages: {len(ordered)}, the largest",
        title_justify="left",
    )
    for name, facts in ordered[:most]:
        table.add_row(name, str(facts["version"]), _size(facts["size"]))
    console.print(table)
    if report.wrong_sums:
        console.print(
            f"[red]Files that are not what SHA256SUMS says: {', '.join(report.wrong_sums)}"
        )


def show_differences(found: dict[str, object]) -> None:
    """Print what differs, for people."""
    for title, content in found.items():
        if not content:
            continue
        console.print(f"[bold]{title}[/bold]")
        assert isinstance(content, dict)
        for name, value in content.items():
            text = " -> ".join(value) if isinstance(value, list) else str(value)
            if isinstance(value, int):
                text = f"{value / 2**20:+.2f} MiB"
            console.print(f"  {name}: {text}", highlight=False)


def locate(name: str) -> Path:
    """The image that a person means: a path, or a version below build/."""
    path = Path(name)
    beside = build_folder() / (name if name.startswith("ratssaal_") else f"ratssaal_{name}")
    return beside if not path.exists() and beside.exists() else path
