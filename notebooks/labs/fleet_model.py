"""What the fleet lab thinks, without a widget: a table of devices goes in, an outlook comes out.

A fleet is a mapping of names to devices. `read_fleet` makes one of CSV text; `outlook` decides a release on
each device and says who is left behind and why; `upgrades` finds the smallest OS upgrade set; `moves` compares
two outlooks. A release is decided once for each set of distinct facts, so a thousand devices take no time.

    name         how the device is called
    device-type  the slug; with `os` it stands for what the tables know: architecture, supervisor, kernel, L4T
    arch, supervisor, kernel, l4t
                 what this device says itself. Without the column the tables answer; an empty cell is a fact
                 that the device does not report (S-10)

>>> fleet = read_fleet("name,device-type,os\\npi,raspberrypi4-64,6.5.4\\n").devices
>>> fleet["pi"].supervisor, fleet["pi"].kernel
('16.12.7', '6.12.20')
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from kit.composition import Composition
from kit.contracts import LABEL_OF, Clause, Decision, Facts, decide, version_of
from kit.contracts.decisions import listed
from kit.device import Device, data_folder, device_types, find_device_type
from kit.diagnostics import Diagnostic, Severity, Span, did_you_mean

Fleet = Mapping[str, Device]
Order = tuple[bool, tuple[int, int, int]]
"""What sorts balenaOS releases: the line, then the numbers."""
TABLES: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("fleet.json").read_text("utf-8"))
COLUMNS: Final[dict[str, str]] = TABLES["columns"]
"""Column of a table to the field of a device; `name` is no field."""
MOST: Final = 1_000
"""Devices of one fleet."""
LONGEST: Final = 2_000_000
OUTCOMES: Final = ("deployed", "partial", "rejected", "refused")
_BREAK: Final = re.compile(r"\r\n|[\r\n]")
NOTHING_NEW: Final = ("rejected", "refused")
"""Outcomes after which a device runs nothing of the release."""

# --------------------------------------------------------------------------------------- a table of devices


@dataclass(frozen=True, slots=True)
class FleetReading:
    """A table of devices, read to its end: the devices by name, and what was found."""

    devices: dict[str, Device]
    findings: tuple[Diagnostic, ...] = ()
    text: str = field(default="", repr=False)


class _Cell(NamedTuple):
    """A cell and its place; `open` is one whose quotation mark is never closed."""

    text: str
    span: Span
    open: bool = False


def example_fleet(name: str = "workshop") -> Fleet:
    """One of the fleets in `data/fleets`, by name."""
    return read_fleet(data_folder() / "fleets" / f"{name}.csv").devices


def read_fleet(source: str | Path, name: str = "fleet.csv") -> FleetReading:
    """Read a table of devices. It never raises: what is wrong is a finding with its line and column.

    Args:
        source: The text of a table, or the path of a file. Cells are divided by comma, semicolon or tab,
            whichever the first line uses most.
        name: What findings call the text.
    """
    if isinstance(source, Path) or ("\n" not in source and source.strip().lower().endswith((".csv", ".tsv"))):
        path = Path(source)
        try:
            text, name = path.read_text("utf-8-sig"), path.name
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
            return FleetReading({}, (_finding("unreadable-file", Span(path.name, 1, 1), hint=why),))
    else:
        text = source.removeprefix("\ufeff")
    reader = _Reader(text[:LONGEST], name)
    devices = reader.devices()
    return FleetReading(devices, tuple(reader.findings), text)


def _finding(code: str, span: Span, **words: object) -> Diagnostic:
    severity, message, help_ = TABLES["findings"][code]
    words = {"columns": ", ".join(COLUMNS), "hint": "", **words}
    said, helps = message.format_map(words), help_.format_map(words)
    return Diagnostic(code=code, severity=Severity(severity), message=said, span=span, help=helps)


def _rows(text: str, name: str) -> Iterator[list[_Cell]]:
    """The rows of a table, each cell with its place. A quoted cell may hold line breaks; `""` is a quotation mark.

    >>> [[cell.text for cell in row] for row in _rows('a,"b, c"', "t")]
    [['a', 'b, c']]
    """
    divider = max(",;\t", key=text.lstrip("\r\n").partition("\n")[0].count)
    quoted = re.compile(rf'[ ]*"((?:[^"]|"")*)"[ ]*(?=[{divider}\r\n]|\Z)')
    plain = re.compile(rf"[^{divider}\r\n]*")
    at, line, start, row = 0, 1, 0, []
    while at <= len(text):
        end = quoted.match(text, at)
        unclosed = not end and text[at : at + 1] == '"' and '"' not in text[at + 1 :]  # then the rest is one cell
        if end:
            words, stop = end[1].replace('""', '"'), end.end()
        elif unclosed:
            words, stop = text[at:], len(text)
        else:
            found = plain.match(text, at)
            words, stop = (found[0], found.end()) if found else ("", at)
        place = Span(name, line, at - start + 1, max(1, len(words.partition("\n")[0])))
        row.append(_Cell(words.strip(), place, unclosed))
        for ending in _BREAK.finditer(text, at, stop):
            line, start = line + 1, ending.end()
        at = stop + 1
        if text[stop : stop + 1] != divider:
            at += text[stop : stop + 2] == "\r\n"
            line, start = line + 1, at
            if any(each.text for each in row):
                yield row
            row = []


class _Reader:
    """One table on its way to a fleet."""

    def __init__(self, text: str, name: str) -> None:
        self.findings: list[Diagnostic] = []
        self.rows = _rows(text, name)
        self.start = Span(name, 1, 1)
        self.told: set[tuple[str, str]] = set()

    def find(self, code: str, span: Span, **words: object) -> None:
        self.findings.append(_finding(code, span, **words))

    def once(self, code: str, span: Span, value: str, hint: str = "") -> None:
        """What is true of many lines is said at the first of them."""
        if (code, value) not in self.told:
            self.told.add((code, value))
            self.find(code, span, value=value, hint=hint)

    def devices(self) -> dict[str, Device]:
        head = next(self.rows, [])
        columns = self.columns(head)
        found: dict[str, Device] = {}
        left = 0
        last = self.start
        if "device-type" not in columns.values():
            code = "missing-column" if head else "empty-fleet"
            self.find(code, head[0].span if head else self.start, value="device-type")
            return {}
        for row in self.rows:
            last = row[0].span
            if row[-1].open:
                self.find("open-quote", row[-1].span)
            elif len(row) != len(head):
                self.find("cells", row[0].span, found=len(row), wanted=len(head))
            elif len(found) == MOST:
                left += 1
            else:
                cells = {column: row[at] for at, column in columns.items()}
                found[self.name(cells, row[0].span, found)] = self.device(cells)
        if left:
            self.find("too-many", last, wanted=f"{MOST:,}", found=f"{left:,}")
        if not found and not self.findings:
            self.find("empty-fleet", last)
        return found

    def columns(self, head: list[_Cell]) -> dict[int, str]:
        """Which cell of a row is which column."""
        found: dict[int, str] = {}
        for at, (text, span, _open) in enumerate(head):
            column = text.lower().replace("_", "-").replace(" ", "-")
            if column not in COLUMNS:
                self.find("unknown-column", span, value=text, hint=did_you_mean(column, tuple(COLUMNS)))
            elif column in found.values():
                self.find("repeated-column", span, value=column)
            else:
                found[at] = column
        return found

    def name(self, cells: Mapping[str, _Cell], span: Span, taken: Mapping[str, Device]) -> str:
        """What the device is called: its name, or one that nobody has yet."""
        text, where, _open = cells.get("name", _Cell("", span))
        name = text or f"line {span.line}"
        if not text and "name" in cells:
            self.find("nameless", where, value=name)
        if name in taken:
            other = f"{name}, line {span.line}"
            self.find("repeated-name", where, value=name, hint=other)
            return other
        return name

    def device(self, cells: Mapping[str, _Cell]) -> Device:
        """The device of one line: what the tables say, under what the line says."""
        kind, os = cells["device-type"], cells.get("os")
        base = preset(kind.text, os.text if os else "")
        if find_device_type(kind.text) is None:
            near = did_you_mean(kind.text, tuple(each.slug for each in device_types()))
            near = near if near.startswith("did") else "the types that are known stand in data/device_types.csv"
            self.once("unknown-type", kind.span, kind.text, near)
        if base.supervisor is None and "supervisor" not in cells and os and os.text:
            self.once("unknown-release", os.span, os.text)
        own = {COLUMNS[column]: cell.text or None for column, cell in cells.items() if column not in ("name", "os")}
        own.pop("device_type")
        if "kernel" in cells and "l4t" not in cells:  # then the kernel's text says it (S-8)
            own["l4t"] = None
        for column in ("os", "supervisor"):
            cell = cells.get(column)
            if cell and cell.text and version_of(cell.text) is None:
                self.once("no-version", cell.span, cell.text)
        return base.changed(**own) if own else base


@lru_cache(maxsize=1 << 12)
def preset(device_type: str, os: str) -> Device:
    """`Device.preset`, remembered: fleets ask for the same pair again and again."""
    return Device.preset(device_type, os)


# ------------------------------------------------------------------------------------------- the outlook


class Group(NamedTuple):
    """Devices with one outcome for one reason. `has` says what they report where it fails."""

    outcome: str
    reason: str
    has: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a release would do to a fleet: a decision for each device, and the groups by outcome and reason."""

    decisions: dict[str, Decision]
    groups: tuple[Group, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many devices have each outcome; those that nobody has are not there."""
        counted = Counter(decision.outcome for decision in self.decisions.values())
        return {outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]}

    @property
    def left_behind(self) -> tuple[str, ...]:
        """The devices that run nothing of the release."""
        return tuple(name for name, each in self.decisions.items() if each.outcome in NOTHING_NEW)

    @property
    def answer(self) -> str:
        """One sentence that could be read alone."""
        all_, full, left = len(self.decisions), self.counts.get("deployed", 0), len(self.left_behind)
        if not all_:
            return "There is no device in this fleet."
        nothing = f"{left:,} {'gets' if left == 1 else 'get'} nothing new" if left else "every device gets something"
        return f"{full:,} of {all_:,} devices {'runs' if full == 1 else 'run'} everything; {nothing}."


def outlook(composition: Composition, fleet: Fleet) -> Outlook:
    """Decide a release on every device of a fleet, once for each set of distinct facts."""
    made: dict[Facts, tuple[Decision, str, str]] = {}
    decisions: dict[str, Decision] = {}
    groups: dict[tuple[str, str], tuple[list[str], set[str]]] = {}
    for name, device in fleet.items():
        facts = device.facts
        if facts not in made:
            decision = decide(composition, facts)
            made[facts] = decision, *_because(composition, decision, facts)
        decision, reason, has = made[facts]
        decisions[name] = decision
        names, seen = groups.setdefault((decision.outcome, reason), ([], set()))
        names.append(name)
        seen.update({has} if has else ())
    rank = OUTCOMES.index
    ordered = sorted(groups.items(), key=lambda each: (rank(each[0][0]), -len(each[1][0])))
    listed_groups = (Group(*key, _several(seen), tuple(names)) for key, (names, seen) in ordered)
    return Outlook(decisions, tuple(listed_groups))


def _because(composition: Composition, decision: Decision, facts: Facts) -> tuple[str, str]:
    """Why a device has its outcome, in words that other devices share; and what this one reports."""
    if decision.refused_by:
        service = composition.service(decision.refused_by[0])
        version = version_of(facts.supervisor.version) if facts.supervisor else None
        for key in dict(service.labels) if service and version else ():
            if (label := LABEL_OF.get(key)) and version and version.triple < label.minimum:
                since = ".".join(map(str, label.minimum))
                return f"a supervisor below {since} cannot read `{label.suffix}`", f"supervisor {version}"
        return decision.refused_by[1].rstrip("."), ""
    if decision.outcome == "deployed":
        return decision.situation.rstrip(".").lower(), ""
    state = "out" if decision.outcome == "partial" else "no"
    wishes: dict[str, list[str]] = {}
    has: dict[str, str] = {}
    for service_name, clause in decision_clauses(decision, state):
        label = LABEL_OF.get(clause.label)
        noun = label.noun if label else clause.type
        wish = f"{noun} `{clause.range or clause.wanted or 'any'}`{'' if clause.fact else ' (not reported)'}"
        wishes.setdefault(service_name, []).append(wish)
        has |= {noun: f"{noun} {clause.fact}"} if clause.fact else {}
    told = (f"`{service_name}` wants {listed([*dict.fromkeys(all_)])}" for service_name, all_ in wishes.items())
    return "; ".join(told), ", ".join(has.values())


def decision_clauses(decision: Decision, state: str) -> Iterator[tuple[str, Clause]]:
    """The clauses that fail of all services in one state, each with the name of its service."""
    for service in decision.services:
        if service.state == state:
            yield from ((service.name, clause) for clause in service.clauses if not clause.met)


def _several(seen: Iterable[str]) -> str:
    """What the devices of a group report: up to three, then how many more.

    >>> _several({"supervisor 9.1.0", "supervisor 10.2.0"})
    'supervisor 9.1.0 or 10.2.0'
    """
    parts = sorted(seen, key=lambda text: [int(part) if part.isdigit() else -1 for part in re.split(r"(\d+)", text)])
    nouns = {text.rpartition(" ")[0] for text in parts}
    if len(nouns) == 1 and "," not in "".join(parts):
        parts = [*parts[:1], *(text.rpartition(" ")[2] for text in parts[1:])]
    return listed([*parts[:3], f"{len(parts) - 3} more"]) if len(parts) > 3 else " or ".join(parts)


class Move(NamedTuple):
    """Devices whose outcome changes from one release, or one state of the fleet, to the next."""

    before: str
    after: str
    names: tuple[str, ...]


def moves(before: Outlook, after: Outlook) -> tuple[Move, ...]:
    """Who moves: devices whose outcome differs, by where they come from and where they go."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, decision in before.decisions.items():
        now = after.decisions.get(name)
        if now is not None and now.outcome != decision.outcome:
            found.setdefault((decision.outcome, now.outcome), []).append(name)
    rank = OUTCOMES.index
    ordered = sorted(found.items(), key=lambda each: (rank(each[0][0]), rank(each[0][1])))
    return tuple(Move(*key, tuple(names)) for key, names in ordered)


# ------------------------------------------------------------------------------- one label, or an OS update


def relabelled(composition: Composition, service: str, label: str, value: str | None) -> Composition:
    """The release with one label of one service changed; without a value the label goes."""

    def labels(old: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        kept = {**dict(old), label: value}
        return tuple((key, text) for key, text in kept.items() if text is not None)

    return replace(
        composition,
        services=tuple(
            replace(each, labels=labels(each.labels)) if each.name == service else each for each in composition.services
        ),
    )


def os_order(version: str | None) -> Order | None:
    """What sorts balenaOS versions of one line; extended-support releases (2024.7.0) are a line of their own.

    >>> os_order("6.3.0+rev4") < os_order("6.10.0") < os_order("2024.7.0")
    True
    """
    found = version_of(version)
    return (found.major >= 2019, found.triple) if found else None


def older(device: Device, version: str) -> bool:
    """Whether an update to this release would bring the device forward, in its own line of releases."""
    here, there = os_order(device.os), os_order(version)
    return (
        device.os_id == "balena-os" and here is not None and there is not None and here < there and here[0] == there[0]
    )


def updated(fleet: Fleet, version: str, device_type: str = "") -> dict[str, Device]:
    """The fleet after an update of the host OS: every older device (of one type) goes to *version*.

    Supervisor, kernel and L4T come with the release, and the device decides anew after it (S-135).
    """
    return {
        name: preset(device.device_type or "", version)
        if device_type in ("", device.device_type) and older(device, version)
        else device
        for name, device in fleet.items()
    }


class Upgrade(NamedTuple):
    """Devices of one type that one balenaOS release would bring along."""

    device_type: str
    version: str
    names: tuple[str, ...]


class UpgradeSet(NamedTuple):
    """The smallest OS upgrade set, and the devices that no OS release helps."""

    upgrades: tuple[Upgrade, ...]
    helpless: tuple[str, ...]

    @property
    def devices(self) -> int:
        """How many devices are updated."""
        return sum(len(each.names) for each in self.upgrades)


def upgrades(composition: Composition, fleet: Fleet, wanted: str = "partial") -> UpgradeSet:
    """The fewest devices to update, each to the nearest balenaOS release, so that what is wanted happens.

    Devices do not depend on each other. So exactly those are updated that are not there yet, and each goes
    to the first newer release of its line with which a decision says so.

    Args:
        wanted: `partial` (each device runs something of the release) or `deployed` (each runs all of it).
    """
    enough = ("deployed",) if wanted == "deployed" else ("deployed", "partial")
    found: dict[tuple[str, str], list[str]] = {}
    helpless = []
    waiting: dict[tuple[str, str | None, bool], list[tuple[Order, str]]] = {}
    for name, decision in outlook(composition, fleet).decisions.items():
        order = os_order(fleet[name].os)
        if decision.outcome in enough:
            continue
        if order is None or fleet[name].os_id != "balena-os":
            helpless.append(name)
        else:
            waiting.setdefault((fleet[name].device_type or "", fleet[name].arch, order[0]), []).append((order, name))
    for (slug, arch, line), devices in waiting.items():
        devices.sort()
        for version, order, outcome in _line(composition, slug, arch, line):
            if not devices:
                break
            if outcome in enough and (ready := [name for mine, name in devices if mine < order]):
                found.setdefault((slug, version), []).extend(ready)
                devices = devices[len(ready) :]
        helpless += [name for _, name in devices]
    ordered = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))
    return UpgradeSet(tuple(Upgrade(*key, tuple(sorted(names))) for key, names in ordered), tuple(helpless))


