"""The order lab: rounds by the planner, rounds of older supervisors, what comes later, and the lab's hands."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kit
from kit.rules import catalogue
from labs import order_lab
from labs import order_model as model
from labs.order_model import course, later
from labs.rows import NUMBERS

EVIL = '"><img src=x onerror=alert(1)>'
DIAMOND = {"db": [], "api": ["db"], "log": ["db"], "web": ["api", "log"]}
ONESHOT = {"migrate": [], "web": ["migrate"], "log": []}


# --------------------------------------------------------------------------------------- first starts


def test_services_without_dependencies_between_them_start_in_one_round() -> None:
    """S-97: a diamond takes three rounds."""
    assert course(DIAMOND).order == (("db",), ("api", "log"), ("web",))
    assert course(DIAMOND).never == ()


def test_nothing_starts_before_all_images_are_there_and_the_lock_is_taken() -> None:
    """S-93, S-111."""
    first, second, *_rest, last = course(DIAMOND).stages
    assert "S-93" in first.steps[0].says
    assert "S-111" in second.steps[0].says
    assert not first.starts
    assert not second.starts
    assert "noted as done" in last.steps[0].says


@pytest.mark.parametrize("ending", ["ends", "fails"])
def test_a_finished_one_shot_lets_its_dependents_start_on_new_supervisors(ending: Any) -> None:
    """S-133: also if it failed."""
    for test in ("status", "times", "order"):
        found = course(ONESHOT, does={"migrate": ending}, test=test)
        assert found.order[-1] == ("web",)
        assert found.never == ()


@pytest.mark.parametrize("ending", ["ends", "fails"])
def test_a_finished_one_shot_blocks_its_dependents_for_ever_in_between(ending: Any) -> None:
    """S-133: from 16.10.2 to 16.12.8 the dependency has to run right now."""
    found = course(ONESHOT, does={"migrate": ending}, test="running")
    assert found.never == ("web",)
    assert found.order == (("migrate", "log"),)
    assert found.stages[-1].states["web"] == "never"
    assert "has to run right now, and has ended (S-133)" in found.stages[-1].steps[-1].says


def test_a_crashing_dependency_counts_as_running() -> None:
    """S-131."""
    for test in model.GENERATIONS:
        assert course(ONESHOT, does={"migrate": "crashes"}, test=test).never == ()


def test_a_dependency_that_cannot_be_started_blocks_on_every_supervisor() -> None:
    """S-134."""
    for test in model.GENERATIONS:
        found = course({"a": [], "b": ["a"], "c": ["b"]}, does={"a": "broken"}, test=test)
        assert set(found.never) == {"a", "b", "c"}, test


def test_the_versions_that_change_the_behaviour() -> None:
    """S-133."""
    expected = {"10.8.0": "order", "16.10.1": "order", "16.10.2": "running", "16.12.8": "running"}
    expected |= {"16.12.9": "times", "17.5.0": "times", "17.5.1": "status", "19.0.5": "status"}
    assert {version: model.generation(version) for version in expected} == expected


@st.composite
def releases(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, Any]]:
    names = ["a", "b", "c", "d", "e", "f"][: draw(st.integers(1, 6))]
    after = {
        name: sorted(draw(st.sets(st.sampled_from(names[:at]), max_size=3))) if at else []
        for at, name in enumerate(names)
    }
    return after, {name: draw(st.sampled_from([*model.DOES])) for name in names}


@given(releases())
@settings(max_examples=60, deadline=None)
def test_the_table_of_older_supervisors_agrees_with_the_planner_where_they_are_alike(release: Any) -> None:
    """S-94, S-133: by time stamps or by status, the same services start in the same rounds."""
    after, does = release
    new, old = course(after, does=does), course(after, does=does, test="times")
    assert new.order == old.order
    assert new.never == old.never
    assert new.stages[-1].states == old.stages[-1].states


@given(releases())
@settings(max_examples=60, deadline=None)
def test_every_wait_has_a_reason_with_a_rule(release: Any) -> None:
    after, does = release
    for test in model.GENERATIONS:
        for stage in course(after, does=does, test=test).stages:
            for step in stage.steps:
                assert any(f"{rule}" in step.says for rule in catalogue()), step
                assert step.says.endswith(".")


# ------------------------------------------------------------------------------------ what comes later


def test_a_crash_of_a_dependency_restarts_nobody_else() -> None:
    """E-15, S-132."""
    (stage,) = later({"store": [], "panel": ["store"]}, {}, "crash store").stages
    said = [step.says for step in stage.steps]
    assert said[0] == "the engine starts `store` again (S-128)."
    assert said[1] == "`panel` depends on `store`, and runs on (S-132)."
    assert "nothing to do" in said[2]
    assert not stage.starts


def test_at_boot_the_engine_starts_everything_at_once() -> None:
    """E-16, S-98, S-132; a one-shot stays down (S-129)."""
    (stage,) = later(ONESHOT, {"migrate": "ends"}, model.REBOOT).stages
    assert {step.service: step.mark for step in stage.steps if step.service} == {
        "migrate": "part",
        "web": "run",
        "log": "run",
    }
    assert stage.states == {"migrate": "ended", "web": "runs", "log": "runs"}


def test_the_api_restarts_an_app_without_order() -> None:
    """E-17, S-117."""
    found = later(DIAMOND, {}, model.RESTART)
    assert [set(names) for names in found.order] == [{"db", "api", "log", "web"}]
    assert "in one round (S-117)" in found.stages[0].steps[0].says


# ---------------------------------------------------------------------------------------------- the lab


@pytest.fixture
def lab() -> Iterator[Any]:
    opened = order_lab(GETTING_STARTED)
    yield opened
    opened.close()


GETTING_STARTED = """
services:
  frontend: {image: f}
  proxy: {image: p, depends_on: [frontend, data], ports: ["80:80"]}
  data: {image: d}
