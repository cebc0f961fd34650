"""The commands for a Docker engine of this machine: `kit up`, `ps`, `logs`, `crash`, `exec`, `update`, `down`, …

First the plan is shown, then comes an explicit go. What was begun and cannot be finished is taken away again, or
listed with the command that does that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

import click

from kit.device.state import Container, State
from kit.engines import base as on
from kit.engines import docker as real
from kit.engines.docker import ALLOW, Docker, NoEngine, connect, foreign_errors, remove_all
from kit.engines.images import NoImage, Progress, prepare
from kit.engines.script import read_events
from kit.looks import sayable
from kit.planner import Release, plan
from kit.views.terminal import NO, answer, aside, composed, errors_of, for_programs, misuse, text_of
from kit.views.updates import misread, released

from .bench import events, release_of, sights, standing, survey
from .compare import compare as both

_app = click.option("--app", type=click.IntRange(1), default=1, show_default=True, help="Which app (fleet).")


@contextmanager
def _answering() -> Iterator[None]:
    """An engine until the command ends; one clear line if it does not answer any more."""
    try:
        yield
    except foreign_errors() as error:
        misuse(f"{real.reason_of(error)}; once it answers, `kit down` takes away what is left")


def _local(app: int | None, *, otherwise: str = "", **more: Any) -> Docker:
    """The engine of this machine, until the command ends; or a clear line, or what can be said without one."""
    try:
        client = connect()
    except NoEngine as error:
        if not otherwise:
            misuse(f"{error}; {error.help}")
        click.echo(f"{error}; {error.help}. {otherwise}")
        raise click.exceptions.Exit(NO) from error
    click.get_current_context().call_on_close(client.close)
    click.get_current_context().with_resource(_answering())
    return Docker(client, app=app, **more)


def _bar(at: Progress) -> None:
    """A bar on a terminal; elsewhere one line when it is done."""
    full = 24 * at.done // max(at.total, 1)
    if at.done >= at.total:
        click.echo(f"\r\x1b[K{at.what}: done" if sys.stderr.isatty() else f"{at.what}: done", err=True)
    elif sys.stderr.isatty():
        line = f"{at.what}  {'━' * full}{'·' * (24 - full)}  {at.done} of {at.total}  {sayable(at.doing)}"
        click.echo(f"\r\x1b[K{line[:100]}", err=True, nl=False)


def _table(state: State) -> str:
    """The services of a device, in the order in which they were made."""
    rows = [("SERVICE", "RELEASE", "STATE", "PORTS")]
    made = reversed(state.containers)
    rows += [(each.service, each.commit, standing(each), " ".join(each.wanted.ports)) for each in made]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def bringing(command: Callable[..., int]) -> click.Command:
    """The command of that name, with the arguments of `_up`."""
    for argument in (_yes, _port, _allow, _app, click.argument("compose")):
        command = argument(command)
    return click.command()(command)


def _up(compose: str, app: int, allow: tuple[str, ...], port: tuple[str, ...], yes: bool, fresh: bool) -> int:
    allowed = {word.strip() for words in allow for word in words.split(",")}
    if unknown := allowed - {*ALLOW}:
        misuse(f"--allow {', '.join(sorted(unknown))}: known here: {', '.join(ALLOW)}")
    moved = dict(pair.partition("=")[::2] for pair in port)
    if not {*moved, *moved.values()} <= {*map(str, range(1, 65536))}:
        misuse("--port: write OLD=NEW, for example 80=8080")
    reading, findings = composed(compose)
    aside(findings if reading.ok else errors_of(findings), reading.texts)
    if not reading.ok:
        return NO
    root = Path(compose).parent
    release = release_of(reading, root, app, moved)
    otherwise = f"What a device would do:\n\n{plan(State(), release)}"
    docker = _local(app, otherwise=otherwise, root=root, allow=allowed, tell=_bar)
    before = docker.observe()
    if not fresh and not before.containers:
        misuse(f"nothing of app {app} is up: `kit up {compose}`")
    said, refused = survey(docker, release)
    click.echo("\n".join([*said, *refused]))
    if refused:
        return NO
    if not yes and not (sys.stdin.isatty() and click.confirm("\nGo?")):
        click.echo("\nNothing was done. `--yes` is the go.")
        return NO
    return _bring(docker, release, before)


def _bring(docker: Docker, release: Release, before: State) -> int:
    """Perform the rounds; on any error or interrupt, clean up or list what is left."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:  # as under `nohup`
            signal.signal(each, signal.default_int_handler)
    why, number = "stopped", count(1)
    try:
        docker.happen(on.OfferArrives(releases=(release,)))
        for _, round in on.settle(docker, docker.target):
            if round.trace:
                click.echo(f"{next(number)}. {', '.join(round.trace)}")
            said = dict.fromkeys(each.why.sentence for each in round.troubles)
            why = "; ".join(said) or ("it waits for ever" if round else "")
    except (KeyboardInterrupt, BrokenPipeError):
        why = "stopped"
    except foreign_errors() as error:
        why = real.reason_of(error)
    if not why:
        click.echo(f"\n{_table(docker.observe())}")
        return 0
    click.echo(f"\n{why}.", err=True)
    if before.containers:
        click.echo(f"{_table(docker.observe())}\n`kit down --app {docker.app}` takes all of it away.", err=True)
    else:
        gone = remove_all(docker.client, docker.app, session=docker.session)
        click.echo(f"Taken away again: {', '.join(gone) or 'nothing'}.", err=True)
    return NO


