"""Random releases, devices and events for the properties of the planner and the simulated device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from kit.device.state import State
from kit.engines import base
from kit.planner import STRATEGIES, Release, installed

NAMES = ("store", "panel", "relay", "cam", "mixer")
VOLUMES, NETWORKS = ("log", "db"), ("lan", "bus")
POLICIES = ("always", "no", "on-failure", "unless-stopped", "on-failure:3")


@st.composite
def services(draw: st.DrawFn, *, host_modes: bool = True) -> dict[str, dict[str, Any]]:
    """Services whose dependencies name earlier ones that run, so that no cycle is possible and none waits in vain."""
    found: dict[str, dict[str, Any]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5)):
        body: dict[str, Any] = {}
        if draw(st.booleans()):
            body["image"] = f"{draw(st.sampled_from((name, 'base')))}@sha256:{draw(st.sampled_from('ab'))}"
        if draw(st.booleans()):
            body["env"] = {"LEVEL": draw(st.sampled_from("12"))}
        if draw(st.booleans()):
            label = draw(st.sampled_from((*STRATEGIES, "handover")))
            body["labels"] = {"io.balena.update.strategy": label}
        if draw(st.integers(0, 9)) == 0:
            body["labels"] = {**body.get("labels", {}), "io.balena.update.requires-reboot": "1"}
        if draw(st.integers(0, 9)) == 0:
            body["ports"] = [f"{draw(st.sampled_from((80, 81)))}:80"]
        if draw(st.booleans()):
            body["restart"] = draw(st.sampled_from(POLICIES))
        run = sorted(each for each in found if found[each].get("running") is not False)
        if run and draw(st.booleans()):
            body["dep"] = draw(st.lists(st.sampled_from(run), unique=True, max_size=2))
        if draw(st.booleans()):
            body["vol"] = [f"{draw(st.sampled_from(VOLUMES))}:/data"]
        wish = draw(st.sampled_from(("", "", "nets", "host" if host_modes else "", "service")))
        if wish == "nets":
            body["nets"] = draw(st.lists(st.sampled_from(NETWORKS), unique=True, min_size=1))
        elif wish == "host":
            body["networkMode"] = "host"
        elif wish == "service" and run and host_modes:
            body["networkMode"] = f"service:{draw(st.sampled_from(run))}"
        if draw(st.integers(0, 5)) == 0:
            body["oneshot"], body["restart"] = draw(st.sampled_from((0, 1))), "no"
        if draw(st.integers(0, 9)) == 0:
            body["running"] = False
        found[name] = body
    return found


@st.composite
def releases(draw: st.DrawFn, commit: str = "r1", app: int = 1) -> Release:
    """A release of up to five services; every volume and network that one uses is declared."""
    volumes = {name: {"labels": {"owner": "me"}} if draw(st.integers(0, 4)) == 0 else {} for name in VOLUMES}
    networks = {name: {"internal": True} if draw(st.integers(0, 4)) == 0 else {} for name in NETWORKS}
    body = {"services": draw(services()), "volumes": volumes, "networks": networks}
    return Release(commit, body, app=app)


@st.composite
def devices(draw: st.DrawFn, release: Release, *, faults: bool = True) -> State:
    """A device on which a release runs, or ran before something happened to it."""
    state = installed(release)
    state = replace(
        state,
        delta=draw(st.booleans()),
        handover_wait=draw(st.sampled_from(("documented", "as_coded"))),
        volumes=tuple(replace(volume, data=frozenset({str(volume)})) for volume in state.volumes),
        injected=draw(st.sampled_from((state.injected, (("HOST_OS_VERSION", "balenaOS 6.4.0"),)))),
    )
    containers = []
    for each in state.containers:
        status = draw(st.sampled_from((each.status, each.status, each.status, "Dead", "Installed", "gone")))
        if status != "gone":
            containers.append(replace(each, status=status))
    there = {each.id for each in containers}
    whole = [each for each in containers if each.joined is None or each.joined in there]
    if whole and draw(st.integers(0, 9)) == 0:  # what an interrupted hand-over leaves: an older one, last in the list
        older = replace(draw(st.sampled_from(whole)), id=0, commit="r0", status="exited", handing_over=True)
        whole.append(older)
    state = replace(state, containers=tuple(whole))
    if faults:
        some = st.frozensets(st.sampled_from(NAMES), max_size=1)
        state = replace(
            state,
            lock_files=frozenset((release.app, name) for name in draw(some)),
            lock_override=draw(st.booleans()),
            broken=draw(some),
            deaf=draw(some),
            online=draw(st.integers(0, 5)) > 0,
            disk_full=draw(st.integers(0, 9)) == 0,
        )
    return state


def events() -> st.SearchStrategy[base.AnyEvent]:
    """One event; offers are drawn by `releases`."""
    name, code = st.sampled_from(NAMES), st.sampled_from((0, 1, 143))
    codes = st.dictionaries(name, code, max_size=3)
    of = {"service": name}
    kinds: list[st.SearchStrategy[base.AnyEvent]] = [
        st.builds(base.OfferArrives, releases=st.tuples(releases("r2"))),
        st.builds(base.OfferArrives, releases=st.tuples(releases("r3"), releases("q1", app=2))),
        st.builds(base.ProcessExits, code=code, **of),
        *(st.builds(kind, **of) for kind in (base.ApiStop, base.ApiStart, base.ApiRestart, base.ContainerLost)),
        *(st.builds(kind, **of) for kind in (base.LockTaken, base.LockDropped, base.HandoverComplete)),
        *(st.builds(kind, codes=codes) for kind in (base.EngineRestarts, base.CleanReboot)),
        st.builds(base.HostUpdated, codes=codes, os=st.sampled_from(("balenaOS 6.4.0", "balenaOS 7.0.0"))),
        *(st.builds(kind) for kind in (base.SupervisorRestarts, base.PowerCut, base.RestartApp, base.Purge)),
        *(st.builds(kind) for kind in (base.NetworkDown, base.NetworkUp, base.DiskFull, base.DiskFreed)),
        st.builds(base.Writes, text=st.just("new"), volume=st.sampled_from(("", *VOLUMES)), **of),
        st.builds(base.TimePasses, ms=st.sampled_from((100, 10_000, 3_600_000))),
    ]
    return st.one_of(kinds)
