"""Where everything goes: services, names and arrows become boxes and lines.

Theory of operation
-------------------
One sheet serves both directions. *Along* is the way the start order runs, *across* is the other:
along is x in a wide picture and y in a narrow one. A service stands in the column after the last of
its dependencies. Services that wait for each other, a *loop*, stand in a row at the top, in the order
of the loop, and the arrow that closes it runs below them.

An arrow over several columns passes an invisible *stop* in each; all such arrows of one source share
one *trunk* of stops. Columns are sorted by the mean place of the neighbours, then neighbours swap as
long as crossings fall. Heights are the mean of the neighbours' heights, in the end that of one near
neighbour, kept apart by isotonic regression. Every source owns one upright *track* in the gap to the
next column; sources with the same targets share it. Nothing is random, and nothing here knows a state:
`place` is cached by structure, so a picture that only changes its states is only painted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import accumulate, combinations, pairwise
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

from ..diagnostics import beside

Edge = tuple[str, str]
"""Dependency first, dependent second: the way the arrow points."""
Point = tuple[float, float]

TABLES: Final[dict[str, Any]] = beside(__file__, "graphs.json")
"""The measures and words of this room, by subject."""
WIDE: Final = 860
NARROW: Final = 560
SHELF: Final = (180, 36)
_SWEEPS, _SETTLINGS, _STRAIGHTENINGS = 24, 30, 20
_LANE: Final = 36
"""From a loop down to the arrow that closes it."""
_T = TypeVar("_T")


class Size(NamedTuple):
    """Measures of one class of picture, in pixels."""

    name: str
    width: int
    height: int
    gap: tuple[int, int]  # between columns: at least, at most
    row: int  # between services of one column
    bend: int
    track: int  # between upright lines
    top: int  # above the first service
    narrow: bool = False


SIZES: Final = {name: Size(name, *row) for name, row in TABLES["sizes"].items()}


class Box(NamedTuple):
    """The place of a service, an unknown name or a volume."""

    name: str
    column: int
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    """One dependency, mount, or arrow of a loop, from its source to its target."""

    source: str
    target: str
    kind: str  # "edge", "loop" or "volume"
    points: tuple[Point, ...]
    path: str  # as SVG, with rounded bends
    tip: str  # the arrowhead, as SVG


class Label(NamedTuple):
    """Where the words below a loop stand; `returns` counts the arrows that run backwards."""

    members: tuple[str, ...]
    x: float
    y: float
    returns: int


class Layers(NamedTuple):
    """The column of each name, and the loops among them, each in the order of its row."""

    column: Mapping[str, int]
    loops: tuple[tuple[str, ...], ...]


class Placement(NamedTuple):
    """A finished sheet. `columns` are start and length of each column along the start order."""

    size: Size
    width: float
    height: float
    boxes: Mapping[str, Box]
    volumes: tuple[Box, ...]
    lines: tuple[Line, ...]
    columns: tuple[tuple[float, float], ...]
    labels: tuple[Label, ...]


def reachable(names: Iterable[str], edges: Iterable[Edge]) -> dict[str, frozenset[str]]:
    """Name to everything that must have been started before it. A name in a loop reaches itself."""
    before: dict[str, set[str]] = {name: set() for name in names}
    for source, target in edges:
        before[target].add(source)
    for middle in [name for name in before if before[name]]:  # ways that lead through it (Warshall)
        for found in before.values():
            found |= before[middle] if middle in found else set()
    return {name: frozenset(found) for name, found in before.items()}


@lru_cache(maxsize=256)
def layers(names: tuple[str, ...], edges: tuple[Edge, ...]) -> Layers:
    """Put each name one column after the last of its dependencies.

    >>> layers(("a", "b", "c"), (("a", "b"), ("b", "c"), ("a", "c"))).column
    {'a': 0, 'b': 1, 'c': 2}
    >>> layers(("a", "b", "c"), (("a", "b"), ("b", "c"), ("c", "b"))).loops
    (('b', 'c'),)
    """
    ancestors = reachable(names, edges)
    row: dict[str, tuple[str, ...]] = {name: (name,) for name in names}
    looped = [name for name in names if name in ancestors[name]]
    for name in looped:
        if len(row[name]) == 1:
            members = [other for other in looped if other in ancestors[name] and name in ancestors[other]]
            row |= dict.fromkeys(members, _in_a_row(members, edges))
    column = dict.fromkeys(names, -1)
    # With itself, a name has more ancestors than any of them: ordered by number, dependencies come first.
    for name in sorted(names, key=lambda name: len(ancestors[name] | {name})):
        if column[name] < 0:
            ends = [column[row[s][-1]] for s, t in edges if t in row[name] and s not in row[name]]
            column |= {member: max(ends, default=-1) + 1 + place for place, member in enumerate(row[name])}
    return Layers(column, tuple(dict.fromkeys(row[name] for name in looped)))


def _in_a_row(members: list[str], edges: tuple[Edge, ...]) -> tuple[str, ...]:
    """The members of a loop along its arrows, from the one that most arrows reach from outside."""
    asked = {name: sum(t == name and s not in members for s, t in edges) for name in members}
    path = [max(members, key=lambda name: asked[name])]
    row: list[str] = []
    while path:  # walk as deep as it goes; whoever leads nowhere new goes to the front
        new = [t for s, t in edges if s == path[-1] and t in members and t not in path and t not in row]
        row[:0] = [] if new else [path.pop()]
        path += new[:1]
    return tuple(row)


class _Item:
    """A box or an invisible stop, while the sheet is being made. `y` is its middle, `by` the line that leads to it."""

    def __init__(self, kind: str, by: str, column: int, across: float, room: float, name: str = "") -> None:
        self.kind, self.by, self.column, self.name = kind, by, column, name
        self.across, self.room = across, room  # its own, and that to an item like it
        self.loop, self.below = tuple[str, ...](), 0.0  # the row that it stands in; room for what returns
        self.place, self.share, self.y = 0, 0.0, 0.0
        self.before, self.after = list[_Item](), list[_Item]()

    def exit(self, by: str) -> float:
        """The height at which a line leaves: a mount leaves its service below the arrows."""
        return self.y + (18 if by == "volume" and self.kind == "service" else 0)

    def mean_place(self, forwards: bool) -> float:
        """The mean place of the neighbours on one side, from 0 to 1. Loops stay at the top."""
        near = (self.before if forwards else self.after) or [self]
        return -1 if self.loop else sum(one.share for one in near) / len(near)

    def mean_height(self) -> float:
        """The mean height of the neighbours; a stop holds on to the other stops of its trunk."""
        pulls = [(3 if self.kind == one.kind == "stop" else 1, one.exit(self.by)) for one in self.before + self.after]
        return sum(pull * y for pull, y in pulls) / sum(pull for pull, _ in pulls) if pulls else self.y

    def level(self) -> float:
        """The height of a neighbour that is nearly level with it, else its own."""
        most, levels = 60 if self.kind == "stop" else 14, [one.exit(self.by) for one in self.before + self.after]
        return min((y for y in levels if abs(y - self.y) <= most), key=lambda y: abs(y - self.y), default=self.y)

    def apart(self, lower: _Item) -> float:
        """The least distance of two middles."""
        return (self.across + self.room + lower.across + lower.room) / 2 + self.below


class _Sheet:
    """Items in columns: built, ordered, given heights, joined by lines."""

    def __init__(self, names: tuple[str, ...], edges: tuple[Edge, ...], mounts: tuple[Edge, ...], size: Size) -> None:
        self.size, (column, loops) = size, layers(names, edges)
        self.across, self.along = (size.width, size.height) if size.narrow else (size.height, size.width)
        last = max(column.values(), default=-1) + 1
        volumes = dict.fromkeys(volume for _, volume in mounts)
        self.services = {name: _Item("service", "edge", column[name], self.across, size.row, name) for name in names}
        self.volumes = {name: _Item("volume", "volume", last, SHELF[1], 14, name) for name in volumes}
        self.items = [*self.services.values(), *self.volumes.values()]
        aside = [(s, t) for s, t in edges if column[t] != column[s] + 1]
        self.loops = {row: [edge for edge in aside if {*edge} <= {*row}] for row in loops}
        back = {edge for returns in self.loops.values() for edge in returns}
        self.routes: list[list[_Item]] = []
        for name in names:
            self._trunk(name, [self.services[t] for s, t in edges if s == name and (s, t) not in back])
            self._trunk(name, [self.volumes[volume] for s, volume in mounts if s == name])
        self.columns = [[item for item in self.items if item.column == at] for at in range(last + bool(mounts))]
        self.leaving: dict[tuple[_Item, str], list[_Item]] = {}
        for left, right in dict.fromkeys(hop for route in self.routes for hop in pairwise(route)):
            self.leaving.setdefault((left, right.by), []).append(right)
            right.before.append(left)
            left.after += [right] if left.by == right.by else []  # a volume follows its service and never moves it
        self._pin()

    def _trunk(self, name: str, ends: list[_Item]) -> None:
        """Lead the lines of one source to their ends; they share one stop in each column between."""
        start, last = self.services[name], max((end.column for end in ends), default=0)
        stops = [_Item("stop", ends[0].by, column, 6, 6) for column in range(start.column + 1, last)]
        self.items += stops
        self.routes += [[start, *stops[: end.column - start.column - 1], end] for end in ends]

    def _pin(self) -> None:
        """Put loops at the top of their columns, each with room below it for what returns."""
        used = [0.0] * len(self.columns)
        for row, returns in self.loops.items():
            items = [self.services[name] for name in row]
            top = max(used[item.column] for item in items)
            for item in items:
                item.loop, item.y = row, top + self.across / 2
                item.below = _LANE + 16 * len(returns) + (208 if self.size.narrow else 8)
                used[item.column] = top + self.across + item.below + self.size.row
        for items in self.columns:
            _number(items, sorted(items, key=lambda item: item.y if item.loop else inf))

    def order(self) -> None:
        """Sort each column by the mean place of its neighbours, to and fro; keep the fewest crossings."""
        best, fewest = {item: item.place for item in self.items}, self._crossings()
        for sweep in range(_SWEEPS if fewest else 0):
            for items in self.columns[:: -1 if sweep % 2 else 1]:
                _number(items, sorted(items, key=lambda item: item.mean_place(forwards=sweep % 2 == 0)))
            for items in self.columns * 4:
                _number(items, _swapped(items, _crossed))
            if (crossings := self._crossings()) < fewest:
                best, fewest = {item: item.place for item in self.items}, crossings
        for items in self.columns:
            _number(items, sorted(items, key=best.__getitem__))

    def _crossings(self) -> int:
        ends = ([end for item in items for end in sorted(one.place for one in item.before)] for items in self.columns)
        return sum(one > other for column in ends for one, other in combinations(column, 2))

    def settle(self) -> None:
        """Give every item its height, the mean of its neighbours' heights where there is room."""
        for sweep in range(_SETTLINGS + _STRAIGHTENINGS):
            wanted = _Item.mean_height if sweep < _SETTLINGS else _Item.level
            for items in self.columns[:: -1 if sweep % 2 else 1]:
                _stack(items, wanted)
        top = min((item.y - item.across / 2 for item in self.items), default=0)
        for item in self.items:
            item.y = (item.y - top + 0.5) // 1

    # -- lines ---------------------------------------------------------------------------------

    def starts(self) -> list[tuple[float, float]]:
        """Where each column begins, and how long it is."""
        lengths = [float(SHELF[0] if items[0].kind == "volume" else self.along) for items in self.columns]
        gap = (WIDE - sum(lengths)) // max(1, len(lengths) - 1)
        gap = max(self.size.gap[0], min(self.size.gap[1], gap))
        return [(sum(lengths[:place]) + gap * place, length) for place, length in enumerate(lengths)]

    def tracks(self, columns: list[tuple[float, float]]) -> dict[tuple[_Item, str], float]:
        """The place, along, of the upright line of each item that leads on."""
        result: dict[tuple[_Item, str], float] = {}
        for column, ((start, length), (end, _)) in enumerate(pairwise(columns)):
            shared: dict[tuple[str, frozenset[_Item]], list[_Item]] = {}
            for (left, by), rights in self.leaving.items():
                if left.column == column:
                    shared.setdefault((by, frozenset(rights)), []).append(left)
            levels = _levels(
                [([one.exit(by) for one in lefts], [one.y for one in rights]) for (by, rights), lefts in shared.items()]
            )
            gap, most = end - start - length, max(levels, default=0)
            step = min(self.size.track, (gap - 16) / max(1, most))
            for ((by, _), lefts), level in zip(shared.items(), levels, strict=True):
                track = round(start + length + (gap - 6) / 2 + step * (level - most / 2), 1)
                result |= {(left, by): track for left in lefts}
        return result

    def at(self, along: float, across: float) -> Point:
        """A point of the sheet in the picture. Beside the rows of a narrow one there is room for their heads."""
        return (across + 76, along + self.size.top) if self.size.narrow else (along + 1, across + self.size.top)

    def finish(self) -> Placement:
        """The sheet as boxes and lines, turned into its direction."""
        columns = self.starts()
        tracks = self.tracks(columns)

        def box(item: _Item) -> Box:
            start, length = columns[item.column]
            size = (item.across, length) if self.size.narrow else (length, item.across)
            return Box(item.name, item.column, *self.at(start, item.y - item.across / 2), *size)

        lines, labels = [], []
        for route in self.routes:
            source, target = route[0], route[-1]
            level = source.exit(target.by)
            points = [(sum(columns[source.column]), level)]
            for left, right in pairwise(route):
                if abs(right.y - level) >= 1:
                    points += [(tracks[left, target.by], level), (tracks[left, target.by], right.y)]
                    level = right.y
            points.append((columns[target.column][0] - (10 if target.kind == "volume" else 1), level))
            kind = "loop" if source.loop and source.loop == target.loop else target.by
            lines.append(self._line(source.name, target.name, kind, points))
        for row, returns in self.loops.items():
            first, last = self.services[row[0]], self.services[row[-1]]
            foot = first.y + self.across / 2
            for place, (one, other) in enumerate(returns):
                out, back = (0.5, 0.5) if one != other and len(returns) == 1 else (0.65, 0.35)
                lane = foot + _LANE + 16 * place
                leave = columns[self.services[one].column][0] + self.along * out
                enter = columns[self.services[other].column][0] + self.along * back
                around = [(leave, foot), (leave, lane), (enter, lane), (enter, foot + 1)]
                lines.append(self._line(one, other, "loop", around))
            beside = 0 if len(returns) == 1 and leave - enter > 260 else 16
            middle = (columns[first.column][0] + sum(columns[last.column])) / 2
            labels.append(Label(row, *self.at(middle, lane + (10 if self.size.narrow else beside)), len(returns)))
        far = max((item.y + item.across / 2 + item.below for item in self.items), default=0)
        width, height = self.at(sum(columns[-1]) if columns else 0, far)
        spans = tuple((self.at(start, 0)[self.size.narrow], length) for start, length in columns)
        boxes = {name: box(item) for name, item in self.services.items()}
        volumes = tuple(map(box, self.volumes.values()))
        return Placement(self.size, width + 1, height + 2, boxes, volumes, tuple(lines), spans, tuple(labels))

    def _line(self, source: str, target: str, kind: str, sheet: list[Point]) -> Line:
        """Turn a line into its direction. It ends inside its head, so that the tip stays sharp."""
        points = [self.at(*point) for point in sheet]
        (ax, ay), (x, y) = points[-2:]
        dx, dy = (x > ax) - (x < ax), (y > ay) - (y < ay)
        left, right = (_xy(x - 7 * dx - side * dy, y - 7 * dy - side * dx) for side in (4, -4))
        short, tip = (0, "") if kind == "volume" else (5, f"M{_xy(x, y)}L{left}L{right}Z")
        path = _rounded([*points[:-1], (x - short * dx, y - short * dy)], self.size.bend)
        return Line(source, target, kind, tuple(points), path, tip)


