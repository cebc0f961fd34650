"""The state of containers, step by step: a row for each service, a column for each round.

>>> from kit.planner import Release, installed, plan
>>> one, two = (Release(commit, {"services": {"api": {}}}) for commit in ("r1", "r2"))
>>> grid = states(plan(installed(one), two), "r2")
>>> [f"{cell.word} {cell.commit}" for cell in grid.rows["api"]]
['runs r1', 'runs r1', 'runs r1', 'none ', 'none ', 'runs r2', 'runs r2']
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from kit import looks
from kit.device.state import Container, State
from kit.graphs.svg import mark, path, rect, sheet, text, text_width
from kit.looks import escaped
from kit.planner import Plan

from .timeline import LAB, NARROW, WIDE, Column, head, timeline

_LEFT: Final = 130
_ROW: Final = 28
_LEAST: Final = 62.0  # a column


class Cell(NamedTuple):
    """What a service is between two rounds: its mark, the word for it, and the release of its container."""

    mark: str
    word: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """The rounds between the states, and the states of each service: before the first round, then after each."""

    columns: tuple[Column, ...]
    rows: Mapping[str, tuple[Cell, ...]]


NONE: Final = Cell("", "none")


def cell(containers: tuple[Container, ...], new: str) -> Cell:
    """The containers of one service in a word: the newest counts, and a hand-over has two."""
    if not containers:
        return NONE
    running = [each for each in containers if each.up]
    if len(running) > 1:
        return Cell("part", "two run", f"{running[-1].commit}, {running[0].commit}")
    one = running[0] if running else containers[0]
    if one.status == "Stopping":
        return Cell("wait", "stops", one.commit)
    if one.up:
        word = "restarts" if one.restart_at is not None else "runs"
        return Cell("run" if one.commit == new else "old", word, one.commit)
    return Cell("out", {"Installed": "created", "Dead": "dead"}.get(one.status, "exited"), one.commit)


def states(plan: Plan, new: str) -> Grid:
    """The states before, between and after the rounds of a plan; *new* is the commit of the new release."""
    seen = [*(round.state for round in plan.rounds if round.trace), plan.end]
    names = dict.fromkeys(each.service for state in seen for each in reversed(state.containers))
    return Grid(timeline(plan).columns, {name: tuple(_of(state, name, new) for state in seen) for name in names})


def _of(state: State, name: str, new: str) -> Cell:
    return cell(tuple(each for each in state.containers if each.service == name), new)


def to_svg(grid: Grid, *, width: float = WIDE, columns: int = 0, narrow: bool = False, standalone: bool = False) -> str:
    """A mark and a word for each state; *columns* keeps room for so many rounds. Narrow, it goes on further down."""
    count = len(grid.columns) + 1 if narrow else max(len(grid.columns), columns) + 1
    across = min(count, int((NARROW - _LEFT) // _LEAST)) if narrow else count
    column = min(84.0, max(_LEAST, ((NARROW if narrow else width) - _LEFT) / across))
    width = NARROW if narrow else max(width, _LEFT + column * count)
    tall = 30 + _ROW * len(grid.rows) + (10 if count > across else 0)
    bands = -(-count // across)
    parts = []
    for band in range(bands):
        parts.append(path(f"M0 {tall * band + 22.5:g}L{width:g} {tall * band + 22.5:g}", "rule", 1))
        for line, name in enumerate(grid.rows):
            parts.append(text(0, tall * band + 45 + _ROW * line, name, bold=True, room=_LEFT - 8))
    spots = [(_LEFT + column * (place % across), tall * (place // across)) for place in range(count)]
    parts.append(text(_LEFT, 12, "before", 12, ink="ink3"))
    for place, each_round in enumerate(grid.columns, start=1):
        words = f"{place} {head(each_round)}"
        if text_width(words, 12) > column - 6:  # `takeLock` is cut to `lock`
            words = f"{place} {re.split('(?=[A-Z])', head(each_round))[-1].lower()}"
        x, top = spots[place]
        parts.append(text(x, top + 12, words, 12, ink="ink2", room=column - 6))
    for line, cells in enumerate(grid.rows.values()):
        for (x, top), each in zip(spots, cells, strict=False):
            y = top + 30 + _ROW * line
            if not each.mark:
                parts.append(text(x, y + 15, "–", 12, ink="ink3"))
                continue
            words = f"{each.word if each.word != 'runs' else ''} {each.commit}".strip()
            parts += [mark(each.mark, x, y + 4, 14), text(x + 19, y + 15, words, 12, ink="ink2", room=column - 24)]
    said = " ".join(f"{name}: {', '.join(_told(each) for each in cells)}." for name, cells in grid.rows.items())
    return sheet(
        "Containers after each round", said, width, tall * bands, "".join(parts) or rect(0, 0, 1, 1, 0, ""), standalone
    )


def picture(grid: Grid, columns: int = 0) -> str:
    """The grid as wide as a lab, and its narrow form for a page at 200 % zoom."""
    wide, narrow = to_svg(grid, width=LAB, columns=columns), to_svg(grid, narrow=True)
    return looks.picture(wide, narrow, "Containers after each round")


def _told(each: Cell) -> str:
    return f"{each.word} {each.commit}".strip()


def to_table(grid: Grid) -> str:
    """The same as a table: one row for each round, one column for each service."""
    heads = ["before", *(f"{place} {', '.join(column.heads)}" for place, column in enumerate(grid.columns, start=1))]
    rows: list[tuple[str, ...]] = [
        (escaped(name), *(escaped(_told(cells[place])) for cells in grid.rows.values()))
        for place, name in enumerate(heads)
    ]
    return looks.table(("After round", *grid.rows), rows)
