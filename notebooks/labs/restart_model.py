"""What the restart lab thinks, without a widget: a minute in the life of a service, once under each policy.

The life is lived by the kit's simulated device: its processes end, it reboots, it is stopped; what the engine then
does by itself is `kit.device.state` (S-128). Here it is only recorded: runs, pauses, and what stays down.

>>> minute = lived(Inputs(written="no", code=1))
>>> [(run.start, run.end, run.code) for run in minute["no"].runs]
[(0.0, 2.0, 1)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from kit import looks
from kit.device.state import POLICIES, RESTARTS, Container, Policy, State
from kit.engines import base as on
from kit.engines.simulated import after
from kit.graphs.svg import path, rect, sheet, text, text_width
from kit.looks import escaped, prose
from kit.planner import Release, installed

from .frame import View

MINUTE: Final = 60_000  # milliseconds that are lived
WHEN: Final = 44_000  # when the event happens
YOURS: Final = "your service"
BOOT, ENGINE, LATER = 6_000, 2_000, 5_000  # how long a boot and a start of the engine take, and a pause between events


class Happening(NamedTuple):
    """Something that happens to the device: what it is called in the answer and above the axis, and its steps.

    Each step is its delay in milliseconds, the name of an event, and for how long the device is off. `situation`
    is the row of the policy table that it stands for.
    """

    after: str
    words: str
    steps: tuple[tuple[int, str, int], ...]
    situation: str


HAPPENINGS: Final = {
    "nothing": Happening("", "", (), ""),
    "clean reboot": Happening(
        "a clean reboot", "clean reboot", ((0, "clean", BOOT),), "boot after a clean shutdown, it was running"
    ),
    "power cut": Happening(
        "a power cut", "power cut", ((0, "cut", BOOT),), "boot after a power cut, it was running"
    ),
    "the engine restarts": Happening(
        "a restart of the engine", "the engine restarts", ((0, "engine", ENGINE),),
        "boot after a clean shutdown, it was running",
    ),
    "it is stopped on purpose": Happening(
        "a stop on purpose", "stopped on purpose", ((0, "stop", 0),), "it is stopped on purpose"
    ),
    "it is stopped, then a clean reboot": Happening(
        "a stop on purpose and a reboot", "stopped, then reboot", ((0, "stop", 0), (LATER, "clean", BOOT)),
        "boot, it had been stopped on purpose",
    ),
    "it is stopped, then started on purpose": Happening(
        "a stop and a start on purpose", "stopped, then started", ((0, "stop", 0), (LATER, "start", 0)),
        "it is stopped on purpose",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What can be changed: what stands behind `restart:`, how runs end, and what happens.

    Each run lasts `lasts` seconds and ends with `code`, until the cause is mended after `mended` seconds (0: never).
    `sigterm` is the code with which the process ends when it is asked to.
    """

    written: str = "on-failure:3"
    code: int = 1
    lasts: int = 2
    mended: int = 26
    happening: str = "clean reboot"
    sigterm: int = 0


class Run(NamedTuple):
    """One run of the process, in seconds; the code that it ended with, None if it runs on or was stopped."""

    start: float
    end: float
    code: int | None
    pause: float = 0.0  # until the next start, if the engine owes one


@dataclass(frozen=True, slots=True)
class Life:
    """The runs under one policy, whether the service runs at the end, and why not."""

    policy: Policy
    runs: tuple[Run, ...]
    up: bool
    why: str = ""


def release(inputs: Inputs) -> Release:
    """One service for each policy, and one with what the learner wrote."""
    restarts: dict[str, dict[str, str]] = {policy: {"restart": policy} for policy in POLICIES}
    restarts[YOURS] = {"restart": inputs.written} if inputs.written.strip() else {}
    return Release("r1", {"services": restarts})


def effective(inputs: Inputs) -> Policy:
    """The policy that the device makes of what is written (S-125)."""
    return next(each.policy for each in release(inputs).services if each.name == YOURS)


def lived(inputs: Inputs) -> dict[str, Life]:
    """A minute under each policy."""
    return _Minute(inputs).lives()