@lru_cache(maxsize=64)
def _line(composition: Composition, slug: str, arch: str | None, extended: bool) -> tuple[tuple[str, Order, str], ...]:
    """What a type of device makes of a release with each balenaOS of one line, the oldest first."""
    oldest = Device(slug, arch, os="2019.0.0" if extended else "0.0.1")
    found = (
        (version, order, decide(composition, facts).outcome)
        for version, facts in oldest.upgrades()
        if "-" not in version and (order := os_order(version))
    )
    return tuple(found)


# ------------------------------------------------------------------------------------- an example fleet

_KINDS: Final = (
    # device type, how devices of it are called, its weight, and the balenaOS releases of this fleet
    ("raspberrypi4-64", "shop", 34, ("5.3.21", "6.0.10", "6.4.2", "6.5.55", "6.12.3", "7.0.5", "7.5.11")),
    ("raspberrypi3", "sign", 16, ("2.95.8", "5.2.8", "6.0.24", "6.5.4", "6.12.11")),
    ("raspberrypi5", "kiosk", 12, ("6.4.3", "6.5.24", "6.10.26", "7.4.0")),
    ("jetson-orin-nano-devkit-nvme", "eye", 14, ("5.3.22", "6.4.0", "6.4.2", "6.12.3", "7.0.5")),
    ("jetson-nano", "watch", 8, ("2.113.31", "6.0.10", "6.5.38", "6.12.11")),
    ("generic-amd64", "rack", 10, ("6.0.10", "6.5.44", "6.10.26", "7.0.5", "8.0.2")),
    ("intel-nuc", "desk", 6, ("4.0.11", "5.3.4", "6.12.11", "2024.7.0")),
)


