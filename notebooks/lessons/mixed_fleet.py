"""Notebook 07: labels for a mixed fleet, and the smallest OS upgrade set."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any, Final

import kit
from kit.contracts import OPTIONAL, PREFIX, Decision, label_findings
from kit.device import os_releases
from kit.exercises import Exercise, NotYet
from kit.looks import figure, prose, state, table
from labs.decisions import OUTCOMES, Page
from labs.fleet_model import NOTHING_NEW, Fleet, example_fleet, older, os_order, outlook, preset, updated, upgrades
from labs.fleet_model import generated as made_up

from . import Lesson, listed, understood

# --------------------------------------------------------------------- 07.1 at least 95 of 100, and nobody rejected

START = """\
services:
  collector:
    build: ./collector
    labels:
      io.balena.features.requires.sw.linux: '>=4.9'
  dashboard:
    build: ./dashboard
    labels:
      io.balena.features.requires.sw.supervisor: '16.1'
  detector:
    build: ./detector
    labels:
      io.balena.features.requires.sw.balena-os: '>=5.3.22'
      io.balena.features.optional: '1'
"""
NEEDS: Final = {"dashboard": ("sw.supervisor", (16, 1, 0)), "detector": ("sw.l4t", (36, 3, 0))}
"""What the task says: each of these, in this version or a newer one. `collector` needs nothing."""
SHARE = 0.95
NOUNS = {"sw.supervisor": "supervisor", "sw.l4t": "L4T"}


def fleet() -> Fleet:
    """The workshop's fleet of 200 devices."""
    return example_fleet()


def fleets(random: Random, count: int = 3) -> dict[str, Fleet]:
    """The workshop's fleet, and others of the same types."""
    others = {f"generated fleet {number}": made_up(random.randrange(10**6), 60) for number in range(1, count + 1)}
    for where, devices in others.items():
        others[where] = {name: moved(random, device) for name, device in devices.items()}
    return {"the workshop's fleet": fleet(), **others}


def moved(random: Random, device: kit.Device) -> kit.Device:
    """The same device, or one of its type with another supervisor and L4T near the edges of what is asked for."""
    if random.random() < 0.5 or kit.Version.parse(device.supervisor or "0.0.0").triple < (14, 11, 0):
        return device
    l4t = random.choice(("35.9.1", "36.2.9", "36.3.1", "36.4.2", "37.1.0", "38.2.0")) if device.l4t else None
    major, minor = random.choice(((16, 0), (16, 1), (16, 2), (17, 3), (18, 9), (19, 1)))
    return device.changed(l4t=l4t, supervisor=f"{major}.{minor}.{random.randrange(30)}")


def capable(device: kit.Device, service: str) -> bool:
    """Whether a device has what a service needs."""
    if service not in NEEDS:
        return True
    label, edge = NEEDS[service]
    fact = device.facts.get(label)
    return fact is not None and kit.Version.parse(fact.version or "").triple >= edge


def keeps_the_services(answer: object) -> None:
    """It is a release of the three services, and every label is understood."""
    composition = understood(answer).composition
    names = ("collector", *NEEDS)
    if missing := [name for name in names if composition.service(name) is None]:
        raise NotYet(
            f"`{missing[0]}` is gone",
            "Keep the three services, and change their labels.",
            f"There are {listed([f'`{name}`' for name in names])}, and one of them is missing.",
            f"Write `{missing[0]}:` again, two blanks from the left.",
        )
    for service in composition.services:
        for found in label_findings(service):
            raise NotYet(
                f"{found.message} ({found.rule})",
                "One label does not do what it seems to do.",
                f"Look at `{found.path[-1]}` of `{service.name}`.",
                found.help or "Notebook 04 has the six labels.",
            )


def reaches_nearly_everybody(answer: object) -> None:
    """At least 95 % of the workshop's fleet run something, and nobody rejects or refuses it."""
    nobody_is_left_behind(understood(answer).composition, "the workshop's fleet", fleet())


