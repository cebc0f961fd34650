"""Notebook 08: strategies under a disk budget, and what a lock keeps back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from course.lesson import plain
from kit import looks
from kit.container import STRATEGY, TIMEOUT
from kit.device.state import HandoverWait
from kit.exercises import Exercise, NotYet, run
from kit.planner import STRATEGIES, Plan, Release, installed, plan, what_changed
from kit.reader import Reading
from labs import containers, timeline, update_model
from labs.decisions import Page

from . import Lesson, listed, predict, understood

Form = dict[str, Any]

# ------------------------------------------------------------------------------------- before you see

GUESSES = ("again", "not at all")


def shop(api: str) -> Form:
    """A release of two services; `migrate` does its work, and ends with 0."""
    return {
        "services": {
            "migrate": {"image": "migrate:7", "restart": "no", "oneshot": 0},
            "api": {"image": api, "depends_on": ["migrate"]},
        }
    }


def guessed(guess: str) -> Page:
    """A guess beside an update in which a one-shot's image is the same as before, and why it goes as it goes."""
    old, new = Release("v1", shop("api:1")), Release("v2", shop("api:2"))
    done = plan(installed(old), new)
    runs = any(step.kind in ("start", "kill") and step.service == "migrate" for step in done)
    rules = next(change.why.rules for change in what_changed(old, new) if change.service == "migrate")
    why = f"Its image and its configuration are as before, so its container is only renamed ({', '.join(rules)})."
    card = predict(guess, GUESSES[0] if runs else GUESSES[1], why)
    if card.result == "untouched":
        return Page(str(card), card.html)
    grid = containers.states(done, "v2")
    answer = "Only what differs is made anew."
    situation = "`migrate` has exited under v1. In v2 it has another name, and nobody starts it."
    html = looks.figure(answer, situation, containers.picture(grid), table=containers.to_table(grid))
    return Page(str(card), card.html + html)


def strategies() -> Page:
    """The four strategies for one service, and the default once more while a lock is held."""
    text = "services:\n  api:\n    image: api:{0}\n"
    given = update_model.Inputs(old=text.format("1"), new=text.format("2"), names=("v2.3", "v2.4"))
    sizes = {"api:1": 310.0, "api:2": 330.0}
    notes = ("the default", "stops first", "frees the space first", "both run for a while")
    strips = []
    for word, quiet in zip(STRATEGIES, notes, strict=True):
        strips.append(strip_of(replace(given, strategies={"0": word}), word, quiet, sizes))
    locked = replace(given, trouble="lock api", until=3)
    strips.append(strip_of(locked, "download-then-kill", "behind a lock", sizes))
    answer = timeline.compared(strips)
    situation = (
        "`api` goes from v2.3 (310 MB) to v2.4 (330 MB). The download takes 40 s; a hand-over waits as documented."
    )
    html = timeline.figure(strips, answer, situation, width=timeline.LAB)
    return Page(f"{answer}\n{timeline.told(strips)}".replace("`", ""), html)


def strip_of(inputs: update_model.Inputs, title: str, quiet: str, sizes: Mapping[str, float]) -> timeline.Strip:
    """One update as a strip."""
    return timeline.Strip(title, timeline.timeline(update_model.walked(inputs), inputs.seconds, sizes), quiet)


def updating(**strategies: str) -> tuple[str, str]:
    """Two releases for the engine lab, each service with its strategy; a hand-over waits for five seconds."""
    services = "".join(
        f"  {name}:\n    image: {name}:{{0}}\n    labels:\n      {STRATEGY}: {word}\n      {TIMEOUT}: '5000'\n"
        for name, word in strategies.items()
    )
    return f"services:\n{services.format(1)}", f"services:\n{services.format(2)}"


# ----------------------------------------------------------------- 08.1 strategies under a budget

START = """\
services:
  vision:
    image: vision:2
    labels:
      io.balena.update.strategy: kill-then-download
  api:
    image: api:2
    ports: ["80:80"]
    labels:
      io.balena.update.strategy: hand-over
  stream:
    image: stream:2
    labels:
      io.balena.update.strategy: handover
"""
NAMES = ("vision", "api", "stream")
MOST_DOWN = {"api": 5.0, "stream": 0.0}
"""Seconds for which a service may be down; of `vision` nobody minds."""


Three = tuple[float, float, float]
"""One number for each service, in the order of `NAMES`."""


class Case(NamedTuple):
    """A device and its line: sizes in megabytes, old and new, seconds of the downloads, and the room for images."""

    name: str
    old: Three
    new: Three
    seconds: Three
    budget: float


SHOWN = Case("the device above", old=(900, 180, 60), new=(950, 190, 70), seconds=(120, 15, 10), budget=1600)


