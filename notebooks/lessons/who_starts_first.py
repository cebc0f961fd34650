"""Notebook 02: an order that holds on every supervisor, and rings that are broken with the fewest cuts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from random import Random

import kit
from kit.composition import Composition
from kit.exercises import Exercise, NotYet
from kit.graphs.placement import layers, reachable
from kit.looks import figure, prose, state, table
from labs.decisions import Page
from labs.order_model import GENERATIONS, Does, course, dependencies

from . import Lesson, example, listed, predict, understood

Edge = tuple[str, str]
"""What is waited for, then who waits."""

# -------------------------------------------------------------------------------- the one-shot, asked


def one_shot(guess: object) -> Page:
    """What becomes of `api` behind a service that ends: on each generation of supervisors, beside a guess."""
    release = example("migrate").composition or Composition()
    found = {test: course(release, does={"migrate": "ends"}, test=test) for test in GENERATIONS}
    starts = sum("api" not in each.never for each in found.values())
    card = predict(guess, str(starts), f"It starts on {starts} of {len(found)} generations of supervisors.")
    if card.result == "untouched":
        return Page(str(card), card.html)
    rows: list[tuple[str, ...]] = []
    for test, each in found.items():
        words, _first, means = GENERATIONS[test]
        told = "never starts" if "api" in each.never else "starts"
        rows.append((words, prose(f"a dependency {means}"), state("no" if each.never else "run", told)))
    html = figure(
        "`api` starts on some supervisors and never on others.",
        "The documentation warns of such a dependency. What a supervisor does depends on its version (S-133).",
        table(("Supervisor", "It starts if", "api"), rows),
    )
    told_rows = [f"{words}: {'never starts' if found[test].never else 'starts'}"
                 for test, (words, *_rest) in GENERATIONS.items()]  # fmt: skip
    return Page("\n".join([str(card), "", *told_rows]), card.html + html)


# ------------------------------------------------------------------------------ 02.1 proxy starts last

START = """\
services:
  proxy:
    build: ./haproxy
    ports:
      - "80:80"
  frontend:
    build: ./frontend
  data:
    build: ./data
"""
NAMES = ("proxy", "frontend", "data")


def makes_a_release(answer: object) -> None:
    """balena makes a release of it."""
    understood(answer)


def keeps_the_services(answer: str) -> None:
    """`proxy`, `frontend` and `data` are there, and `proxy` still publishes port 80."""
    composition = understood(answer).composition
    names = {service.name for service in composition.services}
    if names != {*NAMES}:
        gone, more = sorted({*NAMES} - names), sorted(names - {*NAMES})
        what = f"{listed([f'`{name}`' for name in gone])} {'is' if len(gone) == 1 else 'are'} gone" if gone else ""
        raise NotYet(
            what or f"`{more[0]}` was not there",
            "The order changes; the services stay.",
            f"The names that are there now: {listed([f'`{name}`' for name in sorted(names)])}.",
            f"There are three: {listed([f'`{name}`' for name in NAMES])}.",
        )
    if not any(str(port) in ("80:80", "80") for port in composition.service("proxy").ports):
        raise NotYet(
            "`proxy` does not publish port 80 any more",
            "The order changes; the ports stay.",
            "Look at what stands below `proxy:`.",
            'It reads `ports:` and, further in, `- "80:80"`.',
        )
    given, now = (kit.normal_form(kit.read(text))["services"] for text in (START, answer))
    for name in NAMES:
        for key in dict.fromkeys((*given[name], *now[name])):
            if key not in ("depends_on", "ports") and given[name].get(key) != now[name].get(key):
                raise NotYet(
                    f"`{key}` of `{name}` is not what it was",
                    "The order changes; the rest stays.",
                    f"Look at `{key}` below `{name}:`.",
                    f"Take back what you changed in `{name}`, but for `depends_on:`.",
                )


def starts_last(answer: str, random: Random) -> None:
    """`proxy` starts in a round after both others, on every supervisor, also if one of them has to wait itself."""
    composition = understood(answer).composition
    proxy = composition.service("proxy")
    for case in range(24):
        after = dependencies(composition)
        does: dict[str, Does] = {name: random.choice(["runs", "crashes"]) for name in ("frontend", "data")}
        test = random.choice([*GENERATIONS])
        late = random.choice(("frontend", "data"))
        if case:  # one of the two gets something to wait for
            after |= {"store": (), "disk": ("store",), late: (*after[late], "disk")}
        order = course(after, does=does, test=test).order
        if order and order[-1] == ("proxy",):
            continue
        first = next((name for name in ("frontend", "data") if name not in _waited(composition, "proxy")), "data")
        waits = listed([f"`{name}`" for name in proxy.depends_on]) or "nothing"
        if_late = f"; here `{late}` waits for a `disk` of its own" if case else ""
        raise NotYet(
            f"`proxy` waits for {waits}, so it does not start last: the rounds are {_told(order)} "
            f"(supervisor {GENERATIONS[test][0]}{if_late})",
            "Services that do not wait for each other start in one round (S-97).",
            f"Nothing holds `proxy` back until `{first}` has been started.",
            f"`depends_on:` below `proxy:` needs a line `- {first}`.",
        )


def _waited(composition: Composition, name: str) -> frozenset[str]:
    names = tuple(service.name for service in composition.services)
    return reachable(names, edges_of(composition))[name]


def _told(order: Sequence[Sequence[str]]) -> str:
    return ", then ".join(" with ".join(f"`{name}`" for name in names) for names in order) or "none"


def ordered(answer: object) -> str:
    """The answer with a `depends_on` for whatever `proxy` does not wait for yet."""
    for text in (answer, START):
        try:
            keeps_the_services(text)  # type: ignore[arg-type]
        except NotYet:
            continue
        proxy = understood(text).composition.service("proxy")
        if not _waits_for_proxy(str(text)):
            needs = list(dict.fromkeys((*proxy.depends_on, "frontend", "data")))
            added = "".join(f"      - {name}\n" for name in needs)
            return re.sub(r"^  proxy:\n", f"  proxy:\n    depends_on:\n{added}", _without_order(str(text)), flags=re.M)
    return START


def _waits_for_proxy(text: str) -> bool:
    composition = understood(text).composition
    return any("proxy" in _waited(composition, name) for name in ("frontend", "data"))


def _without_order(text: str) -> str:
    """The text without the `depends_on` of `proxy`, if it stands in the plain form."""
    proxy = re.search(r"^  proxy:\n(?:    .*\n?)*", text, re.M)
    if proxy is None or "depends_on" not in proxy[0]:
        return text if proxy else START
    plain = re.sub(r"    depends_on:.*\n(?:      .*\n?)*", "", proxy[0])
    return text.replace(proxy[0], plain)


# ------------------------------------------------------------------------------- 02.2 the fewest cuts

RINGS = """\
services:
  api:
    build: ./api
    depends_on: [db, cache]
  db:
    build: ./db
    depends_on: [vault]
  vault:
    build: ./vault
    depends_on: [api]
  cache:
    build: ./cache
    depends_on: [db, worker]
  worker:
    build: ./worker
    depends_on: [cache]
  web:
    build: ./web
    depends_on: [api, worker]
