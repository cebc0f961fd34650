"""Fleets as HTML: marks for devices, groups with bars, who moves, who is left behind, and what an update needs.

The same picture serves ten devices and a million: at most a hundred marks, and a mark stands for 1, 2 or 5 times
a power of ten devices. Marks are shared out by largest remainder, and each outcome that occurs has at least one.
A device that runs everything is a plain dot, so that the exceptions speak. The tables below say it all in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kit import looks
from kit.diagnostics import render_all
from kit.graphs.svg import mark, rect, sheet
from kit.looks import escaped, glyph, prose

from .decisions import OUTCOMES, Page
from .findings import finding_list
from .fleet_model import Fleet, FleetReading, Group, Move, Outlook, UpgradeSet, os_order

STYLE: Final = Path(__file__).with_name("fleets.css")
MARKS: Final = 100
ROW: Final = 25
NARROW: Final = 15
"""Marks of one picture, and of one row of it."""
BAR: Final = 140
SCALED: Final = f'viewBox="0 0 {BAR} 12" preserveAspectRatio="none"'
MOST: Final = 12
"""Groups that have a row of their own; the others are counted."""
NAMES: Final = 6
WORDS: Final = {"deployed": "Deployed", "partial": "Partial", "rejected": "Rejected", "refused": "Refused"}
MEANS: Final = {
    "deployed": "runs everything",
    "partial": "runs without a service",
    "rejected": "the device says no; the old release goes on, unmanaged (S-60, S-61)",
    "refused": "the device cannot read the offer; the old release stays in force (S-55)",
}


def shares(counts: Mapping[str, int], most: int = MARKS) -> tuple[int, dict[str, int]]:
    """How many devices one mark stands for, and how many marks each outcome gets.

    >>> shares({"deployed": 714_208, "partial": 253_915, "rejected": 18_610, "refused": 13_267})
    (10000, {'deployed': 72, 'partial': 25, 'rejected': 2, 'refused': 1})
    >>> shares({"deployed": 999, "rejected": 1})[1]
    {'deployed': 99, 'rejected': 1}
    """
    there = {key: count for key, count in counts.items() if count}
    total = sum(there.values())
    unit = next(step * 10**power for power in range(20) for step in (1, 2, 5) if total <= step * 10**power * most)
    if unit == 1:
        return 1, there
    seats = max(len(there), round(total / unit))
    given = {key: count * seats // total for key, count in there.items()}
    by_rest = sorted(there, key=lambda key: (-(there[key] * seats % total), -there[key]))
    for key in by_rest[: seats - sum(given.values())]:
        given[key] += 1
    for key in given:
        if not given[key]:  # taken from the largest: a small group still gets a mark
            given[max(given, key=lambda each: given[each])] -= 1
            given[key] = 1
    return unit, given


def marks(counts: Mapping[str, int]) -> str:
    """The picture: a mark for each device, or for several; shorter rows where there is less room."""
    said = ", ".join(f"{WORDS[key].lower()} {count:,}" for key, count in counts.items())
    wide, narrow = (_rows_of_marks(shares(counts)[1], row, f"{said}.") for row in (ROW, NARROW))
    return looks.picture(wide, narrow, name="devices")


def _rows_of_marks(given: Mapping[str, int], row: int, said: str) -> str:
    drawn, at = "", 0
    for outcome, number in given.items():
        for _ in range(number):
            x, y = at % row * 21, at // row * 21
            dot = rect(x + 2, y + 2, 13, 13, 6.5, "", fill="run") if outcome == "deployed" else ""
            drawn += dot or mark(OUTCOMES[outcome], x, y, 17)
            at += 1
    width, height = max(1, min(at, row)) * 21, max(1, -(-at // row)) * 21
    return sheet("Devices by outcome", said, width, height, drawn)


def scale(counts: Mapping[str, int]) -> str:
    """What one mark stands for, in words."""
    unit, given = shares(counts)
    if unit == 1:
        return "One mark is one device."
    small = any(counts[key] < unit for key in given)
    return f"One mark is {unit:,} devices{'; a smaller group still gets one mark' if small else ''}."


def _bar(outcome: str, count: int, total: int) -> str:
    """How large a group is, on a scale that all bars share. A partial one is an outline with its end drawn."""
    width = max(2.0, BAR * count / max(total, 1))
    colour = {"deployed": "run", "partial": "run", "rejected": "no", "refused": "ref"}[outcome]
    drawn = rect(0, 0, BAR, 12, 0, "", fill="wash")
    if outcome == "partial" and width > 3:
        drawn += rect(0.5, 0.5, width - 1, 11, 0, "run", 1, fill="runt") + rect(width - 2, 0, 2, 12, 0, "", fill="run")
    else:
        drawn += rect(0, 0, width, 12, 0, "", fill=colour)
    return f'<svg class="mc-bar" width="{BAR}" height="12" {SCALED} aria-hidden="true">{drawn}</svg>'


def groups_table(found: Iterable[Group], total: int) -> str:
    """Outcome, reason, how many devices, and a bar: one row for each group."""
    groups = [*found]
    rows: list[tuple[str, ...]] = []
    for group in groups[:MOST]:
        has = f'<div class="mc-small mc-quiet">has {prose(group.has)}</div>' if group.has else ""
        count = len(group.names)
        rows.append((
            looks.state(OUTCOMES[group.outcome], WORDS[group.outcome], 14), f"{prose(_sentence(group.reason))}{has}",
            f"{count:,}", _bar(group.outcome, count, total),
        ))  # fmt: skip
    rest = groups[MOST:]
    more = sum(len(group.names) for group in rest)
    said = f'<p class="mc-quiet mc-small">{len(rest)} more groups with {more:,} devices.</p>' if rest else ""
    head = ("Outcome", "Because", "Devices", "Share of the fleet")
    return f'<div class="mc-fleet">{looks.table(head, rows)}</div>{said}' if rows else ""


def _sentence(reason: str) -> str:
    return reason if reason.startswith("`") else reason[:1].upper() + reason[1:]


def left_behind(shown: Outlook, fleet: Fleet) -> str:
    """The devices that run nothing new, by type and balenaOS, with some of their names."""
    counted: dict[tuple[str, str], dict[str, list[str]]] = {}
    for name in shown.left_behind:
        device = fleet[name]
        mine = counted.setdefault((shown.decisions[name].outcome, device.device_type or "unknown"), {})
        mine.setdefault(device.os or "unknown", []).append(name)
    rows: list[tuple[str, ...]] = []
    for (outcome, slug), releases in sorted(counted.items(), key=lambda each: -sum(map(len, each[1].values()))):
        order = sorted(releases, key=lambda version: (os_order(version) or (True, (0, 0, 0)), version))
        which = ", ".join(f"{version} ({len(releases[version])})" for version in order)
        names = sorted(name for version in order for name in releases[version])
        state = looks.state(OUTCOMES[outcome], escaped(slug), 14)
        rows.append((state, escaped(which), f"{len(names):,}", _names(names)))
    head = ("Device type", "balenaOS (devices)", "Devices", "Among them")
    return f'<div class="mc-fleet">{looks.table(head, rows[:40])}</div>' if rows else "<p>Nobody is left behind.</p>"


def behind(shown: Outlook, fleet: Fleet) -> str:
    """The same, folded: how many are left behind, and below it who."""
    count = len(shown.left_behind)
    said = f"Who is left behind: {count:,} device{'s' * (count != 1)}, by type and balenaOS"
    return f"<details><summary>{said}</summary>{left_behind(shown, fleet)}</details>" if count else ""


def _names(names: Iterable[str]) -> str:
    """
    >>> _names(["a", "<b>"])
    'a, &lt;b&gt;'
    """
    known = [*names]
    more = f" and {len(known) - NAMES:,} more" if len(known) > NAMES else ""
    return escaped(", ".join(known[:NAMES]) + more)


def moves_table(found: Iterable[Move]) -> str:
    """Who moves from one outcome to another."""
    rows: list[tuple[str, ...]] = [
        (
            looks.state(OUTCOMES[move.before], WORDS[move.before], 14),
            looks.state(OUTCOMES[move.after], WORDS[move.after], 14),
            f"{len(move.names):,}",
            _names(move.names),
        )
        for move in found
    ]
    table = looks.table(("Before", "Now", "Devices", "Among them"), rows)
    return f'<div class="mc-fleet">{table}</div>' if rows else "<p>No device changes its outcome.</p>"


def moved(found: Iterable[Move]) -> str:
    """Who moves, as a sentence."""
    told = [
        f"{len(move.names):,} {'goes' if len(move.names) == 1 else 'go'} from {move.before} to {move.after}"
        for move in found
    ]
    return f"{'; '.join(told)}." if told else "No device changes its outcome."


def upgrades_table(found: UpgradeSet, total: int) -> str:
    """Which devices need which balenaOS, and whom no release helps."""
    rows: list[tuple[str, ...]] = [
        (escaped(each.device_type), escaped(each.version), f"{len(each.names):,}", _names(each.names))
        for each in found.upgrades
    ]
    helpless = len(found.helpless)
    helped = f"{found.devices:,} of {total:,} devices need an update of the host OS. " if rows else ""
    noun = "device" if helpless == 1 else "devices"
    alone = f"No balenaOS release helps {helpless:,} {noun}: {_names(found.helpless)}." if helpless else ""
    head = ("Device type", "The first balenaOS that does it", "Devices", "Among them")
    table = f'<div class="mc-fleet">{looks.table(head, rows)}</div>' if rows else ""
    return f"<p>{escaped(helped)}{alone}</p>{table}" if rows or alone else "<p>No device needs an update.</p>"


def legend(counts: Mapping[str, int]) -> str:
    """The outcomes that occur, and what each means."""
    items = "".join(
        f"<li>{glyph(OUTCOMES[key], 14)} <span>{WORDS[key]}: {escaped(MEANS[key])}</span></li>" for key in counts
    )
    return f'<ul class="mc-legend">{items}</ul>' if items else ""


def fleet_figure(shown: Outlook, fleet: Fleet, name: str = "") -> str:
    """The whole card for a page on which nothing runs: answer, marks, groups, and who is left behind."""
    total = len(shown.decisions)
    situation = (
        f"{name + ', ' if name else ''}{total:,} device{'s' * (total != 1)}. {scale(shown.counts)}" if total else ""
    )
    body = (marks(shown.counts) if total else "") + groups_table(shown.groups, total) + behind(shown, fleet)
    sheet_ = f"<style>{STYLE.read_text('utf-8')}</style>"
    return sheet_ + looks.figure(shown.answer, situation, body, legend(shown.counts), name="fleet")


def fleet_page(shown: Outlook, fleet: Fleet, name: str = "") -> Page:
    """An outlook as text and as HTML."""
    lines = [shown.answer]
    lines += [
        f"  {group.outcome:<9} {len(group.names):>5,}  {group.reason}{f' (has {group.has})' if group.has else ''}"
        for group in shown.groups
    ]
    return Page("\n".join(lines).replace("`", ""), fleet_figure(shown, fleet, name))


def reading_page(reading: FleetReading, limit: int = 20) -> Page:
    """What was found in a table of devices."""
    told = render_all(reading.findings[:limit], {found.span.name: reading.text for found in reading.findings})
    text = f"{len(reading.devices):,} devices. {len(reading.findings):,} findings."
    return Page(f"{text}\n\n{told}".strip(), finding_list(reading.findings))


__all__ = [
    "behind", "fleet_figure", "fleet_page", "groups_table", "left_behind", "legend", "marks", "moved", "moves_table",
    "reading_page", "scale", "shares", "upgrades_table",
]  # fmt: skip
