"""A device made of one value: steps and events are pure functions of its state.

`after` says what an event does to a state. `Simulated` adds what needs the supervisor: an offer is
decided and stored (S-50 … S-66), a poll comes after a restart, the API asks for two targets.

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

from ..contracts import Facts, decide_offer
from ..device import steps as do
from ..device.state import SIGTERM, Container, State, booted, exited, finish_stops, pass_time, round_over, started
from ..planner import Release, Round, Target, api_targets, injected, plan
from . import base as on
from .base import EngineError, settle

__all__ = ["RESTARTING", "Simulated", "after", "halfway", "settle"]

RESTARTING = (on.HostUpdated, on.SupervisorRestarts, on.EngineRestarts, on.CleanReboot, on.PowerCut)  # the supervisor


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


def _put(state: State, one: Container, *new: Container) -> State:
    found = tuple(each for old in state.containers for each in (new if old.id == one.id else (old,)))
    return replace(state, containers=found)


def _write(state: State, one: Container, event: on.Writes) -> State:
    """Text in a volume of the service, or in its container's own layer."""
    if not event.volume:
        return _put(state, one, replace(one, data=one.data | {event.text}))
    mounted = {(event.app, name) for name in one.wanted.volumes} & {(event.app, event.volume)}
    volumes = (
        replace(each, data=each.data | {event.text}) if (each.app, each.name) in mounted else each
        for each in state.volumes
    )
    return replace(state, volumes=tuple(volumes))


def after(state: State, event: on.AnyEvent) -> State:
    """The state after an event, as far as the engine and the surroundings are concerned (S-7.3)."""
    now, one = state.clock_ms, None
    if isinstance(event, on.OnService):
        one = state.container(event.service, event.app)
        if one is None and not isinstance(event, on.LockTaken | on.LockDropped):
            return state
    match event:
        case on.ProcessExits(code=code) if one and one.status == "Running" and one.restart_at is None:
            return _put(state, one, exited(one, code, now))
        case on.ApiStop() if one and one.status == "Running":
            stopped = replace(one, status="exited", exit_code=SIGTERM, stopped=True, restart_at=None)
            return _put(state, one, stopped)
        case on.ApiStart() if one and one.status in ("exited", "Installed"):
            return _put(state, one, started(one, now))
        case on.ContainerLost() if one:
            return _put(state, one)
        case on.Writes() if one and one.status == "Running":
            return _write(state, one, event)
        case on.RoundOver(settled=settled):
            return replace(state, failures=0) if settled else round_over(state)
        case on.TimePasses(ms=ms):
            return pass_time(state, ms)
        case on.EngineRestarts(codes=codes):
            return booted(state, reboot=False, codes=codes)
        case on.CleanReboot(codes=codes):
            return booted(state, codes=codes)
        case on.HostUpdated(codes=codes, os=os, facts=facts):
            version = os or (f"balenaOS {facts.os.version}" if facts and facts.os else "")
            named = {**dict(state.injected), **({"HOST_OS_VERSION": version} if version else {})}
            return booted(replace(state, injected=tuple(named.items())), codes=codes)
        case on.PowerCut(during=steps):
            for step in steps:
                state = halfway(state, step)
            return booted(state, cut=True)
        case on.SupervisorRestarts():
            stopped_all = finish_stops(state, all_of_them=True)
            leftover = state.leftover_locks | state.locks
            return replace(stopped_all, locks=frozenset(), leftover_locks=leftover, failures=0, troubles=())
        case on.LockTaken(user="nobody", app=app):
            return replace(state, leftover_locks=state.leftover_locks | {app})
        case on.LockTaken(service=service, app=app):
            return replace(state, lock_files=state.lock_files | {(app, service)})
        case on.LockDropped(service=service, app=app):
            return replace(state, lock_files=state.lock_files - {(app, service)})
        case on.NetworkDown() | on.NetworkUp():
            return replace(state, online=isinstance(event, on.NetworkUp))
        case on.DiskFull() | on.DiskFreed():
            return replace(state, disk_full=isinstance(event, on.DiskFull))
    return state


