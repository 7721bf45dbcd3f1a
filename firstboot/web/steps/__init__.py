"""The steps of the wizard, in order. A new one is a module here with a `STEP`, and a line below.

Those of `LATER` are left out at set-up: administrators alone find them, among the settings.
"""

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
    "rules",
    "texts",
    "cluster",
)
LATER = ("rules",)
# Language and code come before all steps, summary after them.
BEFORE_AND_AFTER = 2


def _step(name: str) -> Step:
    step: Step = import_module(f"{__name__}.{name}").STEP
    return step


def steps() -> dict[str, Step]:
    """All steps of set-up by name, in order."""
    return {name: _step(name) for name in ORDER if name not in LATER}


def later() -> dict[str, Step]:
    """Those that set-up leaves out."""
    return {name: _step(name) for name in LATER}
