"""The order lab: services and arrows by hand, round after round by button.

All thinking is in `order_model`. This file is a table of controls.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from kit.composition import Composition
from kit.diagnostics import Severity
from kit.reader import Reading, read

from . import order_model as model
from .decisions import Page
from .frame import Form, Group, Part, View, choice, given, line, panel, press, typed
from .rows import MOST, NUMBERS, SHEET, heads, with_another, without

HEADS: Final = ("service", "starts after", "its process")


def think(inputs: model.Inputs) -> View:
    """What the lab shows for its inputs."""
    shown = model.view(inputs)
    over = shown.course is not None and inputs.step >= len(shown.course.stages)
    return View(
        answer=shown.answer,
        situation=shown.situation,
        panels={"heads": heads(HEADS), "picture": shown.picture, "steps": shown.steps},
        table=shown.table,
        off=["add"] * (inputs.count == MOST),
        hidden=[f"row {number}" for number in NUMBERS[inputs.count :]],
        options={"event": model.events(inputs)},
        words={"next": "Nothing is left to do" if over else "Next round"},
    )


def row(number: str) -> Group:
    """The controls of one service."""
    name, after, process = (f"{head} {number}" for head in HEADS)
    controls: tuple[Part, ...] = (
        typed(("name", number), name),
        typed(("after", number), after, "nothing"),
        choice(("does", number), process, tuple((words, does) for does, (words, _policy, _code) in model.DOES.items())),
        press(f"remove {number}", f"Remove service {number}", partial(without, blank=model.Row(""), number=number)),
    )
    return Group("mc-row", controls, key=f"row {number}")


def _refused_for_its_order(given: Composition | Reading) -> Composition | None:
    """A composition that is refused only for rings and unknown names: they are what this lab draws (C-55)."""
    if isinstance(given, Composition):
        return None
    rules = {found.rule for found in given.findings if found.severity is Severity.ERROR}
    return given.composition if rules == {"C-55"} else None


def order_lab(composition: Composition | Reading | str | Path) -> Form[model.Inputs] | Page:
    """Try out who starts when: services, arrows and processes by hand, the rounds one by one.

    Args:
        composition: A composition, a reading of one, a text, or the path of a file; up to eight services are shown.

    Returns:
        The lab, whose `answer` is the composition, or a notice if it cannot be read or is too large.
    """
    reading = read(composition) if isinstance(composition, str | Path) else composition
    found = given(reading)
    if isinstance(found, Page):
        if (drawable := _refused_for_its_order(reading)) is None:
            return found
        found = drawable
    tests = tuple((words, test) for test, (words, _first, _rule) in model.GENERATIONS.items())
    return Form(
        model.inputs_of(found),
        think,
        panel("heads"),
        *map(row, NUMBERS),
        line(
            press("add", "Add a service", partial(with_another, blank=model.Row(""), first="migrate")),
            choice("test", "supervisor", tests),
            choice("event", "what happens", ()),
        ),
        line(press("next", "Next round", model.forward), press("first", "Back to the start", model.from_the_start)),
        panel("picture", "mc-shown"),
        panel("steps"),
        css=SHEET,
        answer=lambda inputs: model.view(inputs).reading.composition,
    )  # fmt: skip