class Simulated:
    """A device in memory. `target` is what its supervisor has stored, `log` what it said.

    Without facts every release is accepted. `rounds` are those that the API's actions led to.
    """

    def __init__(self, state: State | None = None, *, facts: Facts | None = None, target: Target | None = None) -> None:
        self._state = state or State()
        self._facts = facts
        self._next_facts = facts  # read by the supervisor at its next start (S-1)
        self._offered: tuple[Release, ...] | None = None
        self._polled: tuple[Release, ...] | None = None
        self.target = target or Target()
        self.log: list[str] = []
        self.rounds: list[Round] = []

    def observe(self) -> State:
        """What is on the device."""
        return self._state

    def perform(self, step: do.AnyStep) -> None:
        """Do one step; EngineError if it could not be done."""
        before = len(self._state.troubles)
        self._state = do.effect(self._state, step)
        if len(self._state.troubles) > before:
            raise EngineError(step, self._state.troubles[-1])

    def happen(self, event: on.AnyEvent) -> None:
        """Let something happen to the device."""
        self._state = after(self._state, event)
        match event:
            case on.OfferArrives(releases=releases):
                self._offered = releases
            case on.HostUpdated(facts=facts):
                self._next_facts = facts or self._next_facts
            case on.RestartApp(app=app):
                for target in api_targets("purge" if event.purge else "restart", self._state, app, self.target):
                    done = plan(self._state, target)
                    self._state, self.rounds = done.end, [*self.rounds, *done.rounds]
            case on.ApiRestart(service=service, app=app):
                self._restart(service, app)
        if isinstance(event, RESTARTING):
            self._facts, self._polled = self._next_facts, None
        self._poll()

    def _poll(self) -> None:
        """Take the offer, if there is one that this run of the supervisor has not seen (S-50)."""
        if self._state.online and self._offered is not None and self._offered is not self._polled:
            self._polled = self._offered
            self._store(self._offered)

    def _store(self, offer: tuple[Release, ...]) -> None:
        """Decide on an offer and store it: refused as a whole, or app by app (S-55 … S-59)."""
        releases = {str(each.app): each for each in offer}
        if self._facts is not None:
            composed = {app: each.composed for app, each in releases.items()}
            contracts = {app: each.contracts for app, each in releases.items()}
            decision = decide_offer(composed, self._facts, contracts=contracts)
            if decision.refused:
                app, service, reason = decision.refused
                self.log.append(f"could not move to the new release: app {app}, `{service}`: {reason}")
                return
            for app, decided in decision.apps.items():
                rejected = decided.outcome == "rejected"
                dropped = () if rejected else tuple(decided.dropped)
                releases[app] = replace(releases[app], rejected=rejected, dropped=dropped)
                if rejected:
                    self.log.append(f"some releases were rejected: app {app}: {', '.join(decided.unmet)}")
                elif dropped:
                    self.log.append(f"not running containers because of contract violations: {'. '.join(dropped)}")
        self.target = Target.of(releases.values())
        self._state = replace(self._state, failures=0)

    def _restart(self, service: str, app: int) -> None:
        """The API's restart of one service: its container is made anew from the stored target (S-61)."""
        one = self._state.container(service, app)
        stored = [each for each in self.target.apps if each.app == app]
        wanted = [each for goal in stored for each in goal.services if each.name == service]
        if one and wanted and not any(each == app for each, _ in self._state.lock_files):
            added = injected(self._state, stored[0].fleet)
            step = do.Restart(app=app, service=service, container=one, wanted=wanted[0], injected=added)
            after_it = do.effect(self._state, step)
            self.log += [str(trouble.why) for trouble in after_it.troubles]
            self._state = replace(after_it, troubles=())
        else:
            self.log.append(f"`{service}` cannot be restarted now")
