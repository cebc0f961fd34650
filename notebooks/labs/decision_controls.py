"""The decision lab: facts and labels go in by hand, the verdict comes out at once.

All thinking is in `decision_model`. This file makes the controls once, reads them, and shows what came back.
Rows of labels lie in a pool: those that are not needed are hidden, none is made later.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import ipywidgets as w
from ipywidgets.widgets.widget_button import ButtonStyle
from ipywidgets.widgets.widget_description import DescriptionStyle
from ipywidgets.widgets.widget_string import TextStyle

from kit import looks
from kit.composition import Composition
from kit.device import Device
from kit.reader import Reading

from . import decision_model as model
from .decisions import Page
from .frame import Lab, given

SPARE: Final = 8  # rows that can be added
ANOTHER: Final = "another"
STYLE: Final = Path(__file__).with_name("lab.css")


class Answer(NamedTuple):
    """What a learner has made: the release and the device."""

    composition: Composition
    device: Device


class DecisionLab(Lab):
    """Requirement labels, the optional mark and device facts; verdicts, reasons, graph and a suggestion."""

    def __init__(self, composition: Composition, device: Device) -> None:
        super().__init__()
        self._base, self._device = composition, device
        self._undo: model.Inputs | None = None
        inputs = model.inputs_of(composition, device)
        self._controls(inputs)
        self._arrange()
        self._listen()
        self._write(inputs)
        self._show()

    # -------------------------------------------------------------------------------- made once

    def _controls(self, inputs: model.Inputs) -> None:
        self._names = tuple(service.name for service in self._base.services)
        types, releases = model.presets()
        here = (self._device.os,) if self._device.os and self._device.os not in releases else ()
        self._known = {  # the texts that can be picked from a table; the others follow
            "device_type": self.make(w.Dropdown, description="known device type", options=(ANOTHER, *types)),
            "os": self.make(w.Dropdown, description="known balenaOS", options=(ANOTHER, *here, *releases)),
        }
        fact = partial(self.make, w.Text, placeholder=model.ABSENT)
        self._facts = {field: fact(description=words) for field, words in model.FACTS.items()}
        layout = self.own(w.Layout())  # shared by all rows, as are the styles: fewer models to send
        dropdown, text, button = (self.own(style()) for style in (DescriptionStyle, TextStyle, ButtonStyle))
        drop = partial(self.make, w.Dropdown, layout=layout, style=dropdown)
        self._rows = [
            (
                drop("mc-service", description=f"service of requirement {number}", options=self._names),
                drop("mc-label", description=f"label of requirement {number}", options=model.SUFFIXES),
                self.make(w.Text, "mc-value", description=f"value of requirement {number}", layout=layout, style=text),
                self.make(w.Button, description=f"Remove requirement {number}", layout=layout, style=button),
            )
            for number in range(1, len(inputs.rows) + SPARE + 1)
        ]
        self._lines = [self.make(w.HBox, "mc-row", children=row) for row in self._rows]
        self._add = self.make(w.Button, description="Add a requirement")
        box = partial(self.make, w.Checkbox, indent=False)
        self._marks = {name: box(description=f"{name} is optional") for name in self._names}
        self._try, self._tabled = self.make(w.Button), box(description="Show the same as a table")
        self._answer, self._verdicts, self._graph, self._table, self._why = (self.make(w.HTML) for _ in range(5))

    def _arrange(self) -> None:
        column, line = partial(self.make, w.VBox), partial(self.make, w.HBox)
        device, asks = (
            self.make(w.HTML, value=f"<h4>{text}</h4>") for text in ("This device", "What the services ask for")
        )
        marks = line("mc-marks", children=(self._add, *self._marks.values()))
        self._flip = line("mc-flip", children=(self._why, self._try))
        facts = [
            line("mc-pick", children=(text, self._known[field])) if field in self._known else text
            for field, text in self._facts.items()
        ]
        inputs = [
            column("mc-facts", children=(device, *facts)),
            column("mc-asks", children=(asks, *self._lines, marks)),
        ]
        left, right = (
            column("mc-verdicts", children=(self._verdicts, self._flip)),
            column("mc-graph", children=(self._graph,)),
        )
        self.parts(
            self.make(w.HTML, value=f"<style>{looks.css()}{STYLE.read_text('utf-8')}</style>"),
            self._answer,
            line("mc-columns", children=inputs),
            line("mc-columns", "mc-results", children=(left, right)),
            self._tabled,
            self._table,
        )

    def _listen(self) -> None:
        for known in self._known.values():
            self.listen(known, self._preset)
        rows = (control for row in self._rows for control in row[:3])
        for control in (*self._facts.values(), *self._marks.values(), *rows):
            self.listen(control, self._changed)
        self.listen(self._tabled, self._show)
        for number, row in enumerate(self._rows):
            self.press(row[3], partial(self._remove, number))
        self.press(self._add, self._add_row)
        self.press(self._try, self._try_it)

    # ------------------------------------------------------------------------------ read, write, show

    def _read(self) -> model.Inputs:
        """What the controls say."""
        texts = {field: text.value.strip() or None for field, text in self._facts.items()}
        changes = {field: text for field, text in texts.items() if text != getattr(self._device, field)}
        if changes:
            self._device = self._device.changed(**changes)
        rows = tuple(model.Row(*(control.value for control in row[:3])) for row in self._rows[: self._count])
        marked = frozenset(name for name, mark in self._marks.items() if mark.value)
        return model.Inputs(device=self._device, rows=rows, optional=marked)

    def _write(self, inputs: model.Inputs) -> None:
        """Set every control, unheard."""
        self._device, self._count = inputs.device, len(inputs.rows)
        with self.unheard():
            for field, text in self._facts.items():
                text.value = getattr(inputs.device, field) or ""
            for number, (line, controls) in enumerate(zip(self._lines, self._rows, strict=True)):
                line.layout.display = None if number < self._count else "none"
                if number < self._count:
                    for control, value in zip(controls, inputs.rows[number], strict=False):
                        control.value = value
            for name, mark in self._marks.items():
                mark.value = name in inputs.optional
        self._add.disabled = self._count == len(self._rows) or not self._names

    def _show(self) -> None:
        """Ask the view-model and show what comes back."""
        inputs = self._read()
        shown = self.view = model.view(self._base, inputs)
        self._graph.value, self._verdicts.value = shown.graph, shown.verdicts
        self._answer.value, self.status.text = shown.answer, shown.status
        self._table.value = shown.table if self._tabled.value else ""
        self._facts["l4t"].placeholder = model.hint(inputs.device)
        self._why.value = "<p>The suggestion is in place.</p>" if self._undo else shown.flip_html
        self._try.description = "Take it back" if self._undo else "Try it"
        self._flip.layout.display = None if self._undo or shown.flip else "none"
        for number, (_service, _label, value, _remove) in enumerate(self._rows):
            (value.add_class if number == shown.marked else value.remove_class)("mc-deciding")
        asked = {row.service for row in inputs.rows} | inputs.optional
        for name, mark in self._marks.items():
            mark.layout.display = None if name in asked else "none"
        with self.unheard():
            for field, known in self._known.items():
                value = getattr(inputs.device, field)
                known.value = value if value in known.options else ANOTHER

    # ----------------------------------------------------------------------------------- what hands do

    def _changed(self) -> None:
        self._undo = None
        self._show()

    def _preset(self) -> None:
        """A pick from the tables: supervisor, architecture, kernel and L4T follow."""
        now = self._read()
        picked = [
            (getattr(now.device, field) or "") if known.value == ANOTHER else known.value
            for field, known in self._known.items()
        ]
        self._put(replace(now, device=Device.preset(*picked)))

    def _add_row(self) -> None:
        inputs = self._read()
        service = inputs.rows[-1].service if inputs.rows else self._names[0]
        taken = {row.label for row in inputs.rows if row.service == service}
        label = next((suffix for suffix in model.SUFFIXES if suffix not in taken), model.SUFFIXES[0])
        value = "aarch64" if label == "arch.sw" else ""
        self._put(replace(inputs, rows=(*inputs.rows, model.Row(service, label, value))))

    def _remove(self, number: int) -> None:
        inputs = self._read()
        self._put(replace(inputs, rows=inputs.rows[:number] + inputs.rows[number + 1 :]))

    def _put(self, inputs: model.Inputs) -> None:
        self._write(inputs)
        self._changed()

    def _try_it(self) -> None:
        """Put the suggestion into the controls, or take it out again."""
        before, self._undo = self._undo, None
        if before is not None:
            self._write(before)
        elif self.view.flip is not None:
            self._undo = self._read()
            self._write(model.applied(self._undo, self.view.flip))
        self._show()

    # ------------------------------------------------------------------------------------- from outside

    @property
    def answer(self) -> Answer:
        """The release and the device as they are now."""
        inputs = self._read()
        return Answer(model.composition_of(self._base, inputs), inputs.device)

    def still(self) -> str:
        return model.still(self.view)

    def __str__(self) -> str:
        return str(self.view.decision or self.view.status)


def decision_lab(composition: Composition | Reading | str | Path, device: Device | None = None) -> DecisionLab | Page:
    """Try out which devices take a release: labels and facts by hand, the verdict at once.

    Args:
        composition: A composition, a reading of one, a text, or the path of a file.
        device: The device to begin with; without one, a Raspberry Pi 4.

    Returns:
        The lab, or a notice if the composition cannot be read or is too large for a lab.
    """
    found = given(composition)
    return found if isinstance(found, Page) else DecisionLab(found, device or Device.preset("raspberrypi4-64", "6.3.0"))
