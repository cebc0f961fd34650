"""The update lab: two compositions, a strategy for each service, what goes wrong; and then round by round.

from labs import update_lab
update_lab(OLD, NEW)
"""

from __future__ import annotations

from kit.planner.target import STRATEGIES

from . import update_model as model
from .frame import Form, area, choice, columns, line, number, panel, press, section, tick

CONTROLS = (
    columns(
        section("Runs now", area("old", "old composition", 9)),
        section("Is offered", area("new", "new composition", 9)),
    ),
    columns(
        section(
            "How each service is updated",
            *(
                choice(("strategies", str(place)), f"strategy of service {place + 1}", (model.WRITTEN, *STRATEGIES))
                for place in range(model.MOST)
            ),
            key="strategies",
        ),
        section(
            "What is around",
            choice("trouble", "what goes wrong", ((model.NOTHING, ""),)),
            number("until", "it ends after round (0: never)", 0, 99),
            number("fetch", "download of an image, seconds", 0, 3600),
            number("size", "size of an image, MB", 0, 20_000),
            choice(
                "wait", "a hand-over waits", (("as documented", "documented"), ("as coded: not at all", "as_coded"))
            ),
            tick("cached", "what is built as before keeps its image"),
        ),
    ),
    line(
        press("next", "Next round", model.forward),
        press("back", "Back", model.back),
        press("end", "To the end", model.to_the_end),
        press("start", "From the start", model.to_the_start),
        key="steps",
    ),
    panel("timeline"),
    columns(panel("did", "mc-half"), panel("left", "mc-half")),
    panel("states"),
)


class UpdateLab(Form[model.Inputs]):
    """Rounds of an update, forwards and backwards."""


def update_lab(old: str, new: str, **inputs: object) -> UpdateLab:
    """Step through an update from one composition to another.

    Args:
        old: The text of the composition that runs.
        new: The text of the one that is offered.
        inputs: Anything else that `update_model.Inputs` has: `names`, `trouble`, `until`, `fetch`, `size`, `at` …
    """
    given = model.Inputs(old=old.strip() + "\n", new=new.strip() + "\n", **inputs)  # type: ignore[arg-type]
    return UpdateLab(given, model.view, *CONTROLS)
