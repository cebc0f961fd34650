"""Timelines: gaps and disk from a plan, drawn and in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from kit.looks import literal
from kit.planner import STRATEGIES, Plan, Release, installed, next_steps, plan, play
from labs import timeline as drawn
from labs.timeline import Strip, timeline
from test_planner import release, update, with_strategy

SECONDS, SIZES = {"fetch": 40.0, "kill": 2.0, "start": 1.0}, {"api:r1": 310.0, "api:r2": 330.0}
TEXT = "{http://www.w3.org/2000/svg}text"


def strip(word: str) -> Strip:
    """One service that is updated with one strategy."""
    body = {"api": with_strategy(word)}
    return Strip(word, timeline(update(release("r1", body), release("r2", body)), SECONDS, SIZES), "quiet")


def locked() -> Plan:
    """An update that is refused twice, until the lock is gone."""
    old, new = release("r1", {"api": {}}), release("r2", {"api": {}})
    state, rounds = replace(installed(old), lock_files=frozenset({(1, "api")})), []
    for _ in range(3):  # a download, and then a refusal before and after a pause
        played, state = play(next_steps(state, new))
        rounds += [played]
    rest = plan(replace(state, lock_files=frozenset()), new)
    return Plan((*rounds, *rest.rounds), rest.end)


STRIPS = [strip(word) for word in STRATEGIES]


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(TEXT)]


# ------------------------------------------------------------------------------------- what is counted


def test_the_timeline_counts_the_gap_and_the_disk_of_every_strategy() -> None:
    seconds, sizes = {"fetch": 40.0, "kill": 2.0, "start": 1.0}, {"api:r1": 310.0, "api:r2": 330.0}
    found = {}
    for word in ("download-then-kill", "kill-then-download", "delete-then-download", "hand-over"):
        body = {"api": with_strategy(word)}
        line = timeline(update(release("r1", body), release("r2", body)), seconds, sizes)
        found[word] = (line.rows[0].down, line.peak)
    assert found == {
        "download-then-kill": (3.0, 640.0),
        "kill-then-download": (43.0, 640.0),
        "delete-then-download": (43.0, 330.0),
        "hand-over": (0.0, 640.0),
    }
    body = {"api": with_strategy("hand-over")}
    line = timeline(update(release("r1", body), release("r2", body)), seconds, sizes)
    assert [column.seconds for column in line.columns] == [40.0, 60.0, 0.0, 0.0]
    assert [(bar.kind, bar.first, bar.last) for bar in line.rows[0].bars][:2] == [("old", 0, 1), ("new", 1, 3)]


def test_the_timeline_shows_a_refused_lock_and_a_service_that_stays_down() -> None:
    services: dict[str, Any] = {"web": {}, "ui": {}}
    line = timeline(update(release("r1", services), release("r2", services), lock_files=frozenset({(1, "ui")})))
    assert line.columns[-1].troubles == ("UpdatesLocked by ui",)
    assert all("lock" in {bar.kind for bar in row.bars} for row in line.rows)
    broken = timeline(
        update(release("r1", services), release("r2", services), broken=frozenset({"web"})), {"kill": 2.0}
    )
    assert {row.service: row.bars[1].kind for row in broken.rows if row.service == "web"} == {"web": "down"}


def test_a_service_that_is_only_renamed_has_no_gap() -> None:
    """S-122."""
    body = {"api": {"image": "api@sha256:a"}}
    (row,) = timeline(update(release("r1", body), release("r2", body)), SECONDS).rows
    assert (row.down, row.renamed) == (0.0, True)
    assert [bar.kind for bar in row.bars] == ["old", "new"]


def test_a_hand_over_that_fails_over_a_port_has_a_gap() -> None:
    """E-33: the new container cannot start, and then the old one is surplus."""
    body = {"api": with_strategy("hand-over", ports=["80:80"])}
    found = update(release("r1", body), release("r2", body))
    (row,) = timeline(found, SECONDS).rows
    assert row.down == 3.0
    assert [bar.kind for bar in row.bars][:3] == ["old", "down", "new"]


def test_a_removed_service_is_not_down_it_is_gone() -> None:
    old, new = release("r1", {"api": {}, "gone": {}}), release("r2", {"api": {}})
    rows = {row.service: row for row in timeline(update(old, new), SECONDS).rows}
    assert [bar.kind for bar in rows["gone"].bars] == ["old"]
    assert rows["gone"].down == 0


# ------------------------------------------------------------------------------------------ what is seen


@pytest.mark.parametrize("narrow", [False, True])
def test_a_picture_is_xml_of_a_known_width_and_the_same_each_time(narrow: bool) -> None:
    svg = drawn.to_svg(STRIPS, narrow=narrow)
    assert ElementTree.fromstring(svg).get("width") == ("472" if narrow else "862")
    assert svg == drawn.to_svg(STRIPS, narrow=narrow)
    assert set(re.findall(r"var\(--mc-(\w+)\)", svg)) <= set(
        re.findall(r"\w+", "ink ink2 ink3 rule paper wash old oldt run runt no")
    )


def test_a_gap_is_drawn_as_a_gap_and_named() -> None:
    shown = {each.title: texts(drawn.to_svg([each])) for each in STRIPS}
    # one is the head of the column of numbers, the other stands in the gap
    assert [shown[title].count("down") for title in STRATEGIES] == [2, 2, 2, 1]
    assert "3 s" in shown["download-then-kill"]
    assert "43 s" in shown["kill-then-download"]
    assert "0 s" in shown["hand-over"]
    assert "330 MB" in shown["delete-then-download"]


def test_a_hand_over_has_two_bars_one_above_the_other() -> None:
    """S-106."""
    svg = drawn.to_svg([strip("hand-over")])
    tops = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="18" rx="2"', svg)
    assert len(set(tops)) == 2


def test_a_refused_lock_is_a_padlock_and_a_word() -> None:
    """S-111."""
    line = timeline(locked(), SECONDS)
    assert texts(drawn.to_svg([Strip("x", line)])).count("refused") == 2
    assert "waiting for the lock" in drawn.legend([Strip("x", line)])
    assert "r1 runs, waits for the lock" in drawn.to_table([Strip("x", line)])


def test_the_table_says_what_the_picture_says() -> None:
    table = drawn.to_table(STRIPS)
    for each in STRIPS:
        (row,) = each.line.rows
        rows = re.findall(rf"<tr><th scope=\"row\">{each.title}</th>.*?</tr>", table)
        assert len(rows) == len(each.line.columns) + 1
        assert f"down {drawn.spent(row.down)}" in rows[-1]
        for place, cells in enumerate(rows[:-1]):
            kinds = {bar.kind for bar in row.bars if bar.first <= place <= bar.last}
            assert ("down" in re.sub("downloads", "", cells.partition("</th>")[2])) == ("down" in kinds)
            assert ("downloads" in cells) == ("download" in kinds)
            assert ("r1" in cells) == ("old" in kinds)
            assert ("r2" in cells) == ("new" in kinds)


def test_the_comparison_is_said_in_one_sentence() -> None:
    assert drawn.compared(STRIPS) == "hand-over has no gap; delete-then-download needs half the disk."
    assert drawn.compared(STRIPS[:2]) == "download-then-kill has the shortest gap, 3 s."
    assert "`api` is down 3 s" in drawn.told(STRIPS)


def test_names_are_escaped_and_the_card_has_everything() -> None:
    odd = Release("<r1>", {"services": {"a<b": {}}})
    line = timeline(plan(installed(odd), Release("<r2>", {"services": {"a<b": {}}})), SECONDS)
    html = drawn.figure([Strip("<title>", line)])
    assert "a&lt;b" in html
    assert "<r2>" not in html
    assert html.count("<svg") >= 2
    assert "The same as a table" in html


def test_a_plan_that_grows_does_not_move_its_columns() -> None:
    whole = update(release("r1", {"api": {}}), release("r2", {"api": {}}))
    part = Plan(whole.rounds[:2], whole.rounds[2].state)
    lines = [timeline(each, SECONDS) for each in (part, whole)]
    ends = [re.findall(r'<path d="M([\d.]+) 31', drawn.to_svg([Strip("x", line)], columns=12)) for line in lines]
    assert ends[1][: len(ends[0])] == ends[0]


def test_matplotlib_draws_the_same() -> None:
    pytest.importorskip("matplotlib")
    from kit.views.pictures import picture

    svg = drawn.to_svg(STRIPS)
    assert picture(svg, kind="svg")[:5] == b"<?xml"
    assert literal(svg).startswith("<svg")


def test_an_empty_plan_is_drawn_too() -> None:
    same = release("r1", {"api": {}})
    line: Any = timeline(update(same, same))
    assert drawn.figure([Strip("nothing to do", line)], "Nothing to do.")
