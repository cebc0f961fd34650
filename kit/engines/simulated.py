"""A device made of one value: steps and events are pure functions of its state.

`after` says what an event does to a state.

>>> from kit.planner import Release
>>> engine = Simulated()
>>> engine.happen(on.OfferArrives(releases=(Release("r1", {"services": {"web": {}}}),)))
>>> [str(round) for _, round in settle(engine, engine.target)]
['fetch web:r1, createNetwork 1_default', 'takeLock 1[web]', 'start web@r1', 'updateCommit r1, releaseLock 1', 'wait']
>>> engine.happen(on.ProcessExits(service="web", code=1))
>>> engine.observe().container("web").restart_at - engine.observe().clock_ms
100
"""

from __future__ import annotations

from dataclasses import replace

from ..contracts import Facts
from ..device import steps as do
from ..device.state import SIGTERM, State, booted, exited, finish_stops, pass_time, round_over, started
from ..planner import AppTarget, Release, Round, Target, api_targets, injected
from . import base as on
from .base import settle as settle


def halfway(state: State, step: do.AnyStep) -> State:
    """What is there when the power fails during a step (S-139, S-140)."""
    match step:
        case do.Fetch():
            return replace(state, dangling=True)
        case do.Kill() | do.Stop() | do.Handover():
            return do.effect(state, step)
        case do.Start(wanted=wanted):  # created, and not started
            return replace(do.effect(replace(state, broken=frozenset({wanted.name})), step), broken=state.broken)
    return state


def after(state: State, event: on.AnyEvent) -> State:
    """The state after an event, as far as the engine and the surroundings are concerned (S-7.3)."""
    now, one = state.clock_ms, None
    if isinstance(event, on.OnService):
        one = state.container(event.service, event.app)
    match event:
        case on.ProcessExits(code=code) if one and one.status == "Running" and one.restart_at is None:
            return state.swapped(one, exited(one, code, now))
        case on.ApiStop() if one and one.status == "Running":
            return state.swapped(one, replace(one, status="exited", exit_code=SIGTERM, stopped=True, restart_at=None))
        case on.ApiStart() if one and one.status in ("exited", "Installed"):
            return state.swapped(one, started(one, now))
        case on.ContainerLost() if one:
            return state.swapped(one)
        case on.Writes(text=text, volume="") if one and one.status == "Running":
            return state.swapped(one, replace(one, data=one.data | {text}))
        case on.Writes(text=text, volume=name) if one and one.status == "Running" and name in one.wanted.volumes:
            its = f"{one.app}_{name}"
            full = [replace(each, data=each.data | {text} if str(each) == its else each.data) for each in state.volumes]
            return replace(state, volumes=tuple(full))
        case on.RoundOver(settled=settled, failed=failed):
            return replace(state, failures=0) if settled else round_over(state, failed=failed)
        case on.OfferArrives():  # a new offer forgets earlier failures (S-77)
            return replace(state, failures=0)
        case on.TimePasses(ms=ms):
            return pass_time(state, ms)
        case on.EngineRestarts(codes=codes) | on.CleanReboot(codes=codes):
            return booted(state, reboot=isinstance(event, on.CleanReboot), codes=codes)
        case on.HostUpdated(codes=codes, os=os, facts=facts):
            version = os or (f"balenaOS {facts.os.version}" if facts and facts.os else "")
            named = {**dict(state.injected), **({"HOST_OS_VERSION": version} if version else {})}
            return booted(replace(state, injected=tuple(named.items())), codes=codes)
        case on.PowerCut(during=steps):
            for step in steps:
                state = halfway(state, step)
            return booted(state, cut=True)
        case on.SupervisorRestarts():
            stopped, leftover = finish_stops(state, all_of_them=True), state.leftover_locks | state.locks
            return replace(stopped, locks=frozenset(), leftover_locks=leftover, failures=0, troubles=())
        case on.LockTaken(user="nobody", app=app):
            return replace(state, leftover_locks=state.leftover_locks | {app})
        case on.LockTaken(service=service, app=app):
            return replace(state, lock_files=state.lock_files | {(app, service)})
        case on.LockDropped(service=service, app=app):
            return replace(state, lock_files=state.lock_files - {(app, service)})
        case on.HandoverComplete(service=service, app=app, ms=ms) if one:
            return replace(state, handover_files=state.handover_files | {(app, service, now + ms)})
        case on.NetworkDown() | on.NetworkUp():
            return replace(state, online=isinstance(event, on.NetworkUp))
        case on.DiskFull() | on.DiskFreed():
            return replace(state, disk_full=isinstance(event, on.DiskFull))
    return state