_WORDS = "; ".join(f"{word}: {opens}" for word, opens in ALLOW.items())
_allow = click.option("--allow", multiple=True, metavar="WORDS", help=f"What may be opened of this machine: {_WORDS}.")
_port = click.option("--port", multiple=True, metavar="OLD=NEW", help="Publish a port at another one of this machine.")
_yes = click.option("--yes", is_flag=True, help="Go, without a question.")


@bringing
def up(**given: Any) -> int:
    """Bring a composition up on this machine's Docker."""
    return _up(fresh=True, **given)


@bringing
def update(**given: Any) -> int:
    """Move what is up to a changed composition, in rounds."""
    return _up(fresh=False, **given)


@click.command()
@_app
@for_programs
@click.option("--watch", is_flag=True, help="Go on with what happens, until Ctrl-C.")
def ps(app: int, as_data: bool, watch: bool) -> None:
    """What is up, and how it stands."""
    docker = _local(app)
    stream = events(docker.client, app) if watch else ()  # from now on, before anybody looks
    state = docker.observe()
    rows = [{"service": each.service, "release": each.commit, "state": standing(each)} for each in state.containers]
    answer(as_data, rows, _table(state) if watch or rows else f"Nothing of app {app} is up.")
    for seen in sights(stream):
        ended = "" if seen.code is None else f" with {seen.code}"
        click.echo(f"{time.strftime('%H:%M:%S', time.localtime(seen.at))}  {seen.service}  {seen.what}{ended}")


