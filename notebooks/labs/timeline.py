"""How long each service is down, and how much disk an update needs at most: as numbers, a picture and a table.

A plan has rounds and no clock; durations and sizes are given. A column is one round that does
something. A service is down from the round that stops it until the end of the round that starts its
successor; a hand-over has no such gap. `Strip` is one plan in a picture: strips lie below each other, so
that strategies can be compared, and a strip has a row for each service.

>>> from kit.planner import Release, installed, plan
>>> one, two = (Release(commit, {"services": {"api": {}}}) for commit in ("r1", "r2"))
>>> line = timeline(plan(installed(one), two), {"fetch": 40, "kill": 2, "start": 1}, {"api:r1": 310, "api:r2": 330})
>>> line.rows[0].down, line.peak
(3.0, 640)
>>> [f"{bar.kind} {bar.first}-{bar.last}" for bar in line.rows[0].bars]
['old 0-2', 'down 2-4', 'new 4-5', 'download 0-0']
>>> compared([Strip("download-then-kill", line)])
'download-then-kill: `api` is down 3 s, and the disk holds up to 640 MB.'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, NamedTuple

from kit import looks
from kit.device import steps as do
from kit.device.state import State
from kit.graphs.svg import mark, path, rect, sheet, text, text_width
from kit.looks import escaped
from kit.planner import AnyStep, Plan, Round

BarKind = Literal["old", "new", "down", "download", "lock"]
ENDS = (do.Kill, do.Stop, do.Remove, do.Handover, do.UpdateMetadata)
BEGINS = (do.Start, do.Handover, do.UpdateMetadata)
NO_GAP = (do.Handover, do.UpdateMetadata)
GONE = ("kill-removed", "kill-surplus", "kill-uninstall")  # nobody waits for its return


class Bar(NamedTuple):
    """A stretch of columns, both ends included; `label` is the commit that runs."""

    kind: BarKind
    first: int
    last: int
    label: str = ""


class Column(NamedTuple):
    """A round that does something: its kinds of steps, its seconds, and what was refused or failed in it."""

    heads: tuple[str, ...]
    seconds: float
    troubles: tuple[str, ...]


class Row(NamedTuple):
    """One service: its bars, and for how many seconds it was down."""

    app: int
    service: str
    bars: tuple[Bar, ...]
    down: float
    begun: frozenset[int] = frozenset()  # columns in which a container of it starts
    ended: frozenset[int] = frozenset()  # columns in which one is stopped
    renamed: bool = False  # it runs on under the new release


@dataclass(frozen=True, slots=True)
class Timeline:
    """The columns, a row for each service, and the most disk that was used at once."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    peak: float


def seconds_of(step: AnyStep, seconds: Mapping[str, float], state: State) -> float:
    """The duration of a step: given for the step as written, for its service, or for its kind.

    Who ignores SIGTERM is stopped only when its grace period is over (S-75).
    """
    keys = (str(step), f"{step.kind} {step.service}", step.kind)
    waited = do.waits(state, step) / 1000 if isinstance(step, do.Handover) else 0.0
    least = 0
    if isinstance(step, do.Kill | do.Stop) and step.service in state.deaf and step.container.up:
        least = step.container.wanted.grace
    return max(float(least), float(next((seconds[key] for key in keys if key in seconds), waited)))


def _row(rounds: tuple[Round, ...], columns: tuple[Column, ...], app: int, name: str) -> Row:
    bars, below, begun, ended, renamed = list[Bar](), list[Bar](), set[int](), set[int](), False
    here = rounds[0].state.container(name, app)
    now = Bar("old", 0, 0, here.commit) if here and here.up else None  # what its present bar began as
    for place, round in enumerate(rounds):
        if round.troubles and any(isinstance(step, do.TakeLock) and name in step.services for step in round):
            below.append(Bar("lock", place, place))
        if any(trouble.about == name for trouble in round.troubles):
            continue
        for step in (each for each in round if (each.app, each.service) == (app, name)):
            if isinstance(step, do.Fetch):
                below.append(Bar("download", place, place, step.image))
            renamed = renamed or isinstance(step, do.UpdateMetadata)
            ended |= {place} if isinstance(step, ENDS) else set()
            begun |= {place} if isinstance(step, BEGINS) else set()
            if isinstance(step, ENDS) and now and now.kind != "down":
                bars.append(now._replace(last=place))
                # The old half of a hand-over that failed is surplus, and nothing else runs (S-106, S-120).
                newest = round.state.container(name, app)
                left = step.why.reason == "kill-surplus" and newest is not None and not newest.up
                now = Bar("down", place, place) if left or step.why.reason not in GONE else None
            if isinstance(step, do.UpdateMetadata) and now is None:
                continue  # what has exited is renamed, and does not run for that (S-122)
            if isinstance(step, BEGINS):
                commit = step.commit if isinstance(step, do.UpdateMetadata) else step.wanted.commit
                bars += [now._replace(last=place)] if now and not isinstance(step, NO_GAP) else []
                now = Bar("new", place, place, commit)
    bars += [now._replace(last=len(rounds) - 1)] if now else []
    gaps = [bar for bar in bars if bar.kind == "down"]
    down = sum(column.seconds for bar in gaps for column in columns[bar.first : bar.last + 1])
    return Row(app, name, (*bars, *below), down, frozenset(begun), frozenset(ended), renamed)


