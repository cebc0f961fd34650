"""Rounds, plans and their reasons: rules by example, and what must hold for every release."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import planner_cases
import releases as random
from kit.composition import Composition, Mount, Service, Volume
from kit.device.state import Image, State, booted
from kit.device.steps import Fetch, Kill, Reboot, RemoveImage, Start
from kit.engines.base import Purge, settle
from kit.engines.simulated import Simulated
from kit.planner import (
    Plan,
    Release,
    Target,
    differences,
    injected,
    installed,
    next_steps,
    plan,
    play,
    report,
    strategy_of,
    what_changed,
)
from kit.planner.plans import ACTIONS
from kit.planner.target import handover_timeout

STRATEGY = "io.balena.update.strategy"
CASES = Path(__file__).parent / "cases"
TRACES = [
    case
    for name in ("planner_cases.json", "planner_random_cases.json")
    for case in json.loads((CASES / name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", TRACES, ids=[case["id"] for case in TRACES])
def test_a_trace_is_that_of_the_real_planner(case: dict[str, Any]) -> None:
    assert planner_cases.found(case) == planner_cases.expected(case)


def release(commit: str, services: dict[str, Any], app: int = 1, **rest: Any) -> Release:
    top = {key: rest.pop(key) for key in ("volumes", "networks") if key in rest}
    return Release(commit, {"services": services, **top}, app=app, **rest)


def update(old: Release, new: Release, **state: Any) -> Plan:
    return plan(replace(installed(old), **state), new)


def trace(found: Plan) -> list[set[str]]:
    return [set(round) for round in found.trace]


def with_strategy(word: str, **more: Any) -> dict[str, Any]:
    return {"labels": {STRATEGY: word}, **more}


# ------------------------------------------------------------------------------- rules, by example


def test_all_images_come_first_and_dependencies_are_started_in_order() -> None:
    services: dict[str, Any] = {"store": {}, "panel": {"dep": ["store"]}}
    assert trace(update(release("r1", services), release("r2", services))) == [
        {"fetch store:r2", "fetch panel:r2"},
        {"takeLock 1[panel,store]"},
        {"kill store@r1", "kill panel@r1"},
        {"removeImage store:r1", "removeImage panel:r1"},
        {"start store@r2"},
        {"start panel@r2"},
        {"updateCommit r2", "releaseLock 1"},
    ]


def test_a_dependent_whose_dependency_is_new_is_only_renamed() -> None:
    services: dict[str, Any] = {"store": {}, "panel": {"image": "panel@sha256:a", "dep": ["store"]}}
    steps = {step for round in trace(update(release("r1", services), release("r2", services))) for step in round}
    assert "updateMetadata panel r1->r2" in steps
    assert "kill panel@r1" not in steps


def test_a_renamed_service_starts_in_the_round_that_stops_the_old_one() -> None:
    found = update(release("r1", {"web": {"image": "w"}}), release("r2", {"site": {"image": "w"}}))
    assert {"kill web@r1", "start site@r2"} in trace(found)


def test_delete_then_download_removes_the_image_first_and_kill_then_download_keeps_it() -> None:
    for word, second in (
        ("kill-then-download", ["fetch cam:r2", "removeImage cam:r1"]),
        ("delete-then-download", ["removeImage cam:r1", "fetch cam:r2"]),
    ):
        body = {"cam": with_strategy(word)}
        found = update(release("r1", body), release("r2", body))
        assert [step for round in found.trace for step in round][2:4] == second


def test_locks_are_overridden_when_told_so() -> None:
    found = update(
        release("r1", {"web": {}}),
        release("r2", {"web": {}}),
        lock_files=frozenset({(1, "web")}),
        lock_override=True,
    )
    assert found.settled
    assert found.end.lock_files == frozenset()


def test_a_hand_over_happens_although_the_service_holds_a_lock() -> None:
    body = {"relay": with_strategy("hand-over")}
    found = update(release("r1", body), release("r2", body), lock_files=frozenset({(1, "relay")}))
    assert found.settled
    assert {"handover relay@r1->r2"} in trace(found)


def test_the_wait_of_a_hand_over_is_documented_or_as_measured() -> None:
    body = {"relay": {"labels": {STRATEGY: "hand-over", "io.balena.update.handover-timeout": "5000"}}}
    old, new = release("r1", body), release("r2", body)
    waits = {}
    for wait in ("documented", "as_coded"):
        waits[wait] = update(old, new, handover_wait=wait).end.clock_ms
    assert waits["documented"] - waits["as_coded"] == 5_000


@pytest.mark.parametrize(
    ("text", "wait"), [("1500", 1500), ("0", 60_000), ("-5", 60_000), ("1.5", 60_000), ("", 60_000), ("٣", 60_000)]
)
def test_the_hand_over_timeout_is_a_positive_integer_or_a_minute(text: str, wait: int) -> None:
    one = release("r1", {"relay": {"labels": {"io.balena.update.handover-timeout": text}}}).services[0]
    assert handover_timeout(one) == wait


def test_a_changed_network_is_removed_and_made_again_between_kill_and_start() -> None:
    body = {"web": {"image": "w", "nets": ["lan"]}, "other": {"image": "o"}}
    old = release("r1", body, networks={"lan": {}})
    new = release("r1", body, networks={"lan": {"internal": True}})
    assert trace(update(old, new)) == [
        {"takeLock 1[other,web]"},
        {"kill web@r1"},
        {"removeNetwork 1_lan"},
        {"createNetwork 1_lan"},
        {"start web@r1"},
        {"releaseLock 1"},
    ]


def test_a_dependency_that_is_not_in_the_target_counts_as_satisfied() -> None:
    found = plan(State(), release("r1", {"web": {"dep": ["gone"]}}))
    assert found.settled


def test_a_one_shot_with_an_unchanged_image_does_not_run_again() -> None:
    body = {"image": "m@sha256:a", "oneshot": 0, "restart": "no"}
    found = update(release("r1", {"migrate": body}), release("r2", {"migrate": body}))
    assert trace(found) == [
        {"takeLock 1[migrate]"},
        {"updateMetadata migrate r1->r2"},
        {"updateCommit r2", "releaseLock 1"},
    ]
    assert found.end.containers[0].status == "exited"


def test_another_host_os_recreates_every_container() -> None:
    one = release("r1", {"web": {}, "db": {}})
    found = update(one, one, injected=(("HOST_OS_VERSION", "balenaOS 7.0.0"),))
    assert {"kill web@r1", "kill db@r1"} in trace(found)
    kill = next(step for step in found if isinstance(step, Kill))
    assert "injected HOST_OS_VERSION" in kill.why.sentence


def test_with_deltas_the_last_three_of_the_list_are_downloaded_first() -> None:
    body: dict[str, Any] = {name: {} for name in "abcde"}
    found = update(release("r1", body), release("r2", body), delta=True)
    assert trace(found)[:2] == [{"fetch c:r2", "fetch d:r2", "fetch e:r2"}, {"fetch a:r2", "fetch b:r2"}]
    notes = {note.service: note.why.rules for note in found.rounds[0].notes}
    assert notes["a"] == ("S-101",)
    first = plan(State(delta=True), release("r1", body))
    assert len([step for step in first.rounds[0] if isinstance(step, Fetch)]) == 5


def test_a_service_on_the_network_of_another_is_made_anew_with_it() -> None:
    body: dict[str, Any] = {"vpn": {}, "web": {"image": "w", "networkMode": "service:vpn"}}
    found = update(release("r1", body), release("r2", body))
    assert {"kill web@r2", "start vpn@r2"} in trace(found)
    assert found.settled


def test_a_cycle_never_starts_and_the_plan_names_it() -> None:
    found = plan(State(), release("r1", {"a": {"dep": ["b"]}, "b": {"dep": ["c"]}, "c": {"dep": ["b"]}}))
    assert not found.settled
    assert any("b → c → b" in str(why) and why.rules == ("S-99",) for why in found.blocked)
    assert all(why.way_out for why in found.blocked)


def test_services_that_take_up_each_others_changed_network_are_told_apart_from_progress() -> None:
    """Only the primary network is waited for (S-96), so two services can hinder each other for ever."""
    body: dict[str, Any] = {name: {"nets": ["bus", "lan"]} for name in ("cam", "mixer")}
    body["cam"] |= with_strategy("kill-then-download")
    old: dict[str, Any] = {"cam": {"nets": ["bus"]}, "mixer": {"nets": ["lan"]}}
    inside: dict[str, Any] = {"lan": {"internal": True}, "bus": {"internal": True}}
    found = update(release("r1", old, networks=inside), release("r2", body, networks={"lan": {}, "bus": {}}))
    assert len(found.rounds) < 30
    (why,) = found.blocked
    assert (why.rules, why.waits_for) == (("S-85", "S-96"), ("cam", "mixer"))
    assert why.way_out


def test_a_service_that_needs_a_reboot_waits_for_one_and_then_starts() -> None:
    old = release("r1", {"web": {}})
    new = release("r2", {"web": {"labels": {"io.balena.update.requires-reboot": "1"}}})
    kinds = [step.kind for step in update(old, new) if step.kind != "noop"]
    assert kinds[-6:] == ["start", "requireReboot", "updateCommit", "releaseLock", "reboot", "start"]


def test_the_supervisors_network_and_firmware_volume_come_before_anything_else() -> None:
    body = {"web": {"labels": {"io.balena.features.supervisor-api": "1"}}, "db": {}}
    one = release("r1", body)
    found = update(one, one, supervisor_network=False)
    assert trace(found)[:2] == [{"kill web@r1"}, {"ensureSupervisorNetwork"}]
    assert found.settled
    assert next_steps(State(firmware_volume=False), one).trace == ("ensureExtraFirmwareVolume",)


def test_leftover_layers_and_images_known_for_another_service_are_tidied_first() -> None:
    one = release("r1", {"web": {"image": "w"}})
    state = replace(installed(one), images=(Image("w", 1, "old-name"),), dangling=True)
    assert [step.kind for step in next_steps(state, one)] == ["cleanup", "saveImage"]
    found = plan(state, one)
    assert found.settled
    assert found.end.images == (Image("w", 1, "web", "r1"),)


def test_the_book_keeping_of_an_image_that_stays_takes_a_round_of_its_own() -> None:
    """S-80, S-83: `relay` could start while `clock` is being stopped, but the image of `lamp` is noted anew first."""
    old = {"lamp": {"image": "lamp@sha256:a"}, "clock": {}}
    new = {"lamp": {"image": "lamp@sha256:a"}, "clock": {}, "cam": {}, "relay": {"dep": ["cam"]}}
    found = update(release("r1", old), release("r2", new))
    assert trace(found)[-4:] == [
        {"updateMetadata lamp r1->r2", "kill clock@r1", "start cam@r2"},
        {"removeImage clock:r1"},
        {"start clock@r2", "start relay@r2"},
        {"updateCommit r2", "releaseLock 1"},
    ]


def test_leftover_lock_files_of_the_supervisor_are_given_back() -> None:
    one = release("r1", {"web": {}})
    assert trace(update(one, one, leftover_locks=frozenset({1}))) == [{"releaseLock 1"}]


def test_an_exited_container_is_started_again_only_after_the_proxys_race() -> None:
    one = release("r1", {"web": {}})
    state = installed(one)
    down = replace(state.containers[0], status="exited", exit_code=1)
    assert not next_steps(replace(state, containers=(down,)), one)
    raced = replace(down, start_error="userland proxy: listen tcp 192.168.88.1:80: cannot assign requested address")
    assert [step.kind for step in next_steps(replace(state, containers=(raced,)), one)] == ["start"]


def test_a_composition_made_by_hand_and_a_normal_form_are_the_same_target() -> None:
    by_hand = Composition(
        services=(
            Service(
                name="web",
                image="w",
                environment=(("A", "1"),),
                labels=(("x", "y"),),
                restart="no",
                volumes=(Mount(volume="log", target="/log"),),
                depends_on=("db",),
                networks=("default",),
            ),
            Service(name="db", image="d", networks=("default",)),
        ),
        volumes=(Volume(name="log"),),
    )
    form = {
        "services": {
            "web": {
                "image": "w",
                "command": None,
                "environment": {"A": "1"},
                "labels": {"x": "y"},
                "restart": "no",
                "volumes": ["log:/log"],
                "depends_on": ["db"],
                "networks": {"default": None},
            },
            "db": {"image": "d", "networks": {"default": None}, "tty": True},
        },
        "volumes": {"log": {}},
        "networks": {},
    }
    assert Release("r1", by_hand).target == Release("r1", form).target


def test_lists_are_compared_without_their_order_but_commands_are_not() -> None:
    def changes(one: dict[str, Any], two: dict[str, Any]) -> tuple[str, ...]:
        state = installed(release("r1", {"web": one}))
        service = release("r1", {"web": two}).services[0]
        return differences(state.containers[0], service, injected(state, "fleet"), {})

    assert changes({"cap_add": ["A", "B"]}, {"cap_add": ["B", "A"]}) == ()
    assert changes({"command": ["a", "b"]}, {"command": ["b", "a"]}) == ("command",)
    assert changes({"dns": ["1.1.1.1", "8.8.8.8"]}, {"dns": ["8.8.8.8", "1.1.1.1"]}) == ("dns",)
    assert changes({"cpus": 1}, {"cpus": 2}) == ()
    assert changes({"dep": ["a"]}, {}) == ()
    assert changes({"labels": {"io.resin.features.dbus": "1"}}, {"labels": {"io.balena.features.dbus": "1"}}) == ()
    assert changes({"restart": "on-failure:3"}, {}) == ()
    assert changes({"restart": "no"}, {}) == ("restart",)
    assert (
        changes({"networks": {"default": {"aliases": ["a", "b"]}}}, {"networks": {"default": {"aliases": ["a"]}}}) == ()
    )
    assert changes({}, {"networks": {"default": {"aliases": ["a"]}}}) == ("network default",)
    assert changes({"hostname": "a"}, {"hostname": "b"}) == ("hostname",)
    assert changes({"env": {"A": "1"}}, {"env": {"A": "1", "B": "2"}}) == ("environment B",)


def test_what_images_declare_counts_under_what_the_composition_says() -> None:
    plain = Release("r1", {"services": {"web": {"labels": {"a": "mine"}}}})
    told = replace(
        plain, declared={"web": {"Labels": {"a": "theirs", STRATEGY: "hand-over"}, "User": "app", "Env": ["A=1"]}}
    )
    assert dict(told.services[0].labels) == {"a": "mine", STRATEGY: "hand-over"}
    assert told.services[0].environment == (("A", "1"),)
    assert strategy_of(told.services[0]) == "hand-over"
    assert dict(told.services[0].config)["user"] == "app"


def test_an_unchanged_build_keeps_the_image_of_the_release_before() -> None:
    one = Release("r1", {"services": {"web": {"build": {"context": "."}}, "db": {"build": {"context": "db"}}}})
    body = {"services": {"web": {"build": {"context": "."}}, "db": {"build": {"context": "other"}}}}
    two = Release("r2", body, after=one)
    assert [each.image for each in two.services] == ["web:r1", "db:r2"]
    assert [each.image for each in Release("r3", body, after=two).services] == ["web:r1", "db:r2"]


def test_ports_of_the_host_are_those_that_the_device_binds() -> None:
    ports = ["8080:80/udp", "1-2:3-4", "::1:90:91", "443"]
    assert release("r1", {"web": {"ports": ports}}).services[0].ports == (
        "1/tcp",
        "2/tcp",
        "443/tcp",
        "8080/udp",
        "90/tcp",
    )
    assert release("r1", {"web": {"ports": ["eighty:80"]}}).services[0].ports == ()


def test_what_changed_says_what_becomes_of_every_service() -> None:
    old = release(
        "r1",
        {
            "same": {"image": "s"},
            "edited": {"image": "e", "env": {"A": "1"}},
            "mounts": {"image": "m", "vol": ["log:/log"]},
            "guest": {"image": "g", "networkMode": "service:edited"},
            "gone": {},
        },
        volumes={"log": {}},
    )
    new = release(
        "r2",
        {
            "same": {"image": "s"},
            "edited": {"image": "e", "env": {"A": "2"}},
            "mounts": {"image": "m", "vol": ["log:/log"]},
            "guest": {"image": "g", "networkMode": "service:edited"},
            "added": {},
        },
        volumes={"log": {"labels": {"a": "b"}}},
    )
    found = {change.service: change.action for change in what_changed(old, new)}
    assert found == {
        "same": "update metadata",
        "edited": "recreate",
        "mounts": "restart",
        "guest": "restart",
        "added": "add",
        "gone": "remove",
    }
    assert {change.action for change in what_changed(old, old)} == {"keep"}
    assert all(change.why.rules for change in what_changed(old, new))


def test_an_app_reports_its_status() -> None:
    old, new = release("r1", {"web": {}}), release("r2", {"web": {}})
    state = replace(installed(old), lock_files=frozenset({(1, "web")}))
    assert report(state, new) == {1: ("downloading", ("web",))}
    stuck = plan(state, new).end
    assert report(stuck, new) == {1: ("downloaded", ("web",))}
    assert report(installed(new), new) == {1: ("done", ("web",))}


def test_every_reason_has_rules_and_a_sentence() -> None:
    reasons = json.loads((Path(planner_cases.__file__).parent.parent / "kit/device/state.json").read_text("utf-8"))[
        "reasons"
    ]
    for name, (rules, sentence, _) in reasons.items():
        assert re.fullmatch(r"(S-\d+|\{rule\})( (S-\d+|\{rule\}))*", rules), name
        assert sentence
    assert set(ACTIONS) <= set(reasons)


# ------------------------------------------------------------------------- what holds for every release


def after_each_round(state: State, target: object) -> list[State]:
    """The device before the first round, and after each one."""
    found = [state]
    while (round := next_steps(found[-1], target)) and len(found) < 200:  # type: ignore[arg-type]
        found.append(play(round)[1])
        if found[-1] == found[-2]:
            break
    return found


def end_of(state: State) -> object:
    """What two ends are compared by: everything but run states and numbers of containers."""
    containers = sorted(
        (each.service, each.app, each.commit, repr(each.wanted), each.injected) for each in state.containers
    )
    resources = sorted(map(repr, (*state.volumes, *state.networks)))
    return containers, resources, state.commits, state.image_names


def test_the_old_container_of_the_same_service_is_named_with_its_release_when_it_holds_the_port() -> None:
    """E-33, and a move between fleets (S-114, S-120)."""
    body = {"web": {"image": "w", "ports": ["80:80"], "labels": {STRATEGY: "hand-over"}}}
    edited = {"web": {**body["web"], "env": {"A": "1"}}}
    for new in (release("r2", edited), release("r2", body, app=2)):
        found = update(release("r1", body), new)
        (said, *_) = [str(trouble.why) for round in found.rounds for trouble in round.troubles]
        assert said == "`web` cannot start: host port 80/tcp is held by `web@r1` (S-120, S-134)"


def test_a_changed_volume_comes_back_empty_and_a_network_just_comes_back() -> None:
    changed = {"labels": {"q": "1"}}
    found = update(
        release("r1", {}, volumes={"log": {}}, networks={"lan": {}}),
        release("r2", {}, volumes={"log": changed}, networks={"lan": changed}),
    )
    said = {step.kind: str(step.why) for step in found}
    assert said["removeVolume"] == "its configuration changed, so it is deleted and made anew, empty (S-100, S-115)"
    assert said["removeNetwork"] == "its configuration changed, so it is deleted and made anew (S-100)"


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_a_plan_ends_or_says_what_blocks(data: st.DataObject, old: Release, new: Release) -> None:
    found = plan(data.draw(random.devices(old)), new, limit=300)
    assert len(found.rounds) < 300
    if found.settled:
        assert not next_steps(found.end, new)
        assert found.end.commit() == "r2"
    else:
        assert all(why.rules and why.sentence and why.way_out for why in found.blocked), found.blocked
    for round in found.rounds:
        assert all(each.why.rules and each.why.sentence for each in (*round.steps, *round.notes))


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_every_service_is_in_a_step_or_in_a_note_of_every_round(
    data: st.DataObject, old: Release, new: Release
) -> None:
    for round in plan(data.draw(random.devices(old)), new, limit=300).rounds:
        named = {step.service for step in round} | {note.service for note in round.notes}
        assert {each.name for each in new.services} <= named


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_download_then_kill_kills_nothing_before_every_image_is_there(
    data: st.DataObject, old: Release, new: Release
) -> None:
    wanted = {each.name: each for each in new.services}
    for round in plan(data.draw(random.devices(old)), new, limit=300).rounds:
        missing = {each.image for each in new.services} - round.state.image_names
        for step in round:
            if isinstance(step, Kill) and missing:
                judged = wanted.get(step.service, step.container.wanted)
                own = step.container.wanted if step.why.reason != "kill-update" else judged
                assert strategy_of(own) in ("kill-then-download", "delete-then-download"), str(step)


@given(st.data(), random.releases("r1"), random.releases("r2"), random.releases("q1", app=2))
def test_of_a_rejected_app_only_images_are_removed(
    data: st.DataObject, old: Release, new: Release, other: Release
) -> None:
    state = data.draw(random.devices(old))
    found = plan(state, (replace(new, rejected=True), other), limit=300)
    assert all(isinstance(step, RemoveImage) for step in found if step.app == 1)
    ids = [[each.id for each in some.of(1)] for some in (state, found.end)]
    assert ids[0] == ids[1]
    assert found.end.of(1) == state.of(1) or any(isinstance(step, Reboot) for step in found)  # for the other app


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_after_a_power_cut_between_any_two_rounds_the_device_ends_as_without_it(
    data: st.DataObject, old: Release, new: Release
) -> None:
    """Unless a start fails, or the rounds go round in circles: then there is no end to compare.

    They do where a container takes up a second network that is still to be made anew (S-96), and a cut may lead there.
    A hand-over that waits for what waits for a reboot keeps the reboot away (S-106, S-109); a cut does not.
    """
    state = data.draw(random.devices(old, faults=False))
    expected = plan(state, new, limit=300)
    assume(all(why.reason != "ping-pong" for why in expected.blocked))
    assume(not any(round.troubles for round in expected.rounds))
    assume(expected.settled or not any(each.needs_reboot for each in new.services))
    for between in after_each_round(state, new):
        found = plan(booted(between, cut=True), new, limit=300)
        assume(not any(round.troubles for round in found.rounds))
        if any(why.reason == "ping-pong" for why in found.blocked):
            continue
        assert end_of(found.end) == end_of(expected.end)
        assert found.settled == expected.settled


@given(st.data(), random.releases("r1"), random.releases("r2"), st.booleans())
def test_no_volume_loses_its_data_but_by_a_changed_configuration_or_with_its_app(
    data: st.DataObject, old: Release, new: Release, moved: bool
) -> None:
    state = data.draw(random.devices(old))
    target = Target.of(replace(new, app=2) if moved else new)
    end = {str(volume): volume.data for volume in plan(state, target, limit=300).end.volumes}
    wanted = {str(volume): volume.config for app in target.apps for volume in app.volumes}
    for volume in state.volumes:
        kept = end.get(str(volume)) == volume.data
        changed = str(volume) in wanted and wanted[str(volume)] != volume.config
        assert kept or changed or moved, str(volume)


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_looking_ahead_and_doing_agree(data: st.DataObject, old: Release, new: Release) -> None:
    state = data.draw(random.devices(old))
    engine, expected = Simulated(state), plan(state, new)
    done = [round for _, round in settle(engine, new)]
    end = engine.observe()
    assert end == expected.end
    assert (end.clock_ms, end.failures) == (expected.end.clock_ms, expected.end.failures)
    assert [round.trace for round in done] == [round.trace for round in expected.rounds]


@given(st.data(), random.releases("r1"), st.lists(random.events(), max_size=6))
def test_whatever_happens_the_device_comes_to_rest_and_keeps_its_volumes(
    data: st.DataObject, old: Release, events: list[Any]
) -> None:
    engine = Simulated(data.draw(random.devices(old)), target=Target.of(old))
    for event in events:
        before = {str(volume): volume for volume in engine.observe().volumes}
        engine.happen(event)
        rounds = [round for _, round in settle(engine, engine.target, limit=300)]
        assert len(rounds) < 300
        last = rounds[-1]
        assert not last or last.troubles or all(step.why.rules for step in last)
        now = {str(volume): volume for volume in engine.observe().volumes}
        wanted = {str(volume): volume.config for app in engine.target.apps for volume in app.volumes}
        apps = {app.app for app in engine.target.apps}
        for name, volume in before.items():
            kept = name in now and volume.data <= now[name].data
            by_rule = volume.app not in apps or wanted.get(name, volume.config) != volume.config
            assert kept or by_rule or isinstance(event, Purge), (name, event)


@given(st.data(), random.releases("r1"), random.releases("r2"))
def test_dependencies_are_started_before_their_dependents(data: st.DataObject, old: Release, new: Release) -> None:
    """A first start waits until what it depends on has its wanted container, started (S-94, S-95)."""
    wanted = {each.name: each for each in new.services}
    state = data.draw(random.devices(old, faults=False))
    for round in plan(state, new, limit=300).rounds:
        for step in round:
            if isinstance(step, Start) and step.container is None:
                for name in wanted[step.service].depends_on:
                    there = round.state.container(name)
                    assert there is None or there.status != "Installed"
                    assert there is not None or name not in wanted


def test_an_image_that_a_rejected_release_wants_stays_although_nothing_runs_it() -> None:
    """S-60, S-81: nothing is noted for a rejected release, and what it wants is not removed."""
    one, two = (release(commit, {"web": {"image": "w@sha256:a"}}) for commit in ("r1", "r2"))
    state = replace(installed(one), containers=())
    found = plan(state, replace(two, rejected=True))
    assert trace(found) == []
    assert found.end.images == state.images


def test_a_container_that_was_made_to_stay_down_starts_once_the_target_wants_it_to_run() -> None:
    """S-84, S-86: only the run state changed, which is no part of the configuration."""
    one = release("r1", {"web": {"image": "w", "running": False}})
    found = update(one, release("r2", {"web": {"image": "w"}}))
    assert found.settled
    assert [(str(each), each.status) for each in found.end.containers] == [("web@r2", "Running")]
