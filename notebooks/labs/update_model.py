"""What the update lab thinks, without a widget: two compositions and what goes wrong, and everything that follows.

`walked` is the whole update, by the kit's planner; `view` shows as many of its rounds as the learner has stepped.
Nothing here decides what the device does: what can go wrong is a table of changes to its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import kit
from kit.container import STRATEGY
from kit.device.state import HandoverWait, State
from kit.diagnostics import Severity
from kit.looks import glyph, prose
from kit.planner import STRATEGIES, AnyStep, Plan, Release, Round, Target, installed, next_steps, plan, play

from . import containers, timeline
from .frame import Key, View

MOST: Final = 6  # services whose strategy can be chosen
LONGEST: Final = 200  # rounds
WRITTEN: Final = "as written"
NOTHING: Final = "nothing goes wrong"

Troubled = Callable[[State, str], State]
TROUBLES: Final[dict[str, tuple[str, bool, Troubled, Troubled]]] = {
    # what goes wrong: how it is called, whether it has a service, how it begins, how it ends
    "lock": (
        "`{0}` holds an update lock", True,
        lambda state, name: replace(state, lock_files=state.lock_files | {(1, name)}),
        lambda state, name: replace(state, lock_files=state.lock_files - {(1, name)}),
    ),
    "offline": (
        "the device is offline", False,
        lambda state, _: replace(state, online=False),
        lambda state, _: replace(state, online=True),
    ),
    "full": (
        "the disk is full", False,
        lambda state, _: replace(state, disk_full=True),
        lambda state, _: replace(state, disk_full=False),
    ),
    "broken": (
        "the new `{0}` cannot be started", True,
        lambda state, name: replace(state, broken=state.broken | {name}),
        lambda state, name: replace(state, broken=state.broken - {name}),
    ),
    "over": (
        "`{0}` makes its hand-over file after 5 s", True,
        lambda state, name: replace(state, handover_files=state.handover_files | {(1, name, state.clock_ms + 5_000)}),
        lambda state, _: replace(state, handover_files=frozenset()),
    ),
    "deaf": (
        "`{0}` ignores SIGTERM", True,
        lambda state, name: replace(state, deaf=state.deaf | {name}),
        lambda state, name: replace(state, deaf=state.deaf - {name}),
    ),
}  # fmt: skip

DOES: Final = {
    # kind of step: what it does, with the service or the thing in it
    "fetch": "downloads the image of {0}", "takeLock": "takes the update lock of the app", "kill": "stops {0}",
    "stop": "stops {0}", "remove": "deletes what is left of {0}", "updateMetadata": "renames {0}, which runs on",
    "start": "starts {0}", "handover": "hands {0} over: the new one starts, then the old one stops",
    "createVolume": "makes a volume", "removeVolume": "deletes a volume", "createNetwork": "makes a network",
    "removeNetwork": "deletes a network", "removeImage": "deletes images that nobody uses",
    "saveImage": "notes an image that is there already", "cleanup": "deletes leftover layers",
    "updateCommit": "records the new release", "releaseLock": "gives the lock back", "reboot": "reboots",
    "requireReboot": "notes that {0} waits for a reboot",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What can be changed. `at` counts the rounds that are shown; `until` is the round after which the trouble ends."""

    old: str
    new: str
    names: tuple[str, str] = ("v1", "v2")
    cached: bool = False
    strategies: Mapping[str, str] = field(default_factory=lambda: {str(number): WRITTEN for number in range(MOST)})
    trouble: str = ""
    until: int = 0
    wait: HandoverWait = "documented"
    fetch: int = 40
    size: int = 300
    at: int = 0

    @property
    def seconds(self) -> dict[str, float]:
        """How long steps take: downloads as said, a stop two seconds, a start one."""
        return {"fetch": self.fetch, "kill": 2, "start": 1}


class UnclearError(ValueError):
    """A composition that no release is made of: which of the two, and why."""


def read(text: str, which: str) -> kit.Reading:
    """A composition that a release can be made of; UnclearError with the first finding if there is none."""
    reading = kit.read(text)
    for found in (*reading.findings, *kit.check(reading)):
        if found.severity in (Severity.ERROR, Severity.REFUSED):
            raise UnclearError(f"The {which} composition cannot be used. {found.span}: {found.message}.")
    if not reading.normal or not reading.normal.get("services"):
        raise UnclearError(f"The {which} composition has no services.")
    return reading


def formed(reading: kit.Reading) -> dict[str, Any]:
    """The normal form, its services in the order of the file."""
    normal = dict(reading.normal or {})
    names = [service.name for service in reading.composition.services] if reading.composition else []
    normal["services"] = {name: normal["services"][name] for name in names if name in normal["services"]}
    return normal