def timeline(plan: Plan, seconds: Mapping[str, float] = {}, sizes: Mapping[str, float] = {}) -> Timeline:
    """The plan as columns and bars. *seconds* are looked up by step (`fetch api:r2`), service (`kill api`) or kind."""
    rounds = tuple(round for round in plan.rounds if round.trace)
    quiet = (do.Noop, do.SaveImage)
    heads = (tuple(dict.fromkeys(step.kind for step in round if not isinstance(step, quiet))) for round in rounds)
    lasts = (max((seconds_of(step, seconds, round.state) for step in round), default=0.0) for round in rounds)
    troubles = (tuple(map(str, round.troubles)) for round in rounds)
    columns = tuple(map(Column, heads, lasts, troubles))
    peak = 0.0
    for round in plan.rounds:
        used = round.state.image_names | {step.image for step in round if isinstance(step, do.Fetch)}
        peak = max(peak, sum(sizes.get(image, 0) for image in used))
    states = (*(round.state for round in rounds), plan.end)
    names = dict.fromkeys((each.app, each.service) for state in states for each in reversed(state.containers))
    return Timeline(columns, tuple(_row(rounds, columns, app, name) for app, name in names if rounds), peak)


# ------------------------------------------------------------------------------------------- the picture


class Strip(NamedTuple):
    """One plan in a picture: what it is called, its timeline, and a second line."""

    title: str
    line: Timeline
    quiet: str = ""


@dataclass(frozen=True, slots=True)
class _Size:
    """How a picture is laid out: where columns begin and how wide they are, and where the numbers stand."""

    left: float
    column: float
    width: float
    narrow: bool


WIDE, LAB, NARROW = 862, 760, 472  # a card, a lab in JupyterLab beside its file browser, a page at 200 % zoom
_NUMBERS: Final = 146  # at the right: seconds down, and peak disk
_NAMES: Final = 156.0  # at the left: the strategy, or the services
_LEAST: Final = 48  # a column
_DONE: Final = ("updateCommit", "releaseLock")
_END, _BEGIN = 0.52, 0.5  # where in its column an old bar ends and a new one begins
_OVERLAP: Final = (0.88, 0.1)  # the same for a hand-over, whose bars lie over each other
_COLOURS: Final = {"old": "old", "new": "run"}


def spent(seconds: float) -> str:
    """
    >>> spent(3.0), spent(0.25), spent(102), spent(750)
    ('3 s', '0.2 s', '102 s', '12 min 30 s')
    """
    if seconds < 600:
        return f"{seconds:.0f} s" if seconds >= 1 or not seconds else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def size(megabytes: float) -> str:
    """
    >>> size(640), size(20370)
    ('640 MB', '20.4 GB')
    """
    return f"{megabytes:,.0f} MB" if megabytes < 10_000 else f"{megabytes / 1000:.1f} GB"


def head(column: Column) -> str:
    """The word above a column: its first kind of step, and how many more there are."""
    kinds = ["done" if each in _DONE else each for each in column.heads]
    more = len(dict.fromkeys(kinds)) - 1
    return f"{kinds[0]} +{more}" if more > 0 else (kinds or ["wait"])[0]


def trouble(column: Column) -> str:
    """What went wrong in a column, in one word."""
    words = ("refused" if "UpdatesLocked" in each else "failed" for each in column.troubles)
    return next(words, "")


def _overlaps(row: Row) -> bool:
    """Whether an old and a new bar run side by side: in the column of a hand-over (S-106)."""
    ends = {bar.last for bar in row.bars if bar.kind == "old"}
    return any(bar.kind == "new" and bar.first in ends for bar in row.bars) and not row.renamed