def nobody_is_left_behind(composition: kit.Composition, where: str, devices: Fleet) -> None:
    """No device of a fleet rejects or refuses the release, and nearly all run something."""
    seen = outlook(composition, devices)
    counts = Counter(seen.counts)
    lost = [group for group in seen.groups if group.outcome in NOTHING_NEW]
    if lost:
        worst = max(lost, key=lambda group: len(group.names))
        count = counts["refused"] + counts["rejected"]
        name = worst.names[0]
        raise left_behind(composition, seen.decisions[name], where, count, worst.reason, name)
    running = sum(bool(decision.run) for decision in seen.decisions.values())
    if running < SHARE * len(devices):
        idle = next(name for name, decision in seen.decisions.items() if not decision.run)
        raise NotYet(
            f"In {where} {running} of {len(devices)} devices run something; {idle} runs nothing at all",
            "A release of which everything is optional is accepted, and may run nothing (S-58).",
            "One of the three services needs nothing. Does it ask for something?",
            "Let `collector` have no requirement at all.",
        )


def left_behind(
    composition: kit.Composition, decision: Decision, where: str, count: int, reason: str, name: str
) -> NotYet:
    """Why devices get nothing of the release."""
    opening = f"In {where} {count} devices get nothing new. `{name}`: {reason}"
    if decision.refused_by:
        label = next((key for key in ("sw.linux", "sw.balena-os", "arch.sw", "hw.device-type") if key in reason), "")
        return NotYet(
            opening,
            "They do not skip this label: they cannot read it, and the whole offer is refused (S-69, S-71).",
            "A second label with `sw.supervisor` does not protect them: reading comes first (S-70).",
            f"Do without `{label}`: the task needs two labels only, and both are old enough."
            if label
            else f"It is about `{decision.refused_by[0]}`.",
        )
    cause = next(each.name for each in decision.services if each.state == "no")
    written = (composition.service(cause) or kit.Service(name=cause)).label(OPTIONAL)
    return NotYet(
        opening,
        f"`{cause}` is not optional, so where it does not fit nothing runs (S-52).",
        f"Its optional mark says `{written}`." if written else f"`{cause}` has no optional mark.",
        f"Mark `{cause}` with `{OPTIONAL}: '1'`."
        if cause in NEEDS
        else f"`{cause}` needs nothing, and asks for something.",
    )


def runs_where_it_can(answer: object) -> None:
    """In the workshop's fleet each service runs where it can, and nowhere else."""
    each_where_it_can(understood(answer).composition, "the workshop's fleet", fleet())


def each_where_it_can(composition: kit.Composition, where: str, devices: Fleet) -> None:
    """Compare which services run on the devices of a fleet with what these can."""
    for name, decision in outlook(composition, devices).decisions.items():
        facts = devices[name].facts
        for service in ("collector", *NEEDS):
            label, edge = NEEDS.get(service, ("", ()))
            fact = facts.get(label) if label else None
            noun = NOUNS.get(label, "")
            has = f"{noun} {fact.version}" if fact else f"no {noun}" if noun else "all that it needs"
            wish = f"{noun} {'.'.join(map(str, edge[:2]))} or newer"
            if (service in decision.run) is capable(devices[name], service):
                continue
            if service in decision.run:
                raise NotYet(
                    f"In {where} `{service}` runs on `{name}`, which has {has}; it needs {wish}",
                    "What a service needs must stand in its labels: the device does not guess.",
                    f"Which label of `{service}` asks about the {noun}?",
                    f"Ask with `{label}` for {wish}: “or newer” begins with `>=`.",
                )
            failing = [c for each in decision.services if each.name == service for c in each.clauses if not c.met]
            raise NotYet(
                f"In {where} `{service}` does not run on `{name}`, which has {has}"
                + (f": {failing[0].why}" if failing else ""),
                f"`{service}` asks for something else than it needs, or for too much.",
                f"Look at `{failing[0].type}` of `{service}`." if failing else f"Look at the labels of `{service}`.",
                f"`{service}` needs {wish}, and nothing else." if noun else f"`{service}` needs no label at all.",
            )


