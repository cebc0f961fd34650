"""The decision map: what a device would make of a release, over two of its facts.

Two facts of a device vary, the others stay as they are. Along each fact there are few places where an answer can
change: the ends of the ranges that the release asks for, and the supervisors from which its labels are understood.
Between two such places every version gets the same answer, so one decision per field of the grid is enough. Fields
with the same answer are one region. Boundaries that change an answer are drawn and say who asks. Real balenaOS
releases lie on the map as rings, joined in order: the map answers which update would help.

Versions are placed by rank, in equal steps: the picture is not to scale. The tables below it say the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final, Literal, NamedTuple, get_args

from kit import looks
from kit.composition import Composition
from kit.contracts import LABEL_OF, LABELS, Decision, Fact, Facts, decide, version_of
from kit.device import Device
from kit.graphs.svg import mark, path, rect, sheet, text, text_width
from kit.looks import escaped
from kit.versions import InvalidRange, Range

from .decisions import OUTCOMES, Page
from .fleet_model import os_order

Field = Literal["os", "supervisor", "kernel", "l4t"]
Numbers = tuple[int, int, int]
NOUNS: Final[dict[Field, str]] = {"os": "balenaOS", "supervisor": "supervisor", "kernel": "kernel", "l4t": "L4T"}
TYPES: Final[dict[Field, str]] = {"os": "sw.os", "supervisor": "sw.supervisor", "kernel": "sw.kernel", "l4t": "sw.l4t"}
WORDS: Final = {"deployed": "Deployed", "partial": "Partial", "rejected": "Rejected", "refused": "Refused"}
OLDEST: Final = "4.0.0"
"""The first balenaOS release that lies on a map, unless the device has an older one."""
POINTS: Final = 7
"""Releases that are drawn; the table has them, too."""


class Boundary(NamedTuple):
    """A version from which on an answer may differ, and who asks for it."""

    at: Numbers
    says: tuple[str, ...]


class Axis(NamedTuple):
    """One fact of a map, and its boundaries in order."""

    field: Field
    boundaries: tuple[Boundary, ...]

    def field_of(self, version: Numbers) -> int:
        """In which part of the axis a version lies: 0 is before the first boundary."""
        return bisect_right([each.at for each in self.boundaries], version)

    def shown(self, part: int) -> str:
        """A part of the axis in words."""
        low, high = ([None, *self.boundaries, None][at] for at in (part, part + 1))
        if low is None:
            return f"below {_dotted(high.at)}" if high else "any"
        return f"{_dotted(low.at)} or newer" if high is None else f"{_dotted(low.at)} to before {_dotted(high.at)}"


class Point(NamedTuple):
    """A balenaOS release on the map: where it lies, and what its device really makes of the release."""

    version: str
    x: Numbers
    y: Numbers
    outcome: str


@dataclass(frozen=True, slots=True)
class DecisionMap:
    """The grid of decisions, `cells[column][row]`, and the releases on it."""

    across: Axis
    up: Axis
    cells: tuple[tuple[Decision, ...], ...]
    points: tuple[Point, ...]

    def at(self, x: Numbers, y: Numbers) -> Decision:
        """The decision on a place of the map."""
        return self.cells[self.across.field_of(x)][self.up.field_of(y)]


def _dotted(numbers: Numbers) -> str:
    return ".".join(map(str, numbers))


# ------------------------------------------------------------------------------------------- the thinking


def axis(composition: Composition, field: Field) -> Axis:
    """All places along a fact where an answer to the release can change."""
    found: dict[Numbers, list[str]] = {}
    for service in composition.services:
        for key, value in dict(service.labels).items():
            label = LABEL_OF.get(key)
            if label is None:
                continue
            if field == "supervisor":
                found.setdefault(label.minimum, []).append(f"reads {label.suffix}")
            if label.type == TYPES[field]:
                for edge in _edges(value):
                    found.setdefault(edge, []).append(f"`{service.name}` wants `{value}`")
    # From 0.0.0 on is everywhere: no boundary.
    kept = sorted((at, tuple(dict.fromkeys(says))) for at, says in found.items() if at > (0, 0, 0))
    return Axis(field, tuple(Boundary(*each) for each in kept))


def _edges(value: str) -> Iterator[Numbers]:
    """The versions from which on a range holds, or no longer holds."""
    try:
        pieces = Range.parse(value).intervals()
    except InvalidRange:
        return
    for piece in pieces:
        if piece.low:
            yield piece.low.triple if piece.low_closed else piece.low.above
        if piece.high:
            yield piece.high.above if piece.high_closed else piece.high.triple


def decisions(composition: Composition, device: Device, across: Field, up: Field) -> DecisionMap:
    """The map of a release for one device, over two of its facts."""
    columns, rows = axis(composition, across), axis(composition, up)
    facts = device.facts
    xs, ys = ([(0, 0, 0), *(each.at for each in one.boundaries)] for one in (columns, rows))
    cells = [[decide(composition, _with(_with(facts, across, x), up, y)) for y in ys] for x in xs]
    # A boundary that changes no answer here is none: what an earlier one refuses, a later one cannot let in.
    kept = [at for at in range(1, len(xs)) if [*map(_key, cells[at])] != [*map(_key, cells[at - 1])]]
    low = [at for at in range(1, len(ys)) if any(_key(column[at]) != _key(column[at - 1]) for column in cells)]
    columns = columns._replace(boundaries=tuple(columns.boundaries[at - 1] for at in kept))
    rows = rows._replace(boundaries=tuple(rows.boundaries[at - 1] for at in low))
    grid = tuple(tuple(cells[x][y] for y in (0, *low)) for x in (0, *kept))
    return DecisionMap(columns, rows, grid, tuple(_points(composition, device, across, up)))


def _with(facts: Facts, field: Field, version: Numbers) -> Facts:
    """The facts with another version of one; nothing else changes."""
    slug = next(label.slug for label in LABELS if label.type == TYPES[field])
    fact = Fact(slug, _dotted(version), "the map")
    match field:
        case "os":
            return replace(facts, os=fact)
        case "supervisor":
            return replace(facts, supervisor=fact)
        case "kernel":
            return replace(facts, kernel=fact)
    return replace(facts, l4t=fact)


@lru_cache(maxsize=16)
def _releases(slug: str, arch: str | None, oldest: str) -> tuple[tuple[str, Facts], ...]:
    """The balenaOS releases of the ordinary line for a device type, oldest first, each with its facts."""
    later = Device(slug, arch, os=oldest).upgrades()
    return tuple((version, facts) for version, facts in later if "-" not in version)


def _numbers(facts: Facts, field: Field) -> Numbers | None:
    fact: Fact | None = getattr(facts, field)
    version = version_of(fact.version) if fact else None
    return version.triple if version else None


def _points(composition: Composition, device: Device, across: Field, up: Field) -> Iterator[Point]:
    """The releases whose facts differ from the release before, as far as the tables know both facts."""
    here, usual = os_order(device.os), os_order(OLDEST)
    oldest = device.os if here and usual and here < usual else OLDEST
    before: tuple[Numbers, Numbers] | None = None
    for version, facts in _releases(device.device_type or "", device.arch, oldest or OLDEST):
        x, y = _numbers(facts, across), _numbers(facts, up)
        if x is None or y is None or (x, y) == before:
            continue
        before = x, y
        yield Point(version, x, y, decide(composition, facts).outcome)


def runs_of(composition: Composition, device: Device) -> list[tuple[str, str, str]]:
    """What each balenaOS release of the device's type makes of the release: first, last, outcome of each stretch."""
    releases = _releases(device.device_type or "", device.arch, OLDEST)
    outcomes = ((version, decide(composition, facts).outcome) for version, facts in releases)
    stretches = ([*group] for _outcome, group in groupby(outcomes, key=lambda each: each[1]))
    return [(group[0][0], group[-1][0], group[0][1]) for group in stretches]


