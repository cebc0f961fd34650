"""The reachability lab: networks, modes and ports by hand; who reaches whom comes out at once, with reasons.

All thinking is in `reachability_model`. This file is a table of controls.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from kit.composition import Composition
from kit.reader import Reading

from . import reachability_model as model
from .decisions import Page
from .frame import Form, Group, Part, View, choice, given, line, panel, press, typed
from .rows import MOST, NUMBERS, SHEET, heads, with_another, without

HEADS: Final = ("service", "network mode", "networks", "ports")


def think(inputs: model.Inputs) -> View:
    """What the lab shows for its inputs."""
    shown = model.view(inputs)
    names = [row.name for row in inputs.rows]
    own = [number for number in NUMBERS[: inputs.count] if inputs.mode[number]]
    return View(
        answer=shown.answer,
        situation=shown.situation,
        panels={"heads": heads(HEADS), "lines": shown.pictures, "matrix": shown.matrix, "notes": shown.notes},
        table=shown.reasons,
        off=[("networks", number) for number in own] + ["add"] * (inputs.count == MOST),
        hidden=[f"row {number}" for number in NUMBERS[inputs.count :]],
        options={
            "source": (("another machine", model.OUTSIDE), *((name, name) for name in dict.fromkeys(names))),
            "target": tuple((name, name) for name in dict.fromkeys(names)),
            **{("mode", number): model.modes(inputs, inputs.name[number]) for number in NUMBERS},
        },
    )


def row(number: str) -> Group:
    """The controls of one service."""
    name, mode, networks, ports = (f"{head} {number}" for head in HEADS)
    controls: tuple[Part, ...] = (
        typed(("name", number), name),
        choice(("mode", number), mode, ()),
        typed(("networks", number), networks, "default"),
        typed(("ports", number), ports, "none published"),
        press(f"remove {number}", f"Remove service {number}", partial(without, blank=model.Row(""), number=number)),
    )
    return Group("mc-row", controls, key=f"row {number}")


def reachability_lab(composition: Composition | Reading | str | Path) -> Form[model.Inputs] | Page:
    """Try out who reaches whom: networks, modes and ports by hand, the reasons at once.

    Args:
        composition: A composition, a reading of one, a text, or the path of a file; up to eight services are shown.

    Returns:
        The lab, whose `answer` is the composition, or a notice if it cannot be read or is too large.
    """
    found = given(composition)
    if isinstance(found, Page):
        return found
    return Form(
        model.inputs_of(found),
        think,
        panel("heads"),
        *map(row, NUMBERS),
        line(
            press("add", "Add a service", partial(with_another, blank=model.Row(""), first="monitor")),
            choice("source", "from", ()),
            choice("target", "to", ()),
        ),
        panel("lines", "mc-shown"),
        panel("matrix"),
        panel("notes"),
        css=SHEET,
        answer=lambda inputs: model.view(inputs).reading.composition,
    )
