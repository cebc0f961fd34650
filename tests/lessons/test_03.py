"""Notebook 03: what makes a container anew, and data that survives."""

from __future__ import annotations

import re
from random import Random

import pytest

from answers import Exercises, words
from kit.planner import Release, what_changed
from lessons import restart_recreate as lesson

M = lesson.MENDABLE
TEXT = words("03")
GOOD = (
    M.replace("on-failure:3", "unless-stopped")
    .replace("counts", "count")
    .replace("    labels:\n      backup: nightly\n", "")
    .replace("    volumes:\n      -", "    ulimits:\n      core: -1\n    volumes:\n      -")
)
RIGHT = {
    "environment": "made anew",
    "label": "made anew",
    "depends_on": "runs on",
    "neighbour": "runs on",
    "volume name": "empty",
    "volume label": "deleted",
}


class TestExercises(Exercises):
    lesson = lesson.lesson
    right = [
        ("03.1", RIGHT),
        ("03.1", {key: f" {value.upper()} " for key, value in RIGHT.items()}),
        ("03.1", {key: f"`{value.replace(' ', '  ')}`." for key, value in RIGHT.items()}),
        ("03.2", GOOD),
        ("03.2", GOOD.replace("unless-stopped", "' Unless-Stopped '")),
        ("03.2", GOOD.replace("core: -1", "core: {soft: -1, hard: -1}").replace("count:/data", "count:/data/")),
        ("03.2", GOOD.replace("  count:\n", "  count: {}\n  spare:\n    labels: {a: b}\n")),
        (
            "03.2",
            GOOD.replace(
                "services:\n",
                "services:\n  reader:\n    image: r\n    volumes: ['count:/in:ro']\n    depends_on: [counter]\n",
            ),
        ),
        ("03.2", GOOD.replace("- count:/data", "- {type: volume, source: count, target: /data}")),
    ]  # fmt: skip
    wrong = [
        ("03.1", RIGHT | {"depends_on": "made anew"}, "you say `made anew`", "Not everything in a text is compared"),
        ("03.1", RIGHT | {"neighbour": "made anew"}, "`till` gets another image", "Not everything in a text"),
        ("03.1", RIGHT | {"label": "runs on"}, "A label of `shop`", "the container cannot stay"),
        ("03.1", RIGHT | {"volume name": "deleted"}, "is called `stock`", "only where a volume is deleted"),
        ("03.1", RIGHT | {"volume name": "made anew"}, "is called `stock`", "not about the container alone"),
        ("03.1", RIGHT | {"volume label": "made anew"}, "gets a label at the top", "not about the container alone"),
        ("03.1", RIGHT | {"environment": "empty"}, "A variable of `shop`", "another one at all"),
        ("03.1", RIGHT | {"environment": "recreate"}, "there is `recreate`", "The change is"),
        ("03.1", {}, "there is nothing", "The change is"),
        ("03.2", M.replace("on-failure:3", "unless-stopped"), "the new release finds 0", "found by its name"),
        ("03.2", GOOD.replace("  count:\n", "  count:\n    labels: {a: b}\n"), "was deleted and made anew", "is right"),
        ("03.2", GOOD.replace("counter:2", "counter:1"), "has the image `counter:1`", "its data is what stays"),
        ("03.2", GOOD.replace("- count:", "- counts:").replace("  count:\n", "  counts: {name: count}\n"),
         "is another volume", "found by its name"),
        ("03.2", GOOD.replace("core: -1", "core: {soft: -1, hard: 0}"), "leaves no core dump", "A limit of the"),
        ("03.2", GOOD.replace("unless-stopped", "on-failure"), "it stays down when it ends with 0", "restart lab"),
        ("03.2", GOOD.replace("unless-stopped", "'no'"), "it stays down when it ends with 0", "restart lab"),
        ("03.2", GOOD.replace("unless-stopped", "unless_stopped"), "`unless_stopped` is read as", "One policy is like"),
        ("03.2", GOOD.replace("    restart: unless-stopped\n", ""), "Nothing is written", "One policy is like"),
        ("03.2", GOOD.replace("count:/data", "count:/var/data"), "There is no volume at `/data`", "layer dies"),
        ("03.2", GOOD.replace("count:/data", "count:/data:ro"), "mounted read-only", "Two letters"),
        ("03.2", GOOD.replace("core: -1", "core: 0"), "leaves no core dump", "A limit of the process"),
        ("03.2", GOOD.replace("core: -1", "core: {soft: 0, hard: -1}"), "leaves no core dump", "A limit of the"),
        ("03.2", GOOD.replace("core: -1", "core: unlimited"), "Line 6", "Look at line 6"),
        ("03.2", GOOD.replace("  count:\n", ""), "`count`", "Look at line"),
        ("03.2", GOOD.replace("- count:/data", "- ./data:/data"), "Line 8", "Look at line 8"),
        ("03.2", GOOD.replace("  counter:", "  count:"), "`counter` is gone", "Keep the service"),
    ]  # fmt: skip


def test_what_a_change_does_is_what_the_planner_says() -> None:
    """The words of the exercise and the planner's own, on generated releases."""
    actions = {"runs on": {"keep", "update metadata"}, "made anew": {"recreate"}, "empty": {"recreate"}}
    for seed in range(20):
        random = Random(seed)
        form, name = lesson.generated(random)
        for kind in lesson.KINDS:
            before, after = lesson.changed(form, kind, name, random)
            found = lesson.seen(before, after, name)
            action = next(
                each.action for each in what_changed(Release("a", before), Release("b", after)) if each.service == name
            )
            assert action in actions.get(found, {"restart"}), (kind, found)
            assert found == RIGHT[kind]


@pytest.mark.parametrize("guess", lesson.GUESSES)
def test_a_guess_is_answered_with_the_minute(guess: str) -> None:
    said = str(lesson.guessed(guess))
    assert "again and again" in said
    assert "the device takes always (S-125)" in said


def test_without_a_guess_nothing_is_told() -> None:
    assert "always" not in str(lesson.guessed(""))
    assert "<svg" not in lesson.guessed("")._repr_html_().split("</style>")[1].replace('<svg class="mc-g"', "")


def test_the_table_of_changes_is_that_of_the_exercise() -> None:
    assert dict(re.findall(r"^\| `([\w ]+)` \| (.+) \|$", TEXT, re.MULTILINE)) == {
        key: kind.words for key, kind in lesson.KINDS.items()
    }


def test_the_given_texts_are_those_of_the_exercises() -> None:
    assert lesson.MENDABLE in TEXT
    assert str(lesson.START).replace("'", '"').strip("{}").split(", ")[0] in TEXT
