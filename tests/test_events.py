"""What happens to a device: every row of `spec/supervisor.md`, section 8.3, is one test named by a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from kit.contracts import Fact, Facts
from kit.device.state import Container
from kit.device.steps import Handover, Kill
from kit.engines.base import (
    EVENTS,
    AnyEvent,
    ApiStop,
    CleanReboot,
    ContainerLost,
    EngineRestarts,
    HandoverComplete,
    HostUpdated,
    LockDropped,
    LockTaken,
    NetworkDown,
    NetworkUp,
    OfferArrives,
    PowerCut,
    ProcessExits,
    Purge,
    RestartApp,
    SupervisorRestarts,
    TimePasses,
    Writes,
)
from kit.engines.simulated import Simulated, settle
from kit.planner import Release, Round, Target, installed, next_steps, report

STRATEGY = "io.balena.update.strategy"
NEEDS_OS = "io.balena.features.requires.sw.balena-os"
OPTIONAL = "io.balena.features.optional"


def release(commit: str, services: Mapping[str, object], app: int = 1, **rest: object) -> Release:
    top = {key: rest.pop(key) for key in ("volumes", "networks") if key in rest}
    return Release(commit, {"services": services, **top}, app=app, **rest)  # type: ignore[arg-type]


def running(one: Release, facts: Facts | None = None, **state: object) -> Simulated:
    """A device on which a release runs, offered and stored."""
    engine = Simulated(replace(installed(one), **state), facts=facts)  # type: ignore[arg-type]
    engine.happen(OfferArrives(releases=(one,)))
    return engine


def rounds(engine: Simulated) -> list[Round]:
    """What the supervisor does now; the state afterwards is the engine's."""
    return [round for _, round in settle(engine, engine.target) if round.trace]


def traces(engine: Simulated) -> list[set[str]]:
    return [set(round.trace) for round in rounds(engine)]


def idle(engine: Simulated) -> bool:
    """Whether the supervisor has nothing to do."""
    return not next_steps(engine.observe(), engine.target)


def one(engine: Simulated, service: str = "web") -> Container:
    found = engine.observe().container(service)
    assert found is not None
    return found


def web(restart: str | None = None, **more: object) -> dict[str, object]:
    return {"web": {**({"restart": restart} if restart else {}), **more}}


def os_facts(version: str) -> Facts:
    """The facts of a device with this host OS."""
    fact = Fact(slug="balena-os", version=version, source="test")
    return Facts(
        supervisor=Fact(slug=None, version="19.0.5", source="test"),
        device_type=Fact(slug="raspberrypi4-64", version=None, source="test"),
        arch=Fact(slug="aarch64", version=None, source="test"),
        os=fact,
        kernel=None,
        l4t=None,
    )


# -------------------------------------------------------------------------------- processes that end


def test_e_01_without_a_policy_a_script_that_ends_well_is_started_again_and_again() -> None:
    engine = running(release("r1", web()))
    engine.happen(ProcessExits(service="web", code=0))
    assert one(engine).restart_at == engine.observe().clock_ms + 100
    assert one(engine).status == "Running"
    assert idle(engine)


def test_e_02_on_failure_leaves_a_process_that_ended_with_0_and_so_does_the_supervisor() -> None:
    engine = running(release("r1", web("on-failure")))
    engine.happen(ProcessExits(service="web", code=0))
    for _ in range(100):
        assert idle(engine)
        engine.happen(TimePasses(ms=60_000))
    assert one(engine).status == "exited"


def pauses(engine: Simulated, codes: list[int]) -> list[int]:
    """The pauses before each restart, when the process ends at once, every time, with these codes."""
    found = []
    for code in codes:
        engine.happen(ProcessExits(service="web", code=code))
        at = one(engine).restart_at
        assert at is not None
        found.append(at - engine.observe().clock_ms)
        engine.happen(TimePasses(ms=found[-1]))
        assert one(engine).restart_at is None
    return found


def test_e_03_on_failure_is_tried_without_end_and_the_pauses_double() -> None:
    engine = running(release("r1", web("on-failure")))
    assert pauses(engine, [3] * 8) == [100, 200, 400, 800, 1600, 3200, 6400, 12800]
    assert pauses(engine, [3] * 8)[-1] == 60_000  # never longer than a minute
    engine.happen(TimePasses(ms=10_000))
    assert pauses(engine, [3]) == [100]  # and short again after ten good seconds
    assert one(engine).status == "Running"


