"""The same events on the simulated device and on a real engine, side by side: a difference is a finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kit.device.state import State
from kit.diagnostics import Diagnostic, Severity, Span
from kit.engines import base as on
from kit.engines.docker import Docker
from kit.engines.script import Script, follow
from kit.engines.simulated import Simulated
from kit.planner import Release

from .bench import standing

Told = tuple[str, ...]


class Row(NamedTuple):
    """An event, and what is on both devices once the supervisor has answered it."""

    event: str
    span: Span
    simulated: Told
    docker: Told

    @property
    def only(self) -> tuple[Told, Told]:
        """What only the one has, and only the other."""
        one, two = {*self.simulated}, {*self.docker}
        return tuple(sorted(one - two)), tuple(sorted(two - one))

    @property
    def finding(self) -> Diagnostic | None:
        """What the two disagree about, or None."""
        told = (f"{name}: {', '.join(only) or 'nothing of this'}" for name, only in zip(NAMES, self.only, strict=True))
        said = f"{self.event}: the engines differ. {'. '.join(told)}"
        found = Diagnostic(code="engines-differ", severity=Severity.WARNING, message=said, span=self.span, rule="S-128")
        return found if any(self.only) else None

    def __str__(self) -> str:
        """Both columns; what only one of them has is marked."""
        lines = [f"{self.event}"]
        for each in sorted({*self.simulated, *self.docker}):
            marks = ["yes" if each in side else "no" for side in (self.simulated, self.docker)]
            lines.append(f"  {marks[0]:<10} {marks[1]:<7} {'' if marks[0] == marks[1] else '! '}{each}")
        return "\n".join([lines[0], f"  {NAMES[0]:<10} {NAMES[1]:<7}", *lines[1:]])


NAMES: Final = ("simulated", "Docker")


def told(state: State, before: State) -> Told:
    """A device in words that do not depend on its engine: what runs, what is kept, what is recorded."""
    old, lines = {each.id for each in before.containers}, list[str]()
    for each in state.containers:
        layer = f", its layer holds {', '.join(sorted(each.data))}" if each.data else ""
        lines.append(f"{each} {standing(each)}{'' if each.id in old else ', a new container'}{layer}")
    lines += [f"volume {each} holds {', '.join(sorted(each.data)) or 'nothing'}" for each in state.volumes]
    lines += [f"image {name} is here" for name in state.image_names]
    lines += [f"release {commit} of app {app} is recorded" for app, commit in state.commits]
    lines += [f"{service} holds an update lock" for _app, service in state.lock_files]
    lines += [f"{service} has its hand-over file" for _, service, at in state.handover_files if at <= state.clock_ms]
    return tuple(sorted(lines))


def play(engine: Simulated, first: Release, script: Script) -> Iterator[Told]:
    """A device after its first release, then after each event; what an engine cannot show ends it with a sentence."""
    engine.happen(on.OfferArrives(releases=(first,)))
    before = State()
    try:
        for _event, _rounds in follow(engine, script):
            now = engine.observe(data=True) if isinstance(engine, Docker) else engine.observe()
            yield told(now, before)
            before = now
    except on.EngineError as error:
        yield (str(error),)


def compare(first: Release, script: Script, docker: Docker, simulated: Simulated | None = None) -> Iterator[Row]:
    """Play a script on both devices, and tell after each event what is on them."""
    names = [f"{first.commit} is offered", *(str(each.event) for each in script)]
    spans = [Span(first.commit, 1, 1), *(each.span for each in script)]
    sides = play(simulated or Simulated(), first, script), play(docker, first, script)
    for name, span, one, two in zip(names, spans, *sides, strict=False):
        yield Row(name, span, one, two)