class _Minute:
    """A device on which one event follows the other; runs are noted between them."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.state: State = installed(release(inputs))
        self.names = [each.service for each in self.state.containers]
        self.off = 0  # milliseconds for which the device was off: its own clock stood still
        self.open: dict[str, int] = dict.fromkeys(self.names, 0)
        self.runs: dict[str, list[Run]] = {name: [] for name in self.names}
        codes = dict.fromkeys(self.names, inputs.sigterm)
        self.events: dict[str, list[on.AnyEvent]] = {
            "clean": [on.CleanReboot(codes=codes)],
            "engine": [on.EngineRestarts(codes=codes)],
            "cut": [on.PowerCut()],
            "stop": [on.ApiStop(service=name) for name in self.names],
            "start": [on.ApiStart(service=name) for name in self.names],
        }

    @property
    def now(self) -> int:
        """Milliseconds since the beginning, as somebody beside the device sees them."""
        return self.state.clock_ms + self.off

    def lives(self) -> dict[str, Life]:
        agenda = [(WHEN + delay, name, off) for delay, name, off in HAPPENINGS[self.inputs.happening].steps]
        for when, name, off in agenda:
            self.live(when)
            for event in self.events[name]:
                self.happen(event)
            self.off += off
            self.note(booted=bool(off))
        self.live(MINUTE)
        found = {}
        for one in sorted(self.state.containers, key=lambda each: self.names.index(each.service)):
            runs, start = self.runs[one.service], self.open.get(one.service)
            runs = [*runs, Run(start / 1000, MINUTE / 1000, None)] if start is not None else runs
            found[one.service] = Life(one.wanted.policy, tuple(runs), one.status == "Running", _why(one))
        return found

    def live(self, until: int) -> None:
        """Let time pass; processes end, and the engine starts them again when their pause is over."""
        while self.now < until:
            dues = [self._ends(one) for one in self.state.containers]
            dues += [one.restart_at for one in self.state.containers]
            due = min([each for each in dues if each is not None and each > self.state.clock_ms], default=MINUTE)
            self.happen(on.TimePasses(ms=min(due - self.state.clock_ms, until - self.now)))
            for one in self.state.containers:
                if self._ends(one) == self.state.clock_ms:
                    self.happen(on.ProcessExits(service=one.service, code=self.inputs.code))

    def _ends(self, one: Container) -> int | None:
        """When its process ends by itself, by the device's clock, if it does."""
        mended = self.inputs.mended * 1000 or MINUTE
        failing = one.status == "Running" and one.restart_at is None and one.started_at + self.off < mended
        return one.started_at + self.inputs.lasts * 1000 if failing else None

    def happen(self, event: on.AnyEvent) -> None:
        self.state = after(self.state, event)
        if not isinstance(event, on.CleanReboot | on.EngineRestarts | on.PowerCut):
            self.note()
        else:  # what runs is cut off now, and what comes back comes when the device is there again
            for name, start in self.open.items():
                self.runs[name].append(Run(start / 1000, self.now / 1000, None))
            self.open.clear()

    def note(self, *, booted: bool = False) -> None:
        """Begin and end runs as the containers now are."""
        for one in self.state.containers:
            runs = one.status == "Running" and one.restart_at is None
            if runs and one.service not in self.open:
                begun = self.now if booted else one.started_at + self.off
                self.open[one.service] = begun
            elif not runs and one.service in self.open:
                pause = (one.restart_at - self.state.clock_ms) / 1000 if one.restart_at is not None else 0.0
                code = None if one.stopped else one.exit_code
                start = self.open.pop(one.service)
                self.runs[one.service].append(Run(start / 1000, self.now / 1000, code, pause))


def _why(one: Container) -> str:
    """Why a container stays down, in a few words."""
    return "it was stopped on purpose" if one.stopped else f"it ended with {one.exit_code}"


# ------------------------------------------------------------------------------------------- the picture

WIDE, LAB, NARROW = 862, 760, 472  # a card, a lab in JupyterLab beside its file browser, a page at 200 % zoom
_LEFT: Final = 130
_TOP: Final = 66  # of the first bar
_ROW: Final = 51
_NAME: Final = 20  # of a policy, above its bar where there is no room to the left of it


def to_svg(inputs: Inputs, lives: Mapping[str, Life], *, width: float = WIDE, standalone: bool = False) -> str:
    """A minute in true seconds: runs, ends, pauses, and what stays down."""
    rows = shown(inputs, lives)
    left, name_high = (10, _NAME) if width < LAB else (_LEFT, 0)
    scale = (width - left - 10) / (MINUTE / 1000)
    bottom = _TOP + (_ROW + name_high) * len(rows) - 13

    def at(second: float) -> float:
        return left + scale * second

    parts = list(_axis(inputs, at, bottom))
    for place, (name, life) in enumerate(rows.items()):
        y = _TOP + (_ROW + name_high) * place
        parts += [path(f"M0 {y - 8:g}L{width:g} {y - 8:g}", "rule", 1)] if place else []
        x, room = (left, width - left - 10) if name_high else (0, left - 10)
        wide = min(text_width(name, bold=True, mono=True), room)
        parts += [rect(x, y - 3, wide + 4, 20, 0, "")] if name_high else []
        parts.append(text(x, y + (12 if name_high else 14), name, bold=True, mono=True, room=room))
        parts += _life(life, at, y + name_high)
    return sheet("A minute", told(rows), width, bottom + 2, "".join(parts), standalone)