def test_e_04_on_failure_with_a_count_means_always() -> None:
    engine = running(release("r1", web("on-failure:3")))
    assert len(pauses(engine, [3, 3, 3, 3, 3, 0])) == 6


def test_e_05_no_leaves_a_process_that_failed() -> None:
    engine = running(release("r1", web("no")))
    engine.happen(ProcessExits(service="web", code=1))
    assert (one(engine).status, one(engine).exit_code) == ("exited", 1)
    assert idle(engine)


def test_e_06_unless_stopped_starts_a_process_again_that_ended_with_0() -> None:
    engine = running(release("r1", web("unless-stopped")))
    assert pauses(engine, [0]) == [100]


# ------------------------------------------------------------------------------- stops and boots


def after(restart: str | None, *events: AnyEvent) -> Container:
    """The container of a service with this policy after some events; the supervisor acts after each."""
    engine = running(release("r1", web(restart)))
    for event in events:
        engine.happen(event)
        rounds(engine)
    return one(engine)


def test_e_07_always_ignores_a_stop_on_purpose_at_the_next_boot() -> None:
    stop = ApiStop(service="web")
    assert after("always", stop).status == "exited"
    assert after("always", stop, SupervisorRestarts()).status == "exited"
    assert after("always", stop, SupervisorRestarts(), CleanReboot()).status == "Running"


def test_e_08_unless_stopped_remembers_a_stop_on_purpose() -> None:
    assert after("unless-stopped", ApiStop(service="web"), CleanReboot()).status == "exited"


def test_e_09_on_failure_starts_again_what_was_stopped_on_purpose_and_died_of_it() -> None:
    stopped = after("on-failure", ApiStop(service="web"))
    assert (stopped.status, stopped.exit_code) == ("exited", 143)
    assert after("on-failure", ApiStop(service="web"), CleanReboot()).status == "Running"


def test_e_10_on_failure_stays_down_after_a_reboot_that_it_answered_well() -> None:
    services = {"web": {"restart": "on-failure"}, "panel": {"dep": ["web"]}}
    engine = running(release("r1", services))
    engine.happen(CleanReboot(codes={"web": 0}))
    assert idle(engine)
    assert one(engine).status == "exited"
    assert one(engine, "panel").status == "Running"


def test_e_11_on_failure_comes_back_when_it_died_of_the_stop_signal() -> None:
    assert after("on-failure", CleanReboot(codes={"web": 143})).status == "Running"


def test_e_12_after_a_power_cut_255_is_noted_and_on_failure_runs() -> None:
    found = after("on-failure", PowerCut())
    assert (found.status, found.exit_code) == ("Running", 255)


def test_e_13_no_stays_down_after_a_reboot() -> None:
    assert after("no", CleanReboot()).status == "exited"


def test_e_14_a_finished_one_shot_does_not_run_again_after_a_reboot() -> None:
    engine = Simulated()
    engine.happen(OfferArrives(releases=(release("r1", web("no", oneshot=0)),)))
    rounds(engine)
    assert (one(engine).status, one(engine).exit_code) == ("exited", 0)
    engine.happen(CleanReboot())
    assert traces(engine) == []
    assert one(engine).status == "exited"


def test_e_15_a_crash_loop_does_not_touch_its_dependents() -> None:
    engine = running(release("r1", {"store": {}, "panel": {"dep": ["store"]}}))
    panel = one(engine, "panel")
    for _ in range(5):
        engine.happen(ProcessExits(service="store", code=1))
        assert idle(engine)
        engine.happen(TimePasses(ms=60_000))
    assert one(engine, "panel") == panel


def test_e_16_at_boot_the_engine_starts_everything_and_nobody_waits_for_dependencies() -> None:
    engine = running(release("r1", {"store": {}, "panel": {"dep": ["store"]}}))
    engine.happen(CleanReboot())
    assert [one(engine, name).status for name in ("store", "panel")] == ["Running", "Running"]
    assert traces(engine) == []


# --------------------------------------------------------------------------------------------- the API


def test_e_17_restarting_an_app_kills_all_and_starts_all_in_one_round() -> None:
    engine = running(release("r1", {"store": {}, "panel": {"dep": ["store"]}}))
    engine.happen(RestartApp())
    assert [set(round.trace) for round in engine.rounds if round.trace] == [
        {"takeLock 1[panel,store]"},
        {"kill store@r1", "kill panel@r1"},
        {"releaseLock 1"},
        {"takeLock 1[store,panel]"},
        {"start store@r1", "start panel@r1"},
        {"releaseLock 1"},
    ]
    assert traces(engine) == []