def holds_on_other_fleets(answer: object, random: Random) -> None:
    """It does so on three generated fleets."""
    composition = understood(answer).composition
    for where, devices in fleets(random).items():
        nobody_is_left_behind(composition, where, devices)
        each_where_it_can(composition, where, devices)


def relabelled(answer: object) -> str:
    """The text with the labels that the task needs, and no other requirement."""
    text = answer if isinstance(answer, str) else START
    text = re.sub(r"^ +labels:(?: *\{.*\})? *\n(?:^ {6,}.*\n)*", "", text, flags=re.MULTILINE)
    for service, (label, edge) in NEEDS.items():
        value = ".".join(map(str, edge[:2]))
        lines = f"    labels:\n      {PREFIX}{label}: '>={value}'\n      {OPTIONAL}: '1'\n"
        text = re.sub(rf"^  {service}:\n", rf"\g<0>{lines}", text, count=1, flags=re.MULTILINE)
    try:
        for check in (keeps_the_services, reaches_nearly_everybody, runs_where_it_can):
            check(text)
    except NotYet:
        return text if answer == START else relabelled(START)
    return text


# ------------------------------------------------------------------------------- 07.2 the smallest upgrade set

NEXT = """\
services:
  collector:
    build: ./collector
    labels:
      io.balena.features.requires.sw.linux: '>=6.12.60'
"""
AFTER = kit.read(NEXT).composition
TODAY: Final = """\
services:
  collector: {image: collector:1}
  dashboard: {image: dashboard:1}
"""
TOMORROW: Final = """\
services:
  collector:
    image: collector:2
    labels:
      io.balena.features.requires.sw.linux: '>=6.12.60'
  dashboard: {image: dashboard:2}
"""
"""For the engine lab: what the fleet runs, and the release with the kernel fix."""


def some(*names: str) -> dict[str, kit.Device]:
    """Devices of the fleet, each under a name that says what it is."""
    return {f"{name}: {fleet()[name].device_type}, balenaOS {fleet()[name].os}": fleet()[name] for name in names}


GUESSED: Final[dict[str, str]] = {"raspberrypi4-64": "8.0.2", "jetson-nano": "8.0.2"}


def reporting(devices: Fleet) -> dict[str, kit.Device]:
    """The devices that report their kernel: an update cannot mend what a device does not say."""
    return {
        name: device
        for name, device in devices.items()
        if device.kernel and (os_order(device.os) or (True,))[0] is False
    }


def many(random: Random, count: int = 1) -> dict[str, dict[str, kit.Device]]:
    """Fleets of the same types with any releases in between."""
    releases = [each.version for each in os_releases() if "-" not in each.version and each.version[0] in "5678"]
    found = {}
    for number in range(1, count + 1):
        types = sorted({device.device_type or "" for device in fleet().values()})
        devices = {f"{slug} {place}": preset(slug, random.choice(releases)) for slug in types for place in range(12)}
        found[f"generated fleet {number}"] = reporting(devices)
    return found


def as_lines(answer: object) -> str:
    """An upgrade set as lines."""
    return (
        "\n".join(f"{slug}: {version}" for slug, version in answer.items()) if isinstance(answer, dict) else str(answer)
    )


def as_releases(answer: Any) -> Any:
    """An upgrade set without what people write around a release: blanks, a `v`, the name of the OS, a revision.

    >>> as_releases({" raspberrypi5": "v6.10.6+rev1 "})
    {'raspberrypi5': '6.10.6'}
    """
    if not isinstance(answer, dict):
        return answer
    around = re.compile(r"(?i)^\s*(?:balenaos\s*)?v?|(?:\+rev\d+)?\s*$")
    return {str(slug).strip(): around.sub("", str(version)) for slug, version in answer.items()}