def _height(row: Row, alone: bool) -> float:
    return (46 if alone else 28) + (22 if _overlaps(row) else 0) - (14 if alone and _overlaps(row) else 0)


def _strip_height(strip: Strip, narrow: bool) -> float:
    rows, alone = strip.line.rows, len(strip.line.rows) == 1
    return 46 + 18 * narrow + sum(_height(row, alone) for row in rows) + (0 if alone else 10)


def _bars(row: Row, size_: _Size, top: float, alone: bool) -> Iterator[str]:
    """The bars of one service, its gap, and below them its downloads and its waiting for a lock."""
    both = _overlaps(row)

    def at(place: float) -> float:
        return size_.left + size_.column * place

    for bar in row.bars:
        end, begin = _OVERLAP if both else (_END, _BEGIN)
        first, last = at(bar.first), at(bar.last + 1) - 1
        if bar.kind in ("old", "new"):
            ends = any(other.kind in ("down", "new") and other.first == bar.last for other in row.bars if other != bar)
            start = at(bar.first + begin) if bar.kind == "new" and bar.first in row.begun else first
            stop = at(bar.last + end) if bar.kind == "old" and (ends or bar.last in row.ended) else last
            y, colour = top + (22 if both and bar.kind == "new" else 0), _COLOURS[bar.kind]
            yield rect(start, y, stop - start, 18, 2, colour, fill=f"{colour}t")
            yield rect(start, y, 5, 18, 1, "", fill=colour) if bar.kind == "new" else ""
            words, room = f"{row.service} {bar.label}", stop - start - 16
            if room > 20:
                yield text(start + 8 + 3 * (bar.kind == "new"), y + 13, words, 12, bold=True, ink=colour, room=room)
        elif bar.kind == "down":
            start = at(bar.first + _END) if bar.first in row.ended else first
            stop = at(bar.last + _BEGIN) if bar.last in row.begun else last
            yield path(f"M{start + 4:g} {top + 9:g}L{stop - 3:g} {top + 9:g}", "no", 2, dash="2 4")
            if (middle := (start + stop) / 2) and stop - start > 44:
                yield rect(middle - 20, top, 40, 18, 0, "")
                yield text(middle, top + 13, "down", 12, bold=True, ink="no", anchor="middle")
    below = top + (28 if alone else 21.5)
    for kind, places in _runs(row):
        start, stop = at(places[0]) + 2, at(places[-1] + 1) - 4
        if kind == "download":
            yield path(f"M{start:g} {below:g}L{stop:g} {below:g}", "ink2", 4, dash="3 2")
        else:
            under = below + (22 if both else 0)
            yield mark("lock", start + 4, under - 6.5, 12)
            yield path(f"M{start + 22:g} {under:g}L{stop:g} {under:g}", "ask", 2, dash="6 3")


def _runs(row: Row) -> Iterator[tuple[str, list[int]]]:
    """Neighbouring columns in which the same goes on below the bars: a download, or a wait for a lock."""
    places = sorted((bar.kind, bar.first) for bar in row.bars if bar.kind in ("download", "lock"))
    for (kind, _), run in groupby(enumerate(places), key=lambda each: (each[1][0], each[1][1] - each[0])):
        yield kind, [place for _, (_, place) in run]


def _heads(columns: Sequence[Column], size_: _Size, top: float, bottom: float) -> Iterator[str]:
    """The word above each column, its duration or its trouble, and the hairlines between columns."""
    for place, column in enumerate(columns):
        x = size_.left + size_.column * place
        if place or size_.narrow:
            yield path(f"M{x:g} {top - 12:g}L{x:g} {bottom:g}", "rule", 1)
        words, wrong = head(column), trouble(column)
        second = wrong or (spent(column.seconds) if column.seconds >= 1 else "")
        ink = {"refused": "ask", "failed": "no"}.get(wrong, "ink3")
        if text_width(words, 12) > size_.column - 8 and second:  # `takeLock` is cut to `lock`
            words = re.split("(?=[A-Z])", words)[-1].lower()
        elif text_width(words, 12) > size_.column - 8:  # `removeImage` takes two lines
            words, second, ink = *re.sub("(?<=[a-z])(?=[A-Z])", " ", words).partition(" ")[::2], "ink2"
        yield text(x + 5, top, words, 12, ink="ink2", room=size_.column - 8)
        yield text(x + 5, top + 16, second, 12, ink=ink, room=size_.column - 8) if second else ""


