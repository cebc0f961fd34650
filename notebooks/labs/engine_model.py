"""What the engine lab thinks: a release on an engine, simulated or real, what happens to it, and how that looks.

`Desk` is the engine's side of the lab: it brings up, acts, looks, and takes away; with a second release it updates,
with devices it decides. What is shown is a pure function of what it has seen: moments, each with a time, a sentence
and the state of the device.

>>> import kit
>>> desk = Desk(kit.read("services: {web: {image: kit/busybox}}"), Path())
>>> desk.bring_up()
>>> desk.act("crash", "web", 3)
>>> desk.moments[-2].said
'the process of `web` ends with 3'
"""

from __future__ import annotations

import atexit
import os
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import time
from typing import Any, Final, NamedTuple

from course.bench import Sight, events, release_of, sights, standing, survey, taken_ports
from kit import looks
from kit.composition import Composition
from kit.container import FEATURE_TABLE
from kit.contracts import decide
from kit.device import Device
from kit.device.state import State, Why
from kit.diagnostics import Severity
from kit.engines import base as on
from kit.engines.base import EngineError, decided_offer, settle
from kit.engines.docker import Docker, NoEngine, connect, opened, remove_all
from kit.engines.images import BASE, Progress, has
from kit.engines.simulated import Simulated
from kit.graphs import of_composition, to_svg
from kit.graphs.svg import path, rect, sheet, text
from kit.looks import escaped, prose
from kit.planner import Plan, Release, plan
from kit.reader import Reading
from kit.reader.release import FEATURES
from kit.rules import check

from .frame import View
from .update_model import did

SIMULATED, DOCKER = "the simulated engine", "Docker on this machine"
_APPS: Final = count(os.getpid() * 100)  # an app of its own for each lab: nothing that is up already is touched
WIDE: Final = 760
_LEFT, _TOP, _ROW = 120, 26, 34

DEEDS: Final[dict[str, tuple[str, Callable[[str, int, int], on.AnyEvent]]]] = {
    # what a button is called, and the event that it is; the arguments are service, app and code
    "crash": ("The process ends", lambda name, app, code: on.ProcessExits(service=name, app=app, code=code)),
    "kill": ("kill -9", lambda name, app, _: on.ProcessExits(service=name, app=app, code=137)),
    "stop": ("Stop", lambda name, app, _: on.ApiStop(service=name, app=app)),
    "start": ("Start", lambda name, app, _: on.ApiStart(service=name, app=app)),
    "restart": ("New container", lambda name, app, _: on.ApiRestart(service=name, app=app)),
    "layer": ("Write into the layer", lambda name, app, _: on.Writes(service=name, app=app, text="written")),
    "lost": ("Remove by hand", lambda name, app, _: on.ContainerLost(service=name, app=app)),
    "reboot": ("Reboot", lambda _name, _app, _code: on.CleanReboot()),
    "lock": ("Take its lock", lambda name, app, _: on.LockTaken(service=name, app=app)),
    "unlock": ("Give its lock back", lambda name, app, _: on.LockDropped(service=name, app=app)),
}
OPENS: Final = (  # fields of a service that open the machine it runs on
    "privileged", "cap_add", "devices", "device_cgroup_rules", "pid", "ipc", "uts", "userns_mode", "security_opt",
    "cgroup_parent", "sysctls",
)  # fmt: skip


def closed(form: Mapping[str, Any]) -> dict[str, Any]:
    """A normal form without what opens the machine: the engine of a learner is no stranger's.

    >>> closed({"services": {"web": {"privileged": True, "network_mode": "host", "user": "app"}}})
    {'services': {'web': {'user': 'app'}}}
    """
    doors = {f"{FEATURES}{name}" for name in FEATURE_TABLE}
    services = {}
    for name, body in form.get("services", {}).items():
        left = {
            key: value for key, value in body.items() if key not in OPENS and (key, value) != ("network_mode", "host")
        }
        if labels := left.get("labels"):
            left["labels"] = {key: value for key, value in labels.items() if key not in doors}
        services[name] = left
    plain, target = {**form, "services": services}, Release("", form).target
    for part, things in (("volumes", target.volumes), ("networks", target.networks)):
        for name in (each.name for each in things if opened(each)):
            body = {key: value for key, value in plain[part][name].items() if key != "driver_opts"}
            plain[part] = {**plain[part], name: body}
    return plain


