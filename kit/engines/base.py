"""The seam to the world: a device can be looked at, asked for one step, and things happen to it.

An `Engine` has three methods. `perform` takes a step, which the planner made; `happen` takes an
event, which the planner never sees (S-7.3). `settle` is the supervisor's loop on any engine (S-72);
what else a supervisor does stands in `Simulated`, from which every other kind of engine is made.

Our exceptions:

* EngineError(RuntimeError)     a step could not be performed
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from ..contracts import Facts, decide_offer
from ..device.state import Record, State, Trouble
from ..device.steps import AnyStep
from ..diagnostics import beside
from ..planner import Given, Release, Round, Target, next_steps

SAYINGS: Final[dict[str, Any]] = beside(__file__, "events.json")


class EngineError(RuntimeError):
    """A step could not be performed; `step` and `trouble` say which and why."""

    def __init__(self, step: AnyStep, trouble: Trouble) -> None:
        super().__init__(f"{step}: {trouble.why}")
        self.step, self.trouble = step, trouble


class Event(Record):
    """Something that happens to a device."""

    def __str__(self) -> str:
        """A sentence: what happens, for people."""
        about = vars(self)
        codes = [f"`{name}` ends with {code}" for name, code in (about.get("codes") or {}).items()]
        offered = [f"{each.commit} for app {each.app}".removesuffix(" for app 1") for each in about.get("releases", ())]
        words = about | {"codes": ", ".join(codes), "releases": ", ".join(offered)}
        for word, (field, given, left_out) in SAYINGS["words"].items():
            words[word] = (given if words.get(field) else left_out).format(**words)
        return str(SAYINGS["events"][name_of(type(self))][1]).format(**words)


class OnService(Event):
    """What happens to one service."""

    service: str
    app: int = 1


class _Down(Event):
    """Processes are asked to end: `codes` says how they do it, by service; the others end with 143."""

    codes: Mapping[str, int] | None = None


class OfferArrives(Event):
    """The cloud offers these apps, and no others."""

    releases: tuple[Release, ...] = ()


class ProcessExits(OnService):
    """The process of a service ends by itself."""

    code: int = 0


class ApiStop(OnService):
    """A service is stopped on purpose (S-130)."""


class ApiStart(OnService):
    """A stopped service is started on purpose; no lock is asked for."""


class ApiRestart(OnService):
    """The container of a service is deleted and made anew."""


class RestartApp(Event):
    """All containers of an app are deleted, then made anew (S-117)."""

    app: int = 1


class Purge(RestartApp):
    """An app is uninstalled and installed again: its volumes come back empty (S-116)."""


class SupervisorRestarts(Event):
    """The supervisor starts anew: what it only remembered is lost (S-138)."""


class EngineRestarts(_Down):
    """The engine stops all containers and starts again; lock files stay."""


class CleanReboot(_Down):
    """The device reboots in good order; lock files vanish."""


class PowerCut(Event):
    """The power fails while these steps are under way, and the device boots."""

    during: tuple[AnyStep, ...] = ()


class HostUpdated(_Down):
    """Another host OS with other facts, and a clean reboot."""

    os: str = ""
    facts: Facts | None = None


class LockTaken(OnService):
    """A service makes its lock file; one made by the user `nobody` counts as the supervisor's own (S-110)."""

    user: str = "root"


class LockDropped(OnService):
    """A service deletes its lock file."""


class HandoverComplete(OnService):
    """A service makes its file `handover-complete`, now or later: a hand-over that sees it ends at once (S-108)."""

    ms: int = 0


class NetworkDown(Event):
    """Downloads and polls fail from now on."""


class NetworkUp(Event):
    """The device is online again; polls resume."""


class DiskFull(Event):
    """Nothing more can be downloaded."""


class DiskFreed(Event):
    """There is space again."""


class Writes(OnService):
    """A running service writes into a volume, or into its own layer when none is named."""

    text: str = "data"
    volume: str = ""


class ContainerLost(OnService):
    """Somebody removes the container of a service by hand."""


class TimePasses(Event):
    """Some time goes by."""

    ms: int = 0


class RoundOver(Event):
    """The supervisor has performed a round; an empty one means that the device has settled."""

    settled: bool = False
    failed: bool = False


AnyEvent: TypeAlias = (
    OfferArrives | ProcessExits | ApiStop | ApiStart | ApiRestart | RestartApp | Purge | SupervisorRestarts
    | EngineRestarts | CleanReboot | PowerCut | HostUpdated | LockTaken | LockDropped | HandoverComplete
    | NetworkDown | NetworkUp | DiskFull | DiskFreed | Writes | ContainerLost | TimePasses | RoundOver
)  # fmt: skip


def name_of(kind: type[Event]) -> str:
    """How an event is called in a file of events.

    >>> name_of(PowerCut)
    'power-cut'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


EVENTS: Final[dict[str, type[AnyEvent]]] = {name_of(kind): kind for kind in AnyEvent.__args__}


class Engine(Protocol):
    """A device, as seen from here: it can be looked at, asked for one step, and something can happen to it."""

    def observe(self) -> State: ...

    def perform(self, step: AnyStep) -> None: ...

    def happen(self, event: AnyEvent) -> None: ...


def attempt(engine: Engine, step: AnyStep) -> Trouble | None:
    """Perform a step; a failure leaves the other steps of the round alone (S-76)."""
    try:
        engine.perform(step)
    except EngineError as error:
        return error.trouble
    return None


def settle(engine: Engine, target: Given, *, limit: int = 1_000) -> Iterator[tuple[State, Round]]:
    """Perform rounds until nothing is left to do, or the device comes back to where it was; each is yielded once done.

    The last round is empty if the device has settled, and carries its troubles or waits if it is stuck.
    """
    goal, seen, observed = Target.of(target), list[object](), engine.observe()
    for _ in range(limit):
        seen.append(observed.shape)
        round = next_steps(observed, goal)
        side_by_side = getattr(engine, "side_by_side", map)  # of a real engine
        troubles = [trouble for trouble in side_by_side(partial(attempt, engine), round) if trouble]
        engine.happen(RoundOver(settled=not round, failed=bool(troubles)))
        yield observed, replace(round, troubles=tuple(troubles))
        observed = engine.observe()
        if not round or observed.shape in seen:
            return


def decided_offer(offer: Iterable[Release], facts: Facts | None) -> tuple[tuple[Release, ...] | None, tuple[str, ...]]:
    """The releases of an offer, rejected or without what is dropped, and what the supervisor says of it.

    None in place of the releases means that the whole offer is refused (S-55).
    """
    releases, said = {str(each.app): each for each in offer}, list[str]()
    if facts is None:
        return tuple(releases.values()), ()
    composed = {app: each.composed for app, each in releases.items()}
    decision = decide_offer(composed, facts, contracts={app: each.contracts for app, each in releases.items()})
    if decision.refused:
        app, service, reason = decision.refused
        return None, (f"could not move to the new release: app {app}, `{service}`: {reason}",)
    for app, decided in decision.apps.items():
        rejected = decided.outcome == "rejected"
        dropped = () if rejected else tuple(decided.dropped)
        releases[app] = replace(releases[app], rejected=rejected, dropped=dropped)
        if rejected:
            said.append(f"some releases were rejected: app {app}: {', '.join(decided.unmet)}")
        elif dropped:
            said.append(f"not running containers because of contract violations: {'. '.join(dropped)}")
    return tuple(releases.values()), tuple(said)
