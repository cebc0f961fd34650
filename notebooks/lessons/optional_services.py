"""Notebook 05: a service that may be left out, and four of which exactly one runs."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from functools import lru_cache
from random import Random

import kit
from kit.contracts import LABELS, OPTIONAL, PREFIX, Decision, label_findings
from kit.exercises import Exercise, NotYet
from kit.looks import figure, prose, state, table
from kit.planner import installed, report
from labs.decisions import Page

from . import Lesson, listed, understood

Devices = dict[str, kit.Device]
preset = lru_cache(kit.Device.preset)

# -------------------------------------------------------------------------- 05.1 only one service skipped

START = """\
services:
  camera:
    build: ./camera
  detector:
    build: ./detector
    depends_on:
      - camera
    labels:
      io.balena.features.requires.sw.l4t: '>=36.3'
      io.balena.features.optional: 'yes'
  overlay:
    build: ./overlay
    network_mode: service:detector
  ui:
    build: ./ui
    depends_on:
      - detector
    ports:
      - '80:80'
"""
GIVEN = kit.read(START).composition
ALWAYS = ("camera", "ui")
"""The services that shall run on every device."""
NEEDS = "detector"
EDGE = (36, 3, 0)
FOUR = {
    "orin": ("jetson-orin-nano-devkit-nvme", "6.4.2"),
    "nano": ("jetson-nano", "6.5.38"),
    "pi": ("raspberrypi4-64", "6.5.4"),
    "pc": ("generic-amd64", "6.0.10"),
}


def devices() -> Devices:
    """The four devices of the exercise, by name."""
    return {name: preset(*chosen) for name, chosen in FOUR.items()}


def capable(device: kit.Device) -> bool:
    """Whether a device has what `detector` needs."""
    fact = device.facts.l4t
    return fact is not None and kit.Version.parse(fact.version or "").triple >= EDGE


def generated(random: Random, count: int = 30) -> Devices:
    """Devices near the edge of what `detector` needs, with supervisors that understand its label."""
    found = {}
    for number in range(1, count + 1):
        l4t = random.choice((None, "32.7.6", "35.4.0", "36.2.9", "36.3.0", "36.4.0", "37.0.0"))
        base = preset(*random.choice(list(FOUR.values())))
        supervisor = f"{random.choice((14, 15, 16, 17))}.{random.randrange(20)}.{random.randrange(9)}"
        kernel = f"{random.choice((5, 6))}.{random.randrange(16)}.{random.randrange(200)}"
        found[f"generated device {number}"] = base.changed(l4t=l4t, supervisor=supervisor, kernel=kernel)
    return found


def offered(commit: str, composition: kit.Composition, device: kit.Device) -> kit.Release:
    """A release as the device stores it: without what is left out, or with the mark `rejected` (S-56, S-59)."""
    decision = kit.decide(composition, device.facts)
    return kit.Release(commit, composition, rejected=decision.outcome == "rejected", dropped=decision.dropped)


def gone(missing: str, names: list[str]) -> NotYet:
    """A service of the task is not there any more."""
    return NotYet(
        f"`{missing}` is gone",
        "Keep the four services, and change their labels.",
        f"There are {listed([f'`{name}`' for name in names])}, and one of them is missing.",
        f"Write `{missing}:` again, two blanks from the left.",
    )


def keeps_the_task(answer: object) -> None:
    """It is a release of the four services, and `detector` still asks for L4T 36.3 or newer."""
    composition = understood(answer).composition
    names = [service.name for service in GIVEN.services]
    if missing := [name for name in names if composition.service(name) is None]:
        raise gone(missing[0], names)
    if not any(port.published == "80" for port in composition.service(ALWAYS[-1]).ports):
        raise NotYet(
            f"`{ALWAYS[-1]}` does not publish port 80 any more",
            "The labels change; the ports stay.",
            f"Look at what stands below `{ALWAYS[-1]}:`.",
            "It reads `ports:` and, further in, `- '80:80'`.",
        )
    for name, device in (("nano", devices()["nano"]), ("pi", devices()["pi"])):
        if NEEDS in kit.decide(composition, device.facts).run:
            raise NotYet(
                f"`{NEEDS}` would run on `{name}`, which has not what it needs",
                "Leaving out is not the same as asking for less.",
                f"The label `sw.l4t` of `{NEEDS}` is what keeps it away from there.",
                f"`{PREFIX}sw.l4t: '>=36.3'` stays as it was.",
            )


def goes_wrong(name: str, device: kit.Device, composition: kit.Composition) -> NotYet | None:
    """Why a device does not run all that it can, or None."""
    decision = kit.decide(composition, device.facts)
    if decision.refused_by:
        return NotYet(
            f"`{name}` refuses the whole offer: {decision.refused_by[1]}",
            "A new label can be too young for a supervisor, or unreadable (S-55, S-71).",
            f"It is about `{decision.refused_by[0]}`.",
            "One requirement and one mark are enough for each service that may be left out.",
        )
    if decision.outcome == "rejected":
        cause = next(each for each in decision.services if each.state == "no")
        service = composition.service(cause.name)
        written = service.label(OPTIONAL) if service else None
        about = "has no mark that says so" if written is None else f"says `{written}`"
        return NotYet(
            f"`{name}` rejects the whole release because of `{cause.name}`: it asks for something and {about}",
            "One unmet service that is not optional rejects everything (S-52).",
            f"Look at the optional mark of `{cause.name}`.",
            f"`{written}` is not one of the three words that the device takes for yes: `1`, `true` and `on` (S-53)."
            if written is not None
            else f"Mark `{cause.name}` with `{OPTIONAL}: '1'`, and leave its requirement as it is.",
        )
    wanted = [each.name for each in GIVEN.services] if capable(device) else [*ALWAYS]
    if lost := [each for each in wanted if each not in decision.run]:
        return NotYet(
            f"`{lost[0]}` does not run on `{name}`, and it could",
            "Somebody asks for more than the task does.",
            f"Look at the labels of `{lost[0]}`.",
            f"On `{name}` these shall run: {listed([f'`{each}`' for each in wanted])}.",
        )
    return None


def is_rejected_nowhere(answer: object) -> None:
    """None of the four devices rejects it, and each runs all that it can."""
    composition = understood(answer).composition
    for name, device in devices().items():
        if found := goes_wrong(name, device, composition):
            raise found


def settles(answer: object) -> None:
    """Where `detector` is left out, the update comes to an end."""
    composition = understood(answer).composition
    for name, device in devices().items():
        release = offered("new", composition, device)
        plan = kit.plan(installed(kit.Release("old", GIVEN)), release)
        if plan.settled:
            continue
        shared = next(
            (each.name for each in composition.services if each.network_mode == f"service:{NEEDS}"), ALWAYS[-1]
        )
        raise NotYet(
            f"On `{name}` the update never ends: `{shared}` cannot be made without `{NEEDS}`, and the device tries "
            "again for ever (S-67)",
            "A dependency that is left out counts as satisfied; a shared network does not.",
            f"`{shared}` says `network_mode: service:{NEEDS}`, and on `{name}` there is no `{NEEDS}`.",
            f"Let `{shared}` be left out wherever `{NEEDS}` is, with the same two labels; or give it its own network.",
        )


def does_so_on_generated_devices(answer: object, random: Random) -> None:
    """It does the same on 30 generated devices."""
    composition = understood(answer).composition
    for name, device in generated(random).items():
        if found := goes_wrong(name, device, composition):
            raise found


def mended(answer: object) -> str:
    """The text with the mark mended, and the same labels on whatever cannot live without `detector`."""
    text = answer if isinstance(answer, str) else START
    mark = re.compile(rf"({re.escape(OPTIONAL)}['\"]?\s*[:=]\s*).*")
    text = mark.sub(r"\g<1>'1'", text)
    labels = f"    labels:\n      {PREFIX}sw.l4t: '>=36.3'\n      {OPTIONAL}: '1'\n"
    shared = f"    network_mode: service:{NEEDS}\n"
    if shared in text and f"{shared}    labels" not in text:
        text = text.replace(shared, shared + labels)
    try:
        for check in (keeps_the_task, is_rejected_nowhere, settles):
            check(text)
        does_so_on_generated_devices(text, Random(1))  # noqa: S311 - cases, not secrets
    except NotYet:
        return text if answer == START else mended(START)
    return text


# ----------------------------------------------------------------------------- 05.2 exactly one of four

SELECTOR = """\
services:
  vision-orin:
    build: ./orin
    labels:
      io.balena.features.requires.sw.l4t: '>=32'
      io.balena.features.optional: '1'
  vision-nano:
    build: ./nano
    labels:
      io.balena.features.requires.sw.l4t: '>=32'
      io.balena.features.optional: '1'
  vision-pi:
    build: ./pi
    labels:
      io.balena.features.requires.arch.sw: 'aarch64'
      io.balena.features.optional: '1'
  vision-pc:
    build: ./pc
    labels:
      io.balena.features.requires.arch.sw: 'amd64'
