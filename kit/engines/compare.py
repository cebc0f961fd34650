"""The same events on the simulated device and on a real engine, side by side: a difference is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from ..device.state import State
from ..diagnostics import Diagnostic, Severity, Span
from ..planner import Release, next_steps
from . import base as on
from .base import EngineError, settle
from .docker import Docker
from .script import Script
from .simulated import Simulated

WORDS: Final = {"Running": "runs", "Installed": "created, never started", "Stopping": "is being stopped"}


class Row(NamedTuple):
    """What is on both devices once the supervisor has settled after an event."""

    event: str
    span: Span
    simulated: tuple[str, ...]
    docker: tuple[str, ...]

    @property
    def finding(self) -> Diagnostic | None:
        """What the two disagree about, if they do."""
        told = [f"{name}: {', '.join(one) or 'nothing'}" for name, one in self.only.items()]
        if not any(self.only.values()):
            return None
        message = f"after `{self.event}` the engines differ ({'; '.join(told)})"
        return Diagnostic(code="engines-differ", severity=Severity.WARNING, message=message, span=self.span, rule="S-128")

    @property
    def only(self) -> Mapping[str, list[str]]:
        """What only one of the two has."""
        one, two = self.simulated, self.docker
        return {"simulated": [each for each in one if each not in two], "Docker": [each for each in two if each not in one]}


def told(state: State, before: State) -> tuple[str, ...]:
    """A device in words that do not depend on its engine: what runs, what is kept, what is recorded."""
    old = {each.id for each in before.containers}
    lines = []
    for each in state.containers:
        ended = f"has ended with {each.exit_code}" if each.status == "exited" else WORDS.get(each.status, each.status)
        layer = f", its layer holds {', '.join(sorted(each.data))}" if each.data else ""
        lines.append(f"{each} {ended}{'' if each.id in old else ', a new container'}{layer}")
    lines += [f"volume {each} holds {', '.join(sorted(each.data)) or 'nothing'}" for each in state.volumes]
    lines += [f"image {name}" for name in state.image_names]
    lines += [f"release {commit} is recorded" for _app, commit in state.commits]
    lines += [f"{service} holds an update lock" for _app, service in state.lock_files]
    return tuple(sorted(lines))


def _look(engine: Simulated) -> State:
    return engine.observe(data=True) if isinstance(engine, Docker) else engine.observe()


def play(engine: Simulated, first: Release, script: Script) -> Iterator[tuple[str, ...]]:
    """The device after a release was brought up, then after each event; the supervisor settles in between."""
    engine.happen(on.OfferArrives(releases=(first,)))
    before = State()
    for event, rounds, _span in script:
        for _ in islice(settle(engine, engine.target), rounds):
            pass
        if rounds is None:
            now = _look(engine)
            yield told(now, before)
            before = now
        elif isinstance(event, on.PowerCut):
            event = replace(event, during=next_steps(engine.observe(), engine.target).steps)
        try:
            engine.happen(event)
        except EngineError as error:
            yield (str(error),)
            return
    for _ in settle(engine, engine.target):
        pass
    yield told(_look(engine), before)


def compare(first: Release, script: Script, docker: Docker, simulated: Simulated) -> Iterator[Row]:
    """Play a script on both, and tell what each event leads to."""
    names = [(f"{first.commit} is offered", Span(first.commit, 1, 1))]
    names += [(str(each.event), each.span) for each in script if each.after_rounds is None or True]
    raise NotImplementedError(names, docker, simulated)
