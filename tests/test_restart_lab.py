"""The restart lab: a minute under each policy is what the engine's table says (S-128)."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, product
from typing import Any
from xml.etree import ElementTree

import pytest

from kit.device.state import POLICIES, RESTARTS, restarts
from kit.looks import text_width
from labs import restart_lab
from labs import restart_model as model
from labs.restart_model import HAPPENINGS, YOURS, Inputs, lived

LONG = Inputs(written="always", code=0, lasts=60, mended=0)  # runs until the event


@pytest.mark.parametrize("code", [0, 1, 137])
def test_a_process_that_ends_is_started_again_as_the_table_says(code: int) -> None:
    lives = lived(replace(LONG, code=code, lasts=2, happening="nothing"))
    situation = "it ends with 0" if code == 0 else "it ends with another code, or is killed"
    for policy in POLICIES:
        assert (len(lives[policy].runs) > 1) == restarts(policy, situation, code)


@pytest.mark.parametrize("sigterm", [0, 143])
@pytest.mark.parametrize("happening", ["clean reboot", "the engine restarts", "power cut"])
def test_after_a_boot_runs_what_the_table_says(happening: str, sigterm: int) -> None:
    lives = lived(replace(LONG, happening=happening, sigterm=sigterm))
    for policy in POLICIES:
        code = 255 if happening == "power cut" else sigterm
        assert lives[policy].up == restarts(policy, HAPPENINGS[happening].situation, code), policy


def test_what_is_stopped_on_purpose_stays_down_until_a_boot_brings_it_back() -> None:
    stopped = lived(replace(LONG, happening="it is stopped on purpose"))
    assert not any(life.up for life in stopped.values())
    rebooted = lived(replace(LONG, happening="it is stopped, then a clean reboot"))
    # It was stopped by SIGTERM, so its code is 143 and `on-failure` starts it again (S-128).
    assert {policy for policy in POLICIES if rebooted[policy].up} == {"always", "on-failure"}
    again = lived(replace(LONG, happening="it is stopped, then started on purpose"))
    assert all(life.up for life in again.values())


def test_pauses_double_from_a_tenth_of_a_second() -> None:
    life = lived(replace(LONG, code=1, lasts=2, happening="nothing"))["always"]
    assert [run.pause for run in life.runs[:7]] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4]
    for run, then in zip(life.runs, life.runs[1:], strict=False):
        assert then.start == pytest.approx(run.end + run.pause)


def test_a_run_of_ten_seconds_brings_the_pause_back() -> None:
    life = lived(replace(LONG, code=1, lasts=11, happening="nothing"))["always"]
    assert {run.pause for run in life.runs[:-1]} == {0.1}


def test_once_the_cause_is_mended_a_run_goes_on() -> None:
    life = lived(Inputs(written="always", mended=20, happening="nothing"))["always"]
    assert life.runs[-1].start >= 20 or life.runs[-2].start < 20
    assert (life.runs[-1].end, life.runs[-1].code) == (60.0, None)


def test_no_service_runs_while_the_device_is_off() -> None:
    for happening in ("clean reboot", "power cut"):
        for life in lived(replace(LONG, happening=happening)).values():
            assert not [run for run in life.runs if run.start < 50 and run.end > 44]


@pytest.mark.parametrize(
    ("written", "policy", "words"),
    [
        ("on-failure:3", "always", "is no policy of balena"),
        ("never", "always", "is no policy of balena"),
        ("", "always", "Without `restart:`"),
        (" No ", "no", "You write `No`"),
        ("unless-stopped", "unless-stopped", "You write `unless-stopped`"),
    ],
)
def test_what_is_written_becomes_one_of_four_policies(written: str, policy: str, words: str) -> None:
    """S-125, S-126."""
    inputs = Inputs(written=written)
    assert model.effective(inputs) == policy
    assert words in model.view(inputs).situation
    assert lived(inputs)[YOURS].policy == policy
    mine, theirs = lived(inputs)[YOURS], lived(inputs)[policy]
    assert mine == theirs


def test_the_answer_counts_the_policies_that_leave_it_down() -> None:
    for happening in HAPPENINGS:
        for code in (0, 1):
            inputs = Inputs(happening=happening, code=code, mended=0)
            down = [policy for policy in POLICIES if not lived(inputs)[policy].up]
            answer = model.view(inputs).answer
            assert (f"`{down[0]}`" if len(down) == 1 else model.NUMBERS[len(down)] if down else "every") in answer


def test_the_picture_says_what_stays_down_and_the_table_says_the_same() -> None:
    for happening in HAPPENINGS:
        inputs = Inputs(happening=happening)
        rows = model.shown(inputs, lived(inputs))
        table = model.to_table(rows)
        for width in (model.WIDE, model.LAB, model.NARROW):
            svg = model.to_svg(inputs, lived(inputs), width=width)
            texts = [each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
            assert texts.count("stays down") == sum(not life.up for life in rows.values())
            assert svg.count('fill="var(--mc-run)"') == sum(len(life.runs) for life in rows.values())
        assert table.count("stays down") == sum(not life.up for life in rows.values())
        assert table.count("<tr>") - 1 == sum(len(life.runs) + 1 for life in rows.values())


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("width", [model.WIDE, model.LAB, model.NARROW])
def test_no_two_labels_meet_and_none_leaves_the_picture(happening: str, width: int) -> None:
    assert model.NARROW <= 504 - 2 * 14 - 2, "an output of 504 pixels; a card keeps 2.7 % of it at each side"
    for mended, lasts, code, written in product(
        (0, 3, 26, 42), (1, 7, 60), (0, 137), ("no", "unless-stopped", "n" * 99)
    ):
        inputs = Inputs(happening=happening, mended=mended, lasts=lasts, code=code, written=written)
        lines: dict[str, list[tuple[float, float]]] = {}
        svg = model.to_svg(inputs, lived(inputs), width=width)
        for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
            bold, mono = each.get("font-weight") == "600", each.get("class") == "mc-m"
            size = float(each.get("font-size", 0))
            length = text_width(each.text or "", size, bold=bold, mono=mono)
            left = float(each.get("x", 0)) - {"end": length, "middle": length / 2}.get(each.get("text-anchor", ""), 0)
            lines.setdefault(each.get("y", ""), []).append((left, left + length))
        for spans in map(sorted, lines.values()):
            assert spans[0][0] >= -1
            assert spans[-1][1] <= width + 1
            assert all(one[1] + 3 <= other[0] for one, other in pairwise(spans))


def test_the_table_of_policies_is_the_kits_and_marks_one_cell() -> None:
    for happening in HAPPENINGS:
        inputs = Inputs(happening=happening)
        html = model.policies(model.effective(inputs), model.situation_of(inputs))
        assert html.count("<mark>") == 1
    plain = re.sub(r"<[^>]+>", "|", model.policies())
    assert all(situation in plain for situation in RESTARTS)
    answers = [answer for row in RESTARTS.values() for answer in row]
    assert plain.count("starts again") == answers.count("again")
    assert plain.count("stays down") == answers.count("stays")


@pytest.mark.parametrize("hostile", ["<script>", "always" * 200, "\0", "no\n"])
def test_what_a_person_writes_is_escaped(hostile: str) -> None:
    lab = restart_lab(hostile)
    assert "<script" not in lab.still()
    assert not lab.status.fault


def test_controls_are_heard() -> None:
    lab = restart_lab("always")
    lab._controls["happening"].value = "power cut"
    assert "After a power cut only no leaves the service down." in str(lab)
    assert lab._controls["sigterm"].layout.display == "none"
    lab._controls["written"].value = "no"
    assert "It stays down: it ended with 1" in str(lab)


def test_matplotlib_draws_the_same() -> None:
    pytest.importorskip("matplotlib")
    from kit.views.pictures import picture

    given: Any = Inputs()
    assert picture(model.to_svg(given, lived(given)), kind="svg")[:5] == b"<?xml"