"""
WANTED = {
    # service: what the task says about its devices, and the label that says so
    "vision-orin": ("L4T 36 or newer", "sw.l4t", ">=36"),
    "vision-nano": ("an L4T before 36", "sw.l4t", "<36"),
    "vision-pi": ("a Raspberry Pi 4", "hw.device-type", "raspberrypi4-64"),
    "vision-pc": ("a PC", "arch.sw", "amd64"),
}
SIX = {
    "orin": ("jetson-agx-orin-devkit", "6.12.3"),
    "orin-old": ("jetson-agx-orin-devkit", "5.0.3"),
    "xavier": ("jetson-xavier", "6.0.10"),
    "nano": ("jetson-nano", "6.5.38"),
    "pi": ("raspberrypi4-64", "6.5.4"),
    "pc": ("intel-nuc", "6.12.11"),
}


def six() -> Devices:
    """The six devices of the second exercise, by name."""
    return {name: preset(*chosen) for name, chosen in SIX.items()}


def chosen(device: kit.Device) -> str:
    """Which of the four services the task wants on a device."""
    if fact := device.facts.l4t:
        return "vision-orin" if kit.Version.parse(fact.version or "").triple >= (36, 0, 0) else "vision-nano"
    return "vision-pi" if device.device_type == "raspberrypi4-64" else "vision-pc"


def mixed(random: Random, count: int = 40) -> Devices:
    """Devices of all four kinds: other Jetsons, other PCs, L4T near the edge, supervisors that know every label."""
    jetsons = ("jetson-agx-orin-devkit", "jetson-orin-nano-devkit-nvme", "jetson-xavier", "jetson-nano", "jetson-tx2")
    plain = ("raspberrypi4-64", "intel-nuc", "generic-amd64", "genericx86-64-ext", "qemux86-64")
    found = {}
    for number in range(1, count + 1):
        slug, l4t = random.choice((*jetsons, *plain)), None
        if slug in jetsons:
            l4t = random.choice(("32.7.6", "35.4.1", "35.9.9", "36.0.0", "36.3.0", "36.5.0", "38.2.0"))
        supervisor = f"{random.choice((14, 16, 17, 18))}.{random.randrange(11, 20)}.{random.randrange(20)}"
        device = preset(slug, "6.0.10").changed(l4t=l4t, supervisor=supervisor)
        found[f"generated device {number}"] = device
    return found


def has_four_services(answer: object) -> None:
    """It is a release of the four services, and the device understands every label."""
    composition = understood(answer).composition
    if missing := [name for name in WANTED if composition.service(name) is None]:
        raise gone(missing[0], [*WANTED])
    for service in composition.services:
        for found in label_findings(service):
            raise NotYet(
                f"{found.message} ({found.rule})",
                "One label does not do what it seems to do.",
                f"Look at `{found.path[-1]}` of `{service.name}`.",
                found.help or "The device takes `1`, `true` and `on` for yes, and nothing else.",
            )


def one_each(answer: object, some: Devices) -> None:
    """On each of these devices the service that the task wants runs, and no other one of the four."""
    composition = understood(answer).composition
    for name, device in some.items():
        decision, wanted = kit.decide(composition, device.facts), chosen(device)
        runs = [each for each in decision.run if each in WANTED]
        if runs != [wanted]:
            raise not_one(name, device, decision, wanted, runs)


def described(device: kit.Device) -> str:
    """What the task looks at, as it is on this device."""
    l4t = device.facts.l4t
    return f"`{device.device_type}`, {device.arch}, {f'L4T {l4t.version}' if l4t else 'no L4T'}"


def not_one(name: str, device: kit.Device, decision: Decision, wanted: str, runs: list[str]) -> NotYet:
    """Why it is not exactly the one that it should be."""
    here = f"On `{name}` ({described(device)})"
    says, label, _value = WANTED[wanted]
    noun = next(each.noun for each in LABELS if each.suffix == label)
    if decision.refused_by:
        return NotYet(
            f"{here} the whole offer is refused: {decision.refused_by[1]}",
            "A label can be too young for a supervisor (S-71).",
            f"It is about `{decision.refused_by[0]}`.",
            "These four need `sw.l4t`, `hw.device-type` and `arch.sw`, one each.",
        )
    if decision.outcome == "rejected":
        cause = next(each.name for each in decision.services if each.state == "no")
        return NotYet(
            f"{here} the release is rejected because of `{cause}`",
            "Where one of them runs, the other three must be allowed to be absent (S-52).",
            f"`{cause}` asks for something that this device has not, and nothing says that it may be left out.",
            f"Mark `{cause}` with `{OPTIONAL}: '1'`.",
        )
    if others := [each for each in runs if each != wanted]:
        return NotYet(
            f"{here} `{others[0]}` runs{' beside ' + f'`{wanted}`' if wanted in runs else ''}, and it should not",
            "Nothing checks that conditions exclude each other (S-68); you do.",
            f"What does `{others[0]}` ask for, and why does this device have it?",
            f"`{others[0]}` is meant for {WANTED[others[0]][0]}: ask with `{WANTED[others[0]][1]}`.",
        )
    failing = [clause for each in decision.services if each.name == wanted for clause in each.clauses if not clause.met]
    return NotYet(
        f"{here} none of the four runs; it should be `{wanted}`{f': {failing[0].why}' if failing else ''}",
        "Nothing checks that at least one condition holds (S-68); you do.",
        f"`{wanted}` is for {says}. Which fact tells that, and does its label let this device in?",
        f"Ask about the {noun}, with `{label}`; an empty label or a second one keeps devices out.",
    )


def chooses_among_six(answer: object) -> None:
    """On each of the six devices exactly the right one runs."""
    one_each(answer, six())


def chooses_among_generated(answer: object, random: Random) -> None:
    """It chooses as well on 40 generated devices."""
    one_each(answer, mixed(random))


def selecting(answer: object) -> str:
    """The four services, each with the label that its devices can be told by."""
    text = answer if isinstance(answer, str) else SELECTOR
    for name, (_says, label, value) in WANTED.items():
        block = re.compile(rf"(^  {name}:\n(?:    .*\n)*?)    labels:\n(?:      .*\n?)*", re.MULTILINE)
        text = block.sub(rf"\g<1>    labels:\n      {PREFIX}{label}: '{value}'\n      {OPTIONAL}: '1'\n", text)
    try:
        has_four_services(text)
        chooses_among_six(text)
        chooses_among_generated(text, Random(1))  # noqa: S311 - cases, not secrets
    except NotYet:
        return text if answer == SELECTOR else selecting(SELECTOR)
    return text


# ------------------------------------------------------------------------------------- what runs afterwards

TRACK = """\
services:
  camera:
    image: camera:{0}
  gpu:
    image: gpu:{0}
    labels:
      io.balena.features.requires.sw.l4t: '>={1}'
      {2}
  ui:
    image: ui:{0}
    {3}
