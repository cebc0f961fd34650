"""One composition from all sides: findings, what vanishes, the order, decisions, doors, the way from another one.

    explore("docker-compose.yml")                       the file that a stranger sent
    explore(text, device=kit.Device.preset(…))          why one device takes it or not
    explore(path, against="old/docker-compose.yml")     what an update from the other file does
    explore(path, fleet="devices.csv")                  what it does to a fleet

Nothing is built, pulled or run. What cannot be read is said with its line; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import kit
from kit import looks
from kit.composition import Composition
from kit.contracts import Decision
from kit.device import Device, data_folder
from kit.diagnostics import Severity, render_all
from kit.graphs import of_composition, to_svg, to_table
from kit.looks import escaped, prose
from kit.planner import installed
from kit.reader import Reading, Unreadable
from kit.rules import host_access

from . import fleets
from .decisions import OUTCOMES, Page, reasons
from .findings import finding_list, host_access_table, style, vanishing_figure
from .fleet_model import Fleet, outlook, read_fleet

Source = Reading | str | Path
FAMILIES: Final = {
    "Raspberry Pi 4, of today": ("raspberrypi4-64", "8.0.2"),
    "Raspberry Pi 4, two years old": ("raspberrypi4-64", "5.3.21"),
    "Jetson Orin": ("jetson-agx-orin-devkit", "6.12.3"),
    "Jetson Nano": ("jetson-nano", "6.5.38"),
    "PC": ("generic-amd64", "7.0.5"),
}
"""The devices that a release is tried on where nobody names one."""


def explore(
    source: Source, device: Device | None = None, fleet: Fleet | str | Path | None = None, against: Source | None = None
) -> Page:
    """Everything that the kit says about one composition.

    Args:
        source: The path of a file, the name of one in `data/compositions`, a text, or a reading.
        device: The device to decide for; without one, five of different families.
        fleet: Devices by name, or a table of devices as text or as the path of a file.
        against: The release that runs before, in the same forms as *source*.

    The findings of a text are in `str(explore(…))`, too.
    """
    reading = opened(source)
    if isinstance(reading, Page):
        return reading
    found = kit.check(reading)
    composition = reading.composition
    errors = sum(each.severity is Severity.ERROR for each in found)
    services = len(composition.services) if composition else 0
    said = f"{services} service{'s' * (services != 1)}, {len(found)} finding{'s' * (len(found) != 1)}"
    answer = f"No release is made: {said}." if errors or not composition else f"{said}."
    lines = [answer[0].upper() + answer[1:], render_all(found, reading.texts)]
    parts = [("Findings", finding_list(found, with_style=False))]
    parts.append(("What vanishes on the way", vanishing_figure(reading, with_style=False)))
    if composition and not errors:
        parts += _looked_at(reading, composition, device, lines)
        parts += _fleet(composition, fleet, lines) if fleet is not None else ()
        parts += _before(composition, against, device, lines) if against is not None else ()
    name = ", ".join(reading.texts) or "a composition"
    body = "".join(
        f"<details{' open' * (not at)}><summary><b>{escaped(title)}</b></summary>{html}</details>"
        for at, (title, html) in enumerate(parts)
    )
    sheet = f"{style()}<style>{fleets.STYLE.read_text('utf-8')}</style>"
    return Page("\n\n".join(filter(None, lines)), sheet + looks.figure(lines[0], f"In {name}.", body, with_style=False))


def opened(source: Source) -> Reading | Page:
    """The reading of a source, or a notice if its file cannot be opened."""
    if isinstance(source, Reading):
        return source
    looks_like_a_path = isinstance(source, str) and "\n" not in source and source.strip().endswith((".yml", ".yaml"))
    if looks_like_a_path and not Path(source).exists():  # an example of the kit is found by its name
        example = data_folder() / "compositions" / Path(source).name
        source = example if example.is_file() else source
    try:
        return kit.read(Path(source) if looks_like_a_path else source)
    except (Unreadable, OSError, ValueError) as error:
        words = "This file cannot be read."
        return Page(f"{words} {error}", looks.figure(words, str(error)))


def _looked_at(
    reading: Reading, composition: Composition, device: Device | None, lines: list[str]
) -> Iterator[tuple[str, str]]:
    """The order, the decisions, and the doors to the host."""
    decision = kit.decide(composition, device.facts) if device else None
    graph = of_composition(composition, decision)
    if graph.too_many:
        yield "What starts, in order", to_table(graph)
    else:
        narrow = to_svg(graph, narrow=True) if graph.narrow else ""
        twin = f"<details><summary>The same as a table</summary>{to_table(graph)}</details>"
        yield "What starts, in order", looks.picture(to_svg(graph), narrow, "what starts, in order") + twin
    if device and decision:
        lines.append(str(decision))
        found = kit.flips(composition, device.facts, releases=device.upgrades())
        yield "Decision", reasons(decision, found)
    else:
        devices = {name: Device.preset(*chosen) for name, chosen in FAMILIES.items()}
        decided = {name: kit.decide(composition, each.facts) for name, each in devices.items()}
        lines.append("\n".join(f"{name}: {each.answer} {each.situation}" for name, each in decided.items()))
        yield "Decisions, on five devices", decided_table(devices, decided)
    form = reading.normal if reading.normal is not None else composition
    names = [service.name for service in composition.services]
    yield "Doors to the host", host_access_table(host_access(form), names, with_style=False)


def decided_table(devices: Mapping[str, Device], decided: Mapping[str, Decision]) -> str:
    """Decisions side by side: device, outcome, what decides."""
    rows: list[tuple[str, ...]] = [
        (
            escaped(name),
            escaped(f"{devices[name].device_type}, balenaOS {devices[name].os}, supervisor {devices[name].supervisor}"),
            looks.state(OUTCOMES[each.outcome], each.outcome),
            prose(each.situation),
        )
        for name, each in decided.items()
    ]
    return looks.table(("Device", "It has", "Outcome", "Because"), rows)


def _fleet(composition: Composition, fleet: Fleet | str | Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    """What the release does to a fleet."""
    if isinstance(fleet, str | Path):
        reading = read_fleet(fleet)
        if not reading.devices:
            lines.append(str(fleets.reading_page(reading)))
            yield "The fleet", fleets.reading_page(reading).html
            return
        fleet = reading.devices
    shown = fleets.fleet_page(outlook(composition, fleet), fleet)
    lines.append(str(shown))
    yield "The fleet", shown.html


def _before(
    composition: Composition, against: Source, device: Device | None, lines: list[str]
) -> Iterator[tuple[str, str]]:
    """What an update from another release does to each service, and its rounds; with a device, on that one (S-56)."""
    other = opened(against)
    title = "The update from the other file"
    if isinstance(other, Page):
        yield title, other.html
        return
    if other.composition is None or not other.ok:
        lines.append("The other file is no release.")
        yield title, finding_list(other.findings, with_style=False)
        return
    decision = kit.decide(composition, device.facts) if device else None
    dropped, rejected = (decision.dropped, decision.outcome == "rejected") if decision else ((), False)
    new = kit.Release("new", composition, dropped=dropped, rejected=rejected)
    old = kit.Release("old", other.composition)
    rows: list[tuple[str, ...]] = [
        (escaped(change.service), escaped(change.action), prose(str(change.why)))
        for change in kit.what_changed(old, new)
    ]
    plan = kit.plan(installed(old), new)
    lines.append(str(plan))
    table = looks.table(("Service", "What happens", "Because"), rows)
    yield title, f'{table}<pre class="mc-source">{escaped(plan)}</pre>'


__all__ = ["FAMILIES", "decided_table", "explore", "opened"]
