"""Where everything goes: services, names and arrows become boxes and lines.

Theory of operation
-------------------
One sheet serves both directions. *Along* is the way the start order runs, *across* is the other:
along is x in a wide picture and y in a narrow one. A service stands in the column after the last of
its dependencies. Services that wait for each other, a *loop*, stand in a row at the top, in the order
of the loop, and the arrow that closes it runs below them.

An arrow over several columns passes an invisible *stop* in each; all such arrows of one source share
one *trunk* of stops. Columns are sorted by the mean place of the neighbours, then neighbours swap as
long as crossings fall. Heights are the mean of the neighbours' heights, kept apart by isotonic
regression. Every source owns one upright *track* in the gap to the next column; sources with the same
targets share it. Nothing is random, and nothing here knows a state: `place` is cached by structure,
so a picture that only changes its states is only painted again.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

Edge = tuple[str, str]
"""Dependency first, dependent second: the way the arrow points."""
Point = tuple[float, float]

TABLES: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("graphs.json").read_text("utf-8"))
"""The measures and words of this room, by subject."""
WIDE: Final = 860
NARROW: Final = 560
SHELF: Final = (180, 36)
_SWEEPS, _SETTLINGS, _STRAIGHTENINGS = 24, 30, 4


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
    before: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        before[target].append(source)
    result: dict[str, frozenset[str]] = {}
    for name in before:
        found: set[str] = set()
        todo = [*before[name]]
        while todo:
            if (one := todo.pop()) not in found:
                found |= {one} | result.get(one, frozenset())
                todo += [] if one in result else before[one]
        result[name] = frozenset(found)
    return result


@lru_cache(maxsize=256)
def layers(names: tuple[str, ...], edges: tuple[Edge, ...]) -> Layers:
    """Put each name one column after the last of its dependencies.

    >>> layers(("a", "b", "c"), (("a", "b"), ("b", "c"), ("a", "c"))).column
    {'a': 0, 'b': 1, 'c': 2}
    >>> layers(("a", "b", "c"), (("a", "b"), ("b", "c"), ("c", "b"))).loops
    (('b', 'c'),)
    """
    ancestors = reachable(names, edges)
    group: dict[str, tuple[str, ...]] = {}
    for name in names:
        if name in ancestors[name] and name not in group:
            row = _in_a_row([other for other in names if other in ancestors[name] and name in ancestors[other]], edges)
            group |= dict.fromkeys(row, row)
    loops = tuple(dict.fromkeys(group.values()))
    column: dict[str, int] = {}
    # With itself, a name has more ancestors than any of them: ordered by number, dependencies come first.
    for name in sorted(names, key=lambda name: len(ancestors[name] | {name})):
        if name not in column:
            members = group.get(name, (name,))
            ends = [column[group.get(s, (s,))[-1]] for s, t in edges if t in members and s not in members]
            column |= {member: max(ends, default=-1) + 1 + place for place, member in enumerate(members)}
    return Layers({name: column[name] for name in names}, loops)


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
    """A box or an invisible stop, while the sheet is being made. `y` is its middle."""

    def __init__(self, kind: str, column: int, across: float, name: str = "", lowered: bool = False) -> None:
        self.kind, self.column, self.across, self.name = kind, column, across, name
        self.lowered = lowered  # on the way of a mount, which leaves its service below the arrows
        self.pinned, self.below = False, 0.0  # in a loop; room for its returning arrows
        self.place, self.y = 0, 0.0
        self.before: list[_Item] = []
        self.after: list[_Item] = []

    def level(self, one: _Item) -> float:
        """The height at which this item would be level with its neighbour *one*."""
        return one.exit("volume" if self.lowered else "edge")

    def wanted(self) -> float:
        """The mean height of the neighbours; a stop holds on to the other stops of its trunk."""
        pulls = [(3 if self.kind == one.kind == "stop" else 1, self.level(one)) for one in self.before + self.after]
        return sum(pull * y for pull, y in pulls) / sum(pull for pull, _ in pulls) if pulls else self.y

    def exit(self, kind: str) -> float:
        """The height at which a line of that kind leaves."""
        return self.y + (18 if kind == "volume" and self.kind == "service" else 0)


class _Sheet:
    """Items in columns: built, ordered, given heights, joined by lines."""

    def __init__(self, names: tuple[str, ...], edges: tuple[Edge, ...], mounts: tuple[Edge, ...], size: Size) -> None:
        self.size, self.layers = size, layers(names, edges)
        self.across, self.along = (size.width, size.height) if size.narrow else (size.height, size.width)
        column, loops = self.layers
        last = max(column.values(), default=-1) + 1
        self.columns: list[list[_Item]] = [[] for _ in range(last + bool(mounts))]
        self.gaps: list[dict[tuple[_Item, str], list[_Item]]] = [{} for _ in self.columns]
        self.routes: dict[tuple[str, str, str], list[_Item]] = {}
        self.services = {name: self._add(_Item("service", column[name], self.across, name)) for name in names}
        volumes = dict.fromkeys(volume for _, volume in mounts)
        self.volumes = {name: self._add(_Item("volume", last, SHELF[1], name, True)) for name in volumes}
        self.returns = [[(s, t) for s, t in edges if {s, t} <= {*row} and column[t] != column[s] + 1] for row in loops]
        back = {edge for returns in self.returns for edge in returns}
        for name, start in self.services.items():
            self._trunk(start, "edge", [self.services[t] for s, t in edges if s == name and (s, t) not in back])
            self._trunk(start, "volume", [self.volumes[volume] for s, volume in mounts if s == name])
        self._pin()

    def _add(self, item: _Item) -> _Item:
        item.place = len(self.columns[item.column])
        self.columns[item.column].append(item)
        return item

    def _trunk(self, start: _Item, kind: str, ends: list[_Item]) -> None:
        """Lead the arrows of one source to their ends; they share one stop in each column between."""
        chain = [start]
        for column in range(start.column + 1, max((end.column for end in ends), default=0)):
            chain.append(self._add(_Item("stop", column, 6, lowered=kind == "volume")))
            self._join(chain[-2], chain[-1], kind)
        for end in ends:
            passed = chain[: end.column - start.column]
            self._join(passed[-1], end, kind)
            self.routes[start.name, end.name, kind] = [*passed, end]

    def _join(self, left: _Item, right: _Item, kind: str) -> None:
        self.gaps[left.column].setdefault((left, kind), []).append(right)
        right.before.append(left)
        if kind == "edge" or left.kind == "stop":  # a volume follows its service and never moves it
            left.after.append(right)

    def _pin(self) -> None:
        """Put loops at the top of their columns, each with room below it for what returns."""
        used = [0.0] * len(self.columns)
        for row, returns in zip(self.layers.loops, self.returns, strict=True):
            spanned = [self.layers.column[name] for name in row]
            top = max(used[column] for column in spanned)
            most = 16 * len(returns)
            below = 238 + most if self.size.narrow else 50 if len(row) == 1 else 52 + most
            for name, column in zip(row, spanned, strict=True):
                item = self.services[name]
                item.pinned, item.below, item.y = True, below, top + self.across / 2
                used[column] = top + self.across + below + self.size.row
        for items in self.columns:
            _number(items, sorted(items, key=lambda item: (not item.pinned, item.y)))

    # -- order ---------------------------------------------------------------------------------

    def order(self) -> None:
        """Sort each column by the mean place of its neighbours, to and fro; keep the fewest crossings."""
        best, fewest = [list(items) for items in self.columns], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            forwards = sweep % 2 == 0
            for items in self.columns[1:] if forwards else self.columns[-2::-1]:
                _number(items, sorted(items, key=lambda item: self._mean_place(item, forwards)))
            while self._swap():
                pass
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(items) for items in self.columns], crossings
        for items, kept in zip(self.columns, best, strict=True):
            _number(items, kept)

    def _mean_place(self, item: _Item, forwards: bool) -> float:
        if item.pinned:
            return item.place - len(self.columns[item.column])
        near = (item.before if forwards else item.after) or [item]
        return sum((one.place + 0.5) / len(self.columns[one.column]) for one in near) / len(near)

    def _swap(self) -> bool:
        """Swap neighbours whose lines cross less the other way round. Each swap removes a crossing, so it ends."""
        swapped = False
        for items in self.columns:
            for upper, lower in [pair for pair in pairwise(list(items)) if not pair[0].pinned]:
                if upper.place + 1 == lower.place and _crossed(upper, lower) > _crossed(lower, upper):
                    upper.place, lower.place, swapped = lower.place, upper.place, True
            _number(items, sorted(items, key=lambda item: item.place))
        return swapped

    def _crossings(self) -> int:
        total = 0
        for items in self.columns:
            ends: list[int] = []
            for end in [end for item in items for end in sorted(one.place for one in item.before)]:
                total += len(ends) - bisect_right(ends, end)
                insort(ends, end)
        return total

    # -- heights -------------------------------------------------------------------------------

    def _apart(self, upper: _Item, lower: _Item) -> float:
        """The least distance of two middles."""
        kinds = [upper.kind, lower.kind]
        between = 14 if "volume" in kinds else self.size.row
        room = (between, max(8, self.size.row / 2), 6)[kinds.count("stop")]
        return (upper.across + lower.across) / 2 + upper.below + room

    def settle(self) -> None:
        """Give every item its height, the mean of its neighbours' heights where there is room."""
        for items in self.columns:
            self._stack(items, [item.y for item in items])
            middle = 0 if items[0].pinned else (items[0].y + items[-1].y) / 2
            for item in items:
                item.y -= middle
        for sweep in range(_SETTLINGS):
            for items in self.columns[:: -1 if sweep % 2 else 1]:
                self._stack(items, [item.wanted() for item in items])
        for sweep in range(_STRAIGHTENINGS):
            for items in self.columns[:: -1 if sweep % 2 else 1]:
                self._straighten(items)
        every = [item for items in self.columns for item in items]
        top = min((item.y - item.across / 2 for item in every), default=0)
        for item in every:
            item.y = (item.y - top + 0.5) // 1

    def _stack(self, items: list[_Item], wanted: list[float]) -> None:
        """Heights nearest to the wanted ones that keep the distances: pool adjacent violators."""
        floor, shift, shifts, blocks = float("-inf"), 0.0, list[float](), list[tuple[float, float, int]]()
        for place, (item, y) in enumerate(zip(items, wanted, strict=True)):
            apart = self._apart(items[place - 1], item) if place else 0
            if item.pinned:
                continue
            if place and items[place - 1].pinned:
                floor = items[place - 1].y + apart
            shift += apart if blocks else 0
            shifts.append(shift)
            weight, count = 0.01 if item.lowered else 1, 1  # a volume makes room for services
            total = (y - shift) * weight
            while blocks and blocks[-1][0] / blocks[-1][1] >= total / weight:
                above = blocks.pop()
                total, weight, count = total + above[0], weight + above[1], count + above[2]
            blocks.append((total, weight, count))
        heights = [max(total / weight, floor) for total, weight, count in blocks for _ in range(count)]
        for item, height, shift in zip(items[len(items) - len(shifts) :], heights, shifts, strict=True):
            item.y = height + shift

    def _straighten(self, items: list[_Item]) -> None:
        """Let an item that is nearly level with a neighbour be level with it, if there is room."""
        for place, item in enumerate(items):
            levels = [item.level(one) for one in item.before + item.after]
            y = min(levels, key=lambda level: abs(level - item.y), default=item.y)
            low = items[place - 1].y + self._apart(items[place - 1], item) if place else y
            high = items[place + 1].y - self._apart(item, items[place + 1]) if place + 1 < len(items) else y
            if not item.pinned and low <= y <= high and abs(y - item.y) <= (60 if item.kind == "stop" else 14):
                item.y = y

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
        for ((start, length), (end, _)), leaving in zip(pairwise(columns), self.gaps, strict=False):
            shared: dict[tuple[str, frozenset[_Item]], list[_Item]] = {}
            for (item, kind), rights in leaving.items():
                shared.setdefault((kind, frozenset(rights)), []).append(item)
            groups = [
                ([one.exit(kind) for one in lefts], [one.y for one in rights])
                for (kind, rights), lefts in shared.items()
            ]
            levels = _levels(groups)
            gap, most = end - start - length, max(levels, default=0)
            step = min(self.size.track, (gap - 16) / max(1, most))
            for ((kind, _), lefts), level in zip(shared.items(), levels, strict=True):
                track = round(start + length + (gap - 6) / 2 + step * (level - most / 2), 1)
                result |= {(item, kind): track for item in lefts}
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

        looped = {name: row for row in self.layers.loops for name in row}
        lines = []
        for (source, target, kind), route in self.routes.items():
            level = route[0].exit(kind)
            points = [(sum(columns[route[0].column]), level)]
            for left, right in pairwise(route):
                if abs(right.y - level) >= 1:
                    points += [(tracks[left, kind], level), (tracks[left, kind], right.y)]
                    level = right.y
            points.append((columns[route[-1].column][0] - (10 if kind == "volume" else 1), level))
            inside = kind == "edge" and source in looped and looped[source] == looped.get(target)
            lines.append(self._line(source, target, "loop" if inside else kind, points))
        labels = []
        for row, returns in zip(self.layers.loops, self.returns, strict=True):
            foot = self.services[row[0]].y + self.across / 2
            first, last = (columns[self.layers.column[name]][0] for name in (row[0], row[-1]))
            for place, (source, target) in enumerate(returns):
                out, back = (0.7, 0.3) if source == target else (0.62, 0.38) if len(returns) > 1 else (0.5, 0.5)
                lane = foot + (22 if len(row) == 1 or self.size.narrow else 44) + 16 * place
                leave = columns[self.layers.column[source]][0] + self.along * out
                enter = columns[self.layers.column[target]][0] + self.along * back
                around = [(leave, foot), (leave, lane), (enter, lane), (enter, foot + 1)]
                lines.append(self._line(source, target, "loop", around))
            beside = 10 if self.size.narrow else 0 if len(returns) == 1 and abs(leave - enter) > 260 else 16
            labels.append(Label(row, *self.at((first + last + self.along) / 2, lane + beside), len(returns)))
        far = max((item.y + item.across / 2 + item.below for items in self.columns for item in items), default=0)
        width, height = self.at(sum(columns[-1]) if columns else 0, far)
        boxes = {name: box(item) for name, item in self.services.items()}
        spans = tuple((self.at(start, 0)[self.size.narrow], length) for start, length in columns)
        volumes = tuple(map(box, self.volumes.values()))
        return Placement(self.size, width + 1, height + 2, boxes, volumes, tuple(lines), spans, tuple(labels))

    def _line(self, source: str, target: str, kind: str, sheet: list[Point]) -> Line:
        """Turn a line into its direction. It ends inside its head, so that the tip stays sharp."""
        points = [self.at(*point) for point in sheet]
        (ax, ay), (x, y) = points[-2:]
        dx, dy = (x > ax) - (x < ax), (y > ay) - (y < ay)
        left, right = (x - 7 * dx - 4 * dy, y - 7 * dy - 4 * dx), (x - 7 * dx + 4 * dy, y - 7 * dy + 4 * dx)
        short = 0 if kind == "volume" else 5
        path = _rounded([*points[:-1], (x - short * dx, y - short * dy)], self.size.bend)
        tip = f"M{_xy(x, y)}L{_xy(*left)}L{_xy(*right)}Z" if short else ""
        return Line(source, target, kind, tuple(points), path, tip)


def _number(items: list[_Item], order: list[_Item]) -> None:
    items[:] = order
    for place, item in enumerate(items):
        item.place = place


def _crossed(upper: _Item, lower: _Item) -> int:
    sides = ((upper.before, lower.before), (upper.after, lower.after))
    return sum(a.place > b.place for above, below in sides for a in above for b in below)


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
    for _ in groups:
        for place, (left, right) in enumerate(pairwise(list(order))):
            if order[place] == left and cost(left, right) > cost(right, left):
                order[place : place + 2] = right, left
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
