"""What can be done to a device, step by step, and what it does.

A step is a value: it names one action of the supervisor (S-5.4) and carries its *why*. `effect` is
the only place where a step changes a state; the planner looks ahead with it and the simulated
engine lives in it, so the two cannot disagree.

A step that fails leaves a `Trouble` in the state instead of raising: the other steps of the round
go on (S-76). `state.round_over` then makes a pause of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final, TypeAlias, assert_never

from .state import Container, Image, Network, Record, State, Volume, Wanted, Why, booted, pass_time, started

UNSAID: Final = Why("", (), "")
LOCKED: Final = ("kill", "stop", "updateMetadata", "restart")


class Step(Record):
    """One action, and why. `says` is what the traces write after its kind."""

    app: int = 0
    why: Why = UNSAID
    service: str = ""
    says: ClassVar[str] = "{0.service}"

    def __init_subclass__(cls, says: str | None = None) -> None:
        super().__init_subclass__()
        cls.says = cls.says if says is None else says

    @property
    def kind(self) -> str:
        """The supervisor's name of the action."""
        name = type(self).__name__
        return name[0].lower() + name[1:]

    @property
    def needs_lock(self) -> bool:
        """Whether the app's lock must be held: a first start needs it, a later one does not (S-5.4)."""
        return self.kind in LOCKED or (self.kind == "start" and getattr(self, "container", None) is None)

    def __str__(self) -> str:
        return f"{self.kind} {self.says.format(self, names=','.join(getattr(self, 'services', ())))}".rstrip()


class Fetch(Step, says="{0.image}"):
    """Download an image, for a service of a release."""

    image: str
    commit: str = ""


class TakeLock(Step, says="{0.app}[{names}]"):
    """Take the update lock of the whole app: the lock files of all these services (S-110)."""

    services: tuple[str, ...]


class _OnContainer(Step):
    container: Container


class Kill(_OnContainer, says="{0.container}"):
    """Stop a container and delete it, with its own layer and anonymous volumes."""


class Stop(_OnContainer):
    """Stop a container and keep it."""


class Remove(_OnContainer):
    """Delete a dead container (S-141)."""


class UpdateMetadata(_OnContainer, says="{0.service} {0.container.commit}->{0.commit}"):
    """Rename a container to another commit while it runs."""

    commit: str


class Start(Step, says="{0.wanted}"):
    """Create a container and start it, or start one that was created and never started."""

    wanted: Wanted
    injected: tuple[tuple[str, str], ...] = ()
    container: Container | None = None


class Restart(Start, says="{0.container}"):
    """Delete a container and start it anew. Never planned: the API's restart of one service."""


class Handover(Start, says="{0.container}->{0.wanted.commit}"):
    """Start the new container beside the old one, wait, then stop the old one (S-106, S-108)."""

    wait_ms: int = 0


class _OnVolume(Step, says="{0.thing}"):
    thing: Volume


class _OnNetwork(Step, says="{0.thing}"):
    thing: Network


class _OnImage(Step, says="{0.thing}"):
    thing: Image


class CreateVolume(_OnVolume):
    """Make an empty volume."""


class RemoveVolume(_OnVolume):
    """Delete a volume and what is in it."""


class CreateNetwork(_OnNetwork):
    """Make a network."""


class RemoveNetwork(_OnNetwork):
    """Delete a network."""


class RemoveImage(_OnImage):
    """Forget that a service of a release used an image; the image goes with its last user."""


class SaveImage(_OnImage):
    """Note that an image on disk is there for this service of this release, too (S-83)."""


class Cleanup(Step):
    """Delete layers that belong to nothing."""


class UpdateCommit(Step, says="{0.commit}"):
    """Record that the device runs this release."""

    commit: str


class ReleaseLock(Step, says="{0.app}"):
    """Give the app's lock back."""


class RequireReboot(Step):
    """Note that a container waits for a reboot (S-109)."""


class Reboot(Step):
    """Reboot, once nothing else is left to do (S-78)."""


class EnsureSupervisorNetwork(Step):
    """Make the network on which services reach the supervisor."""


class EnsureExtraFirmwareVolume(Step):
    """Make the volume for extra firmware."""


class Noop(Step):
    """Nothing yet: keep the loop alive, something is being waited for."""


AnyStep: TypeAlias = (
    Fetch | TakeLock | Kill | Stop | Remove | UpdateMetadata | Start | Handover | Restart | CreateVolume
    | RemoveVolume | CreateNetwork | RemoveNetwork | RemoveImage | SaveImage | Cleanup | UpdateCommit | ReleaseLock
    | RequireReboot | Reboot | EnsureSupervisorNetwork | EnsureExtraFirmwareVolume | Noop
)  # fmt: skip


def _now(state: State, old: Container | None) -> Container | None:
    """The container as it is now: another step of the round may have touched it."""
    return next((each for each in state.containers if old and each.id == old.id), None)


def _fetch(state: State, step: Fetch) -> State:
    failed = {"offline": not state.online, "unavailable": step.image in state.unavailable, "disk-full": state.disk_full}
    for reason in (reason for reason, holds in failed.items() if holds):
        return state.failing(step.app, step.service, f"download failed {step.service}", reason)
    return replace(state, images=(*state.images, Image(step.image, step.app, step.service, step.commit)))


def _take_lock(state: State, step: TakeLock) -> State:
    held = tuple(name for name in step.services if (step.app, name) in state.lock_files)
    if held and not state.lock_override:
        return state.failing(step.app, held[0], f"UpdatesLocked by {held[0]}", "locked", *held)
    files = state.lock_files - {(step.app, name) for name in held}
    leftover = state.leftover_locks - {step.app}
    return replace(state, lock_files=files, locks=state.locks | {step.app}, leftover_locks=leftover)