def test_e_18_a_purge_empties_all_volumes_also_those_that_nobody_uses() -> None:
    one_release = release("r1", web(vol=["log:/log"]), volumes={"log": {}, "old": {}})
    engine = running(one_release)
    engine.happen(Writes(service="web", volume="log", text="kept?"))
    assert any(volume.data for volume in engine.observe().volumes)
    engine.happen(Purge())
    found = [set(round.trace) for round in engine.rounds if round.trace]
    assert found[:4] == [
        {"takeLock 1[web]"},
        {"kill web@r1"},
        {"removeNetwork 1_default"},
        {"removeVolume 1_log", "removeVolume 1_old"},
    ]
    assert found[4] == {"createVolume 1_log", "createVolume 1_old", "createNetwork 1_default"}
    assert found[-2:] == [{"start web@r1"}, {"releaseLock 1"}]
    assert {str(volume): volume.data for volume in engine.observe().volumes} == {
        "1_log": frozenset(),
        "1_old": frozenset(),
    }
    assert traces(engine) == []


# --------------------------------------------------------------------------- facts, offers, decisions


def needs(range_text: str, **more: object) -> dict[str, object]:
    return {"labels": {NEEDS_OS: range_text, **more}}


def test_e_19_a_host_update_lets_a_rejected_release_in() -> None:
    engine = running(release("r1", {"web": {}}), os_facts("6.3.0"))
    engine.happen(OfferArrives(releases=(release("r2", {"web": needs(">=6.4")}),)))
    assert engine.target.apps[0].rejected
    assert traces(engine) == []
    engine.happen(HostUpdated(facts=os_facts("6.4.0")))
    assert one(engine).commit == "r1"  # up again after the reboot
    assert traces(engine)[0] == {"fetch web:r2"}
    assert (one(engine).commit, one(engine).status) == ("r2", "Running")


def test_e_20_offline_the_decision_stays_and_the_old_release_is_not_even_recreated() -> None:
    engine = running(release("r1", {"web": {}}), os_facts("6.3.0"), injected=(("HOST_OS_VERSION", "balenaOS 6.3.0"),))
    engine.happen(OfferArrives(releases=(release("r2", {"web": needs(">=6.4")}),)))
    engine.happen(NetworkDown())
    engine.happen(HostUpdated(facts=os_facts("6.4.0")))
    assert engine.target.apps[0].rejected
    assert traces(engine) == []
    assert dict(one(engine).injected)["HOST_OS_VERSION"] == "balenaOS 6.3.0"
    assert dict(engine.observe().injected)["HOST_OS_VERSION"] == "balenaOS 6.4.0"
    engine.happen(NetworkUp())
    assert not engine.target.apps[0].rejected


def test_e_21_a_host_update_drops_an_optional_service_and_recreates_the_others() -> None:
    services = {"core": {}, "legacy": needs("<6.4", **{OPTIONAL: "1"})}
    engine = running(release("r2", services), os_facts("6.3.0"), injected=(("HOST_OS_VERSION", "balenaOS 6.3.0"),))
    assert traces(engine) == []
    core = one(engine, "core").id
    engine.happen(HostUpdated(facts=os_facts("6.4.0")))
    assert engine.target.apps[0].dropped == ("legacy",)
    steps = {step for round in traces(engine) for step in round}
    assert {"kill legacy@r2", "removeImage legacy:r2", "kill core@r2", "start core@r2"} <= steps
    assert engine.observe().container("legacy") is None
    assert one(engine, "core").id != core


def test_e_22_an_accepted_release_can_be_rejected_while_it_runs() -> None:
    engine = running(release("r2", {"web": needs("<7")}), os_facts("6.3.0"))
    engine.happen(HostUpdated(facts=os_facts("7.0.0")))
    assert report(engine.observe(), engine.target) == {1: ("rejected", ())}
    assert one(engine).status == "Running"
    engine.happen(ContainerLost(service="web"))
    assert traces(engine) == []


UNKNOWN = {"type": "sw.container", "requires": [{"type": "sw.zzz"}]}


def two_apps(bad: bool) -> tuple[Release, Release]:
    other = release("q2", {"probe": {}}, app=2)
    return release("r2", {"store": {}}), replace(other, contracts={"probe": UNKNOWN} if bad else {})