def names_types_and_releases(answer: object) -> None:
    """It names device types of the fleet, each with a balenaOS release that exists."""
    slugs = sorted({device.device_type or "" for device in fleet().values()})
    known = {release.version for release in os_releases()}
    answer = as_releases(answer)
    if not isinstance(answer, dict):
        raise NotYet(
            f"This is a `{type(answer).__name__}`, and the exercise wants a dictionary",
            "Each line has a device type, a colon, and a balenaOS release.",
            f"The types of this fleet are {listed([f'`{slug}`' for slug in slugs])}.",
            "The braces around the lines stay as they were.",
        )
    for slug, version in answer.items():
        if slug not in slugs:
            raise NotYet(
                f"`{slug}` is no device type of this fleet",
                "A type is written as in the table of devices.",
                f"The types are {listed([f'`{each}`' for each in slugs])}.",
                "The lab lists them under “devices”.",
            )
        if version not in known:
            raise NotYet(
                f"There is no balenaOS release `{version}`",
                "Releases have three numbers, and not every number exists.",
                f"Look at the release for `{slug}`.",
                "The lab lists the newest of each line; `decision_map` and data/os_releases.csv have the others.",
            )


def brought(devices: Fleet, answer: dict[str, str]) -> dict[str, kit.Device]:
    """The fleet after the updates of the answer."""
    after = dict(devices)
    for slug, version in answer.items():
        after = updated(after, version, slug)
    return after


def brings_along(answer: dict[str, str]) -> None:
    """After the updates, every device that some release can help runs the new release."""
    helps({"the workshop's fleet": reporting(fleet())}, as_releases(answer))


def helps(some: dict[str, dict[str, kit.Device]], answer: dict[str, str]) -> None:
    """After the updates, nobody is left behind who could be brought along."""
    for where, devices in some.items():
        least = upgrades(AFTER, devices)
        seen = outlook(AFTER, brought(devices, answer))
        for upgrade in least.upgrades:
            late = [name for name in upgrade.names if not seen.decisions[name].run]
            if late:
                slug = upgrade.device_type
                decision = seen.decisions[late[0]]
                why = decision.refused_by[1] if decision.refused_by else decision.situation
                raise NotYet(
                    f"In {where} {len(late)} devices of type `{slug}` still get nothing; `{late[0]}`: {why}",
                    f"`{slug}` is updated too little." if slug in answer else f"`{slug}` is not in your set.",
                    "Two things must be there: a kernel that fits, and a supervisor that can read `sw.linux` (S-71).",
                    f"The table of kernels says when `{slug}` got Linux 6.12.60 or newer; supervisor 17.4.0 came with "
                    "balenaOS 6.10.",
                )


def touches_nobody_else(answer: dict[str, str]) -> None:
    """It updates no device that need not be updated, and none further than needed."""
    spares({"the workshop's fleet": reporting(fleet())}, as_releases(answer))


def spares(some: dict[str, dict[str, kit.Device]], answer: dict[str, str]) -> None:
    """Nobody is updated in vain."""
    for where, devices in some.items():
        needed = {name: each for each in upgrades(AFTER, devices).upgrades for name in each.names}
        for slug, version in answer.items():
            later = [name for name, each in devices.items() if each.device_type == slug and older(each, version)]
            if not later and slug not in {each.device_type for each in needed.values()}:
                raise NotYet(
                    f"In {where} no device of type `{slug}` is older than {version}: this update is none",
                    "A set that is the smallest has no line that does nothing.",
                    f"Look at `{slug}`.",
                    f"Take `{slug}` out of the set.",
                )
            idle = [name for name in later if name not in needed]
            if not idle:
                continue
            helped = [name for name in later if name in needed]
            device = devices[idle[0]]
            about = f"`{idle[0]}` has balenaOS {device.os} and Linux {preset(slug, device.os or '').kernel}"
            raise NotYet(
                f"In {where} {len(idle)} devices of type `{slug}` are updated in vain; {about}",
                "An update that helps nobody is a risk without a reason."
                if not helped
                else "Some of these devices run the new release without an update.",
                f"Does any balenaOS release for `{slug}` have Linux 6.12.60?"
                if not helped
                else f"An earlier release is enough for `{slug}`.",
                f"Take `{slug}` out of the set."
                if not helped
                else f"Go to the first release with which `{slug}` has the kernel and the supervisor.",
            )


