"""The commands about updates: `kit plan`, `kit diff` and `kit simulate`.

`read_state` reads a file that says how a device differs from one on which a release simply runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import click

from ..contracts import Facts
from ..device.state import Container, Image, State, Trouble, Volume, Why
from ..device.steps import Noop, Step
from ..diagnostics import Diagnostic, beside
from ..engines.base import OfferArrives, decided_offer
from ..engines.script import described, follow, read_events
from ..engines.simulated import Simulated
from ..planner import Plan, Release, Round, installed, what_changed
from ..planner import plan as planned
from .terminal import MISUSE, NO, answer, aside, device_of, errors_of, for_programs, misuse, text_of, with_contracts

TABLES: Final[dict[str, Any]] = beside(__file__, "state.json")


def read_state(text: str, name: str, state: State) -> tuple[State, Sequence[Diagnostic]]:
    """A state of app 1 as a file changes it, and what is wrong with the file; with a finding nothing is changed.

    Every key may be missing. `containers` holds for a service its status (`gone`: it has none), or a mapping of
    `status`, `exit_code`, `stopped`, `commit`, `data`; `volumes` what is in each; `lock_files` the services that hold
    one; `os` is what the supervisor injects now. The rest is as in `State`.

    >>> read_state("containers: {wbe: exited}", "s.yml", installed(Release("r1", {"services": {"web": {}}})))[1][0].help
    'did you mean `web`?'
    """
    names = tuple(dict.fromkeys(each.service for each in state.containers))
    keys = TABLES["keys"] | {"containers": {"keys": dict.fromkeys(names, TABLES["container"])}}
    keys |= {key: {"items": {"kinds": "str", "words": names}} for key in ("lock_files", "broken", "deaf")}
    root, findings = described(text, name, {"keys": keys}, "S-7.1")
    if root is None:
        return state, findings
    said: Any = {key: frozenset(each) if isinstance(each, list) else each for key, each in root.plain().items()}
    containers = []
    for each in state.containers:
        has = said.get("containers", {}).get(each.service, {})
        has = has if isinstance(has, dict) else {"status": has}
        if has.get("status") != "gone":
            containers.append(replace(each, **has | {"data": frozenset(has.get("data", each.data))}))
    volumes, images = {each.name: each for each in state.volumes}, {each.name: each for each in state.images}
    for key, texts in said.get("volumes", {}).items():
        volumes[key] = replace(volumes.get(key, Volume(1, key)), data=frozenset(texts))
    said |= {"containers": tuple(containers), "volumes": tuple(volumes.values())}
    if "images" in said:
        said["images"] = tuple(images.get(each, Image(each)) for each in dict.fromkeys(root.plain()["images"]))
    if "os" in said:
        said["injected"] = (("HOST_OS_VERSION", said.pop("os")),)
    said["lock_files"] = frozenset((1, each) for each in said.get("lock_files", ()))
    said["locks"] = frozenset({1} if said.pop("lock_held", False) else ())
    return replace(state, **said), ()


# ---------------------------------------------------------------------------------------------------- the commands

on_device = click.option("--device", "device_file", metavar="FILE", help="Decide for this device (YAML).")


@click.command()
@click.argument("compose", nargs=-1, required=True, metavar="[CURRENT] TARGET")
@on_device
@click.option("--state", "state_file", metavar="FILE", help="How the device differs from one that runs CURRENT (YAML).")
@click.option("--app", type=click.IntRange(1), default=1, help="TARGET is of this app; not 1: a move between fleets.")
@for_programs
def plan(compose: tuple[str, ...], device_file: str | None, state_file: str | None, app: int, as_data: bool) -> int:
    """Show the rounds of an update, and why each step is taken.

    From CURRENT to TARGET; without CURRENT the device is blank. A file of --state has any of these lines:

    \b
      containers: {web: exited, db: {status: Running, exit_code: 1, data: [text]}, old: gone}
      volumes: {log: [text]}        what is in a volume
      lock_files: [web]             services that hold an update lock
      lock_held: true               the supervisor holds the lock
      lock_override: true           it takes locks that others hold
      images: [web:r1]              what is on disk
      online: false                 and disk_full: true, unavailable: [web:r2]
      broken: [web]                 programs that cannot be started
      deaf: [web]                   programs that do not answer SIGTERM
      delta: true                   and handover_wait: as_coded
      os: balenaOS 7.0.0            the host OS now; the containers know an older one
    """
    if len(compose) > 2:
        misuse("name one composition or two: kit plan [CURRENT] TARGET")
    facts, state = on_blank(device_file)
    before = released(compose[0], "r1") if len(compose) == 2 else None
    target = released(compose[-1], "r2" if before else "r1", app=app, after=before)
    if before:
        state = installed((decided_offer((before,), facts)[0] or (before,))[0], state)
    if state_file:
        text = text_of(state_file)
        state, findings = read_state(text, state_file, state)
        misread(findings, state_file, text)
    decided, said = decided_offer((target,), facts)
    found = planned(state, decided) if decided else Plan((), state)
    settled = decided is not None and not decided[0].rejected and found.settled
    stuck = (f"stuck: {why}" + f"; way out: {why.way_out}" * bool(why.way_out) for why in found.blocked)
    text = "\n".join([*said, *round_lines(found.rounds), *stuck, *["settled"] * settled])
    told = {"settled": settled, "said": said, "rounds": found.rounds, "blocked": found.blocked, "end": found.end}
    return answer(as_data, told, text, ok=settled, plain=plain)


@click.command()
@click.argument("current")
@click.argument("target")
@for_programs
def diff(current: str, target: str, as_data: bool) -> int:
    """Say what an update does to each service, and why.

    Volumes and networks that are made or deleted are listed, too.
    """
    before = released(current, "r1")
    after = released(target, "r2", after=before)
    rows = [(each.service, str(each.action), each.why) for each in what_changed(before, after)]
    steps = (step for step in planned(installed(before), after) if step.kind in TABLES["things"])
    rows += [(str(step).split()[1], TABLES["things"][step.kind], step.why) for step in steps]
    width = max((len(name) for name, _, _ in rows), default=0)
    text = "\n".join(f"{name:<{width}}  {action:<17}  {why}" for name, action, why in rows)
    told = [{"name": name, "action": action, "why": why} for name, action, why in rows]
    return answer(as_data, told, text, plain=plain)


@click.command()
@click.argument("compose")
@click.option("--events", "events_file", required=True, metavar="FILE", help="What happens (YAML): a list of events.")
@on_device
@for_programs
def simulate(compose: str, events_file: str, device_file: str | None, as_data: bool) -> int:
    """Let things happen to a simulated device that runs COMPOSE.

    The supervisor settles before each event, or gets that many rounds. A file of events is a list, such as:

    \b
      - process-exits: {service: web, code: 3}
      - time-passes: {ms: 1000}
      - lock-taken: {service: web}
      - offer-arrives: {file: next.yml}
      - power-cut: {after-rounds: 2}

    \b
    The others:
      api-stop, api-start, api-restart, restart-app, purge, writes, container-lost,
      supervisor-restarts, engine-restarts, clean-reboot, host-updated,
      lock-dropped, handover-complete, network-down, network-up, disk-full, disk-freed
    """
    facts, state = on_blank(device_file)
    first, text = released(compose, "r1"), text_of(events_file)
    script = read_events(text, events_file, first=first)
    misread(script.findings, events_file, text)
    engine, told = Simulated(state, facts=facts), list[dict[str, Any]]()
    offer = OfferArrives(releases=(first,))
    engine.happen(offer)
    for event, rounds in follow(engine, script):
        now, known = rounds[0].state if rounds else engine.observe(), {*status_lines(state)}
        changes = [line for line in status_lines(now) if line not in known]
        told.append({"event": str(event or offer), "said": engine.log, "changes": changes, "rounds": rounds})
        state, engine.log = engine.observe(), []
    parts = [[one["event"], *one["said"], *one["changes"], *round_lines(one["rounds"], whys=False)] for one in told]
    recorded = ", ".join(f"{commit} for app {app}" for app, commit in state.commits) or "nothing"
    parts += [[f"after {state.clock_ms / 1000:g} s", *status_lines(state), f"recorded: {recorded}"]]
    text = "\n".join("\n    ".join(lines) for lines in parts)
    return answer(as_data, {"events": told, "end": state}, text, plain=plain)


# ------------------------------------------------------------------------------------------------ what they share


def released(compose: str, commit: str, **more: Any) -> Release:
    """The release that balena would make of a composition; the command ends when it would make none."""
    reading, findings, contracts = with_contracts(compose)
    errors = errors_of(findings)
    if errors or reading.normal is None:
        aside(errors, reading.texts)
        raise click.exceptions.Exit(NO)
    return Release(commit, reading.normal, contracts=contracts, **more)


def on_blank(device_file: str | None) -> tuple[Facts | None, State]:
    """The facts of a device file, and the blank device that has them."""
    if device_file is None:
        return None, State()
    device = device_of(device_file)
    return device.facts, State(injected=(("HOST_OS_VERSION", f"balenaOS {device.os}"),))


def misread(findings: Sequence[Diagnostic], name: str, text: str) -> None:
    """Show what is wrong with a file; the command ends if something is."""
    if findings:
        aside(findings, {name: text})
        raise click.exceptions.Exit(MISUSE)


def of_app(one: Container | Step) -> str:
    """Which app it belongs to, if that is not the first."""
    return f" of app {one.app}" * (one.app != 1 and one.service != "")


def status_lines(state: State) -> Iterator[str]:
    """What each container does, and what is in it and in each volume, in words."""
    for each in state.containers:
        words = each.status + f" with {each.exit_code}" * (each.status == "exited")
        if each.restart_at is not None:
            words = f"ended with {each.exit_code}, starts again in {(each.restart_at - state.clock_ms) / 1000:g} s"
        yield f"{each}{of_app(each)}: {words}" + f", holds {', '.join(sorted(each.data))}" * bool(each.data)
    yield from (f"volume {each}: {', '.join(sorted(each.data)) or 'empty'}" for each in state.volumes)


def round_lines(rounds: Iterable[Round], *, whys: bool = True) -> Iterator[str]:
    """Rounds as text: the steps with their whys, what went wrong, and what is not done, if it is news."""
    number, known = 0, frozenset[str]()
    for round in rounds:
        steps, waits = round.told, [each.why for each in round if isinstance(each, Noop)]
        if round and not steps and not waits and not round.troubles:  # mere book-keeping of images (S-80)
            continue
        notes = [*(each.why for each in round.notes), *waits]
        number += bool(steps)
        yield from (f"{number:>2}. {step}{of_app(step)}" + f"  {step.why}" * whys for step in steps)
        yield from (f"    ! {trouble}: {trouble.why}" for trouble in round.troubles)
        not_done = dict.fromkeys(map(str, notes) if whys else ())
        yield from (f"    – {why}" for why in not_done if why not in known)
        known = frozenset(not_done)


def plain(value: Any) -> object:
    """What JSON does not know, as plain values."""
    match value:
        case Round(steps=steps, notes=notes, troubles=troubles):
            return {"steps": steps, "not_done": [each._asdict() for each in notes], "troubles": troubles}
        case Step():
            return {"step": str(value), "service": value.service, "app": value.app, "why": value.why}
        case Why() | Trouble():
            return asdict(value)
        case State() | Container() | Volume():
            return {key: getattr(value, key) for key in TABLES[type(value).__name__]}
    return sorted(value) if isinstance(value, frozenset) else str(value)