def generated(random: Random, count: int = 4) -> list[Case]:
    """Devices with one large image; each has room for the small images twice and for the large one once."""
    cases = []
    for number in range(1, count + 1):
        old = (float(random.randrange(600, 3000)), float(random.randrange(20, 200)), float(random.randrange(20, 200)))
        large, *small = [(size, float(round(size * random.uniform(0.9, 1.2)))) for size in old]
        new = (large[1], small[0][1], small[1][1])
        seconds = (random.randrange(6, 300), random.randrange(6, 300), random.randrange(6, 300))
        budget = sum(map(sum, small)) + max(large) + random.randrange(0, 60)
        cases.append(Case(f"generated device {number}", old, new, seconds, budget))
    return cases


@lru_cache(maxsize=8)
def read_once(answer: str) -> Reading:
    """The answer as a composition; every check looks at it."""
    return understood(answer)


@lru_cache(maxsize=128)
def updated(answer: str, case: Case, wait: HandoverWait = "documented") -> tuple[Plan, timeline.Timeline]:
    """The update from the release of today, which is as the answer but for its images, on one device."""
    form = dict(read_once(answer).normal or {})
    before = {name: {**body, "image": f"{name}:today"} for name, body in form["services"].items()}
    old, new = Release("v1", {**form, "services": before}), Release("v2", form)
    done = plan(replace(installed(old), handover_wait=wait), new)
    images = [f"{name}:{tag}" for tag in ("today", "2") for name in NAMES]
    sizes = dict(zip(images, case.old + case.new, strict=True))
    seconds = dict(zip((f"fetch {name}" for name in NAMES), case.seconds, strict=True)) | {"kill": 2.0, "start": 1.0}
    return done, timeline.timeline(done, seconds, sizes)


def cases(random: Random) -> list[tuple[Case, HandoverWait, str]]:
    """The device of the notebook and generated ones, each with both ways to wait for a hand-over."""
    ways: tuple[tuple[HandoverWait, str], ...] = (
        ("documented", ", if a hand-over waits as documented"), ("as_coded", ", if a hand-over does not wait"),
    )  # fmt: skip
    return [(case, wait, f" on {case.name}{words}") for case in (SHOWN, *generated(random)) for wait, words in ways]


def makes_a_release(answer: object) -> None:
    """balena makes a release of it, with three services and their images."""
    composition = understood(answer).composition
    if gone := [name for name in NAMES if composition.service(name) is None]:
        raise NotYet(
            f"{listed([f'`{name}`' for name in gone])} {'is' if len(gone) == 1 else 'are'} gone",
            "A service that is not there is never down, but it does not run either.",
            f"The release has {listed([f'`{name}`' for name in NAMES])}.",
            f"Bring `{gone[0]}:` back, at the second level.",
        )
    images = {name: composition.service(name).image for name in NAMES}
    if other := [name for name, image in images.items() if image != f"{name}:2"]:
        raise NotYet(
            f"`{other[0]}` has the image `{images[other[0]] or 'nothing'}`, and the release brings `{other[0]}:2`",
            "An update that brings nothing needs no strategy.",
            f"Look at `image:` below `{other[0]}:`.",
            f"It reads `image: {other[0]}:2`.",
        )
    if not any(port.published == "80" or str(port) == "80" for port in composition.service("api").ports):
        raise NotYet(
            "`api` does not publish its port any more",
            "Nobody would reach it.",
            "`ports:` below `api:` is gone.",
            'It reads `ports: ["80:80"]`.',
        )


def strategy_words(answer: str) -> dict[str, str]:
    """What is written as strategy of each service."""
    return {name: read_once(answer).composition.service(name).label(STRATEGY) or "" for name in NAMES}


def is_understood(answer: str) -> None:
    """Each strategy is one of the four, or left to the default."""
    for name, word in strategy_words(answer).items():
        if word and word not in STRATEGIES:
            raise NotYet(
                f"`{name}` asks for `{word}`, which is no strategy: the device takes `download-then-kill` (S-102)",
                "A word that the device does not know is the default, and nobody says so.",
                f"Look at the label of `{name}`.",
                f"The four words are {listed([f'`{each}`' for each in STRATEGIES])}.",
            )