def waiting(form: Mapping[str, Any], api: Any, root: Path) -> dict[str, Any]:
    """A normal form with stand-ins, which only wait, for images that are neither here nor built from a folder."""
    services = dict(form["services"])
    for name, body in services.items():
        image, build = str(body.get("image", "")), body.get("build") or {}
        folder = root / build.get("context", ".")
        there = (
            (folder / build.get("dockerfile", "Dockerfile")).is_file() if build else image == BASE or has(api, image)
        )
        if not there:
            gone = ("build", "command", "entrypoint", "healthcheck")
            services[name] = {key: value for key, value in body.items() if key not in gone}
            services[name] |= {"image": image or f"{name}:stand-in"}
    return {**form, "services": services}


def restarter() -> Callable[[bool], None] | None:
    """How the engine may be restarted, if the user has named a command for that."""
    command = os.environ.get("KIT_ENGINE_RESTART")

    def again(_cut: bool) -> None:
        subprocess.run(command or "", shell=True, check=True)  # noqa: S602 (a command that the user names)

    return again if command else None


def refusal(reading: Reading) -> str:
    """Why a device refuses the release, whatever it is: the first such finding."""
    found = (each for each in check(reading) if each.severity is Severity.REFUSED)
    return next((f"{each.message} ({each.rule})" for each in found), "")


def ruled(why: Why) -> str:
    """A reason with its rules, if it has any."""
    return f"{why.sentence} ({', '.join(why.rules)})" if why.rules else why.sentence


class Moment(NamedTuple):
    """What was seen: when, in seconds since the lab began; what happened, and to whom; the device afterwards, and the
    release that was offered last."""

    at: float
    said: str
    service: str
    ended: bool
    state: State
    offered: str = ""