@click.command()
@_app
@click.argument("services", nargs=-1)
@click.option("-f", "follow", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@click.option("--tail", type=click.IntRange(0), default=200, show_default=True, help="How many old lines.")
def logs(app: int, services: tuple[str, ...], follow: bool, tail: int) -> None:
    """What services wrote."""
    docker = _local(app)
    state = docker.observe()
    chosen = [each for each in reversed(state.containers) if not services or each.service in services]
    for name in {*services} - {each.service for each in chosen}:
        _nobody(name, state)
    width = max((len(each.service) for each in chosen), default=0)

    def tell(one: Container) -> None:
        def line(written: bytes) -> None:
            click.echo(f"{one.service:<{width}}  {sayable(written.decode(errors='replace').rstrip())}")

        rest, told = b"", docker.api.logs(docker.name_of(one), stream=follow, follow=follow, tail=tail)
        for chunk in told if follow else [told]:
            *lines, rest = (rest + chunk).split(b"\n")
            for each in lines:
                line(each)
        if rest:  # its last line has no end
            line(rest)

    readers = [Thread(target=tell, args=(each,), daemon=True) for each in chosen]
    for reader in readers:
        reader.start()
        if not follow:  # one service after the other
            reader.join()
    for reader in readers:
        reader.join()


def _nobody(name: str, state: State) -> NoReturn:
    there = ", ".join(each.service for each in state.containers) or "none"
    misuse(f"no service `{name}` is up; there are: {there}")


def _one(docker: Docker, service: str) -> Container:
    """The running container of a service, or one clear line."""
    state = docker.observe()
    one = state.container(service, docker.app or 1) or _nobody(service, state)
    return one if one.up else misuse(f"`{service}` does not run: it {standing(one)}")


@click.command()
@_app
@click.argument("service")
@click.option("--code", type=click.IntRange(0, 255), default=1, show_default=True, help="With which code it ends.")
def crash(app: int, service: str, code: int) -> None:
    """Let the process of a service end; see what follows."""
    docker, event = _local(app), on.ProcessExits(service=service, app=app, code=code)
    _one(docker, service)
    try:
        docker.happen(event)
        docker.happen(on.TimePasses(ms=1000))
    except on.EngineError as error:
        misuse(str(error))
    click.echo(f"{event}.\n\n{_table(docker.observe())}")


@click.command(context_settings={"ignore_unknown_options": True})
@_app
@click.argument("service")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec(app: int, service: str, command: tuple[str, ...]) -> int:
    """Run a command inside a service."""
    docker = _local(app)
    one = docker.name_of(_one(docker, service))
    try:
        job = docker.api.exec_create(one, list(command))["Id"]
        told = docker.api.exec_start(job, stream=True)
        with closing(told._response):  # its own `close` leaves the connection open
            for written in told:
                click.echo(written, nl=False)
    except foreign_errors() as error:
        misuse(real.reason_of(error))
    return int(docker.api.exec_inspect(job)["ExitCode"] or 0)


@click.command()
@_app
@click.option("--volumes", is_flag=True, help="Delete the named volumes too, with their data.")
def down(app: int, volumes: bool) -> None:
    """Take an app away; its volumes stay, or go too."""
    docker = _local(app)
    gone = remove_all(docker.client, app, volumes=volumes)
    click.echo(f"Gone: {', '.join(gone)}." if gone else f"Nothing of app {app} is up.")
    if kept := ", ".join(map(str, docker.observe().volumes)):
        click.echo(f"Kept, with their data: {kept}. `kit down --volumes` deletes them.")


@click.command()
@click.argument("compose")
@click.option("--events", "script", required=True, metavar="FILE", help="What happens (data/events has examples).")
@for_programs
def compare(compose: str, script: str, as_data: bool) -> int:
    """Show where Docker and the simulated device differ."""
    first, text = released(compose, "r1"), text_of(script)
    happenings = read_events(text, script, first=first)
    misread(happenings.findings, script, text)
    command = os.environ.get("KIT_ENGINE_RESTART")

    def again(_cut: bool) -> None:
        subprocess.run(command or "", shell=True, check=True)  # noqa: S602 (a command that the user names)

    docker = _local(None, root=Path(compose).parent, tell=_bar, restart=again if command else None, stand_in=True)
    if apps := docker.observe().apps:
        misuse(f"app {apps[0]} is on the engine: `kit down --app {apps[0]} --volumes` first")
    try:
        rows = list(both(first, happenings, docker))
    finally:
        remove_all(docker.client, session=docker.session)
    different = sum(row.finding is not None for row in rows)
    said = f"{different or 'No'} difference{'' if different == 1 else 's'} in {len(rows)} rows."
    told = [{"event": row.event, "simulated": row.simulated, "docker": row.docker} for row in rows]
    return answer(as_data, told, "\n\n".join([*map(str, rows), said]), ok=not different)


@click.command()
@click.argument("action", type=click.Choice(["prepare", "list"]))
@click.option("--from", "folder", metavar="FOLDER", help="A folder with a static `busybox`.")
def images(action: str, folder: str | None) -> None:
    """Prepare the examples' base image, or list what was built."""
    docker = _local(None)
    try:
        if action == "prepare":
            prepare(docker.api, Path(folder) if folder else None, _bar)
    except NoImage as error:
        misuse(str(error))
    for image in docker.observe().images if action == "list" else ():
        click.echo(f"app {image.app}  {image.service}  {image.name}")