def test_e_23_an_unknown_requirement_in_one_app_refuses_the_whole_offer() -> None:
    engine = running(release("r1", {"store": {}}), os_facts("6.3.0"))
    engine.happen(OfferArrives(releases=two_apps(bad=True)))
    assert traces(engine) == []
    assert one(engine, "store").commit == "r1"
    assert "probe" in engine.log[-1]


def test_e_24_the_next_offer_without_the_bad_service_updates_both() -> None:
    engine = running(release("r1", {"store": {}}), os_facts("6.3.0"))
    engine.happen(OfferArrives(releases=two_apps(bad=True)))
    engine.happen(OfferArrives(releases=two_apps(bad=False)))
    rounds(engine)
    assert {str(each) for each in engine.observe().containers} == {"store@r2", "probe@q2"}


def test_e_25_a_variable_of_a_rejected_release_does_not_reach_the_old_one() -> None:
    engine = running(release("r1", {"web": {}}), os_facts("6.3.0"))
    for level in ("1", "2"):
        offered = release("r2", {"web": {**needs(">=6.4"), "env": {"LEVEL": level}}})
        engine.happen(OfferArrives(releases=(offered,)))
        assert engine.target.apps[0].rejected
        assert traces(engine) == []
    assert one(engine).wanted.environment == ()


def test_e_26_a_container_of_a_rejected_app_that_is_removed_by_hand_stays_away() -> None:
    engine = running(release("r1", {"web": {}}), os_facts("6.3.0"))
    engine.happen(OfferArrives(releases=(release("r2", {"web": needs(">=6.4")}),)))
    engine.happen(ContainerLost(service="web"))
    assert traces(engine) == []
    assert engine.observe().containers == ()


# ---------------------------------------------------------------------------------- locks and downloads


def test_e_27_a_lock_lets_downloads_go_on_and_is_asked_for_with_growing_pauses() -> None:
    engine = running(release("r1", {"store": {}, "panel": {}}))
    engine.happen(LockTaken(service="panel"))
    engine.happen(OfferArrives(releases=(release("r2", {"store": {}, "panel": {}}),)))
    assert traces(engine) == [
        {"fetch store:r2", "fetch panel:r2"},
        {"takeLock 1[panel,store]", "!error: UpdatesLocked by panel"},
    ]
    assert engine.observe().clock_ms == 200 + 1_000
    waited = []
    for _ in range(4):
        before = engine.observe().clock_ms
        (round,) = rounds(engine)
        assert round.troubles[0].about == "panel"
        waited.append(engine.observe().clock_ms - before)
    assert waited == [2_000, 4_000, 8_000, 16_000]
    engine.happen(LockDropped(service="panel"))
    rounds(engine)
    assert {each.commit for each in engine.observe().containers} == {"r2"}


def test_e_28_a_release_that_waits_for_a_lock_is_replaced_by_the_next_and_never_starts() -> None:
    engine = running(release("r1", {"web": {}}))
    engine.happen(LockTaken(service="web"))
    engine.happen(OfferArrives(releases=(release("r2", {"web": {}}),)))
    rounds(engine)
    engine.happen(OfferArrives(releases=(release("r3", {"web": {}}),)))
    seen = traces(engine)
    engine.happen(LockDropped(service="web"))
    seen += traces(engine)
    steps = {step for round in seen for step in round}
    # Only the first image of the store is a delta source, so r2's is not (S-81).
    assert seen[0] == {"removeImage web:r2"}
    assert seen[1] == {"fetch web:r3"}
    assert "start web@r2" not in steps
    assert one(engine).commit == "r3"


def test_e_29_a_power_cut_during_a_download_costs_only_the_download() -> None:
    engine = running(release("r1", {"web": {}}))
    engine.happen(OfferArrives(releases=(release("r2", {"web": {}}),)))
    first = next_steps(engine.observe(), engine.target)
    engine.happen(PowerCut(during=first.steps))
    assert one(engine).commit == "r1"
    assert one(engine).status == "Running"
    assert "web:r2" not in engine.observe().image_names
    assert {"fetch web:r2"} in traces(engine)
    assert one(engine).commit == "r2"