def _numbers(strip: Strip, size_: _Size, top: float, most: float) -> Iterator[str]:
    """Seconds down as a large number, and peak disk as a number and a bar on a scale that all strips share."""
    rows, peak, right = strip.line.rows, strip.line.peak, size_.width
    down = max((row.down for row in rows), default=0.0)
    if size_.narrow:
        words = f"down {spent(down)}" + (f", disk {size(peak)}" if peak else "")
        yield text(right, top + 18, words, 12, bold=True, ink="no" if down else "run", anchor="end")
        return
    if len(rows) == 1:
        yield text(right - 84, top + 63, spent(down), 20, bold=True, ink="no" if down else "run", anchor="end")
    if peak:
        yield text(right, top + 55, size(peak), bold=True, anchor="end")
        yield rect(right - 68, top + 60, 68, 6, 1, "", fill="wash")
        yield rect(right - 68, top + 60, 68 * peak / most, 6, 1, "", fill="ink2")


def _left(strips: Sequence[Strip]) -> float:
    """Where columns begin if room is scarce: beside the longest name."""
    names = [text_width(row.service) for strip in strips for row in strip.line.rows]
    titles = [text_width(strip.title, bold=True) for strip in strips]
    return round(min(_NAMES, max(90.0, *names, *titles) + 10))


def _strip(strip: Strip, size_: _Size, top: float, most: float) -> Iterator[str]:
    rows, alone = strip.line.rows, len(strip.line.rows) == 1
    room = size_.width - 200 if size_.narrow else size_.left - 6
    first = 38 if size_.narrow else 20
    bottom = top + _strip_height(strip, size_.narrow)
    yield text(0, top + (18 if size_.narrow else 28 if alone else 20), strip.title, bold=True, room=room)
    if strip.quiet and not size_.narrow:
        yield text(0, top + (45 if alone else 36), strip.quiet, 12, ink="ink2", room=room)
    yield from _heads(strip.line.columns, size_, top + first, bottom - 8)
    y = top + first + 26
    for row in rows:
        yield from _bars(row, size_, y, alone)
        if not alone and not size_.narrow:
            yield text(0, y + 13, row.service, room=room)
            words = spent(row.down)
            yield text(size_.width - 84, y + 13, words, bold=True, ink="no" if row.down else "run", anchor="end")
        y += _height(row, alone)
    yield from _numbers(strip, size_, top, most)
    yield path(f"M0 {bottom:g}L{size_.width:g} {bottom:g}", "rule", 1)


def to_svg(
    strips: Sequence[Strip], *, narrow: bool = False, width: float = WIDE, columns: int = 0, standalone: bool = False,
    name: str = "Update",
) -> str:  # fmt: skip
    """Strips below each other, 862 pixels wide or as said, or 472 if *narrow*; wider where there are many columns.

    *columns* keeps room for so many, so that a plan that is shown step by step does not move.
    """
    most = max((len(strip.line.columns) for strip in strips), default=0)
    count, left = max(most, columns, 1), 0.0 if narrow else _NAMES if width >= WIDE else _left(strips)
    room = NARROW if narrow else width - left - _NUMBERS
    column = min(80.0, max(_LEAST, room / count))
    width = max(NARROW, count * column) if narrow else max(width, left + count * column + _NUMBERS)
    size_, peak = _Size(left, column, width, narrow), max((strip.line.peak for strip in strips), default=0.0)
    y, parts = 23.0, [path(f"M0 22.5L{width:g} 22.5", "rule", 1)]
    parts.append(text(left, 12, "rounds, left to right; each column is one round, not to scale", 12, ink="ink3"))
    if not narrow:
        parts.append(text(width - 84, 12, "down", 12, ink="ink3", anchor="end"))
        parts.append(text(width, 12, "peak disk", 12, ink="ink3", anchor="end") if peak else "")
    for strip in strips:
        parts += _strip(strip, size_, y, peak)
        y += _strip_height(strip, narrow)
    return sheet(name, told(strips), width, y + 1, "".join(parts), standalone)


# ------------------------------------------------------------------------------------- the same in words


def told(strips: Sequence[Strip]) -> str:
    """Each strip in a sentence."""
    return " ".join(f"{strip.title}: {_told(strip)}." for strip in strips)


def _told(strip: Strip) -> str:
    rows = strip.line.rows
    down = ", ".join(f"`{row.service}` is down {spent(row.down)}" for row in rows if row.down)
    gap = down or ("no service is down" if len(rows) != 1 else f"`{rows[0].service}` has no gap")
    return f"{gap}, and the disk holds up to {size(strip.line.peak)}" if strip.line.peak else gap