class Desk:
    """One or two releases and an engine. `changed` is called after something happened by itself, from another thread.

    `offer` is the release after the first; `devices` are those that the engine can stand for, by name, and `host_os`
    the balenaOS to which they can be updated. Without a device every release is accepted.
    """

    def __init__(
        self, reading: Reading, root: Path, engine: str = SIMULATED, *, offer: Reading | None = None,
        devices: Mapping[str, Device] | None = None, host_os: str = "",
    ) -> None:  # fmt: skip
        self.readings, self.root, self.wish = [reading, *([offer] if offer else [])], root, engine
        self.refusals = [refusal(each) for each in self.readings]
        self.devices, self.host_os = dict(devices or {}), host_os
        self.device, self.closed = next(iter(self.devices), ""), False
        self.changed: Callable[[], None] = lambda: None
        self.hears: Callable[[Progress], None] = lambda _progress: None
        self.refusal, self.plan = "", ""
        self._stream: Any = None
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self.engine: Simulated | None = None
        self._leaving = False
        self.moments: list[Moment] = []
        self.at, self.facts = 0, self.devices[self.device].facts if self.device else None
        self.updated = False
        self._began, self._paced, self._heard = 0.0, 0.0, 0

    @property
    def composition(self) -> Composition:
        """The composition that was offered last."""
        composition = self.readings[self.at].composition
        assert composition is not None
        return composition

    @property
    def names(self) -> list[str]:
        """The services of all releases."""
        found = (each.composition.services for each in self.readings if each.composition)
        return list(dict.fromkeys(service.name for services in found for service in services))

    @property
    def volumes(self) -> list[str]:
        """The volumes of all releases."""
        found = (each.composition.volumes for each in self.readings if each.composition)
        return list(dict.fromkeys(volume.name for volumes in found for volume in volumes))

    @property
    def opens(self) -> bool:
        """Whether something of the releases opens the machine."""
        return any(closed(each.normal or {}) != each.normal for each in self.readings)

    @property
    def up(self) -> bool:
        """Whether the release is on the engine."""
        return self.engine is not None

    def forms(self, without: bool) -> list[dict[str, Any]]:
        """The releases as they are to be brought up, *without* what opens the machine."""
        return [closed(each.normal or {}) if without else dict(each.normal or {}) for each in self.readings]

    def made(self, without: bool) -> list[Release]:
        """The releases for the simulated engine: what is built as before keeps its image."""
        found: list[Release] = []
        for number, (form, reading) in enumerate(zip(self.forms(without), self.readings, strict=True), start=1):
            last = found[-1] if found else None
            found.append(Release(f"r{number}", form, contracts=reading.contracts, after=last))
        return found

    def foreseen(self, releases: Sequence[Release], device: str) -> list[str]:
        """For each release in turn: what the device says of it, and the rounds that follow."""
        found, state = list[str](), State()
        for release, refused in zip(releases, self.refusals, strict=True):
            if refused:
                found.append(f"The device refuses the release: {refused}.")
                continue
            decided, said = decided_offer((release,), self.devices[device].facts if device else None)
            rounds = plan(state, decided) if decided is not None else "Nothing is done: the whole offer is refused."
            state = rounds.end if isinstance(rounds, Plan) else state
            found.append("\n".join([*(f"The device says: {each.rstrip('.')}." for each in said), str(rounds)]))
        return found

    # ------------------------------------------------------------------------------------ up and down

    def ask(self) -> None:
        """Show the plan; on Docker nothing is done before the second press."""
        self.refusal, self.plan = "", ""
        if self.wish == SIMULATED:
            self.bring_up()
            return
        try:
            client = connect()
        except NoEngine as error:
            self.refusal = f"{str(error).capitalize()}: {error.help}. The simulated engine serves instead."
            self.wish = SIMULATED
            return
        self.app = next(_APPS)
        docker = Docker(client, app=self.app, root=self.root, tell=self._tell, stand_in=True, restart=restarter())
        forms = [waiting(form, docker.api, self.root) for form in self.forms(self.closed)]
        readings = [replace(each, normal=form) for each, form in zip(self.readings, forms, strict=True)]
        observed, moved = docker.observe(), dict[str, str]()
        for each in readings:
            moved |= taken_ports(release_of(each, self.root, self.app).target, observed)
        releases = [release_of(each, self.root, self.app, moved) for each in readings]
        self._docker = (
            docker,
            [replace(each, contracts=of.contracts) for each, of in zip(releases, readings, strict=True)],
        )
        self.plan, self.refusal = self._surveyed(*self._docker, moved)
        if self.refusal:
            client.close()

    def _surveyed(self, docker: Docker, releases: list[Release], moved: Mapping[str, str]) -> tuple[str, str]:
        """What bringing the releases up on Docker would do, and what stands against it."""
        surveys = [survey(docker, each) for each in releases]
        (head, *_, limits), said = surveys[0][0], list[str]()
        for release, rounds in zip(releases, self.foreseen(releases, self.device), strict=True):
            said += ["", f"Then, when {release.commit} is offered:", rounds] if said else [head, "", rounds]
        ports = [f"Port {old} is taken on this machine, so it is published at {new}." for old, new in moved.items()]
        refused = list(dict.fromkeys(each for _, stops in surveys for each in stops))
        if refused and self.opens:
            refused.append("Tick “leave out what opens this machine” to go without.")
        return "\n".join([*said, "", limits, *ports]), " ".join(refused)

    def _tell(self, at: Progress) -> None:
        self.hears(at)

    def bring_up(self) -> None:
        """Go: bring the first release up."""
        self._clear()
        if self.wish == SIMULATED:
            self.app, self._releases = 1, self.made(self.closed)
            self._offer(Simulated())
            return
        docker, self._releases = self._docker
        atexit.register(self.take_down)  # when the kernel ends
        self._stream = events(docker.client, self.app)
        self._ear = threading.Thread(target=self._listen, args=(self._stream,), daemon=True)
        self._ear.start()
        self._offer(docker)

    def offer(self) -> None:
        """Offer the other release."""
        assert self.engine is not None
        self.at = 1 - self.at
        self._offer(self.engine)

    def _offer(self, engine: Simulated) -> None:
        self.engine, self.plan = engine, ""
        release = self._releases[self.at]
        self.note(f"{release.commit} is offered")
        if self.refusals[self.at]:
            self.note(f"the device refuses the release: {self.refusals[self.at]}")
            return
        decided, said = decided_offer((release,), self.facts)
        for each in said:
            self.note(f"the device says: {each.rstrip('.')}")
        if decided is not None:
            engine.happen(on.OfferArrives(releases=decided))
        self._settle()

    def _settle(self) -> None:
        assert self.engine is not None
        self._report()
        left = False
        for number, (_, round) in enumerate(settle(self.engine, self.engine.target), start=1):
            left = bool(round)
            self.hears(Progress(f"round {number}", number, number + 1, ", ".join(round.trace)))
            self._paced += bool(round.trace)  # a round takes a second where no time passes
            if round.trace and not round.troubles:
                self.note(did(round))
            for why in dict.fromkeys(trouble.why for trouble in round.troubles):
                self.note(ruled(why))
        if left and self.moments[-1].said not in (
            stuck := [ruled(why) for why in plan(self.engine.observe(), self.engine.target).blocked]
        ):
            self.note(stuck[0])

    def _report(self) -> None:
        """What the supervisor says of an offer."""
        assert self.engine is not None
        for said in self.engine.log[self._heard :]:
            self.note(f"the device says: {said.rstrip('.')}")
        self._heard = len(self.engine.log)

    def update_host(self) -> None:
        """Another balenaOS on the device, and a reboot: with the first poll it decides anew (S-135)."""
        assert self.engine is not None
        after = Device.preset(self.devices[self.device].device_type or "", self.host_os)
        if self._happened(on.HostUpdated(os=f"balenaOS {self.host_os}")):
            self.facts, self.updated = after.facts, True
            self._offer(self.engine)

    def take_down(self) -> None:
        """Take everything away that this lab made."""
        with self._lock:  # nobody looks at the engine just now, and nobody will
            engine, self._leaving = self.engine, True
        try:
            if isinstance(engine, Docker):
                atexit.unregister(self.take_down)
                self._stream.close()
                self._ear.join(5)
                remove_all(engine.client, self.app)
                engine.client.close()
        finally:
            self._clear()

    # ---------------------------------------------------------------------------------- act and look

    def act(self, deed: str, service: str, code: int = 1, volume: str = "") -> None:
        """Let something happen, and let the supervisor answer."""
        assert self.engine is not None
        if deed == "volume":
            event: on.AnyEvent = on.Writes(service=service, app=self.app, volume=volume, text="written")
        else:
            event = DEEDS[deed][1](service, self.app, code)
        if not self._happened(event, service):
            return
        self._settle()
        if not isinstance(self.engine, Docker):  # its time passes only when it is told to
            self.engine.happen(on.TimePasses(ms=2_000))
            self.note("")

    def _happened(self, event: on.AnyEvent, service: str = "") -> bool:
        """Let it happen; if this engine cannot show it, say why."""
        assert self.engine is not None
        try:
            self.engine.happen(event)
        except EngineError as error:
            self.note(str(error))
            return False
        refused = len(self.engine.log) > self._heard  # a lock keeps the API off (S-110)
        ended = isinstance(event, on.ProcessExits | on.ApiStop) and not isinstance(self.engine, Docker)
        self.note(str(event), service if isinstance(event, on.OnService) else "", ended and not refused)
        if isinstance(event, on.OnService):
            self._report()
        return True

    def note(self, said: str, service: str = "", ended: bool = False) -> None:
        """Look at the device, and keep what is seen."""
        with self._lock:
            if self.engine is None or self._leaving:
                return
            docker = isinstance(self.engine, Docker)
            state = self.engine.observe(data=True) if isinstance(self.engine, Docker) else self.engine.observe()
            clock = time() if docker else state.clock_ms / 1000 + self._paced
            self._began = self._began or clock
            offered = self._releases[self.at].commit
            self.moments.append(Moment(clock - self._began, said, service, ended, state, offered))

    def _listen(self, stream: Any) -> None:
        """What the engine tells of itself, until the lab is taken down."""
        for sight in sights(stream):
            with suppress(Exception):  # the engine may be gone meanwhile
                self.saw(sight)
                self.changed()

    def saw(self, sight: Sight) -> None:
        """Keep something that the engine did by itself."""
        if sight.what in ("die", "start", "destroy"):
            code = "" if sight.code is None else f" with {sight.code}"
            word = {"die": "ended", "start": "was started", "destroy": "was deleted"}[sight.what]
            self.note(
                f"Docker says: the container of `{sight.service}` {word}{code}", sight.service, sight.what == "die"
            )