"""


def test_the_lab_goes_round_by_round(lab: Any) -> None:
    said = [lab.view.answer]
    for _round in range(6):
        lab._controls["next"].click()
        said.append(lab.view.answer)
    assert said == [
        "Nothing runs yet.",
        "Round 1 of 5: nothing starts.",
        "Round 2 of 5: nothing starts.",
        "Round 3 of 5: `frontend` and `data` start.",
        "Round 4 of 5: `proxy` starts.",
        "Done: `proxy` was started last.",
        "Done: `proxy` was started last.",
    ]
    assert lab._controls["next"].description == "Nothing is left to do"
    lab._controls["first"].click()
    assert lab.view.answer == "Nothing runs yet."
    assert lab._controls["next"].description == "Next round"


def test_a_cycle_is_drawn_and_says_what_to_remove(lab: Any) -> None:
    lab._controls["after", "1"].value = "proxy"
    assert lab.view.answer == "Refused: two services wait for each other."
    assert "remove any one of these two arrows" in lab.view.panels["picture"]
    assert not lab.status.fault


def test_an_unknown_name_is_drawn_as_a_diamond(lab: Any) -> None:
    lab._controls["after", "2"].value = "frontend, dta"
    assert lab.view.answer == "Refused: no service is called `dta`."
    assert 'data-state="ask"' in lab.view.panels["picture"]


def test_the_supervisor_changes_what_becomes_of_a_one_shot(lab: Any) -> None:
    lab._controls["does", "3"].value = "ends"
    lab.put(replace(lab.inputs, step=99))
    assert lab.view.answer == "Done: `proxy` was started last."
    lab._controls["test"].value = "running"
    assert lab.view.answer == "`proxy` never starts."
    assert 'data-state="no"' in lab.view.panels["picture"]
    assert "S-133" in lab.view.situation


def test_what_happens_later_is_asked_of_the_engine(lab: Any) -> None:
    lab.put(replace(lab.inputs, event="crash data", step=1))
    assert lab.view.answer == "`data` crashes, and nothing else changes."
    lab._controls["event"].value = model.REBOOT
    assert lab.view.answer == "After the reboot all are started at once, in no order."
    lab._controls["event"].value = model.RESTART
    lab.put(replace(lab.inputs, step=3))
    assert lab.view.answer == "Round 2 of 2: `frontend`, `data` and `proxy` start."


def test_services_come_and_go(lab: Any) -> None:
    lab._controls["add"].click()
    assert [service.name for service in lab.answer.services] == ["frontend", "proxy", "data", "migrate"]
    for _time in range(4):
        lab._controls["remove 1"].click()
    assert lab.view.answer == "There is no service yet."
    assert not lab.status.fault


def test_what_cannot_be_read_is_said_and_not_raised(lab: Any) -> None:
    for column, text in (("after", EVIL), ("name", EVIL), ("name", ""), ("name", "proxy"), ("after", "frontend")):
        lab.put(model.inputs_of(kit.read(GETTING_STARTED).composition or kit.Composition()))
        lab._controls[column, "1"].value = text
        assert lab.view.answer.startswith("Refused")
        assert not lab.status.fault
        assert "<img" not in lab.still()


def test_every_round_stands_in_the_table(lab: Any) -> None:
    assert lab.view.table.count('scope="row"') == 5
    assert 'role="img"' in lab.still()


def test_random_edits_never_break_the_lab(lab: Any, seed: int) -> None:
    chance = random.Random(seed)
    names = ["frontend", "proxy", "data", "", "x y", "frontend, data"]
    for _edit in range(60):
        key = (chance.choice(("name", "after", "does")), chance.choice(NUMBERS))
        value = chance.choice([*model.DOES]) if key[0] == "does" else chance.choice(names)
        lab._controls[key].value = value
        lab._controls[chance.choice(("next", "first", "add", "remove 1", "next"))].click()
        lab._controls["event"].value = chance.choice(lab._controls["event"].options)[1]
        assert not lab.status.fault, lab.status.text


def test_a_text_that_is_refused_for_its_order_is_drawn_all_the_same() -> None:
    """C-55: rings and unknown names are what the lab is for."""
    ring = order_lab("services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}, c: {image: x}}")
    assert str(ring).startswith("Refused: two services wait for each other.")
    assert "remove any one of these two arrows" in ring.still()
    ring.close()
    unknown = order_lab("services: {a: {image: x, depends_on: [nobody]}}")
    assert str(unknown).startswith("Refused: no service is called nobody.")
    unknown.close()
    assert str(order_lab("services: {a: {image: x, depends_on: [b], dup: 1}}")) == "Refused. No release is made."
