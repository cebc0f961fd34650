"""The update lab: round by round, what is done, what is not, and why; by the kit's planner alone."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from ipywidgets.widgets.widget import _instances

from kit.planner import STRATEGIES, Plan, installed, plan
from labs import containers, update_lab
from labs import update_model as model
from labs.update_controls import UpdateLab
from labs.update_model import Inputs, walked

OLD = """
services:
  api: {build: ./api}
  ui: {build: ./ui, depends_on: [api]}
  db: {image: "postgres:15"}
"""
NEW = OLD.replace("postgres:15", "postgres:16")


def inputs(**given: Any) -> Inputs:
    return Inputs(old=OLD, new=NEW, **given)


def lab(**given: Any) -> UpdateLab:
    return update_lab(OLD, NEW, **given)


def press(one: UpdateLab, *names: str) -> None:
    for name in names:
        one._controls[name].click()


# ------------------------------------------------------------------------------- what the model says


def test_the_rounds_are_those_of_the_planner() -> None:
    old, new = model.releases(inputs())
    assert walked(inputs()).trace == plan(installed(old), new).trace


@pytest.mark.parametrize("word", STRATEGIES)
def test_a_chosen_strategy_is_a_label_of_the_new_release(word: str) -> None:
    """S-102."""
    _, new = model.releases(inputs(strategies={"0": word}))
    assert new.services[0].label(model.STRATEGY) == word


def test_what_is_built_as_before_may_keep_its_image() -> None:
    kinds = {step.kind for step in walked(inputs(cached=True))}
    assert "updateMetadata" in kinds
    assert [step.service for step in walked(inputs(cached=True)) if step.kind == "fetch"] == ["db"]
    assert len([step for step in walked(inputs()) if step.kind == "fetch"]) == 3


@pytest.mark.parametrize("trouble", ["lock ui", "offline", "full", "broken api"])
def test_what_goes_wrong_for_good_is_stuck_and_names_the_way_out(trouble: str) -> None:
    found = walked(inputs(trouble=trouble))
    assert not found.settled
    shown = model.view(inputs(trouble=trouble, at=99))
    assert shown.answer.startswith("The update is stuck: ")
    assert shown.situation.startswith("Way out: ")


@pytest.mark.parametrize("trouble", ["lock ui", "offline", "full", "broken api", "over api", "deaf api"])
def test_what_ends_after_some_rounds_lets_the_update_go_on(trouble: str) -> None:
    for until in (1, 2, 5):
        found = walked(inputs(trouble=trouble, until=until))
        assert found.settled
        assert {each.commit for each in found.end.containers} == {"v2"}


def test_a_part_of_a_plan_ends_in_the_state_of_its_next_round() -> None:
    whole = walked(inputs(trouble="lock ui", until=3))
    for count in range(len(whole.trace) + 1):
        part = model.first(whole, count)
        assert part.trace == whole.trace[:count]
    assert model.first(whole, 99) == whole


def test_one_lock_blocks_the_whole_app_but_no_hand_over() -> None:
    """S-107, S-111."""
    blocked = model.view(inputs(trouble="lock db", at=99, strategies={"0": "hand-over"}))
    assert "`db` holds an update lock" in blocked.answer
    end = walked(inputs(trouble="lock db", strategies={"0": "hand-over"})).end
    assert {each.service: each.commit for each in end.containers} == {"api": "v2", "ui": "v1", "db": "v1"}


def test_a_hand_over_waits_as_documented_or_not_at_all() -> None:
    """S-108."""
    for wait, seconds in (("documented", 60), ("as_coded", 0)):
        chosen: Any = inputs(strategies={"0": "hand-over"}, wait=wait, at=99)
        shown = model.view(chosen)
        assert "No service was down" not in shown.answer
        assert ("60" in re.findall(r"<td>(\d+)</td>", shown.table)) == (seconds == 60)


def test_a_file_ends_the_wait_of_a_hand_over() -> None:
    """S-108."""
    shown = model.view(inputs(strategies={"0": "hand-over"}, trouble="over api", at=99))
    assert {"5", "60"} & {*re.findall(r"<td>(\d+)</td>", shown.table)} == {"5"}
    assert "makes its hand-over file after 5 s" in dict(map(reversed, model.trouble_options(["api"])))["over api"]  # type: ignore[call-overload]


def test_every_step_and_every_step_that_is_not_done_has_a_reason_with_a_rule() -> None:
    for at in range(1, len(walked(inputs()).trace) + 1):
        shown = model.view(inputs(at=at, trouble="lock ui", until=2))
        for part in ("did", "left"):
            items = re.findall(r"<li>.*?</li>", shown.panels[part])
            assert items
            assert all(re.search(r"\(S-\d+", item) or "Nothing is left out" in item for item in items)


def test_a_composition_that_cannot_be_read_is_said_and_nothing_breaks() -> None:
    shown = model.view(replace(inputs(), new="services: {web: {build: ., depends_on: [<b>]}}"))
    assert shown.answer == "The new composition cannot be used."
    assert "docker-compose.yml:1" in shown.situation
    for text in ("", "services: [", "\0", "services: {}", "- a"):
        assert "composition" in model.view(replace(inputs(), old=text)).answer


def test_the_containers_of_the_grid_are_those_of_the_states() -> None:
    whole = walked(inputs(strategies={"0": "hand-over"}))
    grid = containers.states(whole, "v2")
    assert [cell.word for cell in grid.rows["ui"]][-1] == "runs"
    assert all(len(cells) == len(whole.trace) + 1 for cells in grid.rows.values())
    svg = containers.to_svg(grid)
    ElementTree.fromstring(svg)
    words = re.sub(r"<[^>]+>", " ", containers.to_table(grid))
    assert all(f"{cell.word} {cell.commit}".strip() in words for cells in grid.rows.values() for cell in cells)


def test_the_narrow_grid_fits_a_page_at_200_percent_and_has_every_state() -> None:
    grid = containers.states(walked(inputs(strategies={"0": "hand-over"})), "v2")
    wide, narrow = (ElementTree.fromstring(containers.to_svg(grid, narrow=each)) for each in (False, True))
    assert narrow.get("width") == "472"
    assert float(narrow.get("height") or 0) > float(wide.get("height") or 0)
    marks = [len([each for each in svg.iter() if each.tag.endswith("}text")]) for svg in (wide, narrow)]
    bands = -(-(len(grid.columns) + 1) // 5)
    assert marks[1] == marks[0] + (bands - 1) * len(grid.rows)  # the names of the services stand in each band
    assert containers.picture(grid).count("<svg") > 1


def test_exited_created_and_doubled_containers_have_their_words() -> None:
    whole = walked(inputs(trouble="broken api"))
    assert "created" in {cell.word for cell in containers.states(whole, "v2").rows["api"]}
    assert containers.cell((), "v2") == containers.NONE
    assert containers.to_svg(containers.states(Plan((), whole.end), "v2"))


def test_the_comparison_of_strategies_is_a_card() -> None:
    html = model.compared(inputs(), "api", sizes={"api:v1": 310, "api:v2": 330})
    assert "hand-over" in html
    assert html.count("<svg") >= 2
    assert "330 MB" in html


# ------------------------------------------------------------------------------------ what hands do


def test_forward_back_to_the_end_and_to_the_start() -> None:
    one = lab()
    total = len(walked(one.inputs).trace)
    press(one, "next", "next", "back")
    assert one.inputs.at == 1
    press(one, "end")
    assert one.inputs.at == total
    assert str(one).startswith("v2 runs. Down: api 3 s, ui 4 s, db 3 s.")
    press(one, "next")
    assert one.inputs.at == total
    press(one, "start", "back")
    assert one.inputs.at == 0
    assert "offered" in str(one)


def test_the_rows_of_strategies_are_those_of_the_services() -> None:
    one = lab()
    assert [one._controls[("strategies", str(place))].description for place in range(3)] == [
        "strategy of api",
        "strategy of ui",
        "strategy of db",
    ]
    assert one._controls[("strategies", "3")].layout.display == "none"
    one._controls["new"].value = NEW + "  more: {image: m}\n"
    assert one._controls[("strategies", "3")].layout.display is None


def test_what_can_go_wrong_names_the_services() -> None:
    one = lab()
    words = [words for words, _value in one._controls["trouble"].options]
    assert "ui holds an update lock" in words
    assert "the device is offline" in words
    assert one._controls["until"].layout.display == "none"
    one._controls["trouble"].value = "lock ui"
    assert one._controls["until"].layout.display is None


def test_a_lab_makes_no_widget_after_its_birth_and_leaves_none() -> None:
    before = set(_instances)
    one = lab()
    born = set(_instances)
    press(one, "next", "next", "end", "start")
    one._controls["old"].value = "services: ["
    one._controls["old"].value = OLD
    assert set(_instances) == born
    one.close()
    assert set(_instances) == before


def test_names_of_a_person_are_escaped() -> None:
    one = update_lab(OLD, NEW, names=("<i>1", "<i>2"), at=3)
    press(one, "end")
    assert "<i>" not in one.still()


def test_who_ignores_sigterm_is_stopped_when_the_grace_period_is_over() -> None:
    """S-75: 10 s, if the composition does not say otherwise."""
    texts = [f"services: {{web: {{image: 'w:{number}'}}}}" for number in (1, 2)]
    for trouble, seconds in (("deaf web", 11), ("", 3)):
        shown = model.view(model.Inputs(old=texts[0], new=texts[1], trouble=trouble, at=99))
        assert shown.answer == f"v2 runs. Down: `web` {seconds} s."


def test_many_services_are_counted_where_a_sentence_would_name_them_all() -> None:
    many = "services:\n" + "".join(f"  s{number}: {{image: 'i:%s'}}\n" for number in range(40))
    shown = model.view(model.Inputs(old=many.replace("%s", "1"), new=many.replace("%s", "2"), at=99))
    assert "`s4` 3 s, 35 more." in shown.answer
    first = model.view(model.Inputs(old=many.replace("%s", "1"), new=many.replace("%s", "2"), at=1))
    assert "`s4` and 35 more" in first.answer


def test_a_composition_without_services_is_said_in_one_sentence() -> None:
    shown = model.view(model.Inputs(old="services: {a: {image: x}}", new="services: {}"))
    assert shown.answer == "The new composition has no services."