# ------------------------------------------------------------------------------------------ what is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the controls say, and how far the desk is."""

    desk: Desk
    engine: str = SIMULATED
    device: str = ""
    closed: bool = False
    service: str = ""
    code: int = 1
    volume: str = ""
    presses: int = 0


def timeline(moments: list[Moment], names: list[str], *, width: float = WIDE) -> str:
    """When each service ran: a bar for each run of a container, a cross for each end of a process."""
    end = max(moments[-1].at, 1.0)
    scale = (width - _LEFT - 12) / end
    bottom = _TOP + _ROW * len(names)
    parts, newest = [], moments[-1].offered
    for part in range(5):
        x = _LEFT + scale * end * part / 4
        parts += [path(f"M{x:g} {_TOP - 6}L{x:g} {bottom}", "rule", 1)]
        parts += [
            text(x, 14, f"{end * part / 4:.{int(end < 10)}f} s", 12, ink="ink3", anchor="end" if part == 4 else "")
        ]
    for place, name in enumerate(names):
        y = _TOP + _ROW * place
        parts.append(text(0, y + 15, name, bold=True, mono=True, room=_LEFT - 10))
        for start, stop, commit in _runs(moments, name, renamed=True):
            colour, x, wide = "run" if commit == newest else "old", _LEFT + scale * start, scale * (stop - start)
            parts.append(rect(x, y + 2, max(wide, 2), 16, 1.5, colour, 1, fill=f"{colour}t"))
            parts.append(text(x + 6, y + 14, commit, 12, bold=True, ink=colour, room=wide - 8) if wide > 30 else "")
        for each in moments:
            if each.ended and each.service == name:
                x = _LEFT + scale * each.at
                parts.append(
                    path(
                        f"M{x - 4:g} {y + 20:g}L{x + 4:g} {y + 28:g}M{x + 4:g} {y + 20:g}L{x - 4:g} {y + 28:g}", "no", 2
                    )
                )
    return sheet("When each service ran", told(moments, names), width, bottom + 2, "".join(parts))