def comes_to_an_end(answer: str) -> None:
    """No step of the update fails."""
    for wait in ("documented", "as_coded"):
        done, _ = updated(answer, SHOWN, wait)  # type: ignore[arg-type]
        for round in done.rounds:
            if round.troubles:
                why = round.troubles[0].why
                raise NotYet(
                    f"One step fails: {why.sentence} ({', '.join(why.rules)})",
                    "For a while both containers of a hand-over are there, with all that they hold.",
                    f"Which strategy of `{round.troubles[0].about}` starts the new one while the old one still runs?",
                    f"Take another strategy for `{round.troubles[0].about}`: it publishes a port of the host.",
                )
        if not done.settled:
            raise NotYet(f"The update does not come to an end: {done.blocked[0]}", done.blocked[0].way_out)


def fits_the_disk(answer: str, random: Random) -> None:
    """The images never need more room than there is."""
    for case, wait, where in cases(random):
        _, line = updated(answer, case, wait)
        if line.peak > case.budget:
            words = strategy_words(answer)
            raise NotYet(
                f"At most {timeline.size(line.peak)} of images lie on the disk at once, and there is room for "
                f"{timeline.size(case.budget)}{where}",
                "Old and new image lie there together, unless the old one is deleted first.",
                f"The largest image is that of `vision`; its strategy is `{words['vision'] or 'the default'}`.",
                "Only one strategy deletes before it downloads. Two keep the old image: it is the source of the delta.",
            )


def is_up(service: str) -> Callable[[str, Random], None]:
    """The check of one service's downtime."""
    most = MOST_DOWN[service]

    def check(answer: str, random: Random) -> None:
        for case, wait, where in cases(random):
            _, line = updated(answer, case, wait)
            row = next(row for row in line.rows if row.service == service)
            if row.down > most:
                raise too_long(service, row, line, answer, where)

    within = f"at most {timeline.spent(most)}" if most else "never"
    check.__doc__ = f"`{service}` is {'down ' if most else ''}{within}{'' if most else ' down'}."
    return check


def too_long(service: str, row: timeline.Row, line: timeline.Timeline, answer: str, where: str) -> NotYet:
    """A service is down for too long: because of its own strategy, or because a hand-over holds the round up."""
    most, word = MOST_DOWN[service], strategy_words(answer)[service] or "download-then-kill"
    gap = [column for bar in row.bars if bar.kind == "down" for column in line.columns[bar.first : bar.last + 1]]
    slowest = max(gap, key=lambda column: column.seconds)
    steps = ", ".join(slowest.heads)
    held = "handover" in slowest.heads
    said = f"`{service}` is down {timeline.spent(row.down)}, and at most {timeline.spent(most)} are allowed{where}"
    if not most:
        return NotYet(
            said,
            "One strategy starts the new container before the old one stops.",
            f"`{service}` has the strategy `{word}`.",
            "It is written with a hyphen: `hand-over`.",
        )
    return NotYet(
        said,
        "The next round begins when every step of this one is done." if held else "What is loaded while it is down?",
        f"In its gap the longest round lasts {timeline.spent(slowest.seconds)}: {steps}.",
        f"A hand-over waits 60 s unless `{TIMEOUT}` says how many milliseconds it may be."
        if held
        else "Its image must be there first: two strategies do that, and one of them needs the port twice.",
    )


CHECKS = (makes_a_release, is_understood, comes_to_an_end, fits_the_disk, is_up("stream"), is_up("api"))


def chosen(answer: object) -> str:
    """The text with strategies that pass; services that pass as they are keep what they have."""
    text = answer if isinstance(answer, str) else START
    if run(CHECKS, text)[-1].result == "passed":
        return text
    good = {"vision": "delete-then-download", "api": "download-then-kill", "stream": "hand-over"}
    for name, word in good.items():
        line = rf"(?ms)(^  {name}:.*?{re.escape(STRATEGY)}: ).*?$"
        text = re.sub(line, rf"\g<1>{word}", text, count=1)
    timeout = f"      {TIMEOUT}: '3000'\n"
    there = rf"(?m)^ *{re.escape(TIMEOUT)}:.*\n"
    text = re.sub(there, timeout, text) if re.search(there, text) else re.sub(r"\n*\Z", "\n" + timeout, text, count=1)
    return text if answer == START or run(CHECKS, text)[-1].result == "passed" else chosen(START)


# ------------------------------------------------------------------------------- 08.2 behind a lock

OUTCOMES = ("old", "ready", "new", "nothing")
"""What of a service is there while a lock is held: old; old, and the new image is downloaded; new; no container."""
ROLES = {
    # role: what is said of the service, and its label; a new service has none, and is in the new release only
    "download-then-kill": "strategy `download-then-kill`",
    "kill-then-download": "strategy `kill-then-download`",
    "delete-then-download": "strategy `delete-then-download`",
    "hand-over": "strategy `hand-over`",
    "handover": "strategy `handover`",
    "added": "only in the new release",
}
LOCKED: dict[str, str] = dict.fromkeys(ROLES, "")