def _number(items: list[_Item], order: list[_Item]) -> None:
    items[:] = order
    for place, item in enumerate(items):
        item.place, item.share = place, (place + 0.5) / len(items)


def _swapped(order: list[_T], cost: Callable[[_T, _T], int]) -> list[_T]:
    """Swap neighbours where the other way round costs less."""
    now = [*order]
    for place in range(len(now) - 1):
        one, other = now[place : place + 2]
        if cost(one, other) > cost(other, one):
            now[place : place + 2] = other, one
    return now


def _crossed(upper: _Item, lower: _Item) -> int:
    sides = () if upper.loop else ((upper.before, lower.before), (upper.after, lower.after))
    return sum(a.place > b.place for above, below in sides for a in above for b in below)


def _stack(items: list[_Item], wanted: Callable[[_Item], float]) -> None:
    """Heights nearest to the wanted ones that keep the distances: pool adjacent violators."""
    free = [item for item in items if not item.loop]
    floor = max((one.y + one.apart(other) for one, other in pairwise(items) if one.loop), default=-inf)
    shifts = [*accumulate(map(_Item.apart, free, free[1:]), initial=0.0)]
    blocks: list[tuple[float, float, int]] = []
    for item, shift in zip(free, shifts, strict=False):
        weight, count = 0.01 if item.by == "volume" else 1, 1  # a volume makes room for services
        total = (wanted(item) - shift) * weight
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / weight:
            above = blocks.pop()
            total, weight, count = total + above[0], weight + above[1], count + above[2]
        blocks.append((total, weight, count))
    heights = [max(total / weight, floor) for total, weight, count in blocks for _ in range(count)]
    for item, height, shift in zip(free, heights, shifts, strict=False):
        item.y = height + shift


