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

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

Edge = tuple[str, str]
"""Dependency first, dependent second: the way the arrow points."""
Point = tuple[float, float]

WIDE: Final = 860
NARROW: Final = 560
SHELF: Final = (180, 36)
_SWEEPS, _SETTLINGS, _STRAIGHTENINGS = 24, 30, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Measures of one class of picture, in pixels."""

    name: str
    width: int
    height: int
    gap: tuple[int, int]  # between columns: at least, at most
    row: int  # between services of one column
    bend: int
    track: int  # between upright lines
    narrow: bool = False

    @property
    def along(self) -> int:
        return self.height if self.narrow else self.width

    @property
    def across(self) -> int:
        return self.width if self.narrow else self.height


SIZES: Final = {
    size.name: size
    for size in (
        Size(name="small", width=184, height=62, gap=(40, 76), row=44, bend=12, track=9),
        Size(name="medium", width=148, height=50, gap=(30, 76), row=26, bend=9, track=9),
        Size(name="large", width=124, height=26, gap=(22, 48), row=8, bend=6, track=6),
        Size(name="narrow", width=136, height=50, gap=(30, 30), row=8, bend=9, track=6, narrow=True),
    )
}


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a service, an unknown name or a volume."""

    name: str
    kind: str  # "service" or "volume"
    column: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """One dependency, mount, or arrow of a loop, from its source to its target."""

    source: str
    target: str
    kind: str  # "edge", "loop" or "volume"
    points: tuple[Point, ...]
    path: str  # as SVG, with rounded bends
    tip: str  # the arrowhead, as SVG