def releases(inputs: Inputs) -> tuple[Release, Release]:
    """The two releases; the chosen strategies stand in the labels of the new one (S-102)."""
    first, second = (formed(read(text, which)) for text, which in ((inputs.old, "old"), (inputs.new, "new")))
    services = {name: dict(body) for name, body in second["services"].items()}
    for number, body in enumerate(services.values()):
        word = inputs.strategies.get(str(number), WRITTEN)
        if word != WRITTEN:
            body["labels"] = {**(body.get("labels") or {}), STRATEGY: word}
    old = Release(inputs.names[0], first)
    return old, Release(inputs.names[1], {**second, "services": services}, after=old if inputs.cached else None)


def trouble_options(names: list[str]) -> list[tuple[str, str]]:
    """What can go wrong with these services: the words, and the value behind them."""
    found = [(NOTHING, "")]
    for key, (words, of_service, _, _) in TROUBLES.items():
        each = [(words.format(name), f"{key} {name}") for name in names] if of_service else [(words, key)]
        found += [(said.replace("`", ""), value) for said, value in each]
    return found


def walked(inputs: Inputs) -> Plan:
    """The whole update, with what goes wrong in it from its first round on, until it ends or for good."""
    old, new = releases(inputs)
    state = replace(installed(old), handover_wait=inputs.wait)
    key, _, name = inputs.trouble.partition(" ")
    if not key:
        return plan(state, new, limit=LONGEST)
    _, _, begins, ends = TROUBLES[key]
    state = begins(state, name)
    if not inputs.until:
        return plan(state, new, limit=LONGEST)
    done: list[Round] = []
    goal = Target.of(new)
    while sum(bool(round.trace) for round in done) < inputs.until and (round := next_steps(state, goal)):
        played, state = play(round)
        done.append(played)
    rest = plan(ends(state, name), new, limit=LONGEST)
    return Plan((*done, *rest.rounds), rest.end, rest.blocked)


def first(whole: Plan, count: int) -> Plan:
    """The plan as far as the first *count* rounds that do something; the last of them takes the waiting along."""
    places = [place for place, round in enumerate(whole.rounds) if round.trace]
    if count >= len(places):
        return whole
    return Plan(whole.rounds[: places[count]], whole.rounds[places[count]].state)


def sizes(whole: Plan, inputs: Inputs) -> dict[str, float]:
    """Every image of the plan has the chosen size."""
    fetched = {step.image for step in whole if isinstance(step, kit.device.steps.Fetch)}
    there = {name for round in whole.rounds for name in round.state.image_names}
    return dict.fromkeys(fetched | there, float(inputs.size))


def view(inputs: Inputs) -> View:
    """Everything that the lab shows for these inputs."""
    try:
        old, new = releases(inputs)
        whole = walked(inputs)
    except UnclearError as unclear:
        said, _, why = str(unclear).partition(". ")
        return View(answer=f"{said.removesuffix('.')}.", situation=why, hidden={"strategies", "steps"}, table="")
    names = [each.name for each in new.services]
    total = len(whole.trace)
    at = min(inputs.at, total)
    shown = first(whole, at)
    line = timeline.timeline(shown, inputs.seconds, sizes(whole, inputs))
    strip = timeline.Strip(f"{inputs.names[0]} → {inputs.names[1]}", line, f"{at} of {total} rounds" if at else "")
    grid = containers.states(shown, inputs.names[1])
    last = next((round for round in reversed(shown.rounds) if round.trace), None)
    coming = next_steps(shown.end, new)
    hidden: set[Key] = {("strategies", str(number)) for number in range(len(names), MOST)}
    drawn = (
        timeline.picture([strip], width=timeline.LAB, columns=total, name="The update so far")
        + timeline.legend([strip])
        if at
        else ""
    )
    held = containers.picture(grid, total)
    answer, situation = answered(inputs, whole, at, last, line)
    return View(
        answer=answer,
        situation=situation,
        panels={
            "timeline": drawn,
            "states": f"<h4>Containers after each round</h4>{held}",
            "did": steps_html(last)
            if last
            else "<h4>No round yet</h4><p>The offer has arrived. Take the first step.</p>",
            "left": notes_html(last or coming),
        },
        table=timeline.to_table([strip]) + containers.to_table(grid),
        options={"trouble": trouble_options(list(dict.fromkeys([*names, *(each.name for each in old.services)])))},
        hidden=hidden | (set() if inputs.trouble else {"until"}),
        words={("strategies", str(number)): f"strategy of {name}" for number, name in enumerate(names[:MOST])},
    )


