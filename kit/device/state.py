"""What is on a device: containers, images, volumes, networks, and what the engine does by itself.

A device is one value, `State`. What a step does to it stands in `steps`; here is what happens
without any step: a process ends, the engine starts it again or not (S-128), time passes, a stop is
finished, the power is cut.

Stopping is asynchronous (S-75): a stop is only ordered, and the container is `Stopping` for one
more round, or for as many rounds as its grace period has seconds when it ignores SIGTERM.

Known limits (S-148): registry, deltas and IPAM are not modelled; the engine rules of section 6 come
from reading the engine's source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias, dataclass_transform

from ..diagnostics import beside

Pairs = tuple[tuple[str, str], ...]
Frozen: TypeAlias = "str | int | float | bool | tuple[Frozen, ...] | None"
Status = Literal["Installed", "Running", "Stopping", "exited", "Dead"]
Policy = Literal["always", "unless-stopped", "on-failure", "no"]
HandoverWait = Literal["documented", "as_coded"]

POLICIES: Final[tuple[Policy, ...]] = ("always", "unless-stopped", "on-failure", "no")
SIGTERM: Final = 143  # how a process ends that does not answer SIGTERM by itself
POWER_CUT: Final = 255  # what the engine notes for a process that lost its power


_TABLES: Final[dict[str, dict[str, list[str]]]] = beside(__file__)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A value with named parts: every class made from it is a frozen dataclass, and its parts are given by name."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: its name, the rules that say so, one sentence, what it waits for, and the way out."""

    reason: str
    rules: tuple[str, ...]
    sentence: str
    waits_for: tuple[str, ...] = ()
    way_out: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} ({', '.join(self.rules)})"