def test_e_30_kill_then_download_without_network_leaves_nothing_running() -> None:
    early = {"labels": {STRATEGY: "kill-then-download"}}
    old = release("r1", {"cam": early, "store": {"image": "store@sha256:a"}})
    engine = running(old)
    engine.happen(OfferArrives(releases=(release("r2", {"cam": early, "store": {"image": "store@sha256:a"}}),)))
    for observed, round in settle(engine, engine.target):
        if any(isinstance(step, Kill) for step in round):
            assert observed.container("cam") is not None
            break
    engine.happen(NetworkDown())
    rounds(engine)
    assert engine.observe().container("cam") is None
    assert one(engine, "store").status == "Running"
    engine.happen(NetworkUp())
    rounds(engine)
    assert one(engine, "cam").commit == "r2"


def test_e_31_delete_then_download_has_no_way_back_after_a_power_cut_offline() -> None:
    early = {"labels": {STRATEGY: "delete-then-download"}}
    engine = running(release("r1", {"cam": early}))
    engine.happen(OfferArrives(releases=(release("r2", {"cam": early}),)))
    for _, round in settle(engine, engine.target):
        if "removeImage cam:r1" in round.trace:
            break
    engine.happen(NetworkDown())
    engine.happen(PowerCut())
    rounds(engine)
    assert engine.observe().containers == ()
    assert engine.observe().images == ()


def test_e_32_a_power_cut_during_a_hand_over_leaves_the_old_one_down_and_it_is_killed_with_a_lock() -> None:
    over = {"labels": {STRATEGY: "hand-over"}}
    engine = running(release("r1", {"relay": over}))
    engine.happen(OfferArrives(releases=(release("r2", {"relay": over}),)))
    for observed, _round in settle(engine, engine.target):
        steps = next_steps(engine.observe(), engine.target).steps
        if any(isinstance(step, Handover) for step in steps):
            assert observed.container("relay") is not None
            engine.happen(PowerCut(during=steps))
            break
    assert [(str(each), each.status) for each in engine.observe().containers] == [
        ("relay@r2", "Running"),
        ("relay@r1", "exited"),
    ]
    assert traces(engine)[:2] == [{"takeLock 1[relay]"}, {"kill relay@r1"}]
    assert [str(each) for each in engine.observe().containers] == ["relay@r2"]


def test_e_33_a_hand_over_with_a_host_port_fails_first_and_then_goes_the_ordinary_way() -> None:
    over = {"labels": {STRATEGY: "hand-over"}, "ports": ["80:80"]}
    engine = running(release("r1", {"relay": over}))
    engine.happen(OfferArrives(releases=(release("r2", {"relay": over}),)))
    seen = traces(engine)
    assert seen[1] == {"handover relay@r1->r2", "!error: start failed relay"}
    assert seen[2:5] == [{"takeLock 1[relay]"}, {"kill relay@r1"}, {"removeImage relay:r1"}]
    assert seen[5] == {"start relay@r2"}
    assert one(engine, "relay").status == "Running"


def handed_over(*events: AnyEvent, **state: object) -> tuple[int, Simulated]:
    """How long a hand-over takes when these events happen while the offer is there, and the device afterwards."""
    over = {"labels": {STRATEGY: "hand-over", "io.balena.update.handover-timeout": "9000"}}
    engine = running(release("r1", {"relay": over}), **state)
    engine.happen(OfferArrives(releases=(release("r2", {"relay": over}),)))
    for event in events:
        engine.happen(event)
    before = engine.observe().clock_ms
    done = rounds(engine)
    assert one(engine, "relay").commit == "r2"
    return engine.observe().clock_ms - before - 200 * len(done), engine


def test_a_file_ends_a_hand_over_which_deletes_it() -> None:
    """S-108: the file may be there before, or be made during the wait; one that is late waits for the next."""
    for events, took, left in (
        ((), 9_000, set()),
        ((HandoverComplete(service="relay"),), 0, set()),
        ((HandoverComplete(service="relay", ms=3_200),), 3_000, set()),
        ((HandoverComplete(service="relay", ms=60_000),), 9_000, {"relay"}),
        ((HandoverComplete(service="relay"), EngineRestarts()), 0, set()),
        ((HandoverComplete(service="relay"), CleanReboot()), 9_000, set()),
        ((HandoverComplete(service="nobody"),), 9_000, set()),
    ):
        waited, engine = handed_over(*events)
        assert (waited, {name for _, name, _ in engine.observe().handover_files}) == (took, left), events
    assert handed_over(HandoverComplete(service="relay"), handover_wait="as_coded")[0] == 0