def _levels(groups: list[tuple[list[float], list[float]]]) -> list[int]:
    """The place of each track in its gap, from the left: few crossings, no two lines on top of each other.

    A group is the heights of its sources and those of its targets. Groups far apart may share a place;
    a level one needs none.
    """
    spans = [(min(s + t), max(s + t)) for s, t in groups]

    def cost(left: int, right: int) -> int:
        crossed = sum(spans[right][0] < y < spans[right][1] for y in groups[left][1])
        crossed += sum(spans[left][0] < y < spans[left][1] for y in groups[right][0])
        # What leaves the left track and what enters the right one would look like one line.
        return crossed + 10 * sum(abs(a - b) < 5 for a in groups[left][1] for b in groups[right][0])

    order = sorted((group for group, (low, high) in enumerate(spans) if high - low >= 1), key=spans.__getitem__)
    for _ in order:
        order = _swapped(order, cost)
    levels = [0] * len(groups)
    for place, group in enumerate(order):
        low, high = spans[group]
        close = [other for other in order[:place] if spans[other][0] < high + 10 and low - 10 < spans[other][1]]
        levels[group] = max((levels[other] + 1 for other in close), default=0)
    return levels


def _xy(x: float, y: float) -> str:
    return f"{x:.5g} {y:.5g}"


def _rounded(points: list[Point], bend: float) -> str:
    """A polyline as SVG, its corners rounded as far as the lines between them are long enough."""
    path = f"M{_xy(*points[0])}"
    for place in range(1, len(points) - 1):
        (ax, ay), (x, y), (bx, by) = points[place - 1 : place + 2]
        before, after = abs(x - ax) + abs(y - ay), abs(bx - x) + abs(by - y)
        r = min(bend, before / (1 if place == 1 else 2), after / (1 if place == len(points) - 2 else 2))
        start, end = r / max(before, 0.1), r / max(after, 0.1)
        path += f"L{_xy(x - (x - ax) * start, y - (y - ay) * start)}"
        path += f"Q{_xy(x, y)} {_xy(x + (bx - x) * end, y + (by - y) * end)}"
    return f"{path}L{_xy(*points[-1])}"


@lru_cache(maxsize=256)
def place(names: tuple[str, ...], edges: tuple[Edge, ...], mounts: tuple[Edge, ...], size: str) -> Placement:
    """Place services and arrows, and volumes (`mounts`: service, volume) on a shelf at the end."""
    sheet = _Sheet(names, edges, mounts, SIZES[size])
    sheet.order()
    sheet.settle()
    return sheet.finish()