def behind(role: str, name: str, others: tuple[str, ...], holder: str) -> tuple[str, Plan]:
    """What becomes of a service while another one holds the lock for good."""
    labels = {"labels": {STRATEGY: role}} if role != "added" else {}
    old: Form = {each: {"image": f"{each}:1"} for each in others}
    new: Form = {each: {"image": f"{each}:2"} for each in others}
    old |= {} if role == "added" else {name: {"image": f"{name}:1", **labels}}
    new |= {name: {"image": f"{name}:2", **labels}}
    first, second = (Release(commit, {"services": services}) for commit, services in (("v1", old), ("v2", new)))
    state = replace(installed(first), lock_files=frozenset({(1, holder)}))
    done = plan(state, second)
    one = done.end.container(name)
    if one is None or not one.up:
        return "nothing", done
    if one.commit == "v2":
        return "new", done
    return ("ready" if f"{name}:2" in done.end.image_names else "old"), done


def keeps(role: str) -> Callable[[object, Random], None]:
    """The check of one role."""

    def check(answer: object, random: Random) -> None:
        said = answer.get(role) if isinstance(answer, Mapping) else None
        word = plain(said)
        _, done = behind(role, "web", ("ui",), "ui")
        reasons = [
            str(each.why) for round in done.rounds[-1:] for each in (*round, *round.notes) if each.service == "web"
        ]
        why = reasons[0] if reasons else str(done.blocked[0])
        if word not in OUTCOMES:
            words = listed([f"`{each}`" for each in OUTCOMES]).replace(" and ", " or ")
            raise NotYet(
                f"For `{role}` there is {f'`{said}`' if word else 'nothing'}, and it should be {words}",
                f"It is about a service with {ROLES[role]}."
                if role != "added"
                else "It is about a service that is new.",
                "Ask two things: is its new image downloaded, and is a container stopped or started?",
                f"The planner says: {why}.",
            )
        names = random.sample(["api", "db", "cache", "proxy", "sensor"], 4)
        for name, others in (("web", ("ui",)), (names[0], tuple(names[1:]))):
            found, _ = behind(role, name, others, others[-1])
            if found != word:
                raise held(role, word, found, why)

    check.__doc__ = (
        f"What is there of a service with {ROLES[role]}." if role != "added" else "What is there of a new one."
    )
    return check


TOLD = {
    "old": "Its download comes after the stop, and the stop needs the lock (S-111).",
    "ready": "Downloads need no lock; the stop does (S-111).",
    "new": "No lock is asked for when a container is handed over, whatever the documentation says (S-107).",
    "nothing": "The first start of a container needs the lock, too (S-111).",
}


def held(role: str, said: str, found: str, why: str) -> NotYet:
    """A prediction that does not come true."""
    nudge = {
        "handover": "Read the word once more, letter by letter.",
        "hand-over": "Here the documentation and the device differ.",
    }.get(role, "What needs the lock: a download, a stop, a first start?")
    return NotYet(
        f"A service with {ROLES[role]}: you say `{said}`, and it is something else"
        if role != "added"
        else f"A service that is only in the new release: you say `{said}`, and it is something else",
        nudge,
        TOLD[found],
        f"The planner says: {why}.",
    )


def predicted(answer: object) -> dict[str, str]:
    """The predictions of the answer that come true, and what happens for the rest."""
    given = answer if isinstance(answer, Mapping) else {}
    found = {}
    for role in ROLES:
        try:
            keeps(role)(given, Random(0))  # noqa: S311 - cases, not secrets
            found[role] = str(given[role])
        except NotYet:
            found[role] = behind(role, "web", ("ui",), "ui")[0]
    return found


def as_lines(answer: object) -> str:
    """Predictions as text, one line for each."""
    if not isinstance(answer, Mapping):
        return str(answer)
    return "\n".join(f"{key}: {value}" for key, value in answer.items())


lesson = Lesson(
    "08",
    "Update strategies and locks",
    (
        Exercise(
            number="08.1",
            title="Little room, short gaps",
            task="Choose the strategies, so that the images fit, `api` is down 5 s at most, and `stream` never.",
            checks=CHECKS,
            solve=chosen,
            start=START,
            praise="It was simulated on this device and on four generated ones, with both ways to wait.",
        ),
        Exercise(
            number="08.2",
            title="Behind a lock",
            task="Write what is there of each service while `ui` holds the lock: `old`, `ready`, `new` or `nothing`.",
            checks=tuple(map(keeps, ROLES)),
            solve=predicted,
            start=LOCKED,
            show=as_lines,
            praise="Each was planned with the lock of the notebook, and in a generated release.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