def test_e_34_a_service_that_ignores_sigterm_is_waited_for_until_its_grace_is_over() -> None:
    engine = running(release("r1", {"store": {}}), deaf=frozenset({"store"}))
    engine.happen(OfferArrives(releases=(release("r2", {"store": {}}),)))
    done = [round for _, round in settle(engine, engine.target)]
    killed = next(place for place, round in enumerate(done) if "kill store@r1" in round.trace)
    removed = next(place for place, round in enumerate(done) if "removeImage store:r1" in round.trace)
    waiting = done[killed + 1 : removed]
    assert all([step.kind for step in round] == ["noop"] for round in waiting)
    assert len(waiting) == 10  # a second each
    assert one(engine, "store").commit == "r2"


def test_e_35_optional_yes_is_not_optional_so_the_release_is_rejected_and_nothing_is_dropped() -> None:
    engine = running(release("r1", {"mode": {}}), os_facts("6.3.0"))
    engine.happen(OfferArrives(releases=(release("r2", {"mode": needs(">=7", **{OPTIONAL: "yes"})}),)))
    assert (engine.target.apps[0].rejected, engine.target.apps[0].dropped) == (True, ())
    assert one(engine, "mode").commit == "r1"


def test_e_36_a_renamed_fleet_recreates_every_container() -> None:
    engine = running(release("r1", {"store": {}, "panel": {}}))
    engine.happen(OfferArrives(releases=(release("r1", {"store": {}, "panel": {}}, fleet="harbour"),)))
    assert {"kill store@r1", "kill panel@r1"} in traces(engine)


def test_e_37_a_renamed_device_changes_nothing() -> None:
    """The device's name is in no state and no target: an offer that only renames it is the same offer."""
    engine = running(release("r1", {"store": {}}))
    assert not any("NAME_AT_INIT" in key for key, _ in engine.observe().injected)
    engine.happen(OfferArrives(releases=(release("r1", {"store": {}}),)))
    assert traces(engine) == []


def test_e_38_a_lock_file_survives_a_restart_of_the_engine_and_not_a_reboot() -> None:
    engine = running(release("r1", {"store": {}}))
    engine.happen(LockTaken(service="store"))
    engine.happen(EngineRestarts())
    assert one(engine, "store").status == "Running"
    engine.happen(OfferArrives(releases=(release("r2", {"store": {}}),)))
    assert rounds(engine)[-1].troubles[0].about == "store"
    engine.happen(CleanReboot())
    rounds(engine)
    assert one(engine, "store").commit == "r2"


# ------------------------------------------------------------------------------------------ more events


def test_every_event_has_a_name_in_files() -> None:
    assert {"process-exits", "power-cut", "api-stop", "host-updated", "disk-full"} <= set(EVENTS)
    assert all(kind.__doc__ for kind in EVENTS.values())


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_can_happen_to_a_blank_device(name: str) -> None:
    kind = EVENTS[name]
    fields = {"service": "web"} if "service" in getattr(kind, "__dataclass_fields__", {}) else {}
    engine = Simulated()
    engine.happen(kind(**fields))
    assert engine.observe().containers == ()


def test_what_a_service_writes_survives_in_a_volume_and_dies_with_its_own_layer() -> None:
    engine = running(release("r1", web(vol=["log:/log"]), volumes={"log": {}}))
    engine.happen(Writes(service="web", text="in the volume", volume="log"))
    engine.happen(Writes(service="web", text="in the layer"))
    engine.happen(CleanReboot())
    assert one(engine).data == {"in the layer"}
    engine.happen(OfferArrives(releases=(release("r2", web(vol=["log:/log"]), volumes={"log": {}}),)))
    rounds(engine)
    assert one(engine).data == frozenset()
    assert engine.observe().volumes[0].data == {"in the volume"}


def test_a_move_to_another_fleet_starts_with_empty_volumes() -> None:
    engine = running(release("r1", web(vol=["log:/log"]), volumes={"log": {}}))
    engine.happen(Writes(service="web", volume="log"))
    moved = release("q1", web(vol=["log:/log"]), app=2, volumes={"log": {}})
    engine.happen(OfferArrives(releases=(moved,)))
    rounds(engine)
    assert {str(each): each.data for each in engine.observe().volumes} == {"2_log": frozenset()}


def test_an_empty_target_uninstalls_and_a_rejected_one_does_not() -> None:
    engine = running(release("r1", web()))
    engine.target = Target()
    rounds(engine)
    assert engine.observe().containers == engine.observe().networks == ()
