"""Which steps come next.

Theory of operation
-------------------
`next_steps` is asked one question, over and over: given what is on the device now and what should
be there, what can be done at once? It answers with one round and forgets everything (S-73). There
is no clock and no memory; an empty round means that the device has settled.

Two gates come first, and the first that has something to do takes the whole round: the supervisor's
own network (S-79), and images to save or remove (S-80). Then each app is compared with its target,
service by service: what is to be removed, updated, installed (S-84). The strategy of the service
decides what an update begins with (S-102); the conditions of S-93 to S-96 decide whether it may.
Whatever may not happen yet is a `Noop` or a note, and both say why.

Reference: balena supervisor 19.0.5. Known limits: local mode, device configuration, duplicate networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..device import steps as do
from ..device.state import Container, Image, Network, Resource, State, Trouble, Volume, Wanted, Why, because
from .target import STRATEGIES, AppTarget, Given, Strategy, Target, differences, handover_timeout, injected, strategy_of

MAX_DELTAS = 3  # downloads in one round (S-101)
EARLY = ("kill-then-download", "delete-then-download")  # strategies that kill before the download
BEGINS = dict(zip(STRATEGIES, ("S-103", "S-104", "S-105", "S-106"), strict=True))  # what an update begins with
REMOVE: dict[type[Resource], type[do.AnyStep]] = {Volume: do.RemoveVolume, Network: do.RemoveNetwork}
CREATE: dict[type[Resource], type[do.AnyStep]] = {Volume: do.CreateVolume, Network: do.CreateNetwork}
PROXY_ERROR = ("userland proxy", "cannot assign requested address")


class Note(NamedTuple):
    """A non-step: a service for which nothing is done in this round, and why."""

    app: int
    service: str
    why: Why


@dataclass(frozen=True, slots=True)
class Round:
    """The steps that one observation leads to, run all at once; what is not done; what went wrong."""

    state: State
    steps: tuple[do.AnyStep, ...] = ()
    notes: tuple[Note, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def __iter__(self) -> Iterator[do.AnyStep]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def told(self) -> tuple[do.AnyStep, ...]:
        """The steps that change something: no waiting, and no book-keeping of images that stay."""
        had = [image.name for image in self.state.images]
        had += [step.thing.name for step in self.steps if isinstance(step, do.SaveImage)]
        goes = [step.thing.name for step in self.steps if isinstance(step, do.RemoveImage)]
        stays = {name for name in goes if had.count(name) > goes.count(name)}
        some = (step for step in self.steps if not isinstance(step, do.Noop | do.SaveImage))
        return tuple(step for step in some if not (isinstance(step, do.RemoveImage) and step.thing.name in stays))

    @property
    def trace(self) -> tuple[str, ...]:
        """The round as the conformance cases write it: what changes something, and what went wrong."""
        return (*map(str, self.told), *(f"!error: {trouble}" for trouble in self.troubles))

    def __str__(self) -> str:
        return ", ".join(self.trace) or "wait"


def resources_of(service: Wanted) -> set[tuple[type[Resource], str]]:
    """The volumes and networks that a service uses."""
    return {*((Volume, name) for name in service.volumes), *((Network, name) for name, _ in service.networks)}


class _App:
    """One app in one observation: what is there, what is wanted, and what that leads to."""

    def __init__(self, state: State, target: AppTarget, images: frozenset[str]) -> None:
        self.state, self.target, self.app, self.images = state, target, target.app, images
        self.here, self.added = state.of(self.app), injected(state, target.fleet)
        self.newest = {each.service: each for each in reversed(self.here)}
        self.unstarted = {each.service for each in self.here if each.status == "Installed"}
        self.ids = {name: each.id for name, each in self.newest.items()}
        self.wanted = {each.name: each for each in target.services}
        self.missing = tuple(each.name for each in target.services if each.image not in images)
        self.locked, self.lock_wanted = self.app in state.locks, False
        self.steps, self.notes = list[do.AnyStep](), list[Note]()
        has = {each.key: each for each in (*state.volumes, *state.networks) if each.app == self.app}
        wants = {each.key: each for each in (*target.volumes, *target.networks)}
        # Volumes are removed only because they changed, networks also because the target has them not (S-115).
        changed = {key: each for key, each in has.items() if key in wants and each.config != wants[key].config}
        self.old = changed | {key: each for key, each in has.items() if key not in wants and isinstance(each, Network)}
        self.new = {key: each for key, each in wants.items() if key not in has}
        self.awaited = {*changed, *self.new}
        self.pending: set[str] = set()  # services that are to be installed or updated

    # ------------------------------------------------------------------------------ saying things

    def note(self, reason: str, service: str, **words: str) -> None:
        self.notes.append(Note(self.app, service, because(reason, service=service, **words)))

    def step(self, kind: Callable[..., do.AnyStep], service: str, why: Why | str, **fields: object) -> None:
        """Add a step; if it needs the lock and the lock is not held, wish for the lock instead (S-111)."""
        reason = because(why, service=service) if isinstance(why, str) else why
        step = kind(app=self.app, service=service, why=reason, **fields)
        if step.needs_lock and not self.locked:
            self.lock_wanted = True
            self.note("lock-first", service)
        else:
            self.steps.append(step)

    def used(self, container: Container) -> str:
        """A volume or network of the container that is to be removed, or nothing (S-85)."""
        has = resources_of(container.wanted) if self.old else set()
        return next((key[1] for key in self.old if key in has), "")

    def images_first(self, service: str) -> Why:
        return because("wait-images", *self.missing, service=service, missing=", ".join(self.missing))

    # ------------------------------------------------------------------------------ conditions

    def blocked(self, service: Wanted) -> Why | None:
        """Why a service without container may not start yet, or a hand-over begin (S-93 … S-96)."""
        for on in service.depends_on:
            if on in self.unstarted or on in self.pending:
                reason = "wait-created" if on in self.unstarted else "wait-pending"
                return because(reason, on, service=service.name, on=on)
        for kind, on in ((Network, service.network_mode), *((Volume, volume) for volume in service.volumes)):
            if (kind, on) in self.awaited:
                return because("wait-resource", on, service=service.name, on=on)
        return self.images_first(service.name) if self.missing else None

    def remade(self, container: Container, service: Wanted) -> bool:
        return container.commit != service.commit or bool(differences(container, service, self.added, self.ids))

    def changed(self, container: Container, service: Wanted) -> bool:
        """Whether a pair is an update: S-84, S-86."""
        raced = container.status == "exited" and all(text in container.start_error for text in PROXY_ERROR)
        starts = service.running and (container.status == "Installed" or raced)
        stops = not service.running and container.status != "exited"
        return container.status == "Stopping" or starts or stops or self.remade(container, service)

    # ------------------------------------------------------------------------------ one service

    def kill(self, container: Container, reason: str, strategy: Strategy, **words: str) -> None:
        """Kill a container that is not on its way out already, once its strategy waits for no image (S-75, S-93)."""
        name = container.service
        if container.status == "Stopping":
            self.step(do.Noop, name, "stopping")
        elif container.status == "Dead" and reason != "kill-uninstall":
            self.note("dead", name)
        elif self.missing and strategy not in EARLY:
            self.step(do.Noop, name, self.images_first(name))
        else:
            why = because(reason, service=name, rule=BEGINS[strategy], **words)
            self.step(do.Kill, name, why, container=container)

    def update(self, container: Container, service: Wanted) -> None:
        """A container and its target: renamed, started, stopped, handed over, or killed."""
        name, strategy, used = service.name, strategy_of(service), self.used(container)
        changes = differences(container, service, self.added, self.ids)
        own = ", ".join(change for change in changes if not change.startswith("container of "))
        reason, resource = "kill-update" if own else "kill-resource", ", ".join(changes) or used
        if container.status in ("Stopping", "Dead"):
            self.kill(container, reason, strategy)
        elif not changes and not used:
            self.same(container, service)
        elif strategy not in EARLY and service.image not in self.images:
            self.step(do.Fetch, name, "fetch", image=service.image, commit=service.commit)
        elif strategy != "hand-over" or used:
            self.kill(container, reason, strategy, changes=own, resource=resource)
        elif why := self.blocked(service):
            self.step(do.Noop, name, why)
        else:
            wait = handover_timeout(service) if self.state.handover_wait == "documented" else 0
            both = {"container": container, "wanted": service, "injected": self.added, "wait_ms": wait}
            self.step(do.Handover, name, because("handover", service=name, changes=", ".join(changes)), **both)

    def same(self, container: Container, service: Wanted) -> None:
        """A container that is what the target wants, but for its commit or its run state."""
        name, commit = service.name, service.commit
        if container.commit != commit and self.missing and strategy_of(service) == "download-then-kill":
            self.step(do.Noop, name, self.images_first(name))
        elif container.commit != commit:
            why = because("metadata", service=name, commit=commit)
            self.step(do.UpdateMetadata, name, why, container=container, commit=commit)
        elif service.running and container.status != "Running":
            if not service.needs_reboot or container.boot < self.state.boot:
                self.step(do.Start, name, "start-installed", wanted=service, container=container)
            elif self.state.reboot_wanted:
                self.note("reboot-first", name)
            else:
                self.step(do.RequireReboot, name, "require-reboot")
        elif container.status == "Running" and not service.running:
            self.step(do.Stop, name, "stop", container=container)
        else:
            self.note("stopped-as-wanted", name)

    def install(self, service: Wanted) -> None:
        """A service without container: its image, its conditions, the lock, the start."""
        name = service.name
        if service.image not in self.images:
            reason = "fetch-after-kill" if strategy_of(service) in EARLY else "fetch"
            self.step(do.Fetch, name, reason, image=service.image, commit=service.commit)
        elif not (why := self.blocked(service)):
            self.step(do.Start, name, "start", wanted=service, injected=self.added)
        elif self.state.reboot_wanted:  # let the device settle, so that it can reboot
            self.notes.append(Note(self.app, name, why))
        else:
            self.step(do.Noop, name, why)

    # ------------------------------------------------------------------------------ the whole app

    def plan(self) -> None:
        """Compare every service, volume and network with the target (S-84, S-85)."""
        removed: list[tuple[Container, str]] = []
        for each in self.here:
            if each.status == "Dead":
                self.step(do.Remove, each.service, "dead", container=each)
            if (service := self.wanted.get(each.service)) is None:
                removed.append((each, "kill-removed"))
            elif each is not self.newest[each.service]:
                removed.append((each, "kill-surplus"))
            elif self.used(each) and not self.remade(each, service):
                removed.append((each, "kill-resource"))
        stays = self.newest.keys() - {each.service for each, _ in removed}
        kept = [(self.newest[name], service) for name, service in self.wanted.items() if name in stays]
        pairs = [pair for pair in kept if self.changed(*pair)]
        installs = [service for name, service in self.wanted.items() if name not in self.newest]
        self.pending = {service.name for service in installs} | {service.name for _, service in pairs}
        for container, reason in removed:
            self.kill(container, reason, strategy_of(container.wanted), resource=self.used(container))
        for container, service in pairs:
            self.update(container, service)
        for service in installs:
            self.install(service)
        self.take_lock()
        held = {key for each in self.here for key in resources_of(each.wanted)} if self.old else set()
        for key in (key for key in self.old if key not in held):  # nobody uses it (S-100)
            reason = f"renew-{key[0].__name__.lower()}" if key in self.awaited else "remove-unused"
            self.step(REMOVE[key[0]], "", reason, thing=self.old[key])
        for key, thing in self.new.items():
            self.step(CREATE[key[0]], "", "create", thing=thing)
        for container, service in kept:
            if service.name not in self.pending:
                down = "exited" if service.running else "stopped-as-wanted"
                self.note("keep" if container.status == "Running" else down, service.name)
        for name in self.target.dropped:
            self.note("dropped", name)
        self.settle()

    def take_lock(self) -> None:
        if self.lock_wanted:
            names = tuple(dict.fromkeys((*(each.service for each in self.here), *self.wanted)))
            self.step(do.TakeLock, "", "take-lock", services=names)

    def settle(self) -> None:
        """If nothing else is left, record the commit, give the lock back."""
        commit, busy = self.target.commit, bool(self.steps)
        if commit and not busy and self.state.commit(self.app) != commit:
            self.step(do.UpdateCommit, "", because("commit", commit=commit), commit=commit)
        if not busy and (self.locked or self.app in self.state.leftover_locks):
            self.step(do.ReleaseLock, "", "release")

    def uninstall(self, *, keep_volumes: bool) -> None:
        """An app that is not offered any more: kill all, then networks, then volumes (S-113)."""
        volumes = [each for each in self.state.volumes if each.app == self.app and not keep_volumes]
        for container in self.here:
            self.kill(container, "kill-uninstall", "kill-then-download")
        self.take_lock()
        for thing in () if self.here else (self.old.values() or volumes):  # nothing is wanted: every network is old
            self.step(REMOVE[type(thing)], "", "remove-uninstall", thing=thing)
        self.settle()


def _supervisor_network(state: State) -> list[do.AnyStep]:
    """The first gate: the network on which services reach the supervisor (S-79)."""
    if state.supervisor_network:
        return [] if state.firmware_volume else [do.EnsureExtraFirmwareVolume(why=because("ensure-firmware"))]
    steps: list[do.AnyStep] = []
    for each in (each for each in state.containers if each.wanted.on("io.balena.features.supervisor-api")):
        about: dict[str, Any] = {"app": each.app, "service": each.service}
        if each.status == "Stopping":
            steps.append(do.Noop(why=because("stopping", service=each.service), **about))
        else:
            steps.append(do.Kill(why=because("kill-api", service=each.service), container=each, **about))
    return steps or [do.EnsureSupervisorNetwork(why=because("ensure-network"))]


def _images(state: State, target: Target) -> list[do.AnyStep]:
    """The second gate: images to save or to remove, and leftover layers (S-80 … S-83)."""
    if target.keep_images:
        return []
    rows, there = state.images, set(state.images)
    first = {row.name: row for row in reversed(rows)}
    source = {(row.app, row.service): row.name for row in reversed(rows)}
    wanted = [
        (app, Image(each.image, app.app, each.name, each.commit), each) for app in target.apps for each in app.services
    ]
    runs = (Image(each.image, each.app, each.service, each.commit) for each in state.containers)
    used = {row for _, row, _ in wanted} | {row if row in there else first.get(row.name, row) for row in runs}
    # Only the first image that was saved for a service counts as its delta source (E-28).
    missing = [(row, strategy_of(each)) for _, row, each in wanted if row.name not in first]
    no_source = {row.name for row, strategy in missing if strategy == "delete-then-download"}
    kept = {source.get((row.app, row.service)) for row, _ in missing if row.name not in no_source}
    kept |= {row.name for app, row, _ in wanted if app.rejected}  # nothing is noted for these
    new = [row for app, row, _ in wanted if not app.rejected and row.name in first and row not in there]
    steps: list[do.AnyStep] = [do.Cleanup(why=because("cleanup"))] if state.dangling else []
    save, gone = because("save-image"), because("remove-image")
    steps += [do.SaveImage(app=row.app, service=row.service, thing=row, why=save) for row in dict.fromkeys(new)]
    unused = (row for row in rows if row not in used and row.name not in kept)
    steps += [do.RemoveImage(app=row.app, service=row.service, thing=row, why=gone) for row in unused]
    return steps


def next_steps(state: State, target: Given) -> Round:
    """The steps that can be taken now; none once the device is what *target* says.

    >>> from kit.planner import Release
    >>> round = next_steps(State(), Release("r1", {"services": {"web": {}}}))
    >>> print(round)
    fetch web:r1, createNetwork 1_default
    >>> print(round.steps[0].why)
    `web` needs this image, and it is not on disk (S-93)
    """
    goal, notes = Target.of(target), list[Note]()
    if steps := _supervisor_network(state) or _images(state, goal):
        every = ((app.app, each.name) for app in goal.apps for each in app.services)
        return Round(state, tuple(steps), tuple(Note(*one, because("tidy-first", service=one[1])) for one in every))
    images, wished = state.image_names, {app.app: app for app in goal.apps}
    for app in (*state.apps, *(app for app in wished if app not in state.apps)):
        one = _App(state, wished.get(app, AppTarget(app=app, commit="")), images)
        if app not in wished:
            one.uninstall(keep_volumes=goal.keep_volumes)
        elif wished[app].rejected:
            one.note("rejected", "", commit=wished[app].commit)
        else:
            one.plan()
        steps += one.steps
        notes += one.notes
    if state.delta:  # at most three downloads a round, for apps that have an image already; the last go first (S-101)
        fetches, with_images = [step for step in steps if isinstance(step, do.Fetch)], {row.app for row in state.images}
        later = [step for step in fetches if step.app in with_images][: max(len(fetches) - MAX_DELTAS, 0)]
        notes += [Note(step.app, step.service, because("delta-limit", service=step.service)) for step in later]
        steps = [step for step in steps if step not in later]
    if not steps and state.reboot_wanted:
        steps = [do.Reboot(why=because("reboot"))]
    return Round(state, tuple(steps), tuple(notes))