def is_smallest_anywhere(answer: dict[str, str], random: Random) -> None:
    """On generated fleets it is the smallest set as well: each type goes to the first release that does it."""
    some, answer = many(random), as_releases(answer)
    helps(some, answer)
    spares(some, answer)
    for upgrade in upgrades(AFTER, reporting(fleet())).upgrades:
        slug, version = upgrade.device_type, answer.get(upgrade.device_type, "")
        if version != upgrade.version:
            raise NotYet(
                f"`{slug}` reaches its goal before balenaOS {version}",
                "It works, and it goes further than needed.",
                f"There are releases between the last one that does not do it and {version}.",
                f"Walk down from {version} as long as the new release still runs on `{slug}`.",
            )


def smallest(_answer: object) -> dict[str, str]:
    """The smallest set, computed."""
    return {each.device_type: each.version for each in upgrades(AFTER, reporting(fleet())).upgrades}


# --------------------------------------------------------------------------- what an update of the host OS does

UPDATES: Final = (
    # requirement, optional, before, after, what to notice, where to look it up
    (
        "sw.balena-os", ">=7.0", False, "6.12.3", "7.0.5",
        "Accepted at the first poll after the reboot, if the device is online.", "S-135",
    ),
    (
        "sw.balena-os", "<7", True, "6.12.3", "7.0.5",
        "It ran before. Now it is left out: killed, and its image removed.", "S-57",
    ),
    (
        "sw.balena-os", "<7", False, "6.12.3", "7.0.5",
        "It ran before. The containers go on, and nobody looks after them.", "S-61",
    ),
    (
        "sw.linux", "6.12.61", False, "6.12.3", "7.5.11",
        "An exact kernel: the next update of the OS locks the device out.", "S-45",
    ),
)  # fmt: skip


def re_decided() -> Page:
    """Four host OS updates of a Raspberry Pi 4, decided before and after."""
    rows: list[tuple[str, ...]] = []
    told = []
    for label, value, optional, before, after, notice, rule in UPDATES:
        labels = ((PREFIX + label, value), *(((OPTIONAL, "1"),) if optional else ()))
        release = kit.Composition(services=(kit.Service(name="legacy", labels=labels), kit.Service(name="base")))
        outcomes = [kit.decide(release, preset("raspberrypi4-64", os).facts).outcome for os in (before, after)]
        what = f"`{label}: {value}`{', optional' if optional else ''}"
        pairs = zip((before, after), outcomes, strict=True)
        drawn = [state(OUTCOMES[each], f"{os} {each}") for os, each in pairs]
        rows.append((prose(what), drawn[0], drawn[1], prose(f"{notice} ({rule})")))
        told.append("  ".join((what, f"{before} {outcomes[0]}", f"{after} {outcomes[1]}", f"{notice} ({rule})")))
    answer = "An update of the host OS decides every release anew."
    situation = "A Raspberry Pi 4; the facts change with the reboot, and all containers are made anew (S-1, S-90)."
    head = ("legacy asks for", "Before", "After", "Notice")
    return Page("\n".join(told).replace("`", ""), figure(answer, situation, table(head, rows)))


lesson = Lesson(
    "07",
    "A mixed fleet",
    (
        Exercise(
            number="07.1",
            title="At least 95 of 100, and nobody rejected",
            task="Change the labels so that no device is left behind, and each service runs where it can.",
            checks=(keeps_the_services, reaches_nearly_everybody, runs_where_it_can, holds_on_other_fleets),
            solve=relabelled,
            start=START,
            praise="Decided on 200 devices, and on three generated fleets.",
        ),
        Exercise(
            number="07.2",
            title="The smallest OS upgrade set",
            task="Name the device types to update, each with the first balenaOS release that does it; nobody in vain.",
            checks=(names_types_and_releases, brings_along, touches_nobody_else, is_smallest_anywhere),
            solve=smallest,
            start=GUESSED,
            show=as_lines,
            praise="No smaller set brings as many devices along; checked on generated fleets, too.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