@dataclass(frozen=True, slots=True)
class Layers:
    """The column of each name, and the loops among them, each in the order of its row."""

    column: Mapping[str, int]
    loops: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A finished sheet. `columns` are start and length of each column along the start order."""

    size: Size
    width: float
    height: float
    boxes: Mapping[str, Box]
    lines: tuple[Line, ...]
    columns: tuple[tuple[float, float], ...]
    loops: tuple[tuple[tuple[str, ...], float, float, int], ...]  # members, x and y of the label, number of returns


def reachable(names: Iterable[str], edges: Iterable[Edge]) -> dict[str, frozenset[str]]:
    """Name to everything that must have been started before it. A name in a loop reaches itself."""
    before: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        before[target].append(source)
    result: dict[str, frozenset[str]] = {}
    for name in before:
        found: set[str] = set()
        todo = list(before[name])
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo.extend(before[one] if one not in result else result[one] - found)
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
    loops: list[tuple[str, ...]] = []
    group: dict[str, tuple[str, ...]] = {name: (name,) for name in names}
    for name in names:
        if name in ancestors[name] and all(name not in row for row in loops):
            row = tuple(other for other in ancestors if other in ancestors[name] and name in ancestors[other])
            row = _in_a_row(row, edges)
            loops.append(row)
            group |= dict.fromkeys(row, row)
    column: dict[str, int] = {}
    # A set of ancestors contains the set of each ancestor: ordered by size, dependencies come first.
    for members in sorted(dict.fromkeys(group.values()), key=lambda members: len(ancestors[members[0]])):
        ends = [column[group[s][-1]] for s, t in edges if t in members and s not in members]
        column |= {name: max(ends, default=-1) + 1 + place for place, name in enumerate(members)}
    return Layers({name: column[name] for name in names}, tuple(loops))


def _in_a_row(members: tuple[str, ...], edges: tuple[Edge, ...]) -> tuple[str, ...]:
    """The members of a loop along its arrows, from the one that most arrows reach from outside."""
    asked = {name: sum(t == name and s not in members for s, t in edges) for name in members}
    start = max(members, key=lambda name: asked[name])
    row: list[str] = []
    seen, path = {start}, [start]
    while path:  # walk as deep as it goes; whoever leads nowhere new goes to the front
        onward = next((t for s, t in edges if s == path[-1] and t in members and t not in seen), "")
        if onward:
            seen.add(onward)
            path.append(onward)
        else:
            row.insert(0, path.pop())
    return tuple(row)


@dataclass(slots=True, eq=False)
class _Item:
    """A box or an invisible stop, while the sheet is being made."""

    name: str
    kind: str  # "service", "volume" or "stop"
    column: int
    across: float
    lowered: bool = False  # part of a mount, which leaves its service below the arrows
    below: float = 0  # room for the returning arrows of a loop
    pinned: bool = False
    place: int = 0
    y: float = 0
    before: list[_Item] = field(default_factory=list)
    after: list[_Item] = field(default_factory=list)


class _Sheet:
    """Items in columns: built, ordered, given heights, joined by lines."""

    def __init__(self, names: tuple[str, ...], edges: tuple[Edge, ...], mounts: tuple[Edge, ...], size: Size) -> None:
        self.size, self.layers = size, layers(names, edges)
        column = self.layers.column
        last = max(column.values(), default=-1)
        self.columns: list[list[_Item]] = [[] for _ in range(last + 1 + bool(mounts))]
        self.items = {name: self._add(_Item(name, "service", column[name], size.across)) for name in names}
        for volume in dict.fromkeys(volume for _, volume in mounts):
            self.items[f"volume {volume}"] = self._add(_Item(volume, "volume", last + 1, SHELF[1], True))
        self.returns = [
            [(s, t) for s, t in edges if s in row and t in row and column[t] != column[s] + 1]
            for row in self.layers.loops
        ]
        back = {edge for returns in self.returns for edge in returns}
        links = [(s, t, "edge") for s, t in edges if (s, t) not in back]
        links += [(service, f"volume {volume}", "volume") for service, volume in mounts]
        self.routes = self._trunks(links)
        self._pin()

    def _add(self, item: _Item) -> _Item:
        item.place = len(self.columns[item.column])
        self.columns[item.column].append(item)
        return item

    def _trunks(self, links: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], list[_Item]]:
        """Each arrow as the items it passes; arrows of one source share their stops."""
        targets: dict[tuple[str, str], list[_Item]] = {}
        for source, target, kind in links:
            targets.setdefault((source, kind), []).append(self.items[target])
        routes = {}
        for (source, kind), ends in targets.items():
            start = self.items[source]
            chain = [start]
            for column in range(start.column + 1, max(end.column for end in ends)):
                chain.append(self._add(_Item("", "stop", column, 6, kind == "volume")))
                self._join(chain[-2], chain[-1], kind)
            for end in ends:
                passed = chain[: end.column - start.column]
                self._join(passed[-1], end, kind)
                routes[(source, end.name, kind)] = [*passed, end]
        return routes

    @staticmethod
    def _join(left: _Item, right: _Item, kind: str) -> None:
        right.before.append(left)
        if kind == "edge" or left.kind == "stop":  # a volume follows its service and never moves it
            left.after.append(right)

    def _pin(self) -> None:
        """Put loops at the top of their columns, each with room below it for what returns."""
        used = [0.0] * len(self.columns)
        for row, returns in zip(self.layers.loops, self.returns, strict=True):
            first = self.layers.column[row[0]]
            spanned = range(first, first + len(row))
            top = max(used[column] for column in spanned)
            below = (42 if len(row) == 1 else 60 + 16 * (len(returns) - 1)) + 8
            if self.size.narrow:
                below += 190
            for name in row:
                item = self.items[name]
                item.pinned, item.below, item.y = True, below, top + item.across / 2
            for column in spanned:
                used[column] = top + self.size.across + below + self.size.row
        for items in self.columns:
            items.sort(key=lambda item: (not item.pinned, item.y))
            self._number(items)

    @staticmethod
    def _number(items: list[_Item]) -> None:
        for place, item in enumerate(items):
            item.place = place

    # -- order ---------------------------------------------------------------------------------

    def order(self) -> None:
        """Sort each column by the mean place of its neighbours, to and fro; keep the fewest crossings."""
        best, fewest = [list(items) for items in self.columns], self._crossings()
        seen = set()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            forwards = sweep % 2 == 0
            for items in self.columns[1:] if forwards else self.columns[-2::-1]:
                keys = {item: self._mean_place(item, forwards) for item in items}
                items.sort(key=keys.__getitem__)
                self._number(items)
            self._swap()
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(items) for items in self.columns], crossings
            state = (forwards, tuple(tuple(map(id, items)) for items in self.columns))
            if state in seen:
                break
            seen.add(state)
        self.columns = best
        for items in self.columns:
            self._number(items)

    def _mean_place(self, item: _Item, forwards: bool) -> float:
        if item.pinned:
            return item.place - len(self.columns[item.column])
        near = (item.before if forwards else item.after) or [item]
        return sum((one.place + 0.5) / len(self.columns[one.column]) for one in near) / len(near)

    def _swap(self) -> None:
        for _ in range(_SWEEPS):
            swapped = False
            for items in self.columns:
                for place in range(len(items) - 1):
                    upper, lower = items[place], items[place + 1]
                    if not upper.pinned and _crossed(upper, lower) > _crossed(lower, upper):
                        items[place], items[place + 1] = lower, upper
                        upper.place, lower.place, swapped = place + 1, place, True
            if not swapped:
                return

    def _crossings(self) -> int:
        total = 0
        for items in self.columns:
            ends: list[int] = []
            for item in items:
                places = [one.place for one in item.before]
                total += sum(len(ends) - bisect_left(ends, place + 1) for place in places)
                for place in places:
                    insort(ends, place)
        return total

    # -- heights -------------------------------------------------------------------------------

    def _apart(self, upper: _Item, lower: _Item) -> float:
        """The least distance of two centres."""
        stops = (upper.kind == "stop") + (lower.kind == "stop")
        room = (14 if "volume" in (upper.kind, lower.kind) else self.size.row, max(8, self.size.row / 2), 6)[stops]
        return (upper.across + lower.across) / 2 + upper.below + room

    def settle(self) -> None:
        """Give every item its height, the mean of its neighbours' heights where there is room."""
        for items in self.columns:
            self._stack(items, [item.y for item in items])
            middle = (items[0].y + items[-1].y) / 2 if items else 0
            for item in items:
                item.y -= 0 if items[0].pinned else middle
        for sweep in range(_SETTLINGS):
            for items in self.columns if sweep % 2 == 0 else self.columns[::-1]:
                self._stack(items, [self._wanted(item) for item in items])
        for sweep in range(_STRAIGHTENINGS):
            for items in self.columns if sweep % 2 == 0 else self.columns[::-1]:
                self._straighten(items)
        top = min((item.y - item.across / 2 for items in self.columns for item in items), default=0)
        for items in self.columns:
            for item in items:
                item.y = (item.y - top + 0.5) // 1

    def _wanted(self, item: _Item) -> float:
        total = weight = 0.0
        for one in (*item.before, *item.after):
            pull = 3 if item.kind == one.kind == "stop" else 1
            total += pull * _level(one, item)
            weight += pull
        return total / weight if weight else item.y

    def _stack(self, items: list[_Item], wanted: list[float]) -> None:
        """Heights nearest to the wanted ones that keep the distances: pool adjacent violators."""
        floor, offset, blocks = float("-inf"), 0.0, list[list[float]]()
        free = [item for item in items if not item.pinned]
        if len(free) < len(items):
            floor = items[-len(free) - 1].y + (self._apart(items[-len(free) - 1], free[0]) if free else 0)
        offsets = []
        for place, item in enumerate(free):
            offset += self._apart(free[place - 1], item) if place else 0
            offsets.append(offset)
            blocks.append([wanted[len(items) - len(free) + place] - offset, 1])
            while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
                mean, count = blocks.pop()
                blocks[-1] = [
                    (blocks[-1][0] * blocks[-1][1] + mean * count) / (blocks[-1][1] + count),
                    blocks[-1][1] + count,
                ]
        heights = [max(mean, floor) for mean, count in blocks for _ in range(int(count))]
        for item, height, shift in zip(free, heights, offsets, strict=True):
            item.y = height + shift

    def _straighten(self, items: list[_Item]) -> None:
        """Let an item that is nearly level with a neighbour be level with it, if there is room."""
        for place, item in enumerate(items):
            near = sorted((abs(y - item.y), y) for one in (*item.before, *item.after) for y in [_level(one, item)])
            if not near or item.pinned or not 0 < near[0][0] <= (60 if item.kind == "stop" else 14):
                continue
            wanted = near[0][1]
            if place and wanted < items[place - 1].y + self._apart(items[place - 1], item):
                continue
            if place + 1 < len(items) and wanted > items[place + 1].y - self._apart(item, items[place + 1]):
                continue
            item.y = wanted

    # -- lines ---------------------------------------------------------------------------------

    def starts(self) -> list[tuple[float, float]]:
        """Where each column begins, and how long it is."""
        shelf = any(item.kind == "volume" for item in self.columns[-1]) if self.columns else False
        lengths = [float(self.size.along)] * (len(self.columns) - shelf) + [float(SHELF[0])] * shelf
        least, most = self.size.gap
        gap = (WIDE - sum(lengths)) / max(1, len(lengths) - 1)
        gap = max(least, min(most, gap // 1))
        return [(sum(lengths[:place]) + gap * place, length) for place, length in enumerate(lengths)]

    def tracks(self, columns: list[tuple[float, float]]) -> dict[tuple[int, str, int], float]:
        """The upright line of each source in the gap after it: (item, kind, column) to its place along."""
        result: dict[tuple[int, str, int], float] = {}
        for column in range(len(columns) - 1):
            leaving: dict[tuple[int, str], tuple[float, dict[int, float]]] = {}
            for (_, _, kind), route in self.routes.items():
                for left, right in pairwise(route):
                    if left.column == column:
                        exits = leaving.setdefault((id(left), kind), (_exit(left, kind, self.size), {}))
                        exits[1][id(right)] = right.y
            groups: dict[tuple[str, tuple[int, ...]], tuple[list[float], list[float], list[int]]] = {}
            for (item, kind), (y, ends) in leaving.items():
                group = groups.setdefault((kind, tuple(sorted(ends))), ([], list(ends.values()), []))
                group[0].append(y)
                group[2].append(item)
            bent = [(key, g) for key, g in groups.items() if max(g[0] + g[1]) - min(g[0] + g[1]) >= 1]
            levels = _levels([(g[0], g[1]) for _, g in bent])
            begin = columns[column][0] + columns[column][1]
            gap = columns[column + 1][0] - begin
            count = max(levels, default=0)
            step = min(self.size.track, (gap - 16) / count) if count else 0
            for ((kind, _), (_, _, items)), level in zip(bent, levels, strict=True):
                for item in items:
                    result[(item, kind, column)] = round(begin + (gap - 6) / 2 + step * (level - count / 2), 1)
        return result

    def finish(self) -> Placement:
        """The sheet as boxes and lines, turned into its direction."""
        size, columns = self.size, self.starts()
        tracks = self.tracks(columns)
        margin = 76 if size.narrow else 1  # the column heads of a narrow picture stand at the left
        top = {"small": 48, "medium": 42, "large": 40, "narrow": 4}[size.name]

        def at(along: float, across: float) -> Point:
            return (across + margin, along + top) if size.narrow else (along + margin, across + top)

        boxes = {}
        for key, item in self.items.items():
            start, length = columns[item.column]
            x, y = at(start, item.y - item.across / 2)
            wide, high = (item.across, length) if size.narrow else (length, item.across)
            boxes[key] = Box(item.name, item.kind, item.column, x, y, wide, high)
        looped = {(s, t) for row in self.layers.loops for s in row for t in row}
        lines = []
        for (source, target, kind), route in self.routes.items():
            level = _exit(route[0], kind, size)
            points = [(columns[route[0].column][0] + columns[route[0].column][1], level)]
            for left, right in pairwise(route):
                if abs(right.y - level) >= 1:
                    track = tracks[(id(left), kind, left.column)]
                    points += [(track, level), (track, right.y)]
                    level = right.y
            points.append((columns[route[-1].column][0] - (10 if kind == "volume" else 1), level))
            kind = "loop" if (source, target) in looped else kind
            lines.append(_line(source, target, kind, [at(*point) for point in points], size.bend))
        labels = []
        for row, returns in zip(self.layers.loops, self.returns, strict=True):
            foot = self.items[row[0]].y + size.across / 2
            for place, (source, target) in enumerate(returns):
                out, back = (0.7, 0.3) if source == target else (0.62, 0.38) if len(returns) > 1 else (0.5, 0.5)
                lane = foot + (22 if len(row) == 1 else 44 + 16 * place)
                leave, enter = (columns[self.items[name].column][0] + size.along * part
                                for name, part in ((source, out), (target, back)))  # fmt: skip
                path = [(leave, foot), (leave, lane), (enter, lane), (enter, foot + 1)]
                lines.append(_line(source, target, "loop", [at(*point) for point in path], size.bend))
            middle = (columns[self.items[row[0]].column][0] + sum(columns[self.items[row[-1]].column])) / 2
            plain = len(returns) == 1 and len(row) > 1
            labels.append((row, *at(middle, lane + (10 if size.narrow else 0 if plain else 16)), len(returns)))
        far = max((item.y + item.across / 2 + item.below for items in self.columns for item in items), default=0)
        width, height = at(sum(columns[-1]) if columns else 0, far)
        return Placement(
            size=size, width=width + 1, height=height + 2, boxes=boxes, lines=tuple(lines),
            columns=tuple((at(start, 0)[size.narrow], length) for start, length in columns), loops=tuple(labels),
        )  # fmt: skip


def _crossed(upper: _Item, lower: _Item) -> int:
    sides = ((upper.before, lower.before), (upper.after, lower.after))
    return sum(a.place > b.place for above, below in sides for a in above for b in below)


def _exit(item: _Item, kind: str, size: Size) -> float:
    """The height at which a line leaves: mounts leave below the arrows."""
    return item.y + (size.across / 2 - 13 if kind == "volume" and item.kind == "service" else 0)


def _level(one: _Item, item: _Item) -> float:
    """The height at which *item* would be level with its neighbour."""
    return one.y + (18 if item.lowered and one.kind == "service" else 0)


def _levels(groups: list[tuple[list[float], list[float]]]) -> list[int]:
    """The place of each track in its gap, from the left: few crossings, no two lines on top of each other."""
    spans = [(min(s + t), max(s + t)) for s, t in groups]

    def cost(left: int, right: int) -> int:
        low, high = spans[right]
        crossed = sum(low < y < high for y in groups[left][1])
        low, high = spans[left]
        crossed += sum(low < y < high for y in groups[right][0])
        # What comes out of the left track and what goes into the right one would look like one line.
        return crossed + 10 * sum(abs(a - b) < 5 for a in groups[left][1] for b in groups[right][0])

    order = sorted(range(len(groups)), key=lambda g: spans[g])
    for _ in order:
        swapped = False
        for place in range(len(order) - 1):
            left, right = order[place], order[place + 1]
            if cost(left, right) > cost(right, left):
                order[place], order[place + 1], swapped = right, left, True
        if not swapped:
            break
    levels = [0] * len(groups)
    for place, group in enumerate(order):
        low, high = spans[group]
        close = [other for other in order[:place] if spans[other][0] < high + 10 and low - 10 < spans[other][1]]
        levels[group] = max((levels[other] + 1 for other in close), default=0)
    return levels


def corners(points: tuple[Point, ...], bend: float) -> list[tuple[str, tuple[float, ...]]]:
    """A polyline as drawing commands: M and L with one point, Q with the corner and the end of its bend."""
    commands: list[tuple[str, tuple[float, ...]]] = [("M", points[0])]
    for place in range(1, len(points) - 1):
        (ax, ay), (x, y), (bx, by) = points[place - 1 : place + 2]
        before, after = abs(x - ax) + abs(y - ay), abs(bx - x) + abs(by - y)
        r = min(bend, before / (1 if place == 1 else 2), after / (1 if place == len(points) - 2 else 2))
        if r < 0.5:
            commands.append(("L", (x, y)))
            continue
        start = (x - (x - ax) / before * r, y - (y - ay) / before * r)
        commands += [("L", start), ("Q", (x, y, x + (bx - x) / after * r, y + (by - y) / after * r))]
    return [*commands, ("L", points[-1])]


def arrowhead(points: tuple[Point, ...]) -> tuple[Point, Point, Point]:
    """The three corners of the head at the end of a line, 7 long and 8 wide."""
    (ax, ay), (x, y) = points[-2:]
    dx, dy = (x > ax) - (x < ax), (y > ay) - (y < ay)
    return (x, y), (x - 7 * dx - 4 * dy, y - 7 * dy - 4 * dx), (x - 7 * dx + 4 * dy, y - 7 * dy + 4 * dx)


def _line(source: str, target: str, kind: str, points: list[Point], bend: float) -> Line:
    ends = tuple(points)
    tip = arrowhead(ends)
    if kind != "volume":  # the line stops inside its head, so that the tip stays sharp
        back = ((tip[1][0] + tip[2][0]) / 2, (tip[1][1] + tip[2][1]) / 2)
        drawn = (*ends[:-1], ((back[0] * 2 + tip[0][0]) / 3, (back[1] * 2 + tip[0][1]) / 3))
    else:
        drawn = ends
    path = "".join(f"{command}{' '.join(f'{v:.5g}' for v in values)}" for command, values in corners(drawn, bend))
    head = "M" + "L".join(f"{x:.5g} {y:.5g}" for x, y in tip) + "Z"
    return Line(source, target.removeprefix("volume ") if kind == "volume" else target, kind, ends, path, head)


@lru_cache(maxsize=256)
def place(names: tuple[str, ...], edges: tuple[Edge, ...], mounts: tuple[Edge, ...], size: str) -> Placement:
    """Place services and arrows, and volumes (`mounts`: service, volume) on a shelf at the end."""
    sheet = _Sheet(names, edges, mounts, SIZES[size])
    sheet.order()
    sheet.settle()
    return sheet.finish()
