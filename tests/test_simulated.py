"""The simulated device: it keeps the promise of every engine, and its supervisor decides and polls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kit.device import steps as do
from kit.device.state import Network, State, Volume
from kit.engines.base import (
    ApiRestart,
    ApiStart,
    ApiStop,
    CleanReboot,
    DiskFreed,
    DiskFull,
    Engine,
    EngineError,
    LockTaken,
    NetworkDown,
    NetworkUp,
    OfferArrives,
    PowerCut,
    ProcessExits,
    SupervisorRestarts,
    Writes,
    settle,
)
from kit.engines.simulated import Simulated, halfway
from kit.planner import Release, Target, installed, next_steps


def release(commit: str, *names: str, app: int = 1) -> Release:
    return Release(commit, {"services": {name: {} for name in names}}, app=app)


# ------------------------------------------------------- what every engine promises: a test for each engine


def check_that_a_blank_device_becomes_what_the_target_says(engine: Engine) -> None:
    target = release("r1", "web", "db")
    *_, (_, last) = settle(engine, target)
    assert not last
    state = engine.observe()
    assert sorted(map(str, state.containers)) == ["db@r1", "web@r1"]
    assert {each.status for each in state.containers} == {"Running"}
    assert state.commit() == "r1"


def check_that_an_update_keeps_volumes_and_replaces_containers(engine: Engine) -> None:
    body = {"services": {"web": {"vol": ["log:/log"]}}, "volumes": {"log": {}}}
    for commit in ("r1", "r2"):
        *_, (_, last) = settle(engine, Release(commit, body))
        assert not last
    state = engine.observe()
    assert [str(each) for each in state.containers] == ["web@r2"]
    assert [str(each) for each in state.volumes] == ["1_log"]


def check_that_an_app_that_is_not_wanted_goes_with_all_it_had(engine: Engine) -> None:
    for target in (Target.of(release("r1", "web")), Target()):
        for _ in settle(engine, target):
            pass
    state = engine.observe()
    assert state.containers == state.volumes == state.networks == ()


def check_that_a_volume_and_a_network_are_seen_once_they_are_made(engine: Engine) -> None:
    engine.perform(do.CreateVolume(app=1, thing=Volume(1, "log")))
    engine.perform(do.CreateNetwork(app=1, thing=Network(1, "lan")))
    state = engine.observe()
    assert [str(each) for each in (*state.volumes, *state.networks)] == ["1_log", "1_lan"]


CHECKS: list[Callable[[Engine], None]] = [
    check_that_a_blank_device_becomes_what_the_target_says,
    check_that_an_update_keeps_volumes_and_replaces_containers,
    check_that_an_app_that_is_not_wanted_goes_with_all_it_had,
    check_that_a_volume_and_a_network_are_seen_once_they_are_made,
]


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_the_simulated_engine_keeps_the_promise(check: Callable[[Engine], None]) -> None:
    check(Simulated())


# ------------------------------------------------------------------------------- the simulated device alone


def test_a_step_that_fails_raises_and_says_why() -> None:
    engine = Simulated(State(online=False))
    with pytest.raises(EngineError, match="offline") as raised:
        engine.perform(do.Fetch(app=1, service="web", image="web:r1"))
    assert raised.value.trouble.about == "web"
    assert raised.value.step.kind == "fetch"


def test_the_other_steps_of_a_round_go_on_when_one_fails() -> None:
    engine = Simulated(replace(installed(release("r1", "web", "db")), unavailable=frozenset({"web:r2"})))
    (_, first), *_ = settle(engine, release("r2", "web", "db"))
    assert [trouble.about for trouble in first.troubles] == ["web"]
    assert "db:r2" in engine.observe().image_names


def test_settling_stops_when_nothing_changes_any_more() -> None:
    engine = Simulated(replace(installed(release("r1", "web")), lock_files=frozenset({(1, "web")})))
    rounds = [round for _, round in settle(engine, release("r2", "web"))]
    assert [bool(round.troubles) for round in rounds] == [False, True]


def test_an_offer_reaches_a_device_only_online_and_once() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(NetworkDown())
    engine.happen(OfferArrives(releases=(release("r2", "web"),)))
    assert engine.target == Target()
    engine.happen(NetworkUp())
    assert engine.target.apps[0].commit == "r2"


def test_a_new_offer_forgets_earlier_failures() -> None:
    engine = Simulated(replace(installed(release("r1", "web")), failures=5))
    engine.happen(OfferArrives(releases=(release("r2", "web"),)))
    assert engine.observe().failures == 0


def test_without_facts_every_release_is_accepted() -> None:
    labels = {"io.balena.features.requires.sw.supervisor": ">=99"}
    engine = Simulated()
    engine.happen(OfferArrives(releases=(Release("r1", {"services": {"web": {"labels": labels}}}),)))
    assert not engine.target.apps[0].rejected


def test_a_disk_that_is_full_stops_downloads_until_there_is_space() -> None:
    engine = Simulated()
    engine.happen(DiskFull())
    *_, (_, last) = settle(engine, release("r1", "web"))
    assert last.troubles[0].why.reason == "disk-full"
    engine.happen(DiskFreed())
    *_, (_, last) = settle(engine, release("r1", "web"))
    assert not last


def test_the_api_stops_starts_and_restarts_one_service() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(OfferArrives(releases=(release("r1", "web"),)))
    engine.happen(Writes(service="web"))
    engine.happen(ApiStop(service="web"))
    assert not next_steps(engine.observe(), engine.target)
    engine.happen(ApiStart(service="web"))
    one = engine.observe().containers[0]
    assert (one.status, one.data) == ("Running", {"data"})
    engine.happen(ApiRestart(service="web"))
    again = engine.observe().containers[0]
    assert (again.status, again.data, again.id == one.id) == ("Running", frozenset(), False)


def test_the_api_does_not_restart_a_service_whose_app_holds_a_lock() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(OfferArrives(releases=(release("r1", "web"),)))
    engine.happen(LockTaken(service="web"))
    before = engine.observe()
    engine.happen(ApiRestart(service="web"))
    assert engine.observe() == before
    assert engine.log


@pytest.mark.parametrize("action", [ApiStop, ApiRestart])
@pytest.mark.parametrize("holder", ["web", "db"])
def test_a_lock_keeps_the_api_from_stopping_any_service_of_its_app(action: type[ApiStop], holder: str) -> None:
    engine = Simulated(installed(release("r1", "web", "db")))
    engine.happen(OfferArrives(releases=(release("r1", "web", "db"),)))
    engine.happen(LockTaken(service=holder))
    before = engine.observe()
    engine.happen(action(service="web"))
    assert engine.observe() == before
    assert engine.log[-1].startswith(f"`{holder}` holds an update lock")


@pytest.mark.parametrize("action", [ApiStop, ApiRestart])
def test_an_override_deletes_the_lock_and_the_api_goes_on(action: type[ApiStop]) -> None:
    engine = Simulated(replace(installed(release("r1", "web")), lock_override=True))
    engine.happen(OfferArrives(releases=(release("r1", "web"),)))
    engine.happen(LockTaken(service="web"))
    before = engine.observe()
    engine.happen(action(service="web"))
    now = engine.observe()
    assert (now.lock_files, now.locks, engine.log) == (frozenset(), frozenset(), [])
    assert now.containers != before.containers


def test_a_stop_through_the_api_is_not_kept_off_by_the_lock_of_another_app() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(LockTaken(service="web", app=2))
    engine.happen(ApiStop(service="web"))
    assert engine.observe().containers[0].status == "exited"


def test_the_api_aims_at_the_stored_release_also_when_that_is_rejected() -> None:
    engine = Simulated(installed(release("r1", "web")), target=Target.of(replace(release("r2", "web"), rejected=True)))
    engine.happen(ApiRestart(service="web"))
    assert engine.observe().containers == ()
    assert "not on disk" in engine.log[-1]


def test_a_service_that_is_not_running_writes_nothing() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(ApiStop(service="web"))
    engine.happen(Writes(service="web"))
    assert engine.observe().containers[0].data == frozenset()


def test_a_service_writes_only_into_volumes_that_it_mounts() -> None:
    body = {"services": {"web": {"vol": ["log:/log"]}}, "volumes": {"log": {}, "db": {}}}
    engine = Simulated(installed(Release("r1", body)))
    for volume in ("log", "db"):
        engine.happen(Writes(service="web", volume=volume))
    assert {each.name: bool(each.data) for each in engine.observe().volumes} == {"log": True, "db": False}


def test_a_restarted_supervisor_gives_back_the_lock_files_it_left() -> None:
    engine = Simulated(replace(installed(release("r1", "web")), locks=frozenset({1})))
    engine.happen(SupervisorRestarts())
    assert engine.observe().leftover_locks == {1}
    assert [str(round) for _, round in settle(engine, release("r1", "web"))] == ["releaseLock 1", "wait"]


def test_a_process_that_is_about_to_be_restarted_is_running_after_a_reboot() -> None:
    engine = Simulated(installed(release("r1", "web")))
    engine.happen(ProcessExits(service="web", code=1))
    engine.happen(CleanReboot())
    assert engine.observe().containers[0].restart_at is None


def test_a_power_cut_between_create_and_start_leaves_a_container_that_is_started_later() -> None:
    target = release("r1", "web")
    engine = Simulated()
    for _, round in settle(engine, target):
        steps = next_steps(engine.observe(), target).steps
        if any(isinstance(step, do.Start) for step in steps):
            assert round
            engine.happen(PowerCut(during=steps))
            break
    assert [each.status for each in engine.observe().containers] == ["Installed"]
    assert next_steps(engine.observe(), target).trace == ("start web@r1",)


def test_half_a_download_leaves_layers_that_are_cleaned_up() -> None:
    after = halfway(State(), do.Fetch(app=1, service="web", image="web:r1"))
    assert (after.images, after.dangling) == ((), True)
    assert halfway(State(), do.Noop()) == State()