@lru_cache(maxsize=4096)
def because(reason: str, *waits_for: str, **words: str) -> Why:
    """The reason of that name in `state.json`, with its words filled in.

    >>> print(because("keep", service="web"))
    `web` is as the target wants it (S-84)
    """
    rules, sentence, way_out = (text.format(**words) for text in _TABLES["reasons"][reason])
    return Why(reason, tuple(rules.split()), sentence, waits_for, way_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One service as a target wants it: what a container made from it would be (S-87).

    `config` holds what is compared besides image, environment, labels, policy and networks.
    `network_mode` is the primary network, or `host`, `none`, `bridge`, `service:X`. `form` is the service as the
    release has it: a real engine makes the container from that.
    """

    app: int
    name: str
    commit: str
    image: str
    config: tuple[tuple[str, Frozen], ...] = ()
    environment: Pairs = ()
    labels: Pairs = ()
    policy: Policy = "always"
    network_mode: str = "default"
    networks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    running: bool = True
    oneshot: int | None = None
    grace: int = 10
    form: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def label(self, key: str) -> str:
        """The value of one label, or the empty text."""
        return dict(self.labels).get(key, "")

    def on(self, key: str) -> bool:
        """Whether a label switches its feature on: `1`, `true` or `on` (C-88)."""
        return self.label(key).lower() in ("1", "true", "on")

    @property
    def host(self) -> str:
        """The service whose network it shares, or nothing (S-67)."""
        return self.network_mode.partition("service:")[2].strip()

    @property
    def needs_reboot(self) -> bool:
        """Whether it may start only after a reboot (S-109)."""
        return self.on("io.balena.update.requires-reboot")

    def __str__(self) -> str:
        return f"{self.name}@{self.commit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. `data` is what was written into its own layer: it dies with it."""

    id: int
    wanted: Wanted  # what it was made from
    commit: str
    injected: Pairs = ()
    status: Status = "Running"
    exit_code: int | None = None
    stopped: bool = False  # on purpose, through the API
    handing_over: bool = False  # the old half of a hand-over: it has no restart policy any more
    removing: bool = False  # when the stop is done, it is deleted
    stop_left: int = 0  # rounds until the stop is done
    was: Status = "Running"  # what it was when the stop was ordered
    joined: int | None = None  # the container whose network it shares
    boot: int = 0  # the boot during which it was made
    start_error: str = ""
    data: frozenset[str] = frozenset()
    started_at: int = field(default=0, compare=False)
    pause_ms: int = field(default=0, compare=False)
    restart_at: int | None = field(default=None, compare=False)

    @property
    def app(self) -> int:
        return self.wanted.app

    @property
    def service(self) -> str:
        return self.wanted.name

    @property
    def image(self) -> str:
        return self.wanted.image

    @property
    def up(self) -> bool:
        """Whether its process has the device: running, to be restarted at once, or stopping."""
        return self.status == "Running" or (self.status == "Stopping" and self.was == "Running")

    def __str__(self) -> str:
        return f"{self.service}@{self.commit}"


class Image(NamedTuple):
    """An image on disk, and the service and release it was saved for. One image may be there for several."""

    name: str
    app: int = 1
    service: str = ""
    commit: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Resource:
    """A volume or a network of an app, and its configuration."""

    app: int
    name: str
    config: tuple[tuple[str, Frozen], ...] = ()

    @property
    def key(self) -> tuple[type[Resource], str]:
        """What it is called inside its app, among volumes or among networks."""
        return type(self), self.name

    def __str__(self) -> str:
        return f"{self.app}_{self.name}"


@dataclass(frozen=True, slots=True)
class Volume(Resource):
    """A named volume, and what is in it. On the device it is called `<app>_<name>` (S-114)."""

    data: frozenset[str] = frozenset()


class Network(Resource):
    """A network."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A step that could not be done: as the traces write it, and why; `about` names the service."""

    app: int
    about: str
    text: str
    why: Why

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything on one device, and what its user and its surroundings do to it.

    `containers` come newest first (P-47), `images` in the order in which they were saved. The
    planner never looks at what only an attempt can tell: lock files, the network, broken programs.
    """

    containers: tuple[Container, ...] = ()
    images: tuple[Image, ...] = ()
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    commits: tuple[tuple[int, str], ...] = ()
    # the supervisor
    locks: frozenset[int] = frozenset()
    leftover_locks: frozenset[int] = frozenset()
    injected: Pairs = (("HOST_OS_VERSION", "balenaOS 6.3.0"),)
    delta: bool = False
    handover_wait: HandoverWait = "documented"
    lock_override: bool = False
    reboot_wanted: bool = False
    supervisor_network: bool = True
    firmware_volume: bool = True
    dangling: bool = False
    # the user and the surroundings
    lock_files: frozenset[tuple[int, str]] = frozenset()
    handover_files: frozenset[tuple[int, str, int]] = frozenset()  # app, service, and when it is made
    online: bool = True
    disk_full: bool = False
    broken: frozenset[str] = frozenset()  # services whose program cannot be started
    deaf: frozenset[str] = frozenset()  # services that ignore SIGTERM
    unavailable: frozenset[str] = frozenset()  # images that the registry does not have
    boot: int = 0
    made: int = 0  # containers made so far
    troubles: tuple[Trouble, ...] = ()
    waited: bool = field(default=False, compare=False)
    failures: int = field(default=0, compare=False)
    clock_ms: int = field(default=0, compare=False)

    def of(self, app: int) -> tuple[Container, ...]:
        """The containers of one app, newest first."""
        return tuple(each for each in self.containers if each.app == app)

    def container(self, service: str, app: int = 1) -> Container | None:
        """The newest container of a service, or None."""
        return next((each for each in self.containers if each.service == service and each.app == app), None)

    def commit(self, app: int = 1) -> str | None:
        """The recorded commit of an app, or None."""
        return dict(self.commits).get(app)

    def swapped(self, old: Container, *new: Container) -> State:
        """The state with *new* containers in the place of *old*."""
        found = tuple(each for one in self.containers for each in (new if one.id == old.id else (one,)))
        return replace(self, containers=found)

    def failing(self, app: int, about: str, text: str, reason: str, *waits_for: str, **words: str) -> State:
        """The state with one more trouble, for a reason that speaks of the service *about* unless told otherwise."""
        why = because(reason, *waits_for, **{"service": about, **words})
        return replace(self, troubles=(*self.troubles, Trouble(app, about, text, why)))

    @property
    def shape(self) -> tuple[object, ...]:
        """The state without numbers of containers and boots: when it comes back, so does what follows."""
        place = {each.id: number for number, each in enumerate(self.containers)}
        containers = tuple(
            (each.wanted, each.commit, each.injected, each.status, each.was, each.removing, each.stop_left, each.data)
            for each in self.containers
        )
        marks = tuple((each.boot == self.boot, each.joined and place.get(each.joined)) for each in self.containers)
        return len(containers), containers, marks, replace(self, containers=(), made=0, boot=0)

    @property
    def image_names(self) -> frozenset[str]:
        """The images on disk."""
        return frozenset(image.name for image in self.images)

    @property
    def apps(self) -> tuple[int, ...]:
        """The apps of which something is there: a container, a network or a volume."""
        there = {each.app for each in self.networks} | {each.app for each in self.volumes}
        return tuple(sorted(there | {each.app for each in self.containers}))


# -------------------------------------------------------------------- what the engine does by itself

RESTARTS: Final[dict[str, list[str]]] = _TABLES["restarts"]
"""What happens to a container, and whether the engine starts it again: by policy, in their order (S-128)."""


def restarts(policy: Policy, situation: str, code: int) -> bool:
    """Whether the engine starts a container again; the situations are the keys of `RESTARTS`.

    >>> restarts("on-failure", "boot after a clean shutdown, it was running", 0)
    False
    """
    answer = RESTARTS[situation][POLICIES.index(policy)]
    return answer == "again" or (answer == "if not 0" and code != 0)


def exited(container: Container, code: int, now: int) -> Container:
    """The container after its process ended by itself: to be started again, or exited (S-128).

    The pause is 100 ms, doubled each time, at most one minute, and 100 ms again after a run of ten
    seconds. A container that the engine is about to restart counts as running (S-131).
    """
    situation = "it ends with 0" if code == 0 else "it ends with another code, or is killed"
    ended = replace(container, exit_code=code, stopped=False, restart_at=None)
    if container.handing_over or not restarts(container.wanted.policy, situation, code):
        return replace(ended, status="exited")
    first = now - container.started_at >= 10_000 or not container.pause_ms
    pause = 100 if first else min(2 * container.pause_ms, 60_000)
    return replace(ended, status="Running", pause_ms=pause, restart_at=now + pause)


def started(container: Container, now: int) -> Container:
    """The container with its process running; a one-shot process ends at once."""
    up = replace(container, status="Running", started_at=now, restart_at=None, stopped=False, start_error="")
    code = container.wanted.oneshot
    return up if code is None else exited(up, code, now)


def pass_time(state: State, ms: int) -> State:
    """The state some milliseconds later: what the engine owes a restart is started again."""
    until, containers = state.clock_ms + ms, list(state.containers)
    for place, each in enumerate(containers):
        while each.restart_at is not None and each.restart_at <= until:
            each = started(each, each.restart_at)
        containers[place] = each
    return replace(state, clock_ms=until, containers=tuple(containers))


def finish_stops(state: State, *, all_of_them: bool = False) -> State:
    """One more round of stopping: what is due is deleted, or exited if it only was to stop."""
    for one in (each for each in state.containers if each.status == "Stopping"):
        if one.stop_left > 0 and not all_of_them:
            state = state.swapped(one, replace(one, stop_left=one.stop_left - 1))
        elif one.removing:
            state = state.swapped(one)
        else:
            state = state.swapped(one, replace(one, status="exited", exit_code=SIGTERM, stopped=True, restart_at=None))
    return state


def round_over(state: State, *, failed: bool = False) -> State:
    """The state after a round: earlier stops are done, a pause has passed, failures are counted (S-72, S-76)."""
    failures = state.failures + failed
    pause = min(500 * 2**failures, 900_000) if failed else 1_000 if state.waited else 200
    done = replace(finish_stops(state), failures=failures, troubles=(), waited=False)
    return pass_time(done, pause)


def booted(state: State, *, cut: bool = False, reboot: bool = True, codes: Mapping[str, int] | None = None) -> State:
    """The state after a boot, or after a restart of the engine alone (`reboot=False`): S-128, S-138.

    *codes* says how processes answer SIGTERM in a clean shutdown; the others end with 143.
    """
    containers = []
    for each in state.containers:
        status = each.was if each.status == "Stopping" else each.status
        down = replace(each, status=status, removing=False, stop_left=0, pause_ms=0, restart_at=None)
        situation = f"boot after a {'power cut' if cut and each.up else 'clean shutdown'}, it was running"
        if each.up:
            code = POWER_CUT if cut else (codes or {}).get(each.service, SIGTERM)
            down = replace(down, status="exited", exit_code=code, stopped=False)
        elif each.stopped:
            situation = "boot, it had been stopped on purpose"
        again = status not in ("Installed", "Dead") and restarts(each.wanted.policy, situation, down.exit_code or 0)
        containers.append(started(down, state.clock_ms) if again and not each.handing_over else down)
    after = replace(state, containers=tuple(containers), locks=frozenset(), troubles=(), failures=0, waited=False)
    if not reboot:
        return replace(after, leftover_locks=state.leftover_locks | state.locks)
    after = replace(after, leftover_locks=frozenset[int](), lock_files=frozenset(), handover_files=frozenset())
    return replace(after, boot=state.boot + 1, reboot_wanted=False)
