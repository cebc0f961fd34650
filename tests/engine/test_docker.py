"""A Docker engine as a device: what it makes of a release, of what happens to it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kit
from course.bench import events, is_free, release_of, sights, standing, survey, taken_ports
from kit.device import steps as do
from kit.device.state import POLICIES, RESTARTS, Container, State, Volume, restarts
from kit.engines.base import (
    AnyEvent,
    ApiRestart,
    ApiStop,
    CleanReboot,
    Engine,
    EngineError,
    HandoverComplete,
    LockDropped,
    LockTaken,
    OfferArrives,
    PowerCut,
    ProcessExits,
    Writes,
    settle,
)
from kit.engines.docker import Docker, NotHere, remove_all
from kit.engines.images import BASE, Progress
from kit.planner import Release, Round
from test_simulated import CHECKS

COMPOSITIONS = Path(__file__).parents[2] / "data" / "compositions"


def up(engine: Docker, release: Release) -> list[Round]:
    engine.happen(OfferArrives(releases=(release,)))
    return [round for _, round in settle(engine, engine.target)]


def brought_up(client: Any, services: dict[str, Any], volumes: tuple[str, ...] = (), **more: Any) -> Docker:
    """An engine on which one release runs, of images that only wait."""
    engine = Docker(client, stand_in=True, **more)
    *_, last = up(engine, Release("r1", {"services": services, "volumes": {name: {} for name in volumes}}))
    assert not last, last.troubles
    return engine


def one(engine: Docker, service: str = "web") -> Container:
    found = engine.observe(data=True).container(service)
    assert found is not None
    return found


def inspected(engine: Docker, service: str = "web") -> Any:
    return engine.api.inspect_container(engine.name_of(one(engine, service)))


def free_port() -> int:
    return next(port for port in range(20_000, 40_000) if is_free(port))


def eventually(true: Callable[[], object]) -> None:
    """Wait for what the engine does by itself."""
    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it never happens")


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_docker_keeps_the_promise_of_every_engine(check: Callable[[Engine], None], client: Any) -> None:
    check(Docker(client, stand_in=True))


def test_getting_started_comes_up_in_order_and_serves_over_its_published_port(client: Any) -> None:
    port, heard = free_port(), list[Progress]()
    reading = kit.read(COMPOSITIONS / "getting-started.yml")
    release = release_of(reading, COMPOSITIONS, ports={"80": str(port)})
    engine = Docker(client, app=1, root=COMPOSITIONS, tell=heard.append)
    rounds = up(engine, release)
    started = [[step.service for step in round if isinstance(step, do.Start)] for round in rounds]
    assert [sorted(names) for names in started if names] == [["data", "frontend"], ["proxy"]]
    assert any(0 < each.done < each.total for each in heard)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
        page = answer.read().decode()
    assert "This page comes from the service frontend." in page  # services reach each other by their names
    assert "uptime in seconds" in page
    again = release_of(reading, COMPOSITIONS, ports={"80": str(port)})
    assert [round.trace for round in up(engine, again) if round.trace] == []  # equal files are an equal release
    assert [each.status for each in Docker(client, app=1).observe().containers] == ["Running"] * 3  # another process


SITUATIONS: dict[str, tuple[AnyEvent, ...]] = {
    "it ends with 0": (ProcessExits(service="web", code=0),),
    "it ends with another code, or is killed": (ProcessExits(service="web", code=3),),
    "it is stopped on purpose": (ApiStop(service="web"),),
    "boot after a clean shutdown, it was running": (CleanReboot(codes={}),),
    "boot after a power cut, it was running": (PowerCut(),),
    "boot, it had been stopped on purpose": (ApiStop(service="web"), CleanReboot()),
}


@pytest.mark.parametrize("situation", RESTARTS)
def test_the_engine_restarts_what_the_table_says(situation: str, client: Any, restart: Any) -> None:
    """S-128, row by row: all four policies, and for a clean shutdown an answer of 0 and of 143."""
    services = {name: {"restart": name} for name in POLICIES} | {"answers-0": {"restart": "on-failure"}}
    engine = brought_up(client, services, restart=restart)
    for event in SITUATIONS[situation]:
        for name in services if hasattr(event, "service") else [""]:
            changed = {"service": name} if name else {"codes": {"answers-0": 0}} if hasattr(event, "codes") else {}
            engine.happen(type(event)(**{**vars(event), **changed}))
    code = {"it ends with 0": 0, "boot after a power cut, it was running": 255}.get(situation, 143)
    expected = {name: restarts(name, situation, code) for name in POLICIES}
    clean = situation == "boot after a clean shutdown, it was running"
    expected["answers-0"] = restarts("on-failure", situation, 0 if clean else code)
    eventually(lambda: {each.service: each.up for each in engine.observe().containers} == expected)
    assert not [round for _, round in settle(engine, engine.target) if round]  # and the supervisor leaves it so (S-86)


def test_created_and_never_started_is_started_by_the_supervisor_and_not_by_the_engine(
    client: Any, restart: Any
) -> None:
    engine = brought_up(client, {"web": {}}, restart=restart)
    old = one(engine)
    engine.perform(do.Kill(app=1, service="web", container=old))
    made = engine._create(do.Start(app=1, service="web", wanted=old.wanted, injected=old.injected))
    engine.happen(CleanReboot())
    assert engine.api.inspect_container(made)["State"]["Status"] == "created"
    engine._boots.clear()
    assert [round.trace for _, round in settle(engine, engine.target) if round.trace] == [("start web@r1",)]


def test_data_in_a_volume_survives_all_but_its_deletion_and_the_layer_only_a_restart(client: Any) -> None:
    def kept() -> tuple[bool, bool]:
        state = engine.observe(data=True)
        return "kept" in state.volumes[0].data, bool(state.container("web") and state.container("web").data)  # type: ignore[union-attr]

    engine = brought_up(client, {"web": {"volumes": ["log:/log"]}}, ("log",))
    engine.happen(Writes(service="web", volume="log", text="kept"))
    engine.happen(Writes(service="web", text="lost"))
    assert kept() == (True, True)
    engine.happen(ProcessExits(service="web", code=1))
    eventually(lambda: inspected(engine)["State"]["Running"])
    assert kept() == (True, True)
    engine.happen(ApiRestart(service="web"))  # the container is made anew
    assert kept() == (True, False)
    engine.happen(Writes(service="web", text="lost"))
    up(
        engine,
        Release(
            "r2", {"services": {"web": {"volumes": ["log:/log"], "environment": {"A": "1"}}}, "volumes": {"log": {}}}
        ),
    )
    assert kept() == (True, False)
    remove_all(client, 1, volumes=False)
    assert [str(each) for each in Docker(client).observe(data=True).volumes] == ["1_log"]
    assert kept()[0]
    remove_all(client, 1)
    assert Docker(client).observe().volumes == ()


def test_kill_9_is_an_end_by_itself_and_docker_kill_is_a_stop_on_purpose(client: Any) -> None:
    engine = brought_up(client, {"web": {}})
    pid = inspected(engine)["State"]["Pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: inspected(engine)["State"]["Pid"] not in (0, pid))
    client.api.kill(engine.name_of(one(engine)))
    eventually(lambda: one(engine).status == "exited")
    assert standing(one(engine)) == "ended with 137"


def test_a_process_of_any_image_can_be_killed_but_only_the_base_image_ends_with_a_chosen_code(client: Any) -> None:
    engine = brought_up(client, {"web": {"entrypoint": ["/bin/sleep"], "command": ["1000"], "restart": "no"}})
    engine._run = lambda *_: 127  # type: ignore[method-assign]  # as in an image without our programs
    with pytest.raises(NotHere, match="can end with 137 only"):
        engine.happen(ProcessExits(service="web", code=3))
    engine.happen(ProcessExits(service="web", code=137))
    assert standing(one(engine)) == "ended with 137"


def test_a_full_volume_is_said_and_nothing_breaks(client: Any) -> None:
    form = {
        "services": {"web": {"volumes": ["log:/log"]}},
        "volumes": {"log": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=16k"}}},
    }
    engine = Docker(client, stand_in=True)
    assert not up(engine, Release("r1", form))[-1]
    with pytest.raises(NotHere, match="no space left on device"):
        engine.happen(Writes(service="web", volume="log", text="x" * 100_000))
    assert one(engine).status == "Running"


def test_a_port_that_is_taken_is_found_before_anything_starts_and_another_is_offered(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        release = Release("r1", {"services": {"web": {"ports": [f"{port}:80"]}}})
        engine = Docker(client, stand_in=True)
        ((taken, other),) = taken_ports(release.target, engine.observe()).items()
        assert int(taken) == port
        assert is_free(int(other))
        _, refused = survey(engine, release)
        assert refused == [f"Port {port} is taken on this machine. `--port {port}={other}` publishes it at {other}."]


def test_ports_that_are_offered_instead_are_neither_offered_twice_nor_published_already(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        first, second = sorted(each.getsockname()[1] for each in (one, two))
        ports = [f"{first}:80", f"{second}:81", *(f"{second + step}:{90 + step}" for step in (1, 2))]
        target = Release("r1", {"services": {"web": {"ports": ports}}}).target
        offered = taken_ports(target, Docker(client).observe())
        assert {*offered} >= {str(first), str(second)}
        assert len({*offered.values()} - {text.partition(":")[0] for text in ports}) == len(offered)


def test_the_last_port_of_all_has_an_alternative_too(client: Any) -> None:
    if not is_free(65535):
        pytest.skip("somebody has it")
    with socket.create_server(("127.0.0.1", 65535)):
        target = Release("r1", {"services": {"web": {"ports": ["65535:80"]}}}).target
        assert int(taken_ports(target, Docker(client).observe())["65535"]) < 65535


@pytest.mark.parametrize(
    "options",
    [
        {"type": "none", "o": "bind", "device": "/etc"},
        {"type": "tmpfs", "o": "rbind", "device": "/etc"},
        {"type": "overlay", "o": "lowerdir=/etc", "device": "overlay"},
    ],
)
def test_a_volume_with_a_folder_of_this_machine_behind_it_asks_for_binds(client: Any, options: Any) -> None:
    form = {"services": {"web": {"volumes": ["data:/data"]}}, "volumes": {"data": {"driver_opts": options}}}
    release, engine = Release("r1", form), Docker(client, stand_in=True)
    _, (refused,) = survey(engine, release)
    assert refused == f"`data` asks for {options['device']}. `--allow binds` opens folders of this machine."
    rounds = up(engine, release)
    assert "than was allowed: binds" in rounds[-1].troubles[0].why.sentence
    assert engine.observe().containers == engine.observe().volumes == ()
    assert survey(Docker(client, stand_in=True, allow=["binds"]), release)[1] == []


def test_the_bridge_of_another_network_is_never_taken_even_if_the_host_s_network_is_allowed(client: Any) -> None:
    named = {"driver_opts": {"com.docker.network.bridge.name": "docker0"}}
    release = Release("r1", {"services": {"web": {"networks": ["lan"]}}, "networks": {"lan": named}})
    engine = Docker(client, stand_in=True)
    assert "`lan` asks for docker0. `--allow host-network` opens" in survey(engine, release)[1][0]
    *_, last = up(Docker(client, stand_in=True, allow=["host-network"]), release)
    assert "`docker0` is on the engine, and it is not the kit's" in last.troubles[0].why.sentence
    remove_all(client)
    assert "bridge" in {each["Name"] for each in client.api.networks()}


def test_the_firmware_volume_is_asked_for_by_name_and_goes_with_the_app(client: Any) -> None:
    services = {"web": {"labels": {"io.balena.features.extra-firmware": "1"}}}
    _, (refused,) = survey(Docker(client, stand_in=True), Release("r1", {"services": services}))
    assert "--allow features" in refused
    brought_up(client, services, allow=("features",))
    remove_all(client, 1)
    assert "extra-firmware" not in {each["Name"] for each in client.api.volumes()["Volumes"] or ()}


def test_a_port_that_is_taken_meanwhile_fails_the_start_with_a_sentence(client: Any) -> None:
    with socket.create_server(("0.0.0.0", 0)) as busy:
        port = busy.getsockname()[1]
        engine = Docker(client, stand_in=True)
        *_, last = up(engine, Release("r1", {"services": {"web": {"ports": [f"{port}:80"]}}}))
        assert "address already in use" in last.troubles[0].why.sentence
        assert one(engine).status == "Installed"  # as on a device (S-134)


def test_an_image_that_cannot_be_built_or_found_is_said(client: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f'FROM {BASE}\nRUN ["false"]\n')
    form = {
        "services": {
            "web": {"build": {"context": "."}},
            "db": {"image": "nowhere.invalid/db:1"},
            "job": {"build": "none"},
        }
    }
    engine = Docker(client, root=tmp_path)
    rounds = up(engine, Release("r1", form))
    said = {trouble.about: trouble.why.sentence for trouble in rounds[0].troubles}
    assert "returned a non-zero code: 1" in said["web"]
    assert "no registry gives it" in said["db"]
    assert "there is no" in said["job"]
    assert engine.observe().containers == ()


def test_what_is_not_the_kit_s_is_never_touched(client: Any) -> None:
    brought_up(client, {"web": {}})  # the base image is here
    remove_all(client)
    api = client.api
    other = api.create_container(BASE, name="web_1_r1", labels={"mine": "yes"})["Id"]
    api.create_volume("1_log")
    api.create_network("1_lan", driver="bridge")
    try:
        api.start(other)
        engine = Docker(client, stand_in=True)
        form = {"services": {"web": {"volumes": ["log:/log"]}}, "volumes": {"log": {}}, "networks": {"lan": {}}}
        rounds = up(engine, Release("r1", form))
        said = {trouble.text: trouble.why.sentence for round in rounds for trouble in round.troubles}
        assert any("`1_log` is on the engine, and it is not the kit's" in sentence for sentence in said.values())
        assert any("`1_lan` is on the engine, and it is not the kit's" in sentence for sentence in said.values())
        remove_all(client)
        *_, last = up(Docker(client, stand_in=True), Release("r1", {"services": {"web": {}}}))
        assert "Conflict" in last.troubles[0].why.sentence  # the name of the container
        remove_all(client)
        assert api.inspect_container(other)["State"]["Running"]
        assert api.inspect_volume("1_log")["Name"] == "1_log"
    finally:
        api.remove_container(other, force=True)
        api.remove_network("1_lan")
        api.remove_volume("1_log")


def test_what_opens_this_machine_is_refused_unless_it_is_allowed_by_name(client: Any) -> None:
    services = {
        "root": {"privileged": True},
        "net": {"network_mode": "host"},
        "dev": {"devices": ["/dev/null:/dev/null"], "cap_add": ["SYS_RAWIO", "NET_RAW"]},
        "pid": {"pid": "host"},
        "bus": {"labels": {"io.balena.features.dbus": "1", "io.balena.features.balena-socket": "on"}},
        "plain": {"cap_add": ["NET_RAW"], "labels": {"io.balena.features.dbus": "no"}},
    }
    release = Release("r1", {"services": services})
    engine = Docker(client, stand_in=True)
    _, refused = survey(engine, release)
    assert [line.split("`")[1] + line.split("--allow ")[1].split("`")[0].rjust(17) for line in refused] == [
        "root       privileged", "net     host-network", "dev     capabilities", "dev          devices",
        "pid  host-namespaces", "bus         features",
    ]  # fmt: skip
    rounds = up(engine, release)
    assert {each.service for each in engine.observe().containers} == {"plain"}
    assert all(
        "more of this machine than was allowed" in each.why.sentence for round in rounds for each in round.troubles
    )
    remove_all(client)
    allowed = brought_up(
        client, {"net": services["net"], "dev": services["dev"]}, allow=("host-network", "devices", "capabilities")
    )
    assert inspected(allowed, "dev")["HostConfig"]["CapAdd"] == ["SYS_RAWIO", "NET_RAW"]
    said, refused = survey(allowed, release)
    assert "`dev` opens /dev/null: devices of this machine, as allowed." in said


def test_everything_carries_the_label_and_a_session_and_has_limits(client: Any) -> None:
    engine = brought_up(client, {"web": {"volumes": ["log:/log"]}}, ("log",))
    about = inspected(engine)
    assert about["Config"]["Labels"]["multicontainer-kit"] == engine.session
    host = about["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["PidsLimit"]) == (10**9, 256 << 20, 256)
    assert not [each for each in about["Mounts"] if each["Type"] == "bind"]
    for each in (client.api.inspect_volume("1_log"), client.api.inspect_network("1_default")):
        assert each["Labels"]["multicontainer-kit"] == engine.session


def test_fields_of_a_service_reach_the_engine(client: Any) -> None:
    service = {
        "ulimits": {"core": -1, "nofile": {"soft": 100, "hard": 200}},
        "tmpfs": ["/scratch"],
        "environment": {"A": "1"},
        "labels": {"mine": "yes"},
        "healthcheck": {"test": ["CMD", "true"], "interval": "5s"},
        "stop_signal": "SIGUSR2",
        "stop_grace_period": "1s",
        "mem_limit": "64m",
        "cpus": 0.5,
        "networks": {"lan": {"ipv4_address": "10.77.0.9", "aliases": ["site"]}, "back": None},
    }
    networks = {
        "lan": {"ipam": {"config": [{"subnet": "10.77.0.0/24", "gateway": "10.77.0.1"}]}},
        "back": {"internal": True},
    }
    other = {"networks": {"lan": None}}
    engine = Docker(client, stand_in=True)
    *_, last = up(engine, Release("r1", {"services": {"web": service, "other": other}, "networks": networks}))
    assert not last, last.troubles
    about = inspected(engine)
    host, config = about["HostConfig"], about["Config"]
    limits = {each["Name"]: (each["Soft"], each["Hard"]) for each in host["Ulimits"]}
    assert limits == {"core": (-1, -1), "nofile": (100, 200)}
    assert host["Tmpfs"] == {"/scratch": ""}
    assert "A=1" in config["Env"]
    assert "BALENA_SERVICE_NAME=web" in config["Env"]
    assert config["Labels"]["mine"] == "yes"
    assert (config["Healthcheck"]["Test"], config["Healthcheck"]["Interval"]) == (["CMD", "true"], 5 * 10**9)
    assert (config["StopSignal"], config["StopTimeout"]) == ("SIGUSR2", 1)
    assert (host["Memory"], host["NanoCpus"]) == (64 << 20, 5 * 10**8)
    ends = about["NetworkSettings"]["Networks"]
    assert ends["1_lan"]["IPAddress"] == "10.77.0.9"
    assert {"web", "site"} <= {*ends["1_lan"]["Aliases"]}
    assert "1_back" in ends
    assert engine._run(engine.name_of(one(engine, "other")), "nslookup", "site") == 0
    assert not [round for _, round in settle(engine, engine.target) if round]  # and what was made is what was wanted


def test_a_service_may_share_the_network_of_another(client: Any) -> None:
    engine = brought_up(client, {"web": {}, "side": {"network_mode": "service:web"}})
    assert inspected(engine, "side")["HostConfig"]["NetworkMode"].startswith(f"container:{engine.name_of(one(engine))}")
    assert one(engine, "side").joined == one(engine).id
    assert not [round for _, round in settle(engine, engine.target) if round]


def test_a_handed_over_service_never_stops(client: Any) -> None:
    """S-106: the new container starts beside the old one, which goes when the time is up."""
    body = {"labels": {"io.balena.update.strategy": "hand-over", "io.balena.update.handover-timeout": "1000"}}
    engine = brought_up(client, {"web": body})
    stream, seen = events(client), list[str]()
    reader = threading.Thread(target=lambda: seen.extend(sight.what for sight in sights(stream)))
    reader.start()
    up(engine, Release("r2", {"services": {"web": body | {"environment": {"A": "1"}}}}))
    time.sleep(0.5)
    stream.close()
    reader.join(10)
    assert not reader.is_alive()  # the live view can be stopped
    assert seen.index("start") < seen.index("die")
    assert [str(each) for each in engine.observe().containers] == ["web@r2"]


def test_an_old_container_of_a_hand_over_may_end_it_with_a_file(client: Any) -> None:
    body = {"labels": {"io.balena.update.strategy": "hand-over", "io.balena.update.handover-timeout": "600000"}}
    engine = brought_up(
        client,
        {"web": body | {"command": ["sh", "-c", "sleep 1; touch $BALENA_SERVICE_HANDOVER_COMPLETE_PATH; sleep 9999"]}},
    )
    time.sleep(1.5)
    *_, last = up(engine, Release("r2", {"services": {"web": body}}))
    assert not last
    assert [str(each) for each in engine.observe().containers] == ["web@r2"]


def test_a_file_that_was_seen_ends_no_other_hand_over(client: Any) -> None:
    """S-108: the file is deleted, so that it can be made again, by a program or by an event."""
    body = {"labels": {"io.balena.update.strategy": "hand-over", "io.balena.update.handover-timeout": "600000"}}
    engine = brought_up(client, {"web": body})
    for number, file in enumerate(("handover-complete", "resin-kill-me"), start=2):
        assert engine._run(engine.name_of(one(engine)), "touch", f"/tmp/balena/{file}") == 0
        assert engine.observe(data=True).handover_files == {(1, "web", 0)}
        *_, last = up(engine, Release(f"r{number}", {"services": {"web": body | {"environment": {"A": f"{number}"}}}}))
        assert not last
        assert engine.observe(data=True).handover_files == frozenset()
    engine.happen(HandoverComplete(service="web"))
    assert engine.observe(data=True).handover_files == {(1, "web", 0)}
    with pytest.raises(NotHere, match="too long"):
        engine.happen(HandoverComplete(service="web", ms=10**6))


def test_a_lock_that_was_taken_away_can_be_made_again(client: Any) -> None:
    engine = brought_up(client, {"web": {}})
    for holds, act in ((True, LockTaken), (False, LockDropped)):
        engine.happen(act(service="web"))
        assert bool(engine.observe(data=True).lock_files) is holds
    assert engine._run(engine.name_of(one(engine)), "touch", "/tmp/balena/updates.lock") == 0
    assert engine.observe(data=True).lock_files == {(1, "web")}


def test_a_service_that_is_deaf_is_killed_when_its_time_is_up(client: Any) -> None:
    deaf = {"entrypoint": ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"], "stop_grace_period": "1s"}
    engine = brought_up(client, {"web": deaf})
    engine.happen(ApiStop(service="web"))
    assert standing(one(engine)) == "ended with 137"


def test_the_live_view_keeps_up_with_what_happens(client: Any) -> None:
    engine = brought_up(client, {"web": {"restart": "no"}})
    stream, seen = events(client, 1), []
    reader = threading.Thread(target=lambda: seen.extend(sights(stream)))
    reader.start()
    engine.happen(ProcessExits(service="web", code=7))
    eventually(lambda: seen)
    stream.close()
    reader.join(10)
    assert not reader.is_alive()
    assert [(each.service, each.what, each.code) for each in seen] == [("web", "die", 7)]


def test_twenty_rounds_of_up_and_down_leave_nothing_behind(client: Any) -> None:
    release = Release("r1", {"services": {"web": {"network_mode": "none", "stop_grace_period": "1s"}}})

    def used() -> tuple[int, int, int]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return len(os.listdir("/proc/self/fd")), threading.active_count(), pages * os.sysconf("SC_PAGE_SIZE")

    measured = []
    for _ in range(20):
        engine = Docker(client, app=1, stand_in=True)
        assert not up(engine, release)[-1]
        remove_all(client, 1)
        measured.append(used())
    files, threads, memory = zip(*measured, strict=True)
    assert max(files[2:]) == files[2]
    assert max(threads) == threads[0]
    assert memory[-1] - memory[2] < 3 << 20


def test_steps_that_the_engine_refuses_say_so(client: Any) -> None:
    engine = Docker(client)
    with pytest.raises(EngineError, match="1_log"):
        engine.perform(do.RemoveVolume(app=1, thing=Volume(1, "log")))


def test_an_observed_service_is_the_one_that_was_wanted(client: Any) -> None:
    engine = brought_up(client, {"web": {"environment": {"A": "1"}}})
    again = Docker(client).observe()
    assert isinstance(again, State)
    assert again.containers[0].wanted == engine.target.apps[0].services[0]
    assert again.commit() == "r1"
    assert json.loads(inspected(engine)["Config"]["Labels"]["multicontainer-kit.wanted"])["name"] == "web"
