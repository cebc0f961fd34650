"""Notebook 08: strategies under a budget, and what a lock keeps back."""

from __future__ import annotations

import re
from random import Random

import pytest

from answers import Exercises, words
from kit.planner import STRATEGIES
from lessons import update_strategies as lesson

S = lesson.START
TEXT = words("08")
TIMED = "      io.balena.update.handover-timeout: '3000'\n"
NO_TIME = (
    S.replace("kill-then-download", "delete-then-download")
    .replace(" hand-over", " download-then-kill")
    .replace(" handover", " hand-over")
)
GOOD = NO_TIME + TIMED
RIGHT = {
    "download-then-kill": "ready",
    "kill-then-download": "old",
    "delete-then-download": "old",
    "hand-over": "new",
    "handover": "ready",
    "added": "nothing",
}


class TestExercises(Exercises):
    lesson = lesson.lesson
    right = [
        ("08.1", GOOD),
        ("08.1", GOOD.replace("'3000'", "4000")),
        ("08.1", GOOD.replace("'3000'", "1")),
        ("08.1", GOOD.replace("    labels:\n      io.balena.update.strategy: download-then-kill\n", "")),
        ("08.1", re.sub(r"(io\.balena.*): (.*)", r"- '\1=\2'", GOOD.replace("'3000'", "3000"))),
        ("08.2", RIGHT),
        ("08.2", {key: f" {value.upper()} " for key, value in RIGHT.items()}),
        ("08.2", {key: f"'{value}'." for key, value in RIGHT.items()}),
    ]  # fmt: skip
    wrong = [
        ("08.1", NO_TIME, "`api` is down 61 s, and at most 5 s are allowed", "The next round begins when every step"),
        ("08.1", GOOD.replace("'3000'", "'5000'"), "`api` is down 6 s", "The next round begins when every step"),
        ("08.1", GOOD.replace("'3000'", "'0'"), "`api` is down 61 s", "The next round begins when every step"),
        ("08.1", GOOD.replace("'3000'", "3s"), "`api` is down 61 s", "The next round begins when every step"),
        ("08.1", GOOD.replace(" hand-over", " handover"), "`stream` asks for `handover`", "is the default"),
        ("08.1", GOOD.replace("download-then-kill", "hand-over"), "`api` cannot start", "both containers"),
        ("08.1", GOOD.replace("delete-then", "kill-then"), "of images lie on the disk", "Old and new image"),
        ("08.1", GOOD.replace("delete-then-download", "download-then-kill"), "room for 1,600 MB", "Old and new image"),
        ("08.1", GOOD.replace("download-then-kill", "kill-then-download"), "`api` is down", "What is loaded"),
        ("08.1", GOOD.replace(" hand-over", " download-then-kill"), "`stream` is down 3 s", "One strategy"),
        ("08.1", GOOD.replace('    ports: ["80:80"]\n', ""), "does not publish its port", "Nobody would reach it"),
        ("08.1", GOOD.replace('"80:80"', '"8080:80"'), "does not publish its port", "Nobody would reach it"),
        ("08.1", GOOD.replace("'3000'", "'4001'"), "`api` is down", "The next round begins"),
        ("08.1", GOOD.replace("api:2", "api:1"), "`api` has the image `api:1`", "An update that brings nothing"),
        ("08.1", GOOD.replace("  vision:\n", "  eye:\n"), "`vision` is gone", "never down"),
        ("08.1", GOOD.replace("  stream:", " stream:"), "Line", "Look at line"),
        ("08.2", RIGHT | {"hand-over": "ready"}, "strategy `hand-over`: you say", "documentation and the device"),
        ("08.2", RIGHT | {"handover": "new"}, "strategy `handover`: you say `new`", "letter by letter"),
        ("08.2", RIGHT | {"kill-then-download": "ready"}, "you say `ready`", "What needs the lock"),
        ("08.2", RIGHT | {"download-then-kill": "old"}, "you say `old`", "What needs the lock"),
        ("08.2", RIGHT | {"delete-then-download": "nothing"}, "you say `nothing`", "What needs the lock"),
        ("08.2", RIGHT | {"added": "new"}, "only in the new release: you say `new`", "What needs the lock"),
        ("08.2", RIGHT | {"added": "yes"}, "For `added` there is `yes`", "a service that is new"),
        ("08.2", {}, "there is nothing", "It is about a service with strategy"),
    ]  # fmt: skip


@pytest.mark.parametrize("guess", lesson.GUESSES)
def test_a_guess_is_answered_with_the_rule(guess: str) -> None:
    """S-122: a one-shot with the same image does not run again."""
    said = str(lesson.guessed(guess))
    assert "not at all" in said or "so it is" in said
    assert "(S-122)" in said
    assert "<svg" in lesson.guessed(guess)._repr_html_()
    assert "S-122" not in str(lesson.guessed(""))


def test_a_generated_device_has_room_for_one_way_only() -> None:
    """Small images twice and the large one once: the large one has to go first."""
    for case in lesson.generated(Random(7), 20):
        _, line = lesson.updated(GOOD, case)
        assert line.peak <= case.budget
        _, line = lesson.updated(GOOD.replace("delete-then-download", "kill-then-download"), case)
        assert line.peak > case.budget


def test_of_all_strategies_one_choice_passes() -> None:
    """With a short timeout, and the port of `api`."""
    given = {"vision": "delete-then-download", "api": "download-then-kill", "stream": "hand-over"}
    for name, right in given.items():
        for word in STRATEGIES:
            text = re.sub(rf"(?s)({name}:.*?strategy: ){right}", rf"\g<1>{word}", GOOD, count=1)
            assert (lesson.run(lesson.CHECKS, text)[-1].result == "passed") == (word == right), (name, word)


def test_the_strategies_are_compared_in_one_picture() -> None:
    page = lesson.strategies()
    assert str(page).startswith("hand-over has no gap; delete-then-download needs half the disk.")
    assert all(word in page.html for word in STRATEGIES)
    assert "refused" in page.html


def test_the_table_is_that_of_the_exercise() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) MB \| (\d+) MB \| (\d+) s \|", TEXT, re.MULTILINE)
    name, old, new, seconds, budget = lesson.SHOWN
    assert rows == [tuple(map(str, row)) for row in zip(lesson.NAMES, old, new, seconds, strict=True)]
    assert name == "the device above"
    assert f"**{budget:,} MB**" in TEXT
    assert S in TEXT
