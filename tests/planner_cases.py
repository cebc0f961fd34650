"""Update traces of the real planner, and how a plan is compared with one (`spec/supervisor.md`, section 8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kit.device.state import Container, Image, State, Volume, Wanted
from kit.planner import Release, Target, injected, plan
from kit.planner.target import wanted

OS = "HOST_OS_VERSION"
OLD_OS = "balenaOS 6.3.0"  # what the containers of a case were made with


def release_of(app: int, body: Mapping[str, Any], *, rejected: bool = False) -> Release:
    """One app of a case's `from` or `to`."""
    return Release(body["commit"], body, app=app, rejected=rejected or bool(body.get("rejected")))


def image_row(name: str, app: int, services: Iterable[Wanted]) -> Image:
    """An image on disk, and the service that it was downloaded for."""
    owner = next((each for each in services if each.image == name), None)
    return Image(name, owner.app, owner.name, owner.commit) if owner else Image(name, app, re.split("[:@]", name)[0])


def start_of(case: Mapping[str, Any]) -> tuple[State, Target]:
    """The device at the start of a case, and its target."""
    start, old = case["start"], release_of(1, case["from"]) if case.get("from") else None
    new = [release_of(int(app), body) for app, body in case["to"].items()]
    before = old.services if old else ()
    after = next((each.services for each in new if each.app == 1), ())
    known = {(each.name, each.commit): each for each in (*after, *before)}
    containers: list[Container] = []
    listed = start.get("containers", ())
    count = len(listed)
    for place, body in enumerate(listed):
        made_from = known.get((body["service"], body["commit"]))
        service = made_from or next((each for each in after if each.name == body["service"]), None)
        service = service or wanted(1, body["commit"], body["service"], {})
        service = replace(service, image=body["image"], commit=body["commit"])
        status = {"Installing": "Installed"}.get(body["status"], body["status"])
        code = (service.oneshot or 0) if status == "exited" else None
        containers.append(
            Container(
                id=count - place,
                wanted=service,
                commit=body["commit"],
                injected=injected(State(injected=((OS, OLD_OS),)), "fleet"),
                status=status,
                exit_code=code,
                removing=status == "Stopping",
            )
        )
    for place, each in enumerate(containers):
        if each.wanted.network_mode.startswith("service:"):
            host = each.wanted.network_mode.removeprefix("service:")
            joined = next((other.id for other in containers if other.service == host), None)
            containers[place] = replace(each, joined=joined)
    volumes = {str(each): each for release in (*new, *([old] if old else ())) for each in release.target.volumes}
    services = [*before, *(each for release in new for each in release.services)]
    apps = {1, *(release.app for release in new)}
    names = {each.name for each in services} | {each.service for each in containers}
    locked = {(app, name) for app in apps for name in start.get("user_locks", ()) if name in names}
    state = State(
        containers=tuple(containers),
        images=tuple(image_row(name, 1, services) for name in start.get("images", ())),
        volumes=tuple(
            volumes.get(name) or Volume(int(name.partition("_")[0]), name.partition("_")[2])
            for name in start.get("volumes", ())
        ),
        networks=old.target.networks if old else (),
        commits=((1, old.commit),) if old else (),
        locks=frozenset(int(app) for app in start.get("lock_held", ())),
        injected=((OS, start.get("os_pretty_name_now", OLD_OS)),),
        delta=bool(start.get("delta")),
        lock_override=bool(start.get("lock_override")),
        lock_files=frozenset(locked),
        broken=frozenset(start.get("start_fails", ())),
        made=count,
    )
    return state, Target.of(new)


def names_in(case: Mapping[str, Any]) -> set[str]:
    """Every service that a trouble of this case may name."""
    releases = [*case["to"].values(), *([case["from"]] if case.get("from") else [])]
    services = {name: body for release in releases for name, body in release["services"].items()}
    hosts = (str(body.get("networkMode", "")).partition("service:")[2] for body in services.values())
    return {*services, *(host for host in hosts if host)}


def plain(text: str, names: set[str]) -> object:
    """A step as it is compared: the services of a lock are a set, a trouble is whom it names."""
    if text.startswith("!"):
        return "!", frozenset(names & set(re.findall(r"[\w.-]+", text.partition(":")[2])))
    head, bracket, rest = text.partition("[")
    return (head, frozenset(rest.rstrip("]").split(","))) if bracket and head.startswith("takeLock") else text


def rounds_of(trace: Iterable[Iterable[str]], names: set[str]) -> list[frozenset[object]]:
    """Rounds as sets, without empty ones, and without the last one repeated."""
    rounds = [frozenset(plain(text, names) for text in round) for round in trace]
    rounds = [round for round in rounds if round]
    while len(rounds) > 1 and rounds[-1] == rounds[-2]:
        rounds.pop()
    return rounds


def end_of(state: State) -> dict[str, object]:
    """How a device ended, as the cases write it."""
    return {
        "containers": sorted(f"{each}:{each.status}" for each in state.containers),
        "volumes": sorted(map(str, state.volumes)),
        "images": sorted(state.image_names),
        "commit_recorded": {str(app): commit for app, commit in state.commits},
    }


def expected(case: Mapping[str, Any]) -> dict[str, object]:
    """What a case says: its rounds as sets, whether it settles, and how the device ends."""
    end = {key: sorted(value) if isinstance(value, list) else dict(value) for key, value in case["end"].items()}
    return {"rounds": rounds_of(case["rounds"], names_in(case)), "endless": bool(case["endless"]), **end}


def found(case: Mapping[str, Any]) -> dict[str, object]:
    """What the planner does with a case, in the same words."""
    done = plan(*start_of(case))
    return {"rounds": rounds_of(done.trace, names_in(case)), "endless": not done.settled, **end_of(done.end)}