def _runs(moments: list[Moment], name: str, *, renamed: bool = False) -> Iterator[tuple[float, float, str]]:
    """From when to when a container of the service was up, and of which release it was.

    Another container or an end is another run, and with *renamed* another release as well.
    """
    begun, was, last = 0.0, (0, ""), 0.0
    for each in moments:
        one = next((found for found in each.state.containers if found.service == name and found.up), None)
        now = (one.id, one.commit) if one else (0, "")
        other = now if renamed else (now[0], was[1])
        if was[0] and (other != was or (each.ended and each.service == name)):
            another = now[0] != was[0] or each.ended
            yield begun, each.at - (0.05 if another and each.at - begun > 0.1 else 0), was[1]
            was = 0, ""
        if now[0] and not was[0]:
            begun, was = each.at, now
        last = each.at
    if was[0]:
        yield begun, last, was[1]


def told(moments: list[Moment], names: list[str]) -> str:
    """The timeline in words."""
    runs = {name: len([*_runs(moments, name)]) for name in names}
    return " ".join(f"{name}: {number} run{'s' * (number != 1)}." for name, number in runs.items())


def stands(state: State, name: str, dropped: Collection[str] = ()) -> str:
    """How a service stands, in words."""
    one = next((each for each in state.containers if each.service == name), None)
    held = ", and holds the update lock" if any(name == holder for _, holder in state.lock_files) else ""
    return f"{standing(one)}{held}" if one else "is left out" if name in dropped else "has no container"