def _run(state: State, step: Start, made: Container) -> State:
    """Start a created container, if it is wanted to run and can be started."""
    service = step.wanted  # what the container was made from may say that it does not run
    if not service.running or (service.needs_reboot and made.boot == state.boot):
        return state
    text, name = f"start failed {service.name}", service.name
    for on in (each for each in state.containers if each.up and each.id != made.id):
        if shared := sorted({*service.ports} & {*on.wanted.ports}):  # held until the process is gone (S-120)
            holder = on.service if on.service != name else str(on)
            return state.failing(step.app, name, text, "port-clash", on.service, port=shared[0], on=holder)
    if name in state.broken:
        return state.failing(step.app, name, text, "broken")
    return state.swapped(made, started(made, state.clock_ms))


def _create_and_run(state: State, step: Start) -> State:
    service = step.wanted
    host = state.container(service.host, service.app)
    if service.host and not host:
        text, words = f"No container for network_mode service:{service.host}", {"service": service.name}
        return state.failing(step.app, service.host, text, "no-network-host", service.host, on=service.host, **words)
    made = Container(id=state.made + 1, wanted=service, commit=service.commit, status="Installed")
    made = replace(made, injected=step.injected, joined=host.id if host else None, boot=state.boot)
    return _run(replace(state, containers=(made, *state.containers), made=made.id), step, made)


def _order_stop(state: State, container: Container | None, *, removing: bool, rounds: int = 1) -> State:
    now = _now(state, container)
    if now is None or (now.status == "Stopping" and now.removing >= removing):
        return state
    rounds = now.wanted.grace if now.service in state.deaf and now.up else rounds
    was = now.was if now.status == "Stopping" else now.status
    return state.swapped(now, replace(now, status="Stopping", was=was, removing=removing, stop_left=rounds))


def waits(state: State, step: Handover) -> int:
    """How many milliseconds a hand-over waits: until a file of the service says that it is done, or time is up (S-108).

    >>> handed = Handover(app=1, service="web", wanted=Wanted(app=1, name="web", commit="r2", image="i"), wait_ms=9_000)
    >>> [waits(State(handover_files=frozenset(files)), handed) for files in ({(1, "web", 400)}, ())]
    [400, 9000]
    """
    made = (at - state.clock_ms for *whose, at in state.handover_files if whose == [step.app, step.service])
    return min(step.wait_ms, max(0, min(made, default=step.wait_ms)))


def _hand_over(state: State, step: Handover) -> State:
    if old := _now(state, step.container):
        state = state.swapped(old, replace(old, handing_over=True))
    after = _create_and_run(state, step)
    if len(after.troubles) > len(state.troubles):
        return after
    # The wait is part of the step, and so is the stop: the old one is gone when the round is over.
    after = pass_time(after, waits(after, step))
    mine = (each for each in after.handover_files if each[:2] == (step.app, step.service))
    seen = {each for each in mine if each[2] <= after.clock_ms}  # and deleted
    after = replace(after, handover_files=after.handover_files - seen)
    return _order_stop(after, step.container, removing=True, rounds=0)


def effect(state: State, step: AnyStep) -> State:
    """The state after one step. A step that fails leaves a `Trouble` and what it did until then.

    >>> after = effect(State(), Fetch(app=1, service="web", image="web:r1"))
    >>> [str(image) for image in after.images]
    ['web:r1']
    """
    match step:
        case Noop():
            return state if state.waited else replace(state, waited=True)
        case Fetch():
            return _fetch(state, step)
        case TakeLock():
            return _take_lock(state, step)
        case ReleaseLock(app=app):
            return replace(state, locks=state.locks - {app}, leftover_locks=state.leftover_locks - {app})
        case Kill() | Stop():
            return _order_stop(state, step.container, removing=isinstance(step, Kill))
        case Remove(container=container):
            return state.swapped(container)
        case UpdateMetadata(container=container, commit=commit):
            now = _now(state, container)
            return state.swapped(now, replace(now, commit=commit)) if now else state
        case Handover():
            return _hand_over(state, step)
        case Restart(container=container, service=name):
            state = state.swapped(container) if container else state
            if step.wanted.image in state.image_names:
                return _create_and_run(state, step)
            return state.failing(step.app, name, f"start failed {name}", "no-image")
        case Start(container=container):
            now = _now(state, container)
            return _run(state, step, now) if now else _create_and_run(state, step)
        case CreateVolume(thing=volume):
            return replace(state, volumes=(*state.volumes, replace(volume, data=frozenset())))
        case CreateNetwork(thing=network):
            return replace(state, networks=(*state.networks, network))
        case SaveImage(thing=image):
            return replace(state, images=(*state.images, image))
        case RemoveVolume(thing=thing) | RemoveNetwork(thing=thing) | RemoveImage(thing=thing):
            things = f"{type(thing).__name__.lower()}s"
            left: Any = {things: tuple(each for each in getattr(state, things) if each != thing)}
            return replace(state, **left)
        case UpdateCommit(app=app, commit=commit):
            return replace(state, commits=tuple(sorted({**dict(state.commits), app: commit}.items())))
        case RequireReboot():
            return replace(state, reboot_wanted=True)
        case Reboot():
            return booted(state)
        case EnsureSupervisorNetwork() | EnsureExtraFirmwareVolume():
            return replace(state, supervisor_network=True, firmware_volume=True)
        case Cleanup():
            return replace(state, dangling=False)
    assert_never(step)