"""
MARK = f"{OPTIONAL}: '1'"
ONE, TWO = (TRACK.format(number, l4t, MARK, "depends_on: [gpu]") for number, l4t in ((1, "32"), (2, "36.3")))
"""Two releases for the engine lab: the second asks for more."""


def here() -> Devices:
    """The four devices, the Nano first, and this machine as if a supervisor ran on it."""
    machine = {"x86_64": ("generic-amd64", "amd64"), "AMD64": ("generic-amd64", "amd64")}
    slug, arch = machine.get(platform.machine(), ("generic-aarch64", "aarch64"))
    mine = kit.Device(slug, arch, "19.0.5", os_id=platform.system().lower(), kernel=platform.release())
    return {"nano": devices()["nano"], "this machine": mine, **devices()}


def _case(l4t: str, mark: str, after: str = "depends_on: [gpu]", removed: str = "") -> tuple[Decision, list[str], str]:
    """An update from 1 to 2 on a Jetson Nano: the decision, what runs afterwards, and what the device reports."""
    device = devices()["nano"]
    old = kit.read(TRACK.format(1, "32", MARK, "depends_on: [gpu]")).composition
    new = kit.read(TRACK.format(2, l4t, mark, after)).composition
    before, decision = kit.Release("1", old), kit.decide(new, device.facts)
    there = installed(before)
    if removed:
        there = replace(there, containers=tuple(each for each in there.containers if each.service != removed))
    # A refused offer is not stored: the release before it stays the target, and is looked after (S-55).
    target = before if decision.refused_by else offered("2", new, device)
    plan = kit.plan(there, target)
    runs = [f"{each.service} {each.commit}" for each in plan.end.containers if each.status == "Running"]
    told, named = report(plan.end, target)[1]
    status = f"{told}, no service" if told == "rejected" and not named else told
    return decision, sorted(runs), status if plan.settled else "it never ends"


CASES = (
    # what is tried, its arguments, what to notice, the rule
    ("`gpu` 2 fits", ("32", MARK), "The ordinary case.", "S-51"),
    (
        "`gpu` 2 is unmet and optional", ("36.3", MARK),
        "`gpu` 1 is killed: optional does not mean “keep the old one”.", "S-57",
    ),
    ("`gpu` 2 is unmet, not optional", ("36.3", "x: y"), "All of 1 goes on; nothing of 2 is even downloaded.", "S-60"),
    (
        "the same, and somebody removes `camera`", ("36.3", "x: y", "depends_on: [gpu]", "camera"),
        "It does not come back: a rejected app is unmanaged.", "S-61",
    ),
    (
        "the same, and `gpu` says `sw.linux`",
        ("36.3", f"{PREFIX}sw.linux: '>=5'", "depends_on: [gpu]", "camera"),
        "Refused is milder: 1 is looked after, and `camera` comes back.", "S-55",
    ),
    (
        "`ui` depends on the `gpu` that is left out", ("36.3", MARK),
        "`ui` starts: what is absent counts as satisfied.", "S-66",
    ),
    (
        "`ui` shares the network of that `gpu`", ("36.3", MARK, "network_mode: service:gpu"),
        "`ui` cannot be made; the device tries again for ever.", "S-67",
    ),
)  # fmt: skip


def afterwards() -> Page:
    """Seven updates of one Jetson Nano from release 1 to release 2, each decided and planned now."""
    rows: list[tuple[str, ...]] = []
    told = []
    marks = {"deployed": "run", "partial": "part", "rejected": "no", "refused": "ref"}
    for what, arguments, notice, rule in CASES:
        decision, runs, status = _case(*arguments)
        drawn = state(marks[decision.outcome], decision.outcome)
        rows.append(
            (prose(what), drawn, prose(", ".join(runs) or "nothing"), prose(status), prose(f"{notice} ({rule})"))
        )
        told.append("  ".join((what, decision.outcome, ", ".join(runs), status, f"{notice} ({rule})")))
    answer = "Left out means stopped. Rejected means untouched, and no longer looked after."
    situation = "Release 1 of `camera`, `gpu` and `ui` runs on a Jetson Nano with L4T 32.7; release 2 is offered."
    head = ("Release 2", "is", "Afterwards run", "The device reports", "Notice")
    return Page("\n".join(told).replace("`", ""), figure(answer, situation, table(head, rows)))


lesson = Lesson(
    "05",
    "Optional services",
    (
        Exercise(
            number="05.1",
            title="Only one service should have been skipped",
            task="Change the labels so that no device rejects the release, and each runs all that it can.",
            checks=(keeps_the_task, is_rejected_nowhere, settles, does_so_on_generated_devices),
            solve=mended,
            start=START,
            praise="Decided on 34 devices, and the update was played to its end on each of the four.",
        ),
        Exercise(
            number="05.2",
            title="Exactly one of four",
            task="Write labels so that on each device exactly one of the four services runs, and the right one.",
            checks=(has_four_services, chooses_among_six, chooses_among_generated),
            solve=selecting,
            start=SELECTOR,
            praise="Checked on the six devices and on 40 generated ones.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
