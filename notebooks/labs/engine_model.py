"""What the engine lab thinks: a release on an engine, simulated or real, what happens to it, and how that looks.

`Desk` is the engine's side of the lab: it brings up, acts, looks, and takes away. What is shown is a pure function of
what it has seen: moments, each with a time, a sentence and the state of the device.

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
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import time
from typing import Any, Final, NamedTuple

from kit import looks
from kit.composition import Composition
from kit.device.state import State
from kit.engines import base as on
from kit.engines.base import EngineError, settle
from kit.engines.docker import (
    Docker,
    NoEngine,
    Sight,
    connect,
    events,
    remove_all,
    sights,
    standing,
    survey,
    taken_ports,
)
from kit.engines.images import Progress, release_of
from kit.engines.simulated import Simulated
from kit.graphs import of_composition, to_svg
from kit.graphs.svg import path, rect, sheet, text
from kit.looks import escaped, prose
from kit.planner import Release, plan
from kit.reader import Reading

from .frame import View

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
}


class Moment(NamedTuple):
    """What was seen: when, in seconds since the lab began; what happened, and to whom; and the device afterwards."""

    at: float
    said: str
    service: str
    ended: bool
    state: State


class Desk:
    """A release and an engine. `changed` is called after something happened by itself, from another thread."""

    def __init__(self, reading: Reading, root: Path, engine: str = SIMULATED) -> None:
        self.reading, self.root, self.wish = reading, root, engine
        self.changed: Callable[[], None] = lambda: None
        self.hears: Callable[[Progress], None] = lambda _progress: None
        self.refusal, self.plan = "", ""
        self._stream: Any = None
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self.engine: Simulated | None = None
        self.moments: list[Moment] = []
        self._began = 0.0

    @property
    def composition(self) -> Composition:
        assert self.reading.composition is not None
        return self.reading.composition

    @property
    def up(self) -> bool:
        """Whether the release is on the engine."""
        return self.engine is not None

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
        docker = Docker(client, app=self.app, root=self.root, tell=self._tell, stand_in=True)
        first = release_of(self.reading, self.root, self.app)
        moved = taken_ports(first.target, docker.observe())
        self._docker = docker, release_of(self.reading, self.root, self.app, moved)
        said, refused = survey(*self._docker)
        said += [
            f"Port {port} is taken on this machine, so it is published at {other}." for port, other in moved.items()
        ]
        self.plan, self.refusal = "\n".join(said), " ".join(refused)
        if refused:
            client.close()

    def _tell(self, at: Progress) -> None:
        self.hears(at)

    def bring_up(self) -> None:
        """Go: bring the release up."""
        self._clear()
        if self.wish == SIMULATED:
            self.app, engine = 1, Simulated()
            self._bring(engine, Release("r1", self.reading.normal or {}))
            return
        docker, release = self._docker
        atexit.register(self.take_down)  # when the kernel ends
        self._stream = events(docker.client, self.app)
        self._ear = threading.Thread(target=self._listen, args=(self._stream,), daemon=True)
        self._ear.start()
        self._bring(docker, release)

    def _bring(self, engine: Simulated, release: Release) -> None:
        self.engine, self.plan = engine, ""
        self.note(f"{release.commit} is offered")
        engine.happen(on.OfferArrives(releases=(release,)))
        self._settle()

    def _settle(self) -> None:
        assert self.engine is not None
        for number, (_, round) in enumerate(settle(self.engine, self.engine.target), start=1):
            self.hears(Progress(f"round {number}", number, number + 1, ", ".join(round.trace)))
            if round.trace:
                self.note(", ".join(round.trace))
            for trouble in round.troubles:
                self.note(trouble.why.sentence)

    def take_down(self) -> None:
        """Take everything away that this lab made."""
        with self._lock:  # nobody looks at the engine just now, and nobody will
            engine = self.engine
            self._clear()
        if isinstance(engine, Docker):
            atexit.unregister(self.take_down)
            self._stream.close()
            self._ear.join(5)
            remove_all(engine.client, self.app)
            engine.client.close()

    # ---------------------------------------------------------------------------------- act and look

    def act(self, deed: str, service: str, code: int = 1, volume: str = "") -> None:
        """Let something happen, and let the supervisor answer."""
        assert self.engine is not None
        if deed == "volume":
            event: on.AnyEvent = on.Writes(service=service, app=self.app, volume=volume, text="written")
        else:
            event = DEEDS[deed][1](service, self.app, code)
        try:
            self.engine.happen(event)
        except EngineError as error:
            self.note(str(error))
            return
        ended = isinstance(event, on.ProcessExits | on.ApiStop) and not isinstance(self.engine, Docker)
        self.note(str(event), service if isinstance(event, on.OnService) else "", ended)
        self._settle()
        if not isinstance(self.engine, Docker):  # its time passes only when it is told to
            self.engine.happen(on.TimePasses(ms=2_000))
            self.note("")

    def note(self, said: str, service: str = "", ended: bool = False) -> None:
        """Look at the device, and keep what is seen."""
        with self._lock:
            if self.engine is None:
                return
            docker = isinstance(self.engine, Docker)
            state = self.engine.observe(data=True) if isinstance(self.engine, Docker) else self.engine.observe()
            clock = time() if docker else state.clock_ms / 1000
            self._began = self._began or clock
            self.moments.append(Moment(clock - self._began, said, service, ended, state))

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
    service: str = ""
    code: int = 1
    volume: str = ""
    presses: int = 0


def timeline(moments: list[Moment], names: list[str], *, width: float = WIDE) -> str:
    """When each service ran: a bar for each run of a container, a cross for each end of a process."""
    end = max(moments[-1].at, 1.0)
    scale = (width - _LEFT - 12) / end
    bottom = _TOP + _ROW * len(names)
    parts = []
    for part in range(5):
        x = _LEFT + scale * end * part / 4
        parts += [path(f"M{x:g} {_TOP - 6}L{x:g} {bottom}", "rule", 1)]
        parts += [text(x, 14, f"{end * part / 4:.0f} s", 12, ink="ink3", anchor="end" if part == 4 else "")]
    for place, name in enumerate(names):
        y = _TOP + _ROW * place
        parts.append(text(0, y + 15, name, bold=True, mono=True, room=_LEFT - 10))
        for start, stop in _runs(moments, name):
            parts.append(rect(_LEFT + scale * start, y + 2, max(scale * (stop - start), 2), 16, 1.5, "", fill="run"))
        for each in moments:
            if each.ended and each.service == name:
                x = _LEFT + scale * each.at
                parts.append(
                    path(
                        f"M{x - 4:g} {y + 20:g}L{x + 4:g} {y + 28:g}M{x + 4:g} {y + 20:g}L{x - 4:g} {y + 28:g}", "no", 2
                    )
                )
    return sheet("When each service ran", told(moments, names), width, bottom + 2, "".join(parts))


def _runs(moments: list[Moment], name: str) -> Iterator[tuple[float, float]]:
    """From when to when a container of the service was up; another container, or an end, is another run."""
    begun, was, last = 0.0, 0, 0.0
    for each in moments:
        one = next((found for found in each.state.containers if found.service == name and found.up), None)
        now = one.id if one else 0
        if was and (now != was or (each.ended and each.service == name)):
            yield begun, each.at - (0.05 if each.at - begun > 0.1 else 0)
            was = 0
        if now and not was:
            begun, was = each.at, now
        last = each.at
    if was:
        yield begun, last


def told(moments: list[Moment], names: list[str]) -> str:
    """The timeline in words."""
    runs = {name: len([*_runs(moments, name)]) for name in names}
    return " ".join(f"{name}: {number} run{'s' * (number != 1)}." for name, number in runs.items())


def table(state: State, names: list[str]) -> str:
    """How each service stands, and what is in its layer and volumes."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        one = next((each for each in state.containers if each.service == name), None)
        up = one is not None and one.up
        words = standing(one) if one else "has no container"
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