def shown(inputs: Inputs, lives: Mapping[str, Life]) -> dict[str, Life]:
    """The rows: the four policies, and above them what is written if it is none of their names."""
    written = inputs.written.strip() or "(nothing)"
    mine = {written: lives[YOURS]} if inputs.written not in POLICIES else {}
    return mine | {policy: lives[policy] for policy in POLICIES}


def _axis(inputs: Inputs, at: object, bottom: float) -> Iterator[str]:
    """Events above the axis, seconds below them, and a wash where the device is off."""
    place = at if callable(at) else float
    mended = inputs.mended * 1000 or MINUTE
    happening = HAPPENINGS[inputs.happening]
    end = min(mended, WHEN if happening.steps else MINUTE) / 1000
    for delay, _name, off in happening.steps:
        start, stop = place((WHEN + delay) / 1000), place((WHEN + delay + off) / 1000)
        if off:
            yield rect(start, 52, stop - start, bottom - 52, 0, "", fill="wash")
            yield path(f"M{start:g} 52L{start:g} {bottom:g}M{stop:g} 52L{stop:g} {bottom:g}", "ink3", 1)
        yield path(f"M{start:g} 20L{start:g} 30", "ink", 1.2)
    for second in range(0, MINUTE // 1000 + 1, 10):
        x = place(second)
        yield path(f"M{x:g} 52L{x:g} {bottom:g}", "rule", 1)
        yield text(x, 44, f"{second} s", 12, ink="ink3", anchor="middle" if second < 60 else "end")
    room = place(end) - place(0) - 8
    words = f"every run ends with {inputs.code} after {inputs.lasts} s"
    words = next((each for each in (words, words.removeprefix("every run ")) if text_width(each, 12) < room), "")
    yield text(place(0), 14, words, 12) if words else ""
    yield path(f"M{place(0):g} 20L{place(0):g} 30M{place(0):g} 25L{place(end) - 8:g} 25", "ink2", 1.2)
    if mended < WHEN:
        yield path(f"M{place(end):g} 20L{place(end):g} 30", "ink", 1.2)
        after, before = (
            place((WHEN if happening.steps else MINUTE) / 1000) - place(end) - 6,
            room - text_width(words, 12),
        )
        yield from _mended(place(end), after, before)
    if happening.steps:
        yield text(place(WHEN / 1000), 14, happening.words, 12, room=place(60) - place(WHEN / 1000))


def _mended(x: float, after: float, before: float) -> Iterator[str]:
    """The end of the cause in as many words as there is room for, after its line or else before it."""
    for words in ("the cause is mended", "mended"):
        wide = text_width(words, 12)
        if wide <= max(after, before - 14):
            yield text(x, 14, words, 12) if wide <= after else text(x - 6, 14, words, 12, anchor="end")
            return


def _life(life: Life, at: object, y: float) -> Iterator[str]:
    place = at if callable(at) else float
    arm = min(4, 0.4 * (place(1) - place(0)))  # of a cross: two of them a second apart do not touch
    for run in life.runs:
        start, stop = place(run.start), place(run.end)
        yield rect(start, y, max(stop - start - 0.6, 2), 20, 1.5, "", fill="run")
        if run.code is not None:
            x = stop
            left, right, top, foot = x - arm, x + arm, y + 31 - arm, y + 31 + arm
            yield path(f"M{left:g} {top:g}L{right:g} {foot:g}M{right:g} {top:g}L{left:g} {foot:g}", "no", 2)
    for run, then in zip(life.runs, (*life.runs[1:], None), strict=True):
        if run.pause:
            last_start = MINUTE if life.up else WHEN  # what stays down owes no start after the event
            stop = min(run.end + run.pause, then.start if then else last_start / 1000, MINUTE / 1000)
            first, last = place(run.end) + 2, place(stop) - 2
            if last - first > 3:
                yield path(f"M{first:g} {y + 10:g}L{last:g} {y + 10:g}", "ask", 2, dash="2 2.5")
            words = f"{run.pause:.1f} s"
            if run.pause >= 3 and last - first > (wide := text_width(words, 12)) + 6:
                yield rect((first + last - wide) / 2 - 2, y - 6, wide + 4, 14, 0, "")
                yield text((first + last) / 2, y + 5, words, 12, ink="ask", anchor="middle")
    if not life.up:
        last = life.runs[-1]
        after_boot = last.end + (BOOT / 1000 if last.code is None else 0)
        x, right = place(after_boot) + 8, place(MINUTE / 1000)
        short = life.why.removeprefix("it ").removeprefix("was ")
        why = life.why if x + text_width(life.why, 12) <= right else short
        wide = max(text_width("stays down", 12, bold=True), text_width(why, 12))
        x = min(x, right - wide)
        yield rect(x - 2, y - 4, wide + 4, 30, 0, "")
        yield text(x, y + 6, "stays down", 12, bold=True, ink="no")
        yield text(x, y + 21, why, 12, ink="ink2")


def told(rows: Mapping[str, Life]) -> str:
    """The picture in words: how often it ran, and whether it runs at the end."""
    said = (
        f"{name}: {len(life.runs)} run{'s' * (len(life.runs) != 1)}, "
        + ("runs at the end" if life.up else f"stays down, {life.why}")
        for name, life in rows.items()
    )
    return ". ".join(said) + "."


# ------------------------------------------------------------------------------------------- in words


def to_table(rows: Mapping[str, Life]) -> str:
    """The picture as a table: each run from second to second, how it ended, and the pause after it."""
    cells: list[tuple[str, ...]] = []
    for name, life in rows.items():
        for number, run in enumerate(life.runs, start=1):
            ended = (
                "runs on" if run.end >= MINUTE / 1000 else "stopped" if run.code is None else f"ended with {run.code}"
            )
            pause = f"{run.pause:.1f} s" if run.pause else "–"
            cells.append(
                (f"<code>{escaped(name)}</code>", str(number), f"{run.start:.1f} s", f"{run.end:.1f} s", ended, pause)
            )
        last = "runs" if life.up else f"stays down: {life.why}"
        cells.append((f"<code>{escaped(name)}</code>", "at the end", "", "", escaped(last), ""))
    return looks.table(("Policy", "Run", "From", "To", "Then", "Pause"), cells)


_CELLS: Final = {
    "again": ("run", "starts again"),
    "stays": ("out", "stays down"),
    "if not 0": ("part", "if its code is ≠ 0"),
}


def policies(policy: str = "", situation: str = "") -> str:
    """The table of policies (S-128), with the cell that decides marked."""
    rows: list[tuple[str, ...]] = []
    for when, answers in RESTARTS.items():
        cells = [looks.state(*_CELLS[answer]) for answer in answers]
        if when == situation and policy in POLICIES:
            at = POLICIES.index(policy)
            mark, words = _CELLS[answers[at]]
            cells[at] = f'<span class="mc-state">{looks.glyph(mark)} <mark>{escaped(words)}</mark></span>'
        rows.append((escaped(when), *cells))
    return looks.table(("What happens", *POLICIES), rows)


def situation_of(inputs: Inputs) -> str:
    """The row of the policy table that decides."""
    usual = "it ends with 0" if inputs.code == 0 else "it ends with another code, or is killed"
    return HAPPENINGS[inputs.happening].situation or usual


NUMBERS: Final = ("none", "one", "two", "three", "all four")


def answer(inputs: Inputs, lives: Mapping[str, Life]) -> str:
    """How many of the four policies leave the service down at the end."""
    down = [policy for policy in POLICIES if not lives[policy].up]
    said = HAPPENINGS[inputs.happening].after
    when = f"After {said}" if said else f"When it ends with {inputs.code}"
    if not down:
        return f"{when} the service runs again under every policy."
    several = f"{NUMBERS[len(down)]} {'policies' if len(down) == 4 else 'of four policies'} leave"
    who = f"only `{down[0]}` leaves" if len(down) == 1 else several
    return f"{when} {who} the service down."


def situation(inputs: Inputs, lives: Mapping[str, Life]) -> str:
    """What the device makes of what is written, and how the engine pauses."""
    policy, written = effective(inputs), inputs.written.strip()
    pause = "The pause starts at 0.1 s, doubles up to 1 min, and falls back once a run lasted 10 s (S-128)."
    end = "It runs at the end." if lives[YOURS].up else f"It stays down: {lives[YOURS].why}."
    if not written:
        return f"Without `restart:` the device takes `{policy}` (S-126). {end} {pause}"
    if written.lower() != policy:
        return f"`{written}` is no policy of balena: the device takes `{policy}` (S-125). {end} {pause}"
    return f"You write `{written}`. {end} {pause}"


def view(inputs: Inputs) -> View:
    """Everything that the lab shows for these inputs."""
    lives = lived(inputs)
    rows = shown(inputs, lives)
    wide, narrow = (to_svg(inputs, lives, width=each) for each in (LAB, NARROW))
    table = f"<h4>What each policy does</h4>{policies(effective(inputs), situation_of(inputs))}"
    said = prose(
        "What stays down is not started by the supervisor (S-86). "
        "Only a start on purpose or a new container brings it back (S-129)."
    )
    return View(
        answer=answer(inputs, lives),
        situation=situation(inputs, lives),
        panels={
            "minute": looks.picture(wide, narrow, "A minute under each policy"),
            "policies": f'{table}<p class="mc-quiet mc-small">{said}</p>',
        },
        table=to_table(rows),
        hidden={"sigterm"} if HAPPENINGS[inputs.happening].steps in ((), HAPPENINGS["power cut"].steps) else (),
    )
