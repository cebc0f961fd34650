"""How long each service is down, and how much disk an update needs at most.

A plan has rounds and no clock; durations and sizes are given. A column is one round that does
something. A service is down from the round that stops it until the end of the round that starts its
successor; a hand-over has no such gap.

>>> from kit.planner import Release, installed, plan
>>> one, two = (Release(commit, {"services": {"api": {}}}) for commit in ("r1", "r2"))
>>> line = timeline(plan(installed(one), two), {"fetch": 40, "kill": 2, "start": 1}, {"api:r1": 310, "api:r2": 330})
>>> line.rows[0].down, line.peak
(3.0, 640)
>>> [f"{bar.kind} {bar.first}-{bar.last}" for bar in line.rows[0].bars]
['old 0-2', 'down 2-4', 'new 4-5', 'download 0-0']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..device import steps as do
from .plans import Plan
from .rounds import Round

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


@dataclass(frozen=True, slots=True)
class Timeline:
    """The columns, a row for each service, and the most disk that was used at once."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    peak: float


def seconds_of(step: do.AnyStep, seconds: Mapping[str, float]) -> float:
    """The duration of a step: given for the step as written, for its service, or for its kind."""
    keys = (str(step), f"{step.kind} {step.service}", step.kind)
    waited = step.wait_ms / 1000 if isinstance(step, do.Handover) else 0.0
    return float(next((seconds[key] for key in keys if key in seconds), waited))


def _row(rounds: tuple[Round, ...], columns: tuple[Column, ...], app: int, name: str) -> Row:
    bars, below = list[Bar](), list[Bar]()
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
            if isinstance(step, ENDS) and now and now.kind != "down":
                bars.append(now._replace(last=place))
                now = None if step.why.reason in GONE else Bar("down", place, place)
            if isinstance(step, BEGINS):
                commit = step.commit if isinstance(step, do.UpdateMetadata) else step.wanted.commit
                bars += [now._replace(last=place)] if now and not isinstance(step, NO_GAP) else []
                now = Bar("new", place, place, commit)
    bars += [now._replace(last=len(rounds) - 1)] if now else []
    gaps = [bar for bar in bars if bar.kind == "down"]
    down = sum(column.seconds for bar in gaps for column in columns[bar.first : bar.last + 1])
    return Row(app, name, (*bars, *below), down)


def timeline(plan: Plan, seconds: Mapping[str, float] = {}, sizes: Mapping[str, float] = {}) -> Timeline:
    """The plan as columns and bars. *seconds* are looked up by step (`fetch api:r2`), service (`kill api`) or kind."""
    rounds = tuple(round for round in plan.rounds if round.trace)
    quiet = (do.Noop, do.SaveImage)
    heads = (tuple(dict.fromkeys(step.kind for step in round if not isinstance(step, quiet))) for round in rounds)
    lasts = (max((seconds_of(step, seconds) for step in round), default=0.0) for round in rounds)
    troubles = (tuple(map(str, round.troubles)) for round in rounds)
    columns = tuple(map(Column, heads, lasts, troubles))
    peak = 0.0
    for round in plan.rounds:
        used = round.state.image_names | {step.image for step in round if isinstance(step, do.Fetch)}
        peak = max(peak, sum(sizes.get(image, 0) for image in used))
    states = (*(round.state for round in rounds), plan.end)
    names = dict.fromkeys((each.app, each.service) for state in states for each in reversed(state.containers))
    return Timeline(columns, tuple(_row(rounds, columns, app, name) for app, name in names if rounds), peak)
