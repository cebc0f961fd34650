"""Rounds put together: a plan is the fold of rounds until the device settles, or is stuck.

>>> print(plan(State(), Release("r1", {"services": {"web": {}}})))
1. fetch web:r1, createNetwork 1_default
2. takeLock 1[web]
3. start web@r1
4. updateCommit r1, releaseLock 1
settled
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from ..device import steps as do
from ..device.state import Image, State, Why, because, round_over
from .rounds import Round, next_steps
from .target import TABLES, AppTarget, Given, Release, Target, injected

Action = Literal["keep", "update metadata", "restart", "recreate", "remove", "add"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds, the state they end in, and what blocks if it is not what the target says."""

    rounds: tuple[Round, ...]
    end: State
    blocked: tuple[Why, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether the device became what the target says."""
        return not self.blocked

    @property
    def trace(self) -> tuple[tuple[str, ...], ...]:
        """The rounds as the conformance cases write them; rounds of waiting are left out."""
        return tuple(round.trace for round in self.rounds if round.trace)

    def __iter__(self) -> Iterator[do.AnyStep]:
        return (step for round in self.rounds for step in round)

    def __str__(self) -> str:
        rounds = [f"{number}. {', '.join(trace)}" for number, trace in enumerate(self.trace, start=1)]
        ways = [f"stuck: {why}" + (f"; way out: {why.way_out}" if why.way_out else "") for why in self.blocked]
        return "\n".join([*rounds, *(ways or ["settled"])])


def play(round: Round) -> tuple[Round, State]:
    """The round with what went wrong in it, and the state after it (S-145)."""
    state = round.state
    for step in round:
        state = do.effect(state, step)
    return replace(round, troubles=state.troubles), round_over(state, failed=bool(state.troubles))


def _cycle(start: str, waits: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The dependencies that lead from a service back to itself, the service first and last; or nothing."""
    paths: list[tuple[str, ...]] = [(start,)]
    for path in paths:
        following = waits.get(path[-1], ())
        if start in following:
            return (*path, start)
        reached = {each[-1] for each in paths}
        paths += [(*path, on) for on in following if on not in reached]
    return ()


def blocking(rounds: Sequence[Round], target: Target) -> tuple[Why, ...]:
    """What keeps rounds that repeat from coming to an end: troubles, else what is waited for (S-146)."""
    whys = [trouble.why for round in rounds for trouble in round.troubles]
    again = {step.service: None for round in rounds for step in round if step.why.reason == "kill-resource"}
    if again:
        whys.append(because("ping-pong", *again, services=", ".join(f"`{name}`" for name in again)))
    for step in rounds[-1] if not whys else ():
        waits = {each.name: each.depends_on for app in target.apps if app.app == step.app for each in app.services}
        if cycle := _cycle(step.service, waits):
            whys.append(because("wait-cycle", *cycle[1:], service=step.service, cycle=" → ".join(cycle)))
        elif step.why.way_out:
            whys.append(step.why)
    return tuple(dict.fromkeys(whys)) or (because("endless"),)


def plan(state: State, target: Given, *, limit: int = 1_000) -> Plan:
    """All rounds from *state* until nothing is left to do, or the device comes back to where it was (S-146)."""
    goal, seen = Target.of(target), [state.shape]
    rounds: list[Round] = []
    while round := next_steps(state, goal):
        done, state = play(round)
        rounds.append(done)
        if (shape := state.shape) in seen or len(rounds) >= limit:
            repeated = rounds[seen.index(shape) :] if shape in seen else rounds[-1:]
            return Plan(tuple(rounds), state, blocking(repeated, goal))
        seen.append(shape)
    return Plan((*rounds, round), replace(state, failures=0))


STATUSES: Final[dict[str, list[str]]] = TABLES["statuses"]
"""What an app reports while a round has these steps, strongest first (S-64)."""


def report(state: State, target: Given) -> dict[int, tuple[str, tuple[str, ...]]]:
    """What each app reports: its update status, and its services; a rejected one reports none (S-63).

    >>> report(State(), Release("r1", {"services": {"web": {}}}, rejected=True))
    {1: ('rejected', ())}
    """
    goal, found = Target.of(target), {}
    round = next_steps(state, goal)
    for app in goal.apps:
        kinds = {step.kind for step in round if step.app == app.app}
        status = next((word for word, steps in STATUSES.items() if kinds & {*steps}), "done")
        names = tuple(each.service for each in state.of(app.app))
        found[app.app] = ("rejected", ()) if app.rejected else (status, names)
    return found


# ------------------------------------------------------------------------------- what the API asks for


def api_targets(action: Literal["restart", "purge"], state: State, app: int, stored: Target) -> tuple[Target, Target]:
    """The two targets of an API action on a whole app: without its services, or without the app; then as it was.

    As it was: its services run, and nothing depends on anything. Images are kept, and the volumes of a purge come
    back empty (S-116, S-117).
    """
    services = {each.service: each for each in reversed(state.of(app))}
    fleets = [dict(each.injected).get("APP_NAME", "") for each in services.values()]
    now = AppTarget(
        app=app, commit=state.commit(app) or "", fleet=fleets[0] if fleets else "fleet",
        services=tuple(replace(each.wanted, commit=each.commit, depends_on=()) for each in services.values()),
        volumes=tuple(each for each in state.volumes if each.app == app),
        networks=tuple(each for each in state.networks if each.app == app),
    )  # fmt: skip
    others = tuple(each for each in stored.apps if each.app != app)
    first = (replace(now, services=()), *others) if action == "restart" else others
    return Target(first, keep_images=True), Target((now, *others), keep_images=True)


# -------------------------------------------------------------------------------------- what changed


class Change(NamedTuple):
    """What an update does to one service, and why."""

    service: str
    action: Action
    why: Why


ACTIONS: Final[dict[str, Action]] = TABLES["actions"]
"""What a reason in the plan makes of a service; the last of them counts."""


def installed(release: Release, device: State | None = None) -> State:
    """A device on which a release runs as it should; without *device* one that was blank before."""
    app, now = release.target, device or State()
    images = tuple(Image(each.image, app.app, each.name, app.commit) for each in app.services)
    state = replace(now, images=images, volumes=app.volumes, networks=app.networks, commits=((app.app, app.commit),))
    for each in sorted(app.services, key=lambda each: each.host != ""):
        added = injected(now, release.fleet)
        state = do.effect(state, do.Start(app=app.app, service=each.name, wanted=each, injected=added))
    return replace(state, troubles=())


def what_changed(old: Release, new: Release) -> tuple[Change, ...]:
    """What an update from one release to another does to each service (S-87 … S-91).

    >>> one = Release("r1", {"services": {"web": {"image": "w"}, "db": {"image": "d", "env": {"A": "1"}}}})
    >>> two = Release("r2", {"services": {"web": {"image": "w"}, "db": {"image": "d", "env": {"A": "2"}}}})
    >>> for change in what_changed(one, two):
    ...     print(change.service, change.action, change.why, sep="; ")
    web; update metadata; `web` has the same image and configuration in r2: it is only renamed and runs on (S-122)
    db; recreate; `db` is made anew, because environment A changed (S-84, S-87, S-103)
    """
    found: dict[str, Change] = {}
    ranks = list(ACTIONS)
    before = installed(replace(old, app=new.app))
    steps = (step for step in plan(before, new) if step.why.reason in ranks)
    for step in sorted(steps, key=lambda step: -ranks.index(step.why.reason)):
        found.setdefault(step.service, Change(step.service, ACTIONS[step.why.reason], step.why))
    for name in (each.name for each in new.services):
        action: Action = "keep" if before.container(name, new.app) else "add"
        found.setdefault(name, Change(name, action, because(action, service=name)))
    return tuple({each.name: found[each.name] for each in (*new.services, *old.services)}.values())
