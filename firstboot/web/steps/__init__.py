"""The steps of the wizard, in order. A new one is a module here with a `STEP`, and a line below."""

from importlib import import_module

from firstboot.web.forms import Step

ORDER = (
    "network",
    "house",
    "reach",
    "domain",
    "certificate",
    "administrators",
    "meetings",
    "texts",
    "cluster",
)
# Language and code come before all steps, summary after them.
BEFORE_AND_AFTER = 2


def steps() -> dict[str, Step]:
    """All steps by name, in order."""
    found: dict[str, Step] = {}
    for name in ORDER:
        step: Step = import_module(f"{__name__}.{name}").STEP
        found[step.name] = step
    return found