def graph(composition: Composition, state: State) -> str:
    """The release as it stands on the engine."""
    drawn = of_composition(composition)
    up = {each.service: each for each in state.containers}

    def node(each: Any) -> Any:
        one = up.get(each.name)
        second = standing(one) if one else "has no container"
        return replace(each, state="run" if one and one.up else "out", second=second, icon="")

    return to_svg(replace(drawn, nodes=tuple(map(node, drawn.nodes)), shelf=False))


def view(inputs: Inputs) -> View:
    """Everything that the lab shows now."""
    desk = inputs.desk
    names = [each.name for each in desk.composition.services]
    volumes = [each.name for each in desk.composition.volumes]
    acts = {*DEEDS, "volume write"}
    hidden: set[Any] = set() if volumes else {"volume", "volume write"}
    options: dict[Any, Any] = {"service": names, "volume": volumes or ["(no volume)"]}
    if not desk.up:
        shown = desk.plan or str(plan(State(), Release("r1", desk.reading.normal or {})))
        real = bool(desk.plan)
        return View(
            answer="This is what would be done." if real and not desk.refusal else "Nothing is up yet.",
            situation=desk.refusal
            or (
                "Press go, and it is done; nothing else on the engine is touched."
                if real
                else f"Chosen: {inputs.engine}."
            ),
            panels={"now": f'<pre class="mc-plan">{escaped(shown)}</pre>'},
            off=acts | {"down", "service", "code", "volume"},
            hidden=hidden,
            words={
                "up": "Go"
                if real and not desk.refusal
                else "Bring it up"
                if inputs.engine == SIMULATED
                else "Show the plan"
            },
            options=options,
        )
    state = desk.moments[-1].state
    running = sum(each.up for each in state.containers)
    where = DOCKER if isinstance(desk.engine, Docker) else SIMULATED
    last = next((each.said for each in reversed(desk.moments) if each.said), "")
    pictures = looks.picture(graph(desk.composition, state), name="The release now")
    pictures += looks.picture(timeline(desk.moments, names), name="When each service ran")
    return View(
        answer=f"{running} of {len(names)} services run on {where}.",
        situation=f"Last: {last}.",
        panels={"now": table(state, names), "pictures": pictures, "log": log(desk.moments)},
        off={"up", "engine"},
        hidden=hidden,
        options=options,
    )
