"""The restart lab: a policy, how the process ends, what happens to the device; and a minute in which it shows.

from labs import restart_lab
restart_lab("on-failure:3")
"""

from __future__ import annotations

from . import restart_model as model
from .frame import Form, choice, columns, number, panel, section, typed

CONTROLS = (
    columns(
        section(
            "The service",
            typed("written", "restart:", "nothing written"),
            number("lasts", "each run lasts, seconds", 1, 60),
            number("code", "and ends with", 0, 255),
            number("mended", "mended after, seconds (0: never)", 0, 60),
        ),
        section(
            "The device",
            choice("happening", "after 44 seconds", tuple(model.HAPPENINGS)),
            number("sigterm", "asked to end, it ends with", 0, 255),
        ),
    ),
    panel("minute"),
    panel("policies"),
)


class RestartLab(Form[model.Inputs]):
    """A minute under each restart policy."""


def restart_lab(written: str = "on-failure:3", **inputs: object) -> RestartLab:
    """See what a restart policy does: when the process ends, when the device boots, when somebody stops it.

    Args:
        written: What stands behind `restart:`.
        inputs: Anything else that `restart_model.Inputs` has: `code`, `lasts`, `mended`, `happening`, `sigterm`.
    """
    return RestartLab(model.Inputs(written=written, **inputs), model.view, *CONTROLS)  # type: ignore[arg-type]
