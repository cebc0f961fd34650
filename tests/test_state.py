"""What is on a device, what the engine does by itself, and what every step does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.device import steps as do
from kit.device.state import (
    POLICIES,
    RESTARTS,
    Container,
    Image,
    Network,
    Policy,
    State,
    Status,
    Volume,
    Wanted,
    because,
    booted,
    exited,
    finish_stops,
    pass_time,
    restarts,
    round_over,
)

WEB = Wanted(app=1, name="web", commit="r1", image="web:r1")
VOLUME, NETWORK = Volume(1, "log"), Network(1, "lan")


def container(number: int = 1, **more: Any) -> Container:
    service = more.pop("wanted", WEB)
    return Container(id=number, wanted=service, commit=service.commit, **more)


def state(*containers: Container, **more: Any) -> State:
    return State(containers=containers, made=len(containers), **more)


# ------------------------------------------------------------------------- what the engine does by itself

BY_POLICY = [
    # what happens                                       always  unless-stopped  on-failure  no
    ("it ends with 0", 0, (True, True, False, False)),
    ("it ends with another code, or is killed", 1, (True, True, True, False)),
    ("it is stopped on purpose", 143, (False, False, False, False)),
    ("boot after a clean shutdown, it was running", 143, (True, True, True, False)),
    ("boot after a clean shutdown, it was running", 0, (True, True, False, False)),
    ("boot after a power cut, it was running", 255, (True, True, True, False)),
    ("boot, it had been stopped on purpose", 143, (True, False, True, False)),
    ("boot, it had been stopped on purpose", 0, (True, False, False, False)),
]


@pytest.mark.parametrize(("situation", "code", "answers"), BY_POLICY)
def test_the_engine_starts_again_by_the_table(situation: str, code: int, answers: tuple[bool, ...]) -> None:
    assert tuple(restarts(policy, situation, code) for policy in POLICIES) == answers


def test_every_situation_of_the_table_is_tested() -> None:
    assert {situation for situation, _, _ in BY_POLICY} == set(RESTARTS)


def with_policy(policy: Policy, **more: Any) -> Container:
    return container(wanted=replace(WEB, policy=policy), **more)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("code", [0, 1, 143])
@pytest.mark.parametrize("cut", [False, True])
def test_a_boot_follows_the_table_for_what_ran(policy: Policy, code: int, cut: bool) -> None:
    found = booted(state(with_policy(policy)), cut=cut, codes={"web": code}).containers[0]
    noted = 255 if cut else code
    situation = f"boot after {'a power cut' if cut else 'a clean shutdown'}, it was running"
    assert found.status == ("Running" if restarts(policy, situation, noted) else "exited")
    assert found.exit_code == noted


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("code", [0, 143])
@pytest.mark.parametrize("cut", [False, True])
def test_a_boot_follows_the_table_for_what_was_stopped(policy: Policy, code: int, cut: bool) -> None:
    before = with_policy(policy, status="exited", stopped=True, exit_code=code)
    found = booted(state(before), cut=cut).containers[0]
    expected = restarts(policy, "boot, it had been stopped on purpose", code)
    assert found.status == ("Running" if expected else "exited")


@pytest.mark.parametrize("policy", ["on-failure", "no"])
@pytest.mark.parametrize("cut", [False, True])
def test_what_ended_well_stays_down_over_a_boot(policy: Policy, cut: bool) -> None:
    found = booted(state(with_policy(policy, status="exited", exit_code=0)), cut=cut).containers[0]
    assert (found.status, found.exit_code) == ("exited", 0)


@pytest.mark.parametrize("status", ["Installed", "Dead"])
def test_what_never_ran_is_not_started_by_the_engine(status: Status) -> None:
    assert booted(state(container(status=status))).containers[0].status == status


def test_the_old_half_of_a_hand_over_stays_down() -> None:
    found = booted(state(container(handing_over=True)), cut=True).containers[0]
    assert found.status == "exited"
    assert exited(container(handing_over=True), 1, 0).status == "exited"


def test_a_stop_that_was_under_way_is_forgotten_at_a_power_cut() -> None:
    stopping = container(status="Stopping", removing=True, stop_left=1)
    assert booted(state(stopping), cut=True).containers[0].status == "Running"
    for status in ("Installed", "exited"):
        one = with_policy("no", status=status)
        killed = do.effect(state(one), do.Kill(app=1, service="web", container=one))
        assert killed.containers[0].status == "Stopping"
        assert booted(killed, cut=True).containers[0].status == status


def test_a_reboot_clears_lock_files_and_a_restart_of_the_engine_keeps_them() -> None:
    before = State(locks=frozenset({1}), lock_files=frozenset({(1, "web")}), reboot_wanted=True)
    reboot, engine = booted(before), booted(before, reboot=False)
    assert (reboot.locks, reboot.lock_files, reboot.leftover_locks, reboot.boot) == (
        frozenset(),
        frozenset(),
        frozenset(),
        1,
    )
    assert (engine.locks, engine.lock_files, engine.leftover_locks) == (frozenset(), before.lock_files, frozenset({1}))
    assert (reboot.reboot_wanted, engine.reboot_wanted) == (False, True)


def test_pauses_double_up_to_a_minute_and_fall_back_after_ten_seconds() -> None:
    found, now = [], 0
    one = container()
    for _ in range(12):
        one = exited(one, 1, now)
        assert one.restart_at is not None
        found.append(one.restart_at - now)
        now = one.restart_at
        one = replace(one, restart_at=None, started_at=now)
    assert found == [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]
    assert exited(one, 1, now + 10_000).pause_ms == 100


def test_a_container_that_is_about_to_be_restarted_counts_as_running_until_it_is() -> None:
    waiting = exited(container(), 1, 0)
    assert (waiting.status, waiting.restart_at) == ("Running", 100)
    assert pass_time(state(waiting), 99).containers[0].restart_at == 100
    assert pass_time(state(waiting), 100).containers[0].restart_at is None


def test_a_one_shot_that_always_restarts_goes_on_for_ever() -> None:
    service = replace(WEB, oneshot=0)
    found = pass_time(do.effect(State(), do.Start(app=1, service="web", wanted=service)), 3_600_000)
    assert found.containers[0].pause_ms == 60_000
    assert found.containers[0].restart_at is not None


def test_a_stop_takes_one_more_round_and_then_keeps_or_deletes() -> None:
    for removing, left in ((True, []), (False, ["exited"])):
        kind = do.Kill if removing else do.Stop
        ordered = do.effect(state(container()), kind(app=1, service="web", container=container()))
        once = round_over(ordered)
        assert [each.status for each in (*ordered.containers, *once.containers)] == ["Stopping", "Stopping"]
        assert [each.status for each in round_over(once).containers] == left


def test_a_deaf_service_is_stopping_for_as_many_rounds_as_its_grace_has_seconds() -> None:
    service = replace(WEB, grace=3)
    one = container(wanted=service)
    now = do.effect(state(one, deaf=frozenset({"web"})), do.Kill(app=1, service="web", container=one))
    assert now.containers[0].stop_left == 3
    assert finish_stops(now, all_of_them=True).containers == ()


def test_a_round_with_trouble_is_followed_by_a_longer_and_longer_pause() -> None:
    now, clocks = State(online=False), [0]
    for _ in range(12):
        tried = do.effect(now, do.Fetch(app=1, service="web", image="web:r1"))
        now = round_over(tried, failed=bool(tried.troubles))
        clocks.append(now.clock_ms)
    pauses = [later - earlier for earlier, later in pairwise(clocks)]
    assert pauses[:4] == [1_000, 2_000, 4_000, 8_000]
    assert pauses[-1] == 900_000


# ------------------------------------------------------------------------------------- what a step does


def test_every_step_says_what_it_is_and_changes_only_its_part() -> None:
    words = {"app": 1, "service": "web"}
    one = container()
    before = state(
        one,
        images=(Image("old", 1, "web"), Image("web:r1", 1, "web")),
        volumes=(VOLUME,),
        networks=(NETWORK,),
        locks=frozenset({1}),
        dangling=True,
        supervisor_network=False,
        firmware_volume=False,
    )
    made: dict[type[do.Step], tuple[do.AnyStep, set[str]]] = {
        do.Fetch: (do.Fetch(image="new", **words), {"images"}),
        do.TakeLock: (do.TakeLock(app=2, services=("web",)), {"locks"}),
        do.Kill: (do.Kill(container=one, **words), {"containers"}),
        do.Stop: (do.Stop(container=one, **words), {"containers"}),
        do.Remove: (do.Remove(container=one, **words), {"containers"}),
        do.UpdateMetadata: (do.UpdateMetadata(container=one, commit="r2", **words), {"containers"}),
        do.Start: (do.Start(wanted=WEB, **words), {"containers", "made"}),
        do.Handover: (do.Handover(wanted=WEB, container=one, **words), {"containers", "made"}),
        do.Restart: (do.Restart(wanted=WEB, container=one, **words), {"containers", "made"}),
        do.CreateVolume: (do.CreateVolume(app=1, thing=Volume(1, "db")), {"volumes"}),
        do.RemoveVolume: (do.RemoveVolume(app=1, thing=VOLUME), {"volumes"}),
        do.CreateNetwork: (do.CreateNetwork(app=1, thing=Network(1, "bus")), {"networks"}),
        do.RemoveNetwork: (do.RemoveNetwork(app=1, thing=NETWORK), {"networks"}),
        do.RemoveImage: (do.RemoveImage(thing=Image("old", 1, "web"), **words), {"images"}),
        do.SaveImage: (do.SaveImage(thing=Image("old", 1, "db"), **words), {"images"}),
        do.Cleanup: (do.Cleanup(), {"dangling"}),
        do.UpdateCommit: (do.UpdateCommit(app=1, commit="r1"), {"commits"}),
        do.ReleaseLock: (do.ReleaseLock(app=1), {"locks"}),
        do.RequireReboot: (do.RequireReboot(**words), {"reboot_wanted"}),
        do.Reboot: (do.Reboot(), {"containers", "locks", "boot"}),
        do.EnsureSupervisorNetwork: (do.EnsureSupervisorNetwork(), {"supervisor_network", "firmware_volume"}),
        do.EnsureExtraFirmwareVolume: (do.EnsureExtraFirmwareVolume(), {"supervisor_network", "firmware_volume"}),
        do.Noop: (do.Noop(**words), {"waited"}),
    }
    assert set(made) == set(get_args(do.AnyStep))
    for kind, (step, parts) in made.items():
        after = do.effect(before, step)
        changed = {name for name in State.__slots__ if getattr(before, name) != getattr(after, name)}
        assert changed == parts, kind.__name__
        assert str(step).startswith(step.kind)
        assert step.kind[0].lower() + step.kind[1:] == kind.__name__[0].lower() + kind.__name__[1:]
        assert kind.__doc__


def test_a_first_start_needs_the_lock_and_a_later_one_does_not() -> None:
    assert do.Start(wanted=WEB).needs_lock
    assert not do.Start(wanted=WEB, container=container()).needs_lock
    assert not do.Handover(wanted=WEB, container=container()).needs_lock
    assert do.Kill(container=container()).needs_lock
    assert not do.Remove(container=container()).needs_lock


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        ({"online": False}, "offline"),
        ({"unavailable": frozenset({"web:r1"})}, "unavailable"),
        ({"disk_full": True}, "disk-full"),
    ],
)
def test_a_download_that_fails_leaves_a_trouble_and_no_image(world: dict[str, Any], reason: str) -> None:
    found = do.effect(State(**world), do.Fetch(app=1, service="web", image="web:r1"))
    assert found.images == ()
    assert [(each.about, each.why.reason) for each in found.troubles] == [("web", reason)]


def test_one_lock_file_refuses_the_lock_of_the_whole_app_unless_it_is_overridden() -> None:
    held = State(lock_files=frozenset({(1, "web"), (2, "db")}))
    take = do.TakeLock(app=1, services=("db", "web"))
    refused = do.effect(held, take)
    assert (refused.locks, refused.troubles[0].about) == (frozenset(), "web")
    forced = do.effect(replace(held, lock_override=True), take)
    assert (forced.locks, forced.lock_files) == (frozenset({1}), frozenset({(2, "db")}))


def test_a_start_that_fails_keeps_the_created_container() -> None:
    found = do.effect(State(broken=frozenset({"web"})), do.Start(app=1, service="web", wanted=WEB))
    assert [each.status for each in found.containers] == ["Installed"]
    assert str(found.troubles[0]) == "start failed web"


def test_a_container_whose_network_host_is_missing_is_not_created() -> None:
    guest = replace(WEB, network_mode="service:vpn")
    found = do.effect(State(), do.Start(app=1, service="web", wanted=guest))
    assert found.containers == ()
    assert found.troubles[0].about == "vpn"


def test_a_host_port_is_held_until_the_process_is_gone() -> None:
    ports = replace(WEB, ports=("80/tcp",))
    other = replace(ports, name="other")
    for status, starts in (("Running", False), ("Stopping", False), ("exited", True), ("Installed", True)):
        before = state(container(wanted=other, status=status))
        after = do.effect(before, do.Start(app=1, service="web", wanted=ports))
        assert (not after.troubles) is starts, status


def test_renaming_keeps_what_was_written_and_killing_does_not() -> None:
    one = container(data=frozenset({"text"}))
    renamed = do.effect(state(one), do.UpdateMetadata(app=1, service="web", container=one, commit="r2"))
    assert (renamed.containers[0].commit, renamed.containers[0].data) == ("r2", {"text"})
    again = do.effect(
        state(one, images=(Image("web:r1"),)), do.Restart(app=1, service="web", container=one, wanted=WEB)
    )
    assert again.containers[0].data == frozenset()


def test_a_new_volume_is_empty_whatever_the_step_carries() -> None:
    full = replace(VOLUME, data=frozenset({"text"}))
    assert do.effect(State(), do.CreateVolume(app=1, thing=full)).volumes == (VOLUME,)


@given(st.sampled_from(POLICIES), st.integers(0, 255), st.integers(0, 10**7))
def test_an_ended_process_is_down_or_owed_a_restart(policy: Policy, code: int, now: int) -> None:
    found = exited(with_policy(policy), code, now)
    assert (found.status == "exited") == (found.restart_at is None)
    assert found.exit_code == code


def test_a_reason_is_read_aloud_with_its_rules() -> None:
    why = because("wait-pending", "db", service="web", on="db")
    assert str(why) == "`web` waits for `db`, which is not yet what the target wants (S-94, S-95)"
    assert (why.waits_for, why.way_out) == (("db",), "let `db` start, or remove it from `depends_on`")