def generated(seed: int = 2172, count: int = 200, kinds: Iterable[tuple[Any, ...]] = _KINDS) -> dict[str, Device]:
    """A made-up fleet of known device types and releases; the same seed gives the same fleet.

    Kernel, L4T and supervisor are those of the tables. One device in fifty does not report its kernel.
    """
    random = Random(seed)  # noqa: S311 - cases, not secrets
    kinds = tuple(kinds)
    pool = [kind for kind in kinds for _ in range(kind[2])]
    counted: Counter[str] = Counter()
    fleet = {}
    for _ in range(count):
        slug, name, _weight, releases = random.choice(pool)
        os = random.choice(releases)
        counted[name] += 1
        silent = random.random() < 0.02
        device = preset(slug, os)
        fleet[f"{name}-{counted[name]:03}"] = device.changed(kernel=None, l4t=None) if silent else device
    return dict(sorted(fleet.items()))


def as_csv(fleet: Fleet) -> str:
    """A fleet as the text of a table that `read_fleet` reads back."""

    def cell(text: str | None) -> str:
        words = text or ""
        return '"{}"'.format(words.replace('"', '""')) if re.search('[",;\t\r\n]', words) else words

    lines = [",".join(COLUMNS)]
    for name, device in fleet.items():
        lines.append(
            ",".join(cell(name if column == "name" else getattr(device, column)) for column in COLUMNS.values())
        )
    return "\n".join(lines) + "\n"