def table(state: State, names: list[str], dropped: Collection[str] = ()) -> str:
    """How each service stands, and what is in its layer and volumes."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        one = next((each for each in state.containers if each.service == name), None)
        up = one is not None and one.up
        words = stands(state, name, dropped)
        layer = ", ".join(sorted(one.data)) if one else ""
        held = (each for each in state.volumes if one and each.name in one.wanted.volumes)
        volumes = ", ".join(f"{each.name}: {', '.join(sorted(each.data)) or 'empty'}" for each in held)
        mark = looks.state("run" if up else "out", words)
        rows.append(
            (
                f"<code>{escaped(name)}</code>",
                mark,
                escaped(one.wanted.policy if one else ""),
                escaped(layer or "empty"),
                escaped(volumes or "none"),
            )
        )
    return looks.table(("Service", "Now", "Restart", "Own layer", "Volumes"), rows)


def log(moments: list[Moment]) -> str:
    """What happened, the latest first."""
    rows: list[tuple[str, ...]] = [(f"{each.at:.1f} s", prose(each.said)) for each in reversed(moments) if each.said]
    return looks.table(("When", "What happened"), rows[:12])


def graph(composition: Composition, state: State, dropped: Collection[str] = ()) -> str:
    """The release as it stands on the engine."""
    drawn = of_composition(composition)
    up = {each.service: each for each in state.containers}

    def node(each: Any) -> Any:
        one = up.get(each.name)
        words = stands(state, each.name, dropped)
        return replace(each, state="run" if one and one.up else "out", second=words, icon="")

    return to_svg(replace(drawn, nodes=tuple(map(node, drawn.nodes)), shelf=False))


def view(inputs: Inputs) -> View:
    """Everything that the lab shows now."""
    desk = inputs.desk
    names, volumes = desk.names, desk.volumes
    hidden: set[Any] = set() if volumes else {"volume", "volume write"}
    hidden |= (set() if len(desk.readings) > 1 else {"offer", "updates", "locks"}) | (
        set() if desk.devices else {"device"}
    )
    hidden |= (set() if desk.host_os else {"host"}) | (set() if desk.opens else {"closed"})
    options: dict[Any, Any] = {
        "service": names,
        "volume": volumes or ["(no volume)"],
        "device": [*desk.devices] or [""],
    }
    words: dict[Any, str] = {"offer": f"Offer release {2 - desk.at}", "host": f"Update the host OS to {desk.host_os}"}
    return _before(inputs, hidden, options, words) if not desk.up else _now(inputs, hidden, options, words)


def _before(inputs: Inputs, hidden: set[Any], options: dict[Any, Any], words: dict[Any, str]) -> View:
    """Before anything is up: what would be done."""
    desk = inputs.desk
    asked = (desk.wish, desk.device, desk.closed) == (inputs.engine, inputs.device, inputs.closed)
    real = bool(desk.plan) and asked
    rounds = desk.foreseen(desk.made(inputs.closed), inputs.device)
    heads = [f"Release {number}\n" * (len(rounds) > 1) for number in range(1, len(rounds) + 1)]
    shown = desk.plan if real else "\n\n".join(map("".join, zip(heads, rounds, strict=True)))
    go = "Press go, and it is done; nothing else on the engine is touched."
    ready = "Bring it up" if inputs.engine == SIMULATED else "Show the plan"
    return View(
        answer="This is what would be done." if real and not desk.refusal else "Nothing is up yet.",
        situation=(desk.refusal if asked else "") or (go if real else f"Chosen: {inputs.engine}."),
        panels={"now": f'<pre class="mc-plan">{escaped(shown)}</pre>'},
        off={*DEEDS, "volume write", "down", "service", "code", "volume", "offer", "host"},
        hidden=hidden,
        words={**words, "up": "Go" if real and not desk.refusal else ready},
        options=options,
    )


def _now(inputs: Inputs, hidden: set[Any], options: dict[Any, Any], words: dict[Any, str]) -> View:
    """What is up, and what has happened."""
    desk, state = inputs.desk, inputs.desk.moments[-1].state
    running = sum(each.up for each in state.containers)
    where = DOCKER if isinstance(desk.engine, Docker) else SIMULATED
    target = desk.engine.target.apps if desk.engine else ()
    dropped = [name for each in target for name in each.dropped]
    last = next((each.said for each in reversed(desk.moments) if each.said), "")
    decision = decide(desk.composition, desk.facts).answer if desk.facts else ""
    ordered = any(each.depends_on for each in desk.composition.services)  # else the table says as much
    pictures = looks.picture(graph(desk.composition, state, dropped), name="The release now") if ordered else ""
    pictures += looks.picture(timeline(desk.moments, desk.names), name="When each service ran")
    return View(
        answer=f"{running} of {len(desk.composition.services)} services run on {where}.",
        situation=" ".join(filter(None, (decision and f"Release {desk.at + 1}: {decision}", f"Last: {last}."))),
        panels={"now": table(state, desk.names, dropped), "pictures": pictures, "log": log(desk.moments)},
        off={"up", "engine", "device", "closed"} | ({"host"} if desk.updated else set()),
        hidden=hidden,
        words=words,
        options=options,
    )