def _answer(stretches: Sequence[tuple[str, str, str]], slug: str) -> tuple[str, str]:
    """One sentence about this type of device, and one about the way there."""
    if not stretches:
        return f"No balenaOS release is known for `{slug}`.", "The map shows what its facts would do."
    *earlier, (first, last, outcome) = stretches
    told = {
        "deployed": "all of it runs",
        "partial": "a part of it runs",
        "rejected": "it is rejected",
        "refused": "it is refused",
    }
    if outcome == "deployed":
        answer = f"`{slug}` runs everything from balenaOS {first} on." if earlier else f"`{slug}` runs everything."
    elif full := [each for each in earlier if each[2] == "deployed"]:
        answer = f"`{slug}` runs everything up to balenaOS {full[-1][1]} only."
    else:
        answer = f"No balenaOS release for `{slug}` runs all of it."
    if not earlier:
        return answer, f"From balenaOS {first} to {last} {told[outcome]}."
    way = [f"up to balenaOS {stretches[0][1]} {told[stretches[0][2]]}"]
    way += [f"from {each[0]} on {told[each[2]]}" for each in stretches[1:][-3:]]
    return answer, f"{'; '.join(way)}."[0].upper() + f"{'; '.join(way)}."[1:]


# ------------------------------------------------------------------------------------------- the picture