def answered(inputs: Inputs, whole: Plan, at: int, last: Round | None, line: timeline.Timeline) -> tuple[str, str]:
    """The sentence above the lab, and the line below it."""
    downs = [f"`{row.service}` {timeline.spent(row.down)}" for row in line.rows if row.down]
    down = f"Down so far: {', '.join(few(downs))}." if downs else "Nothing was down so far."
    disk = f"At most {timeline.size(line.peak)} of images at once." if line.peak else ""
    old, new = inputs.names
    if not last:
        return f"{old} runs, and {new} is offered.", "Take the first step, or go to the end."
    if at < len(whole.trace):
        return f"Round {at} {did(last)}.", f"{down} {disk}".strip()
    if whole.blocked:
        why = whole.blocked[0]
        way = f" Way out: {why.way_out}." if why.way_out else ""
        return f"The update is stuck: {why.sentence} ({', '.join(why.rules)}).", f"{way.strip()} {down}".strip()
    gaps = ", ".join(few(downs))
    return f"{new} runs. {f'Down: {gaps}.' if gaps else 'No service was down.'}", disk


def few(words: list[str]) -> list[str]:
    """A list that can be read in one sentence; the rest is counted.

    >>> few([*"abcdefgh"])
    ['a', 'b', 'c', 'd', 'e', '3 more']
    """
    return words if len(words) <= MOST else [*words[: MOST - 1], f"{len(words) - MOST + 1} more"]


def named(steps: list[AnyStep]) -> str:
    names = few([f"`{each}`" for each in dict.fromkeys(step.service for step in steps if step.service)])
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def did(round: Round) -> str:
    """What a round does, in words: `stops api, and starts web`."""
    kinds: dict[str, list[AnyStep]] = {}
    for step in round:
        kinds.setdefault(step.kind, []).append(step)
    told = [DOES[kind].format(named(steps)) for kind, steps in kinds.items() if kind in DOES and kind != "saveImage"]
    if round.troubles:
        return "tries in vain: " + "; ".join(dict.fromkeys(trouble.why.sentence for trouble in round.troubles))
    return ", and ".join(told) or "waits"


def steps_html(round: Round) -> str:
    """The steps of one round, each with its reason and its rules; what went wrong stands first."""
    wrong = "".join(_item("no", str(trouble), str(trouble.why), trouble.why.way_out) for trouble in round.troubles)
    done = [step for step in round if step.kind not in ("noop", "saveImage")]
    items = "".join(_item("run", str(step), str(step.why)) for step in done)
    return f'<h4>What this round does, and why</h4><ul class="mc-rows">{wrong}{items}</ul>'


def notes_html(round: Round) -> str:
    """The services for which nothing is done in this round, each with its reason."""
    waits = [(step.service, step.why) for step in round if step.kind == "noop"]
    notes = [(note.service, note.why) for note in round.notes]
    told = dict.fromkeys((name, str(why), why.way_out) for name, why in (*waits, *notes) if name)
    items = "".join(_item("wait", name, why, way) for name, why, way in told)
    items = items or f"<li>{glyph('run', 16)}<div>Nothing is left out in this round.</div></li>"
    return f'<h4>What is not done, and why</h4><ul class="mc-rows">{items}</ul>'


def _item(mark: str, head: str, why: str, way: str = "") -> str:
    more = f'<p class="mc-quiet mc-small">{prose(f"Way out: {way}.")}</p>' if way else ""
    said = f"<p><code>{prose(head)}</code></p><p class=mc-small>{prose(why)}.</p>{more}"
    return f"<li>{glyph(mark, 16)}<div>{said}</div></li>"


# ------------------------------------------------------------------------------------ what hands do


def forward(inputs: Inputs) -> Inputs:
    """One round more."""
    return replace(inputs, at=min(inputs.at + 1, length(inputs)))


def back(inputs: Inputs) -> Inputs:
    """One round less."""
    return replace(inputs, at=max(min(inputs.at, length(inputs)) - 1, 0))


def to_the_end(inputs: Inputs) -> Inputs:
    """All rounds."""
    return replace(inputs, at=length(inputs))


def to_the_start(inputs: Inputs) -> Inputs:
    """No round."""
    return replace(inputs, at=0)


def length(inputs: Inputs) -> int:
    """How many rounds the update has that do something."""
    try:
        return len(walked(inputs).trace)
    except UnclearError:
        return 0


def compared(inputs: Inputs, service: str, *, sizes: Mapping[str, float] = {}) -> str:
    """The four strategies of one service below each other, as a card (design: picture 07)."""
    strips, notes = [], ("the default", "stops first", "frees the space first", "both run for a while")
    names = [each.name for each in releases(inputs)[1].services]
    for word, quiet in zip(STRATEGIES, notes, strict=True):
        chosen = replace(inputs, strategies={**inputs.strategies, str(names.index(service)): word})
        whole = walked(chosen)
        line = timeline.timeline(whole, chosen.seconds, sizes or _sized(whole, chosen))
        strips.append(timeline.Strip(word, line, quiet))
    wait = "as documented, at most 60 s" if inputs.wait == "documented" else "as coded: not at all"
    situation = (
        f"From {inputs.names[0]} to {inputs.names[1]}, over a {inputs.fetch} s download. A hand-over waits {wait}."
    )
    return timeline.figure(strips, situation=situation)


_sized = sizes