def compared(strips: Sequence[Strip]) -> str:
    """What the comparison shows: who has no gap, or the shortest, and who needs the least disk."""
    if len(strips) == 1:
        return f"{strips[0].title}: {_told(strips[0])}."
    downs = {strip.title: max((row.down for row in strip.line.rows), default=0.0) for strip in reversed(strips)}
    peaks = {strip.title: strip.line.peak for strip in reversed(strips)}
    short, small = min(downs, key=lambda name: downs[name]), min(peaks, key=lambda name: peaks[name])
    said = [f"{short} has no gap" if not downs[short] else f"{short} has the shortest gap, {spent(downs[short])}"]
    most = max(peaks.values())
    if peaks[small] < most:
        said.append(f"{small} needs {'half the disk' if peaks[small] <= 0.55 * most else 'the least disk'}")
    return "; ".join(said) + "."


COLUMNS: Final = ("Strategy", "Round", "Step", "Seconds")


def _state_in(row: Row, place: int) -> str:
    """What one service does in one column, in words."""
    here = [bar for bar in row.bars if bar.first <= place <= bar.last]
    kinds = {bar.kind for bar in here}
    words = [f"{bar.label} runs" if bar.kind in _COLOURS else "down" for bar in here if bar.kind in (*_COLOURS, "down")]
    if _overlaps(row) and {"old", "new"} <= kinds:
        words = [f"{' and '.join(bar.label for bar in here if bar.kind in _COLOURS)} run"]
    said = [", then ".join(words)] if words else []
    said += ["downloads"] if "download" in kinds else []
    said += ["waits for the lock"] if "lock" in kinds else []
    return ", ".join(said) or "–"


def to_table(strips: Sequence[Strip]) -> str:
    """The picture as a real table: a row for each round of each strip, then its downtime and its peak disk."""
    names = list(dict.fromkeys(row.service for strip in strips for row in strip.line.rows))
    cells: list[tuple[str, ...]] = []
    for strip in strips:
        rows = {row.service: row for row in strip.line.rows}
        for place, column in enumerate(strip.line.columns):
            step = ", ".join(column.heads) or "wait"
            step += f" ({trouble(column)})" if trouble(column) else ""
            states = [_state_in(rows[name], place) if name in rows else "–" for name in names]
            cells.append(tuple(map(escaped, (strip.title, place + 1, step, f"{column.seconds:g}", *states))))
        downs = [f"down {spent(rows[name].down)}" if name in rows else "–" for name in names]
        disk = f"peak disk {size(strip.line.peak)}" if strip.line.peak else ""
        cells.append((escaped(strip.title), "in all", disk, f"{sum(each.seconds for each in strip.line.columns):g}",
                      *map(escaped, downs)))  # fmt: skip
    return looks.table((*COLUMNS, *names), cells)


def legend(strips: Sequence[Strip]) -> str:
    """What the bars of a picture mean; only those that occur."""
    kinds = {bar.kind for strip in strips for row in strip.line.rows for bar in row.bars}
    swatches = {
        "old": ("old release", rect(1, 2, 14, 10, 2, "old", fill="oldt")),
        "new": ("new release", rect(1, 2, 14, 10, 2, "run", fill="runt") + rect(1, 2, 4, 10, 1, "", fill="run")),
        "down": ("down", path("M0 7L16 7", "no", 2, dash="2 4")),
        "download": ("download", path("M0 7L16 7", "ink2", 4, dash="3 2")),
        "lock": ("waiting for the lock", mark("lock", 1, 0, 13)),
    }
    items = (
        f'<li><svg width="16" height="14" aria-hidden="true">{drawn}</svg> <span>{words}</span></li>'
        for kind, (words, drawn) in swatches.items()
        if kind in kinds
    )
    return f'<ul class="mc-legend">{"".join(items)}</ul>'


def picture(strips: Sequence[Strip], *, width: float = WIDE, columns: int = 0, name: str = "Update") -> str:
    """The picture in its frame, with its narrow twin."""
    wide, narrow = (to_svg(strips, narrow=small, width=width, columns=columns, name=name) for small in (False, True))
    return looks.picture(wide, narrow, name)


def figure(strips: Sequence[Strip], answer: str = "", situation: str = "", *, width: float = WIDE) -> str:
    """The whole card: answer, situation, picture, legend, table."""
    answer = answer or compared(strips)
    drawn = picture(strips, width=width, name=answer)
    return looks.figure(answer, situation, drawn, legend(strips), to_table(strips))