LEFT: Final = 96
TOP: Final = 44
WIDE: Final = 560
HIGH: Final = 336
RIGHT: Final = 206
NARROW: Final = 472
"""What a card leaves to its picture in JupyterLab at 200 % zoom: an output of 504 pixels."""
FEWER: Final = 5
"""Releases on a narrow map."""
NOTE: Final = 20
Box = tuple[float, float, float, float]


class _Scale:
    """Versions on a line by rank: each value that matters has its place, in equal steps."""

    def __init__(self, axis: Axis, values: Iterable[Numbers], start: float, length: float) -> None:
        self.axis, self.start, self.length = axis, start, length
        edges = {each.at for each in axis.boundaries}
        ranked = sorted(edges | {*values})
        step = length / (len(ranked) + 1)
        self.places = {value: start + step * rank for rank, value in enumerate(ranked, 1)}

    def edge(self, part: int) -> float:
        """Where a part begins; the part after the last is the end."""
        if part <= 0:
            return self.start
        if part > len(self.axis.boundaries):
            return self.start + self.length
        return self.places[self.axis.boundaries[part - 1].at]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


class _Picture:
    """One map on its way to SVG. Rows count upwards: the newest version is at the top.

    A narrow one has no room beside the map: who asks for its level boundaries stands below it.
    """

    def __init__(self, shown: DecisionMap, narrow: bool = False) -> None:
        self.map, self.narrow = shown, narrow
        self.points = _chosen(shown, FEWER if narrow else POINTS)
        self.left = 72 if narrow else LEFT
        self.end = NARROW - 1 if narrow else LEFT + WIDE
        self.width = NARROW if narrow else LEFT + WIDE + RIGHT
        self.x = _Scale(shown.across, (each.x for each in self.points), self.left, self.end - self.left)
        self.y = _Scale(shown.up, (each.y for each in self.points), 0, HIGH)
        self.bottom: float = TOP + HIGH + 48
        self.taken: list[Box] = []
        self.way: list[Box] = []  # from ring to ring: left free where there is another place
        self.parts: list[str] = []

    def down(self, place: float) -> float:
        """From the bottom upwards to pixels from the top."""
        return TOP + HIGH - place

    def cell(self, column: int, row: int) -> Box:
        top, bottom = self.down(self.y.edge(row + 1)), self.down(self.y.edge(row))
        return self.x.edge(column), top, self.x.edge(column + 1), bottom

    def drawn(self) -> str:
        self.fields()
        self.lines()
        dots = [self.dot(each) for each in self.points]
        self.taken += [(x - 9, y - 9, x + 9, y + 9) for x, y in dots]
        for (ax, ay), (bx, by) in pairwise(dots):
            steps = [(ax + (bx - ax) * part / 20, ay + (by - ay) * part / 20) for part in range(21)]
            self.way += [(x - 3, y - 3, x + 3, y + 3) for x, y in steps]
        line = "L".join(f"{x:g} {y:g}" for x, y in dots)
        self.parts.append(path(f"M{line}", "ink", 1.5, dash="1.5 4") if len(dots) > 1 else "")
        self.plates()
        self.ticks()
        self.rings(dots)
        return "".join(self.parts)

    def fields(self) -> None:
        for column, row in self.places():
            box, outcome = self.cell(column, row), self.map.cells[column][row].outcome
            tint = {"deployed": "runt", "partial": "runt", "rejected": "not", "refused": "reft"}[outcome]
            self.parts.append(rect(box[0], box[1], box[2] - box[0], box[3] - box[1], 0, "", fill=tint))
            self.parts.append(_hatch(outcome, box))

    def places(self) -> Iterator[tuple[int, int]]:
        for column, rows in enumerate(self.map.cells):
            for row in range(len(rows)):
                yield column, row

    def lines(self) -> None:
        """Boundaries where the answer changes, each with its version and who asks."""
        cells = self.map.cells
        above: list[Box] = []
        said: list[str] = []
        # From the right: a label that needs a higher place leads its line past those of its right.
        for at, boundary in reversed([*enumerate(self.map.across.boundaries, 1)]):
            rows = [row for row in range(len(cells[0])) if _key(cells[at - 1][row]) != _key(cells[at][row])]
            for row in rows:
                _left, top, _right, bottom = self.cell(at, row)
                self.parts.append(path(f"M{self.x.edge(at):g} {top:g}L{self.x.edge(at):g} {bottom:g}", "ink", 2))
            if rows:
                x, words = self.x.edge(at), f"{_dotted(boundary.at)}: {_plain(boundary.says)}"
                wide = min(text_width(words, 12), self.width)
                left = min(x, self.width - wide)
                box = (left, 12.0, left + wide, 28.0)
                while any(_overlap(box, each) for each in above):
                    box = (box[0], box[1] - 18, box[2], box[3] - 18)
                above.append(box)
                self.parts.append(path(f"M{x:g} {TOP:g}L{x:g} {box[3] + 3:g}", "edge", 1))
                said.append(rect(left - 2, box[1], wide + 2, 16, 0, ""))
                said.append(text(left, box[3] - 3, words, 12, ink="ink2", room=wide + 1))
        self.parts += said
        self.top = min([0.0, *(box[1] - 6 for box in above)])
        beside: list[tuple[float, str, str]] = []
        for at, boundary in enumerate(self.map.up.boundaries, 1):
            changing = [c for c in range(len(cells)) if _key(cells[c][at - 1]) != _key(cells[c][at])]
            y = self.down(self.y.edge(at))
            for column in changing:
                left, _top, right, _bottom = self.cell(column, at)
                self.parts.append(path(f"M{left:g} {y:g}L{right:g} {y:g}", "ink", 2))
            if changing:
                beside.append((y, _dotted(boundary.at), _plain(boundary.says)))
        if self.narrow:
            self.notes([(version, says) for _y, version, says in sorted(beside)])
            return
        floor, end = -100.0, self.end
        for y, version, says in sorted(beside):
            at_y = max(y, floor + 38)
            floor = at_y
            self.parts.append(path(f"M{end:g} {y:g}L{end + 8:g} {y:g}L{end + 14:g} {at_y:g}", "edge", 1))
            self.parts.append(text(end + 20, at_y + 1, version, 12, bold=True, mono=True))
            self.parts.append(text(end + 20, at_y + 17, says, 12, ink="ink2", room=RIGHT - 24))

    def notes(self, asked: list[tuple[str, str]]) -> None:
        """Below the map, from the top down: each level boundary with its version, bold as on the axis."""
        self.bottom += 8 if asked else 0
        for version, says in asked:
            self.bottom += NOTE
            self.parts.append(text(self.left - 10, self.bottom - 8, version, 12, bold=True, anchor="end"))
            self.parts.append(text(self.left, self.bottom - 8, says, 12, ink="ink2", room=self.width - self.left))

    def plates(self) -> None:
        """Each region has its name on a paper plate, in its largest field, where it covers no ring."""
        for members in self.regions():
            decision = self.map.cells[members[0][0]][members[0][1]]
            cause = _cause(decision)
            boxes = sorted(self.joined(members), key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
            for box in boxes:
                if plate := self.plate(box, decision.outcome, cause):
                    self.parts.append(plate)
                    break

    def plate(self, box: Box, outcome: str, cause: str) -> str:
        """Name and cause where a field has room for both, the name alone, or its mark alone."""
        room, name = box[2] - box[0] - 12, WORDS[outcome]
        lines = box[3] - box[1] >= 60 and room >= 120
        size = 15 if room >= 44 + text_width(name, 15, bold=True) else 12
        wide = 42 + max(text_width(name, size, bold=True), text_width(cause, 12) if lines else 0)
        if room < 34 + text_width(name, size, bold=True):
            name, lines, wide = "", False, 29
        wide, high = min(wide, room), 44 if lines else 26
        if box[3] - box[1] < high + 2 or room < wide:
            return ""
        x, y = self.spot(box, wide, high)
        self.taken.append((x, y, x + wide, y + high))
        drawn = rect(x, y, wide, high, 4, "", fill="paper") + mark(OUTCOMES[outcome], x + 7, y + 6, 15)
        drawn += text(x + 29, y + 18.5, name, size, bold=True) if name else ""
        return drawn + (text(x + 29, y + 36, cause, 12, ink="ink2", room=wide - 35) if lines else "")

    def spot(self, box: Box, wide: float, high: float) -> tuple[float, float]:
        """A place for a plate in its field: a corner or the middle, where nothing lies yet."""
        side, edge = min(12.0, (box[2] - box[0] - wide) / 2), min(10.0, (box[3] - box[1] - high) / 2)
        xs = (box[0] + side, box[2] - side - wide, (box[0] + box[2] - wide) / 2)
        ys = (box[1] + edge, box[3] - edge - high, (box[1] + box[3] - high) / 2)
        spots = [(x, y) for y in ys for x in xs]
        free = [(x, y) for x, y in spots if not any(_overlap((x, y, x + wide, y + high), each) for each in self.taken)]
        clear = [(x, y) for x, y in free if not any(_overlap((x, y, x + wide, y + high), each) for each in self.way)]
        return (clear or free or spots)[0]

    def regions(self) -> Iterator[list[tuple[int, int]]]:
        """Fields that touch and have the same answer."""
        left = set(self.places())
        while left:
            open_, found = [min(left)], []
            left.remove(open_[0])
            while open_:
                column, row = open_.pop()
                found.append((column, row))
                near = {(column + 1, row), (column - 1, row), (column, row + 1), (column, row - 1)} & left
                same = {each for each in near if self.same(each, (column, row))}
                left -= same
                open_ += sorted(same)
            yield sorted(found)

    def same(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        return _key(self.map.cells[one[0]][one[1]]) == _key(self.map.cells[other[0]][other[1]])

    def joined(self, members: list[tuple[int, int]]) -> Iterator[Box]:
        """The rectangles of a region: runs of fields upwards, then as wide as they all go on."""
        inside = {*members}
        for column, row in members:
            for top in range(row, len(self.map.cells[0])):
                if (column, top) not in inside:
                    break
                right = column
                while all((right + 1, each) in inside for each in range(row, top + 1)):
                    right += 1
                low, high = self.cell(column, row), self.cell(right, top)
                yield low[0], high[1], high[2], low[3]

    def ticks(self) -> None:
        """Versions along both axes; those of boundaries first, the others where there is room."""
        end = TOP + HIGH
        edges = {each.at for each in self.map.across.boundaries}
        used: list[Box] = []
        for value in sorted(self.x.places, key=lambda each: (each not in edges, each)):
            x, words, bold = self.x.places[value], _dotted(value), value in edges
            half = text_width(words, 12, bold=bold) / 2 + 5
            box = (x - half, 0.0, x + half, 1.0)
            if not any(_overlap(box, each) for each in used):
                used.append(box)
                self.parts.append(path(f"M{x:g} {end:g}L{x:g} {end + 5:g}", "edge", 1))
                self.parts.append(
                    text(x, end + 20, words, 12, bold=bold, ink="ink" if bold else "ink2", anchor="middle")
                )
        self.parts.append(text(self.left, end + 40, NOUNS[self.map.across.field], 12, ink="ink3"))
        edges = {each.at for each in self.map.up.boundaries}
        used = []
        for value in sorted(self.y.places, key=lambda each: (each not in edges, each)):
            y, bold = self.down(self.y.places[value]), value in edges
            box = (0.0, y - 8, 1.0, y + 8)
            if not any(_overlap(box, each) for each in used):
                used.append(box)
                words = _dotted(value)
                self.parts.append(
                    text(self.left - 10, y + 4, words, 12, bold=bold, ink="ink" if bold else "ink2", anchor="end")
                )
        self.parts.append(text(self.left - 10, TOP - 14, NOUNS[self.map.up.field], 12, ink="ink3", anchor="end"))

    def dot(self, point: Point) -> tuple[float, float]:
        return self.x.places[point.x], self.down(self.y.places[point.y])

    def rings(self, dots: list[tuple[float, float]]) -> None:
        """Releases with their versions. One whose other facts decide otherwise has its own mark in place of a ring."""
        for point, (x, y) in zip(self.points, dots, strict=True):
            differs = self.map.at(point.x, point.y).outcome != point.outcome
            self.parts.append(
                mark(OUTCOMES[point.outcome], x - 7, y - 7, 14) if differs
                else rect(x - 4.5, y - 4.5, 9, 9, 4.5, "ink", 2)
            )  # fmt: skip
        for point, (x, y) in zip(self.points, dots, strict=True):
            wide = text_width(point.version, 12, bold=True) + 8
            spots = [(x - wide / 2, y - 27), (x + 10, y - 9), (x - wide / 2, y + 10), (x - wide - 10, y - 9)]
            inside = [
                (a, b) for a, b in spots if a >= self.left and a + wide <= self.end and TOP <= b <= TOP + HIGH - 17
            ]
            free = [
                (a, b) for a, b in inside if not any(_overlap((a, b, a + wide, b + 17), each) for each in self.taken)
            ]
            a, b = (free or inside or spots)[0]
            self.taken.append((a, b, a + wide, b + 17))
            self.parts.append(rect(a, b, wide, 17, 3, "", fill="paper"))
            self.parts.append(text(a + 4, b + 13, point.version, 12, bold=True))


def _key(decision: Decision) -> tuple[str, str]:
    """What makes two fields one region: the outcome, and its cause."""
    return decision.outcome, _cause(decision)


def _cause(decision: Decision) -> str:
    """A region in a few words."""
    if decision.refused_by:
        service, reason = decision.refused_by
        label = next((each.suffix for each in LABELS if each.key in reason), "")
        return f"cannot read {label} of {service}" if label else f"cannot read {service}"
    if decision.outcome == "rejected":
        must = [each.name for each in decision.services if each.state == "no"]
        return f"{', '.join(must)} not met"
    return f"without {', '.join(decision.dropped)}" if decision.dropped else "all services"


def _plain(says: Iterable[str]) -> str:
    """Who asks, on one line."""
    told = [each for each in says if not each.startswith("reads ")]
    labels = [each.removeprefix("reads ") for each in says if each.startswith("reads ")]
    return "; ".join([*told, *([f"reads {', '.join(labels)}"] if labels else [])]).replace("`", "")


def _hatch(outcome: str, box: Box) -> str:
    """The pattern of a region: lines for refused, crosses for rejected, stripes for partial, none for deployed."""
    left, top, right, bottom = box
    if outcome == "refused":
        drawn = ""
        start = int((left + top) // 10 + 1) * 10
        for offset in range(start, int(right + bottom), 10):  # x + y = offset
            a, b = max(left, offset - bottom), min(right, offset - top)
            drawn += f"M{a:g} {offset - a:g}L{b:g} {offset - b:g}" if b > a else ""
        return path(drawn, "ref", 0.5) if drawn else ""
    if outcome == "partial":
        rows = range(int(top // 9 + 1) * 9, int(bottom), 9)
        return path("".join(f"M{left:g} {y}L{right:g} {y}" for y in rows), "paper", 3)
    if outcome == "rejected":
        drawn = ""
        for x in range(int(left // 11 + 1) * 11, int(right - 3), 11):
            for y in range(int(top // 11 + 1) * 11, int(bottom - 3), 11):
                drawn += (
                    f"M{x - 1.5:g} {y - 1.5:g}L{x + 1.5:g} {y + 1.5:g}M{x + 1.5:g} {y - 1.5:g}L{x - 1.5:g} {y + 1.5:g}"
                )
        return path(drawn, "no", 0.7)
    return ""


def _chosen(shown: DecisionMap, most: int = POINTS) -> list[Point]:
    """The releases that are drawn: those that enter another field, the last one, and some between."""
    points = shown.points
    entering = [
        at for at, point in enumerate(points)
        if at == 0 or shown.at(point.x, point.y) != shown.at(points[at - 1].x, points[at - 1].y)
        or point.outcome != points[at - 1].outcome
    ]  # fmt: skip
    kept = {*entering[-most + 1 :], *([len(points) - 1] if points else [])}
    others = [at for at in range(len(points)) if at not in kept]
    step = max(1, -(-len(others) // max(1, most - len(kept))))
    kept |= {*others[step // 2 :: step][: max(0, most - len(kept))]}
    return [points[at] for at in sorted(kept)]


# ------------------------------------------------------------------------------------------------ the card


def map_svg(shown: DecisionMap, title: str, standalone: bool = False, *, narrow: bool = False) -> str:
    """The picture alone; *standalone* is a file, light and on white; *narrow* fits an output of 560 pixels."""
    picture = _Picture(shown, narrow)
    body = picture.drawn()
    lift = -picture.top
    body = f'<g transform="translate(0 {lift:g})">{body}</g>' if lift else body
    said = f"{NOUNS[shown.across.field]} across, {NOUNS[shown.up.field]} upwards. " + "; ".join(_told(shown)) + "."
    return sheet(title, said, picture.width, picture.bottom + lift, body, standalone)


def _told(shown: DecisionMap) -> Iterator[str]:
    regions = {_key(decision): decision for column in shown.cells for decision in column}
    for decision in regions.values():
        yield f"{WORDS[decision.outcome]}: {_cause(decision)}"


def tables(shown: DecisionMap) -> str:
    """The map as two tables: fields, and releases."""
    across, up = (NOUNS[one.field] for one in (shown.across, shown.up))
    rows: list[tuple[str, ...]] = []
    for column, cells in enumerate(shown.cells):
        start = 0
        for _same, group in groupby(cells, key=_key):
            members = [*group]
            parts = [shown.up.shown(start + at) for at in range(len(members))]
            span = parts[0] if len(parts) == 1 else _joined(shown.up, start, start + len(members))
            state = looks.state(OUTCOMES[members[0].outcome], WORDS[members[0].outcome], 14)
            rows.append((escaped(shown.across.shown(column)), escaped(span), state, escaped(_cause(members[0]))))
            start += len(members)
    fields = looks.table((across, up, "Outcome", "Because"), rows)
    releases: list[tuple[str, ...]] = [
        (
            escaped(each.version),
            _dotted(each.x),
            _dotted(each.y),
            looks.state(OUTCOMES[each.outcome], WORDS[each.outcome], 14),
        )
        for each in shown.points
    ]
    points = looks.table(("balenaOS", across, up, "This device's outcome"), releases, "Releases whose facts differ")
    return fields + (points if releases else "")


def _joined(axis: Axis, start: int, end: int) -> str:
    """Several parts of an axis as one."""
    wide = Axis(axis.field, tuple(each for at, each in enumerate(axis.boundaries, 1) if at in (start, end)))
    return wide.shown(0 if start == 0 else 1) if wide.boundaries else "any"


def decision_map(composition: Composition, device: Device, across: Field = "supervisor", up: Field = "kernel") -> Page:
    """Which answer a release gets over two facts of a device, with the balenaOS releases of its type.

    Args:
        across, up: Two of `os`, `supervisor`, `kernel` and `l4t`. The other facts stay as the device has them.

    Raises:
        ValueError: A fact that a map cannot have, or twice the same.
    """
    known = get_args(Field)
    if across not in known or up not in known or across == up:
        raise ValueError(f"a map needs two different facts of {', '.join(known)}; here: {across}, {up}")
    slug = device.device_type or "this device"
    if len(composition.services) > 200:
        words = f"{len(composition.services)} services are too many for one map."
        return Page(words, looks.figure(words))
    shown = decisions(composition, device, across, up)
    answer, way = _answer(runs_of(composition, device), slug)
    kept = [
        f"{NOUNS[each]} {_dotted(at)}"
        for each in known
        if each not in (across, up) and (at := _numbers(device.facts, each))
    ]
    held = f" The map keeps {' and '.join(kept)}." if kept else ""
    name = f"{NOUNS[across]} and {NOUNS[up]}"
    wide, narrow = (map_svg(shown, f"Decision map: {name}", narrow=each) for each in (False, True))
    picture = looks.picture(wide, narrow, f"decision map: {name}")
    legend = [
        f"<li>Rings are balenaOS releases for {escaped(slug)}, joined in order; steps are by rank, not to scale</li>"
    ]
    if any(shown.at(each.x, each.y).outcome != each.outcome for each in shown.points):
        legend.append("<li>A mark in place of a ring: the other facts of that release decide otherwise</li>")
    foot = f'<ul class="mc-legend">{"".join(legend)}</ul>'
    html = looks.figure(answer, f"{way}{held}", picture, foot, tables(shown), name="decision map")
    lines = [answer, f"{way}{held}", *_told(shown)]
    return Page("\n".join(lines).replace("`", ""), html)


__all__ = ["Axis", "Boundary", "DecisionMap", "Point", "axis", "decision_map", "decisions", "map_svg", "tables"]