class Simulated(on.Engine):
    """A device in memory, with its supervisor, which decides on offers and answers its API (S-50 … S-66, S-116 …).

    `target` is what the supervisor has stored, `log` what it said, `rounds` what the API's actions led to. Without
    facts every release is accepted. Another kind of engine says in its own way how to `observe` and `perform`
    (EngineError if a step could not be done), and what befalls it.
    """

    def __init__(self, state: State | None = None, *, facts: Facts | None = None, target: Target | None = None) -> None:
        self._state, self.target = state or State(), target or Target()
        self._facts = self._next_facts = facts  # the supervisor reads them at its next start (S-1)
        self._offered: tuple[Release, ...] | None = None
        self._polled: tuple[Release, ...] | None = None
        self.log, self.rounds = list[str](), list[Round]()

    def observe(self) -> State:
        """What is on the device."""
        return self._state

    def perform(self, step: do.AnyStep) -> None:
        """Do one step; EngineError if it could not be done."""
        after_it = do.effect(self._state, step)
        self._state = replace(after_it, troubles=())
        if after_it.troubles:
            raise on.EngineError(step, after_it.troubles[-1])

    def befall(self, event: on.AnyEvent) -> None:
        """What an event does to the engine and its surroundings."""
        self._state = after(self._state, event)

    def happen(self, event: on.AnyEvent) -> None:
        """Let something happen to the device, and let the supervisor answer."""
        if isinstance(event, on.ApiStop | on.ApiRestart) and not self._lockable(event.app):
            return
        if not isinstance(event, on.OfferArrives):
            self.befall(event)
        match event:
            case on.OfferArrives(releases=releases):
                self._offered = releases
            case on.HostUpdated(facts=facts):
                self._next_facts = facts or self._next_facts
            case on.RestartApp(app=app):
                purged = isinstance(event, on.Purge)
                for target in api_targets("purge" if purged else "restart", self.observe(), app, self.target):
                    self.rounds += [round for _, round in settle(self, target) if round]
            case on.ApiRestart(service=service, app=app):
                self._restart(service, app)
        if isinstance(event, on.HostUpdated | on.SupervisorRestarts | on.EngineRestarts | on.CleanReboot | on.PowerCut):
            self._facts, self._polled = self._next_facts, None
        if self._offered is not None and self._offered is not self._polled and self.observe().online:
            self._polled = self._offered  # the first poll of this run of the supervisor (S-50)
            decided, said = on.decided_offer(self._offered, self._facts)
            self.log += said
            if decided is not None:
                self.target = Target.of(decided)
                self.befall(on.OfferArrives(releases=decided))

    def _can(self, step: do.AnyStep) -> bool:
        """Whether a step could be done; if not, the log says why."""
        trouble = on.attempt(self, step)
        self.log += [str(trouble.why)] if trouble else []
        return not trouble

    def _lockable(self, app: int) -> bool:
        """Whether no lock file keeps the API from stopping a service; an override deletes it (S-110, S-112)."""
        state = self.observe()
        names = {each.service for each in state.of(app)} | {name for its, name in state.lock_files if its == app}
        lock = do.TakeLock(app=app, services=tuple(sorted(names)))
        return app in state.locks or (self._can(lock) and self._can(do.ReleaseLock(app=app)))

    def _restart(self, service: str, app: int) -> None:
        """The API's restart of one service: its container is made anew from the stored target (S-61)."""
        state = self.observe()
        one = state.container(service, app)
        stored = next((each for each in self.target.apps if each.app == app), AppTarget(commit=""))
        wanted = next((each for each in stored.services if each.name == service), None)
        if not one or not wanted:
            self.log.append(f"`{service}` cannot be restarted now")
            return
        added = injected(state, stored.fleet)
        self._can(do.Restart(app=app, service=service, container=one, wanted=wanted, injected=added))