"""


def edges_of(release: Composition) -> tuple[Edge, ...]:
    """Every `depends_on` of a release, as far as it names a service that is there."""
    names = {service.name for service in release.services}
    return tuple((need, each.name) for each in release.services for need in each.depends_on if need in names)


def rings(names: Sequence[str], edges: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    """The services that wait for themselves, ring by ring.

    >>> rings("abc", [("a", "b"), ("b", "a"), ("b", "c")])
    (('a', 'b'),)
    """
    return layers(tuple(names), tuple(edges)).loops


def fewest(names: Sequence[str], edges: Sequence[Edge]) -> tuple[frozenset[Edge], ...]:
    """Every smallest set of edges without which nothing waits for itself.

    >>> sorted(map(sorted, fewest("abc", [("a", "b"), ("b", "a"), ("b", "c")])))
    [[('a', 'b')], [('b', 'a')]]
    """
    inside = {name for ring in rings(names, edges) for name in ring}
    looped = [edge for edge in edges if {*edge} <= inside]
    for size in range(len(looped) + 1):
        found = [
            frozenset(chosen)
            for chosen in combinations(looped, size)
            if not rings(names, [edge for edge in edges if edge not in chosen])
        ]
        if found:
            return tuple(found)
    return ()


def broken_text(names: Sequence[str], edges: Iterable[Edge]) -> str:
    """A release with these services and these dependencies, as a text."""
    lines = ["services:"]
    for name in names:
        needs = [source for source, target in edges if target == name]
        lines += [f"  {name}:", f"    build: ./{name}"]
        lines += [f"    depends_on: [{', '.join(needs)}]"] if needs else []
    return "\n".join(lines) + "\n"


def _given(text: str) -> tuple[tuple[str, ...], tuple[Edge, ...]]:
    composition = kit.read(text).composition or Composition()
    return tuple(service.name for service in composition.services), edges_of(composition)


def can_be_read(answer: object) -> None:
    """It is a composition with the six services, and no arrow that was not there."""
    reading = kit.read(answer) if isinstance(answer, str) else None
    if reading is None or reading.composition is None or not reading.composition.services:
        understood(answer)
        raise NotYet("There is no service in this text", *["A composition begins with `services:`."] * 3)
    names, edges = _given(RINGS)
    here, now = _given(str(answer))
    if {*here} != {*names}:
        what = sorted({*names} ^ {*here})
        raise NotYet(
            f"The services are not the same: {listed([f'`{name}`' for name in what])}",
            "Only arrows are to be removed; the services stay.",
            f"There are {len(names)}: {listed([f'`{name}`' for name in names])}.",
            f"Bring back or take away `{what[0]}`.",
        )
    if more := [edge for edge in now if edge not in edges]:
        source, target = more[0]
        raise NotYet(
            f"`{target}` did not depend on `{source}` before",
            "Arrows are removed here; none is turned around or added.",
            f"Look at `depends_on` of `{target}`.",
            f"Remove `{source}` from it, and put back what stood there.",
        )


def waits_for_nobody_in_a_ring(answer: str) -> None:
    """Nothing waits for itself."""
    names, edges = _given(answer)
    found = rings(names, edges)
    if not found:
        understood(answer)
        return
    ring = found[0]
    on_it = [edge for edge in edges if {*edge} <= {*ring}]
    useful = next((edge for chosen in fewest(names, edges) for edge in chosen), on_it[0])
    words = " → ".join(f"`{name}`" for name in (*ring, ring[0])) if len(ring) > 1 else f"`{ring[0]}`"
    others = f", and {len(found) - 1} more ring{'s' * (len(found) > 2)}" if len(found) > 1 else ""
    raise NotYet(
        f"{len(ring)} services still wait for each other: {listed([f'`{name}`' for name in ring])}{others}",
        "balena refuses a release with a ring: no member can be first (C-55, S-99).",
        f"Walk along the arrows: {words}.",
        f"One arrow that breaks it: let `{useful[1]}` not wait for `{useful[0]}`.",
    )


def removes_the_fewest(answer: str) -> None:
    """No arrow is removed that could have stayed."""
    names, edges = _given(RINGS)
    _names, now = _given(answer)
    removed = [edge for edge in edges if edge not in now]
    least = len(fewest(names, edges)[0])
    if len(removed) > least:
        back = next((e for e in removed if not rings(names, [*now, e])), removed[0])
        raise NotYet(
            f"{len(removed)} arrows are gone, and {least} are enough",
            "An arrow that lies on two rings breaks both when it goes.",
            f"These are gone: {listed([f'`{target}` after `{source}`' for source, target in removed])}.",
            f"Begin with this one: let `{back[1]}` wait for `{back[0]}` again."
            if not rings(names, [*now, back])
            else "Bring all back, and look for an arrow that two rings share.",
        )


def starts_everywhere(answer: str, random: Random) -> None:
    """Every service starts, on every supervisor, also with services beside them that wait for some of them."""
    after = dependencies(understood(answer).composition)
    for _case in range(12):
        more = {f"more-{number}": tuple(random.sample([*after], 2)) for number in range(random.randrange(4))}
        does: dict[str, Does] = {name: random.choice(["runs", "crashes"]) for name in after}
        test = random.choice([*GENERATIONS])
        if never := course({**after, **more}, does=does, test=test).never:
            raise NotYet(
                f"`{next(iter(never))}` never starts (supervisor {GENERATIONS[test][0]})",
                "A service starts when all that it waits for has been started once (S-94, S-95).",
                f"Look at `depends_on` of `{next(iter(never))}`.",
                "Walk along the arrows until you come back to where you were: one of them goes.",
            )


def cut(answer: object) -> str:
    """The given release without one of the smallest sets of arrows: the one that is nearest to the answer."""
    names, edges = _given(RINGS)
    now = _given(answer)[1] if isinstance(answer, str) else edges
    gone = {edge for edge in edges if edge not in now}
    chosen = max(fewest(names, edges), key=lambda one: len(one & gone))
    return broken_text(names, [edge for edge in edges if edge not in chosen])


lesson = Lesson(
    "02",
    "Who starts first?",
    (
        Exercise(
            number="02.1",
            title="The proxy comes last",
            task="Let `proxy` start after `frontend` and `data`, on every supervisor, and leave the rest as it is.",
            checks=(makes_a_release, keeps_the_services, starts_last),
            solve=ordered,
            start=START,
            praise="Checked on four generations of supervisors, with processes that run and processes that crash.",
        ),
        Exercise(
            number="02.2",
            title="The fewest cuts",
            task="balena refuses this release: services wait for each other. Remove as few names from `depends_on` as "
            "possible, so that every service can start. There is more than one good answer.",
            checks=(can_be_read, waits_for_nobody_in_a_ring, starts_everywhere, removes_the_fewest),
            solve=cut,
            start=RINGS,
            praise="No smaller set of arrows does it: all of them were tried.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
