"""The fleet lab: one label or one OS update changes, and it says at once which devices move.

All thinking is in `fleet_model`, all HTML in `fleets`; this file has the inputs, the view and the table of controls.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from kit.composition import Composition
from kit.contracts import LABELS, OPTIONAL, PREFIX, label_findings
from kit.device import os_releases
from kit.diagnostics import Severity
from kit.looks import prose
from kit.reader import Reading

from . import fleet_model as model
from . import fleets
from .decisions import Page
from .fleet_model import Fleet, Outlook
from .frame import Form, View, choice, columns, given, panel, section, tick, typed

NOBODY = "nobody"
EVERYBODY = "every older device"
NO_LABEL = "no label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What can be changed: one label of one service, and one update of the host OS."""

    label: str = NO_LABEL  # "service: sw.linux"
    picked: str = NO_LABEL  # the label that `value` belongs to
    value: str = ""
    update: str = NOBODY
    version: str = ""
    upgrade: bool = False


class Answer(NamedTuple):
    """What a learner has made: the release and the fleet."""

    composition: Composition
    fleet: Fleet


def labels(composition: Composition) -> dict[str, tuple[str, str]]:
    """What can be changed: `web: sw.linux` to a service and a label; those that are there stand first."""
    keys = (*(label.key for label in LABELS), OPTIONAL)
    pairs = [(service, key) for service in composition.services for key in keys]
    pairs.sort(key=lambda pair: pair[0].label(pair[1]) is None)
    short = {key: key.removeprefix(PREFIX).removeprefix("io.balena.features.") for key in keys}
    return {f"{service.name}: {short[key]}": (service.name, key) for service, key in pairs}


@lru_cache(maxsize=1)
def newest() -> tuple[str, ...]:
    """The newest balenaOS release of each line, newest first."""
    found: dict[tuple[str, ...], str] = {}
    for release in os_releases():
        if "-" not in release.version:
            found.setdefault(tuple(release.version.split(".")[:2]), release.version)
    return tuple(found.values())


def result(base: Composition, fleet: Fleet, inputs: Inputs) -> Answer:
    """The release and the fleet after the change."""
    composition = base
    if inputs.label in (known := labels(base)):
        service, key = known[inputs.label]
        value = inputs.value if inputs.picked == inputs.label else _text(base, inputs.label)
        composition = model.relabelled(base, service, key, value.strip() or None)
    if inputs.update != NOBODY and inputs.version:
        only = "" if inputs.update == EVERYBODY else inputs.update
        fleet = model.updated(fleet, inputs.version, only)
    return Answer(composition, fleet)


def _text(base: Composition, label: str) -> str:
    """The value that a label has in the release as it was given."""
    service, key = labels(base).get(label, ("", ""))
    found = base.service(service)
    return (found.label(key) or "") if found else ""


def think(base: Composition, fleet: Fleet, before: Outlook, name: str, inputs: Inputs) -> View:
    """The view-model: inputs in, everything that is shown out."""
    now = result(base, fleet, inputs)
    changed = now != Answer(base, fleet)
    findings = [found for service in now.composition.services for found in label_findings(service)]
    broken = next((found for found in findings if found.severity is Severity.ERROR), None)
    off = {"value"} if inputs.label == NO_LABEL else set()
    off |= {"version"} if inputs.update == NOBODY else set()
    if broken:
        said = f"{broken.message}. {broken.help}".strip()
        return View(answer="Refused. No release is made.", situation=f"{said} ({broken.rule}).", off=off)
    after = model.outlook(now.composition, now.fleet) if changed else before
    moves = model.moves(before, after)
    total, counts = len(now.fleet), after.counts
    notes = "".join(f"<p>{prose(f'{found.message} ({found.rule}).')}</p>" for found in findings)
    shown = {
        "marks": fleets.marks(counts) + fleets.groups_table(after.groups, total) + fleets.legend(counts),
        "moves": f"<h4>What moves</h4>{fleets.moves_table(moves)}" if changed else "",
        "behind": fleets.behind(after, now.fleet),
        "notes": notes,
        "upgrade": "",
    }
    if inputs.upgrade:
        found = model.upgrades(now.composition, now.fleet)
        shown["upgrade"] = f"<h4>The smallest OS upgrade set</h4>{fleets.upgrades_table(found, total)}"
    told = f"{name}, {total:,} device{'s' * (total != 1)}. {fleets.scale(counts)}"
    status = f"{after.answer} {fleets.moved(moves)}" if changed else after.answer
    return View(answer=after.answer, situation=told, panels=shown, status=status.replace("`", ""), off=off)


class FleetLab(Form[Inputs]):
    """A release and a fleet; one label and one update to change."""

    def __init__(self, composition: Composition, fleet: Fleet, name: str) -> None:
        known = labels(composition)
        types = [
            slug for slug, _count in Counter(each.device_type or "" for each in fleet.values()).most_common() if slug
        ]
        before = model.outlook(composition, fleet)
        self._base, self.fleet = composition, dict(fleet)
        parts = columns(
            section(
                "Change one label",
                choice("label", "label", (NO_LABEL, *known)),
                typed("value", "value", "without a value the label goes"),
            ),
            section(
                "Update the host OS",
                choice("update", "devices", (NOBODY, EVERYBODY, *types)),
                choice("version", "to balenaOS", newest()),
            ),
        )
        css = fleets.STYLE.read_text("utf-8")
        super().__init__(
            Inputs(version=newest()[0]), partial(think, composition, fleet, before, name),
            parts, panel("notes"), panel("moves"), panel("marks"), panel("behind"),
            tick("upgrade", "Show the smallest OS upgrade set"), panel("upgrade"),
            css=css, answer=partial(result, composition, self.fleet),
        )  # fmt: skip

    def show(self) -> None:
        """A label that was just picked brings its own value along."""
        inputs = self.inputs
        if inputs.label != inputs.picked:
            inputs = replace(inputs, picked=inputs.label, value=_text(self._base, inputs.label))
        self.put(inputs)


def fleet_lab(
    composition: Composition | Reading | str | Path, fleet: Fleet | str | Path | None = None, name: str = "this fleet"
) -> FleetLab | Page:
    """Try out what a release does to a fleet: change one label or one OS release, and see who moves.

    Args:
        composition: A composition, a reading of one, a text, or the path of a file.
        fleet: Devices by name, or a table of devices as text or as the path of a file; without one, an example of 200.

    Returns:
        The lab; a notice if the composition cannot be read, or the findings if no device can be.
    """
    found = given(composition)
    if isinstance(found, Page):
        return found
    if fleet is None:
        fleet, name = model.example_fleet(), "the workshop's fleet"
    if isinstance(fleet, str | Path):
        reading = model.read_fleet(fleet)
        if not reading.devices:
            return fleets.reading_page(reading)
        fleet = reading.devices
    return FleetLab(found, fleet, name)
