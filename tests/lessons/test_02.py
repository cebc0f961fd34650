"""Notebook 02: an order that holds on every supervisor, and rings that are broken with the fewest cuts."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from answers import Exercises
from lessons import who_starts_first as lesson02

T, R = lesson02.START, lesson02.RINGS
LAST = T.replace("  proxy:\n", "  proxy:\n    depends_on: [frontend, data]\n")
CHAIN = T.replace("  proxy:\n", "  proxy:\n    depends_on: [frontend]\n").replace(
    "./frontend\n", "./frontend\n    depends_on: [data]\n"
)


def without(*pairs: tuple[str, str]) -> str:
    names, edges = lesson02._given(R)
    return lesson02.broken_text(names, [edge for edge in edges if edge not in pairs])


class TestExercises(Exercises):
    lesson = lesson02.lesson
    right = [
        ("02.1", LAST),
        ("02.1", CHAIN),
        ("02.1", LAST.replace("[frontend, data]", "{frontend: {condition: service_started}, data: "
                              "{condition: service_started}}")),
        ("02.2", without(("api", "vault"), ("worker", "cache"))),
        ("02.2", without(("vault", "db"), ("cache", "worker"))),
        ("02.2", without(("api", "vault"), ("cache", "worker"))),
        ("02.2", R.replace("depends_on: [api]\n", "depends_on: []\n").replace("[db, worker]", "[db]")),
    ]  # fmt: skip
    wrong = [
        ("02.1", LAST.replace("[frontend, data]", "[frontend]"), "`proxy` waits for `frontend`, so", "in one round"),
        ("02.1", T.replace("./data\n", "./data\n    depends_on: [proxy]\n"), "waits for nothing", "in one round"),
        ("02.1", LAST.replace("./data\n", "./data\n    depends_on: [proxy]\n"), "Line", "Look at line"),
        ("02.1", LAST.replace("data]", "dta]"), "`proxy` depends on `dta`", "Look at line 3"),
        ("02.1", LAST.replace("[frontend, data]", "{data: {condition: service_healthy}}"), "Line 3", "Look at line 3"),
        ("02.1", LAST.replace('    ports:\n      - "80:80"\n', ""), "does not publish port 80", "the ports stay"),
        ("02.1", LAST.replace("  data:\n    build: ./data\n", "").replace(", data", ""), "`data` is gone", "stay"),
        ("02.1", LAST.replace('"80:80"', '"127.0.0.1:80:80"'), "does not publish port 80", "the ports stay"),
        ("02.1", LAST.replace("./haproxy", "./other"), "`build` of `proxy` is not what it was", "the rest stays"),
        ("02.1", LAST.replace("./data", "./data\n    restart: 'no'"), "`restart` of `data` is not", "the rest stays"),
        ("02.1", LAST + "  log: {image: x}\n", "`log` was not there", "the services stay"),
        ("02.2", without(("api", "vault")), "2 services still wait for each other", "balena refuses"),
        ("02.2", without(("vault", "db"), ("api", "web")), "still wait for each other", "no member can be first"),
        ("02.2", without(("db", "api"), ("db", "cache"), ("worker", "cache")), "3 arrows are gone", "two rings"),
        ("02.2", without(*lesson02._given(R)[1]), "9 arrows are gone", "two rings"),
        ("02.2", R.replace("  web:\n", "  site:\n"), "The services are not the same: `site` and `web`", "Only arrows"),
        ("02.2", R.replace("[db, cache]", "[db, web]"), "`api` did not depend on `web`", "none is turned around"),
    ]  # fmt: skip


def test_a_one_shot_is_told_for_each_generation() -> None:
    """S-133."""
    assert "You said 4. It is 3." in str(lesson02.one_shot("4"))
    assert "16.10.2 to 16.12.8: never starts" in str(lesson02.one_shot("3"))
    assert "never" not in str(lesson02.one_shot(""))


@st.composite
def tangles(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    names = ("a", "b", "c", "d", "e")[: draw(st.integers(2, 5))]
    pairs = [(one, other) for one in names for other in names if one != other]
    return names, tuple(sorted(draw(st.sets(st.sampled_from(pairs), max_size=8))))


@given(tangles())
@settings(max_examples=60, deadline=None)
def test_every_smallest_set_is_known_and_no_smaller_one_does_it(tangle: tuple[tuple[str, ...], tuple]) -> None:
    """A second way to count: every subset is tried, and the order is made by hand."""
    names, edges = tangle

    def can_start(left: tuple[tuple[str, str], ...]) -> bool:
        waiting = {*names}
        while ready := {name for name in waiting if not any(s in waiting for s, t in left if t == name)}:
            waiting -= ready
        return not waiting

    found = {frozenset(each) for each in lesson02.fewest(names, edges)}
    for size in range(len(edges) + 1):
        works = {
            frozenset(chosen)
            for chosen in combinations(edges, size)
            if can_start(tuple(edge for edge in edges if edge not in chosen))
        }
        if works:
            assert found == works
            break


def test_every_smallest_set_is_accepted() -> None:
    names, edges = lesson02._given(R)
    every = lesson02.fewest(names, edges)
    assert len(every) > 2
    for chosen in every:
        assert lesson02.lesson.check("02.2", without(*chosen)).result == "passed"
