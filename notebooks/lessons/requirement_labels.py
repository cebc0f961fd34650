"""Notebook 04: labels that choose three devices of six, and sentences as version ranges."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import kit
from kit.contracts import LABELS, PREFIX, Decision, label_findings
from kit.exercises import Exercise, NotYet
from kit.looks import figure, prose, state, table
from kit.versions import InvalidRange, Range, Version
from labs.decisions import Page

from . import Lesson, understood

Numbers = tuple[int, int, int]

# ------------------------------------------------------------------------- 04.1 three devices of six

START = """\
services:
  vision:
    build: ./vision
    labels:
      io.balena.features.requires.sw.l4t: '>36.3'
      io.balena.features.requires.sw.supervisor: '16.4'
"""
NEEDS: dict[str, Numbers] = {"sw.l4t": (36, 3, 0), "sw.supervisor": (16, 4, 0)}
"""What the task says: each of these, in this version or a newer one."""
SIX = {
    # name: device type and balenaOS; kernel, L4T and supervisor follow
    "orin-1": ("jetson-orin-nano-devkit-nvme", "6.0.10"),
    "orin-2": ("jetson-orin-nano-devkit-nvme", "6.4.2"),
    "orin-3": ("jetson-agx-orin-devkit", "6.12.3"),
    "orin-old": ("jetson-agx-orin-devkit", "5.3.22"),
    "nano": ("jetson-nano", "6.5.38"),
    "pi": ("raspberrypi4-64", "6.5.4"),
}


def fleet() -> dict[str, kit.Device]:
    """The six devices, by name."""
    return {name: kit.Device.preset(*chosen) for name, chosen in SIX.items()}


def wanted(device: kit.Device) -> bool:
    """Whether the task wants the release on this device."""
    facts = device.facts
    found = {label: facts.get(label) for label in NEEDS}
    return all(fact and Version.parse(fact.version or "").triple >= NEEDS[label] for label, fact in found.items())


def generated(random: Random, count: int = 40) -> dict[str, kit.Device]:
    """Devices near the edges of what is wanted, and some far from them."""

    def near(edge: Numbers) -> str:
        major, minor, patch = edge
        near_by = [(major, minor, patch), (major, minor, patch + random.randrange(1, 9)), (major, minor + 1, 0)]
        far = [(major, minor - 1, 9), (major - 1, 9, 9), (major + 1, 0, 0), (major + 2, 3, 1)]
        return ".".join(map(str, random.choice(near_by + far)))

    devices = {}
    for number in range(1, count + 1):
        slug, os = random.choice(list(SIX.values()))
        l4t = near(NEEDS["sw.l4t"]) if random.random() < 0.85 else None
        base = kit.Device.preset(slug, os)
        devices[f"generated device {number}"] = base.changed(
            supervisor=near(NEEDS["sw.supervisor"]), l4t=l4t, kernel="5.15.136"
        )
    return devices


def makes_a_release(answer: object) -> None:
    """balena makes a release of it, and understands every label."""
    composition = understood(answer).composition
    for service in composition.services:
        for found in label_findings(service):
            raise NotYet(
                f"{found.message} ({found.rule})",
                "One label does not do what it seems to do.",
                f"Look at `{found.path[-1]}`.",
                found.help or "The table above has the six labels.",
            )
    if composition.service("vision") is None:
        raise NotYet("`vision` is gone", *["Keep the service, and change its labels only."] * 3)


def takes(answer: str, device: kit.Device) -> Decision:
    """What a device makes of the answer."""
    return kit.decide(understood(answer).composition, device.facts)


def described(device: kit.Device) -> str:
    """What the task asks of a device, as it is here."""
    l4t = device.facts.l4t
    return f"{f'L4T {l4t.version}' if l4t else 'no L4T'}, supervisor {device.supervisor}"


def on(answer: str, devices: dict[str, kit.Device]) -> None:
    """Compare what the answer does on these devices with what the task wants."""
    for name, device in devices.items():
        decision = takes(answer, device)
        runs = "vision" in decision.run
        if runs and not wanted(device):
            raise too_many(name, device)
        if not runs and "vision" in decision.dropped and decision.outcome == "partial":
            raise NotYet(
                f"`{name}` ({described(device)}) takes the release without `vision`, and would stop an older one",
                "These devices shall not take the release at all (S-52).",
                "One label lets a service be left out. Does the task ask for it?",
                "Take `io.balena.features.optional` away.",
            )
        if not runs and wanted(device):
            raise too_few(name, device, decision)


def too_few(name: str, device: kit.Device, decision: Decision) -> NotYet:
    """A device that should take the release does not."""
    failing = [clause for service in decision.services for clause in service.clauses if not clause.met]
    if not failing:
        return NotYet(
            f"On `{name}` ({described(device)}) the release is {decision.outcome}, and it should run",
            "A label can be too young for a supervisor.",
            decision.situation,
            "The task needs two labels only; both are understood by every one of these supervisors.",
        )
    clause = failing[0]
    means = (
        f"`{clause.wanted}` means `{clause.range}`"
        if clause.range
        else f"`{clause.wanted}` is compared letter by letter"
    )
    needs = NEEDS.get(clause.type)
    return NotYet(
        f"On `{name}` ({described(device)}) the release is {decision.outcome}, and it should run: {clause.why}",
        f"`{clause.type}` keeps this device out. Does its value mean what it seems to say?",
        f"{means}; the device has {clause.fact or 'no such fact'}.",
        f"“{needs[0]}.{needs[1]} or newer” begins with `>=`."
        if needs
        else f"The task does not ask for `{clause.type}`.",
    )


def too_many(name: str, device: kit.Device) -> NotYet:
    """A device takes the release and should not."""
    facts = device.facts
    label = next(
        label for label, edge in NEEDS.items()
        if (fact := facts.get(label)) is None or Version.parse(fact.version or "").triple < edge
    )  # fmt: skip
    fact = facts.get(label)
    noun = next(each.noun for each in LABELS if each.suffix == label)
    return NotYet(
        f"It also runs on `{name}` ({described(device)}), and it should not",
        "Nothing in the labels keeps it away from there.",
        f"This device {f'has {noun} {fact.version}' if fact else f'reports no {noun}'}. Which label asks about that?",
        f"Ask with `{label}` for “{NEEDS[label][0]}.{NEEDS[label][1]} or newer”.",
    )


def runs_where_it_should(answer: str) -> None:
    """It runs on orin-1, orin-2 and orin-3."""
    on(answer, {name: device for name, device in fleet().items() if wanted(device)})


def stays_away_elsewhere(answer: str) -> None:
    """It does not run on orin-old, nano and pi."""
    on(answer, {name: device for name, device in fleet().items() if not wanted(device)})


def answers_alike(answer: str, random: Random) -> None:
    """It does what the task says on 40 generated devices."""
    on(answer, generated(random))


def relabelled(answer: object) -> str:
    """The text with the labels that the task asks for."""
    text = answer if isinstance(answer, str) else START
    for label, (major, minor, _patch) in NEEDS.items():
        line = f"      {PREFIX}{label}: '>={major}.{minor}'"
        there = re.compile(rf"^.*{re.escape(PREFIX + label)}['\"]?\s*[:=].*$", re.MULTILINE)
        text = there.sub(line, text, count=1) if there.search(text) else text.rstrip() + f"\n{line}\n"
    asked = "|".join(map(re.escape, NEEDS))
    text = re.sub(rf"^.*(features\.requires\.(?!(?:{asked})\b)|features\.optional).*\n", "", text, flags=re.MULTILINE)
    try:
        for check in (makes_a_release, runs_where_it_should, stays_away_elsewhere):
            check(text)
    except NotYet:
        return text if answer == START else relabelled(START)
    return text


# ------------------------------------------------------------------------ 04.2 sentences as ranges

RANGES = {"linux": ">5.15.*", "l4t": "=36.4.0", "supervisor": "14 - 16", "balena-os": ">=6.3.0+rev4"}
MEANT: dict[str, tuple[str, tuple[tuple[Numbers, Numbers | None], ...]]] = {
    # key: the sentence, and the windows that it means: from the first version to before the second
    "linux": ("Linux 5.15, or any later kernel", (((5, 15, 0), None),)),
    "l4t": ("L4T 36.4, whatever its third number", (((36, 4, 0), (36, 5, 0)),)),
    "supervisor": ("supervisor 14 or 16, but not 15", (((14, 0, 0), (15, 0, 0)), ((16, 0, 0), (17, 0, 0)))),
    "balena-os": (
        "balenaOS 6.3.0 or newer, but no extended-support release such as 2024.7.0",
        (((6, 3, 0), (2021, 0, 0)),),
    ),
}


def texts(ranges: object) -> str:
    """Four ranges as four lines."""
    return "\n".join(f"{key}: {value}" for key, value in ranges.items()) if isinstance(ranges, dict) else str(ranges)


def short(numbers: Numbers) -> str:
    """
    >>> short((14, 0, 0)), short((36, 4, 0))
    ('14', '36.4')
    """
    return ".".join(map(str, numbers[: max(1, max((at for at, number in enumerate(numbers, 1) if number), default=1))]))


def around(random: Random, windows: tuple[tuple[Numbers, Numbers | None], ...]) -> list[Numbers]:
    """Versions at the edges of the windows, and others on both sides."""
    found: list[Numbers] = []
    for edge in (edge for window in windows for edge in window if edge):
        major, minor, patch = edge
        if major > 2000:  # a year: extended-support releases, as there are
            found += [(year, random.choice((1, 4, 7, 10)), random.randrange(3)) for year in range(2021, 2027)]
            found += [(2024, 7, 0)]
            continue
        found += [edge, (major, minor, patch + random.randrange(1, 200)), (major, minor + random.randrange(1, 30), 7)]
        found += [(major - 1, 99, 99)] + ([(major, minor - 1, 99)] if minor else [])
    return found + [(random.randrange(1, 40), random.randrange(40), random.randrange(200)) for _ in range(30)]


def says(key: str) -> Callable[[object, Random], None]:
    """The check of one sentence."""
    sentence, windows = MEANT[key]

    def check(answer: object, random: Random) -> None:
        text = answer.get(key) if isinstance(answer, dict) else None
        begin, end = windows[0]
        near = f"One part of it begins with `>={short(begin)}`" + (
            f" and ends before {short(end)}."
            if end and end[0] < 2000
            else "; extended-support releases begin with a year."
            if end
            else "."
        )
        if not isinstance(text, str):
            raise NotYet(
                f"`{key}` has no text",
                "Each of the four has a range between quotation marks.",
                f"It is about: {sentence}.",
                near,
            )
        try:
            written = Range.parse(text)
        except InvalidRange as error:
            raise NotYet(
                f"`{text}` for `{key}` is no range: expected {error.expected}",
                "balena would not build a release with it (S-16).",
                f"The place is character {error.at + 1}.",
                near,
            ) from None
        for numbers in around(random, windows):
            version = Version(*numbers)
            meant = any(low <= numbers and (high is None or numbers < high) for low, high in windows)
            if (version in written) is not meant:
                raise NotYet(
                    f"“{sentence}”: {version} should {'' if meant else 'not '}fit, and `{text}` "
                    f"{'leaves it out' if meant else 'lets it in'}",
                    f"`{text}` means `{written}`.",
                    f"In words: {written.words()}.",
                    near,
                )

    check.__doc__ = f"“{sentence}” is said by the range for `{key}`."
    return check


def said(answer: object) -> dict[str, str]:
    """The ranges of the answer that pass, and the plainest ones for the rest."""
    given = answer if isinstance(answer, dict) else {}
    found = {}
    for key, (_sentence, windows) in MEANT.items():
        plain = " || ".join(
            " ".join(filter(None, (f">={short(low)}", f"<{short(high)}" if high else ""))) for low, high in windows
        )
        try:
            says(key)(given, Random(0))  # noqa: S311 - cases, not secrets
            found[key] = given[key]
        except NotYet:
            found[key] = plain
    return found


# --------------------------------------------------------------------------------------- eight traps

PI = kit.Device("raspberrypi4-64", "aarch64", "17.6.3", os="6.3.0+rev4", kernel="5.15.150")
TRAPS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    # label, value, what is different on the device, rule
    ("sw.linux", ">5.15.*", {}, "S-46"),
    ("sw.balena-os", ">6.3.0+rev4", {"os": "6.3.0+rev5"}, "S-44"),
    ("sw.balena-os", ">=6.3.0", {"os": "6.4.0-rc1"}, "S-48"),
    ("sw.balena-os", "<7", {"os": "2024.7.0"}, "S-45"),
    ("sw.supervisor", "14", {}, "S-19"),
    ("sw.l4t", "*", {"kernel": "5.15.136-tegra"}, "S-9"),
    ("arch.sw", "armv7hf", {}, "S-12"),
    ("sw.os", ">=99", {}, "S-14"),
)


READ = {"os": "balenaOS", "kernel": "`uname -r`"}


def traps() -> Page:
    """Labels that surprise, each decided now."""
    rows: list[tuple[str, ...]] = []
    told = []
    for suffix, value, changes, rule in TRAPS:
        service = kit.Service(name="web", labels=((PREFIX + suffix, value),))
        device = PI.changed(**changes)
        (verdict,) = kit.decide(kit.Composition(services=(service,)), device.facts).services
        clause = verdict.clauses[0] if verdict.clauses else None
        name, has = next(((READ[field], text) for field, text in changes.items()), ("", clause.fact if clause else ""))
        name = name or next((each.noun for each in LABELS if each.suffix == suffix), "whatever it is")
        why = clause.why.partition("`. ")[2] if clause else "No such label is known: it asks for nothing."
        why = why.removeprefix(f"The device has {clause.fact}.").strip() if clause else why
        why = why or (f"`{has}` is not among them." if not verdict.met else "")
        meaning = f"`{value}` means `{clause.range}`." if clause and clause.range not in (None, value) else ""
        cells = (
            f"`{suffix}: {value}`",
            f"{name} {f'`{has}`' if has else ''}",
            " ".join(filter(None, (meaning, why, f"({rule})"))),
        )
        drawn = state("run" if verdict.met else "no", "runs" if verdict.met else "not met")
        rows.append((prose(cells[0]), prose(cells[1]), drawn, prose(cells[2])))
        told.append("  ".join((cells[0], cells[1], "runs" if verdict.met else "not met", cells[2])))
    answer = f"{sum(row[2].find('not met') > 0 for row in rows)} of {len(rows)} say no, and one says yes to everything."
    html = figure(
        answer, "Every line is one label on one device.", table(("Label", "The device has", "So it", "Because"), rows)
    )
    return Page("\n".join(told).replace("`", ""), html)


lesson = Lesson(
    "04",
    "Requirement labels and device facts",
    (
        Exercise(
            number="04.1",
            title="Three devices of six",
            task="Change the two values so that `vision` runs on orin-1, orin-2 and orin-3, and nowhere else.",
            checks=(makes_a_release, runs_where_it_should, stays_away_elsewhere, answers_alike),
            solve=relabelled,
            start=START,
            praise="Checked on the six devices and on 40 generated ones.",
        ),
        Exercise(
            number="04.2",
            title="Say it as a range",
            task="Write the range that means what the sentence says. All four are wrong now.",
            checks=tuple(map(says, MEANT)),
            solve=said,
            start=RANGES,
            show=texts,
            praise="Each was checked on the edges of its sentence and on 30 generated versions.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
