"""Notebook 09: a stranger's composition with eight problems, and a release for three device families."""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random
from typing import Any, Final

import kit
from kit.container import container
from kit.contracts import OPTIONAL, PREFIX, label_findings
from kit.diagnostics import Severity, Span
from kit.exercises import Exercise, NotYet
from kit.looks import escaped, figure, state, table
from kit.planner import State, installed
from kit.rules import host_access
from kit.vanishing import vanishing
from labs.decisions import Page
from labs.findings import vanishing_figure
from labs.fleet_model import preset

from . import Lesson, example, listed, predict, understood

# ------------------------------------------------------------------------------ 09.1 eight problems of a stranger

PROBLEMS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # what can be planted: a key of a service, and what stands behind or below it
    ("restart", (" on-failure:3",)),
    ("tty", (" false",)),
    ("cpus", (" 0.5",)),
    ("mem_limit", (" 1e9",)),
    ("command", (" migrate && serve",)),
    ("entrypoint", (" /run.sh",)),
    ("profiles", (" [debug]",)),
    ("privileged", (" true",)),
    ("cap_add", ("- SYS_ADMIN",)),
    ("environment", ("API_TOKEN:",)),
    ("environment", ("MODE: 010",)),
    ("environment", ("MY-LEVEL: info",)),
    ("volumes", ("- /proc:/host/proc:ro",)),
    ("tmpfs", (" /scratch:size=10m",)),
    ("ports", ("- '5000:5000/sctp'",)),
    ("labels", ("io.balena.features.dbus: '1'",)),
    ("labels", ("io.balena.features.balena-socket: '1'",)),
    ("labels", ("io.balena.features.supervisor-api: yes",)),
    ("labels", ("io.balena.features.requires.sw.os: '>=6'",)),
    ("labels", ("io.balena.update.strategy: handover",)),
    ("healthcheck", ("test: [CMD, check]", "start_period: 40s")),
)
HARMLESS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # what looks odd, and is as it should be
    ("restart", (" no",)),
    ("init", (" true",)),
    ("privileged", (" false",)),
    ("user", (" '1000'",)),
    ("shm_size", (" 128m",)),
    ("ports", ("- 22:22",)),
    ("environment", ("LEVEL: info",)),
    ("labels", ("io.balena.features.journal-logs: '1'",)),
    ("labels", ("io.balena.features.requires.arch.sw: aarch64", "io.balena.features.optional: on")),
    ("stop_grace_period", (" 30s",)),
    ("labels", ("com.example.team: blue",)),
)
NAMES: Final = ("web", "store", "camera", "broker", "worker")
EIGHT: Final = 8
FALSE_ALARMS: Final = 2
"""How many wrong answers are forgiven."""


def composed(variant: int) -> str:
    """The stranger's composition: eight problems and some harmless oddities, other ones for each variant."""
    random = Random(f"stranger {variant}")  # noqa: S311 - cases, not secrets
    bodies: dict[str, dict[str, list[str]]] = {name: {} for name in NAMES}

    def put(key: str, lines: tuple[str, ...]) -> None:
        """Put a setting into a service where it meets no other of its kind."""
        plain = lines[0].startswith(" ")
        # An entrypoint beside a command is harmless, and a key can be written once; labels and variables add up.
        apart = {"command", "entrypoint"} if key in ("command", "entrypoint") else {key} if plain else set()
        apart |= {key} & {"volumes", "ports", "cap_add", "healthcheck"}
        free = [name for name in NAMES if not apart & bodies[name].keys()]
        bodies[random.choice(free)].setdefault(key, []).extend(lines)

    for key, lines in random.sample(PROBLEMS, EIGHT):
        put(key, lines)
    for key, lines in random.sample(HARMLESS, 5):
        put(key, lines)
    text = ["services:"]
    for name, body in bodies.items():
        text += [f"  {name}:", f"    image: example/{name}:1.4"]
        for key, lines in sorted(body.items()):
            if lines[0].startswith(" "):
                text.append(f"    {key}:{lines[0]}")
            else:
                text += [f"    {key}:", *(f"      {line}" for line in lines)]
    return "\n".join(text) + "\n"


def startable(variant: int = 1) -> str:
    """The stranger's composition without the lines for which a device refuses all of it (C-46, C-50, C-99)."""
    text = composed(variant)
    while refused := [each.span.line for each in kit.check(kit.read(text)) if each.severity is Severity.REFUSED]:
        lines = text.splitlines(keepends=True)
        del lines[refused[0] - 1]
        text = re.sub(r"^    (?:environment|labels|ports):\n(?!      )", "", "".join(lines), flags=re.MULTILINE)
    return text


@lru_cache(maxsize=64)
def planted(variant: int) -> dict[int, tuple[frozenset[str], str]]:
    """The problems of a variant by their line: the rules behind each, and what is wrong. The kit finds them."""
    reading = kit.read(composed(variant))
    found: dict[int, tuple[set[str], str]] = {}

    def note(line: int, rule: str, message: str) -> None:
        rules, said = found.setdefault(line, (set(), message))
        rules.add(rule)
        found[line] = rules, said

    for each in kit.check(reading):
        note(each.span.line, each.rule, each.message)
    for service in reading.composition.services if reading.composition else ():
        for each in label_findings(service, lambda path: reading.place(path) or Span("", 0, 0)):
            if each.span.line in found:
                note(each.span.line, each.rule, each.message)
    for door in host_access(reading.normal or {}):
        if door.danger == "device" and door.path in reading.where:
            line = reading.where[door.path].line
            if line not in found or door.rule != "C-89":
                note(line, door.rule, f"`{door.what}` opens {door.opens}")
    return {line: (frozenset(rules), said) for line, (rules, said) in sorted(found.items())}


def stranger(variant: int = 1) -> Page:
    """The stranger's composition with numbered lines."""
    text = composed(variant)
    numbered = [f"{number:>3}  {line}" for number, line in enumerate(text.splitlines(), 1)]
    drawn = "".join(
        f'<span class="mc-line"><i>{number}</i>{escaped(line)}\n</span>'
        for number, line in enumerate(text.splitlines(), 1)
    )
    body = f'<pre class="mc-source" tabindex="0" role="group" aria-label="composition">{drawn}</pre>'
    answer = f"A stranger's composition, variant {variant}."
    return Page("\n".join([answer, *numbered]), figure(answer, "Eight settings do something else than they say.", body))


NOTHING: Final[dict[str, Any]] = {"variant": 1, "problems": []}


def variant_of(answer: object) -> int:
    """The variant that an answer is about."""
    number = answer.get("variant") if isinstance(answer, dict) else None
    return number if isinstance(number, int) and abs(number) < 10**6 else 1


def marked(answer: dict[str, Any]) -> tuple[set[int], list[str]]:
    """Which lines an answer has found, and which of its parts found nothing."""
    lines = planted(variant_of(answer))
    hit, wrong = set(), []
    for part in answer["problems"]:
        name = re.sub(r"^([CS])-?(\d+)$", r"\1-\2", str(part).strip().upper())
        mine = {line for line, (rules, _said) in lines.items() if str(line) == str(part).strip() or name in rules}
        hit |= mine
        wrong += [] if mine else [str(part)]
    return hit, wrong


def names_lines_or_rules(answer: object) -> None:
    """It is a list of line numbers or rules."""
    given = answer.get("problems") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and type(answer.get("variant")) is not int:
        raise NotYet(
            f"The variant is `{answer.get('variant')}`, and it should be a whole number",
            "The variant says which composition is shown.",
            "A number has no quotation marks and no point.",
            "`variant = 1` is the one of the text.",
        )
    if not isinstance(given, list | tuple | set) or not all(isinstance(each, int | str) for each in given):
        raise NotYet(
            "The exercise wants a list of line numbers or rules, such as `[4, 'C-106']`",
            "Each problem is one entry, between the brackets.",
            "A line number has no quotation marks, a rule has them.",
            "The name in front of the list stays `problems`.",
        )


def finds_all_eight(answer: dict[str, Any]) -> None:
    """It finds all eight problems."""
    lines = planted(variant_of(answer))
    hit, wrong = marked(answer)
    missing = [line for line in lines if line not in hit]
    if not missing:
        return
    text = composed(variant_of(answer)).splitlines()
    first = missing[0]
    service = next(line.strip(" :") for line in reversed(text[:first]) if re.match(r"  \w", line))
    alarms = f", with {len(wrong)} false alarm{'s' * (len(wrong) != 1)}" if wrong else ""
    raise NotYet(
        f"{len(hit)} of {len(lines)} problems found{alarms}",
        f"One that is missing stands in `{service}`.",
        f"It is in one of the lines {max(1, first - 1)} to {min(len(text), first + 1)}.",
        f"Line {first}: {lines[first][1]}.",
    )


def blames_little_else(answer: dict[str, Any]) -> None:
    """At most two of its entries are false alarms."""
    hit, wrong = marked(answer)
    if len(wrong) > FALSE_ALARMS:
        share = len(hit) / (len(hit) + len(wrong))
        raise NotYet(
            f"All {len(hit)} are found, with {len(wrong)} false alarms: {share:.0%} of your entries are problems",
            "Not everything that looks odd is a problem.",
            f"`{wrong[0]}` is one of the false alarms.",
            f"Take out {listed([f'`{each}`' for each in wrong])}.",
        )


def all_of_them(answer: object) -> dict[str, Any]:
    """The lines of all problems of the same variant."""
    return {"variant": variant_of(answer), "problems": list(planted(variant_of(answer)))}


def entries(answer: object) -> str:
    """An answer as lines."""
    if not isinstance(answer, dict) or not isinstance(answer.get("problems"), list | tuple | set):
        return str(answer)
    return "\n".join([f"variant {answer.get('variant')}", *map(str, answer["problems"])])


# ------------------------------------------------------------------------- 09.2 one release, three families

FAMILIES: Final = {
    # service: its family in words, how its devices are made, and the label that tells them
    "vision-pi": ("Raspberry Pi 4", ("raspberrypi4-64",), (None,), "hw.device-type", "raspberrypi4-64"),
    "vision-orin": (
        "Jetson with L4T 36 or newer", ("jetson-agx-orin-devkit", "jetson-orin-nano-devkit-nvme"),
        ("36.0.0", "36.3.0", "36.4.4", "36.5.0"), "sw.l4t", ">=36",
    ),
    "vision-nano": (
        "Jetson with an older L4T", ("jetson-nano", "jetson-xavier", "jetson-tx2"),
        ("32.7.3", "32.7.6", "35.4.0", "35.9.9"), "sw.l4t", "<36",
    ),
}  # fmt: skip
OTHERS: Final = ("generic-amd64", "intel-nuc", "raspberrypi3")
SUPERVISORS: Final = ("14.12.2", "16.4.6", "17.3.9", "17.6.3", "18.2.2")
EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 (addresses of a device)
BLANK: Final = "# One release for three families.\n"


def family(random: Random, service: str, count: int = 8) -> dict[str, kit.Device]:
    """Devices of the family that a service is for."""
    _words, slugs, l4t, _label, _value = FAMILIES[service]
    found = {}
    for number in range(1, count + 1):
        base = preset(random.choice(slugs), "6.0.10")
        found[f"{service.removeprefix('vision-')} {number}"] = base.changed(
            l4t=random.choice(l4t), supervisor=random.choice(SUPERVISORS)
        )
    return found


def strangers(random: Random, count: int = 8) -> dict[str, kit.Device]:
    """Devices of no family."""
    return {
        f"other device {number}": preset(random.choice(OTHERS), "6.0.10").changed(supervisor=random.choice(SUPERVISORS))
        for number in range(1, count + 1)
    }


def does_what_it_says(answer: object) -> None:
    """1. balena makes a release of it, and no setting does something else than it says."""
    reading = understood(answer)
    for found in kit.check(reading):
        raise NotYet(
            f"Line {found.span.line}: {found.message} ({found.rule})",
            "A release without findings is one that does what it says.",
            f"Look at line {found.span.line}.",
            f"{found.help[:1].upper()}{found.help[1:]}." if found.help else "Leave the setting out.",
        )
    names = [service.name for service in reading.composition.services]
    if missing := [name for name in ("camera", "ui", *FAMILIES) if name not in names]:
        raise NotYet(
            f"There is no service `{missing[0]}`",
            "Five services are asked for.",
            f"Missing: {listed([f'`{name}`' for name in missing])}.",
            f"`{missing[0]}:` stands below `services:`, two blanks from the left, with an `image:` or a `build:`.",
        )


def has_one_vision_in_each_family(answer: object, random: Random) -> None:
    """2. On each device of the three families exactly its own vision service runs."""
    composition = understood(answer).composition
    for service, (words, _slugs, _l4t, label, value) in FAMILIES.items():
        for name, device in family(random, service).items():
            decision = kit.decide(composition, device.facts)
            runs = [each for each in decision.run if each in FAMILIES]
            if runs == [service]:
                continue
            has = f"supervisor {device.supervisor}, {f'L4T {device.l4t}' if device.l4t else 'no L4T'}"
            raise NotYet(
                f"On `{name}` ({words}; {has}) {f'`{runs[0]}` runs' if runs else 'no vision service runs'}, and it "
                f"should be `{service}` alone. {decision.situation}",
                "Requirements choose among the three, and what does not fit must be allowed to be absent (S-68).",
                f"`{service}` is for: {words}. Which label tells that to supervisor {device.supervisor}?",
                f"`{PREFIX}{label}: '{value}'`, and the optional mark, on `{service}`.",
            )


def leaves_nobody_behind(answer: object, random: Random) -> None:
    """3. No device rejects or refuses it; `camera` and `ui` run everywhere."""
    composition = understood(answer).composition
    for name, device in {**strangers(random), **family(random, "vision-nano", 4)}.items():
        decision = kit.decide(composition, device.facts)
        lost = [each for each in ("camera", "ui") if each not in decision.run]
        if lost:
            raise NotYet(
                f"On `{name}` ({device.device_type}, supervisor {device.supervisor}) the release is "
                f"{decision.outcome}, and `{lost[0]}` does not run. {decision.situation}",
                "A device of no family gets `camera` and `ui`, and nothing else.",
                "Something that is not optional asks for too much there, or a label is too young.",
                f"`{lost[0]}` asks for nothing; the three vision services are optional.",
            )


def starts_in_order(answer: object, random: Random) -> None:
    """4. `ui` starts after `camera`, publishes port 80, and the update comes to an end on every device."""
    composition = understood(answer).composition
    ui = composition.service("ui") or kit.Service(name="ui")
    if "camera" not in ui.depends_on:
        raise NotYet(
            "`ui` does not wait for `camera`",
            "The order of starting is written down, or there is none (C-109).",
            "Look at `ui`: which key names what has to be started before?",
            "`depends_on:` with `- camera` below it.",
        )
    if not any(port.published == "80" and port.protocol == "tcp" and port.address in EVERYWHERE for port in ui.ports):
        raise NotYet(
            "`ui` does not publish port 80 of the device",
            "A port is reachable from outside if it is published.",
            "Look at `ports:` of `ui`.",
            "`- '80:80'`, or another port of the container behind the second number.",
        )
    for name, device in {
        **strangers(random, 2),
        **family(random, "vision-pi", 2),
        **family(random, "vision-orin", 2),
    }.items():
        decision = kit.decide(composition, device.facts)
        plan = kit.plan(State(), kit.Release("new", composition, dropped=decision.dropped))
        if not plan.settled:
            raise NotYet(
                f"On `{name}` the update never ends: {plan.blocked[0]}",
                "A service that is left out leaves a hole where somebody shares its network (S-67).",
                "Look for `network_mode: service:`.",
                "Give every service a network of its own.",
            )


def keeps_its_data(answer: object) -> None:
    """5. `camera` and `ui` share one named volume, and it outlives the next release."""
    composition = understood(answer).composition
    mounted = [
        {mount.volume for mount in service.volumes} if (service := composition.service(name)) else set[str]()
        for name in ("camera", "ui")
    ]
    declared = {volume.name for volume in composition.volumes}
    shared = mounted[0] & mounted[1] & declared
    if not shared:
        raise NotYet(
            "`camera` and `ui` have no named volume in common",
            "Data that two services see and that outlives a release lies in a named volume (C-104).",
            f"Declared at top level: {listed([f'`{name}`' for name in sorted(declared)]) or 'nothing'}.",
            "`volumes:` with `data:` below it at top level, and `- data:/data` below `volumes:` of both services.",
        )
    writers = [
        mount for name in ("camera", "ui") if (service := composition.service(name)) for mount in service.volumes
        if mount.volume in shared and not mount.read_only
    ]  # fmt: skip
    if not writers:
        raise NotYet(
            f"Nobody writes into `{min(shared)}`: it is read-only in both",
            "Data that nobody can write is none.",
            "Two letters at the end of a mount say so.",
            "Leave `:ro` away, at least for `camera`.",
        )
    before = installed(kit.Release("new", composition))
    after = kit.plan(before, kit.Release("next", composition)).end
    if not {volume.name for volume in before.volumes} <= {volume.name for volume in after.volumes}:
        raise NotYet("A volume is gone after the next release", *["Keep the name of the volume."] * 3)


def opens_no_door(answer: object) -> None:
    """6. `camera` has `/dev/video0`, and no service can take over the device."""
    reading = understood(answer)
    doors = [door for door in host_access(reading.normal or {}) if door.danger == "device"]
    if doors:
        raise NotYet(
            f"`{doors[0].service}` opens {doors[0].opens}: `{doors[0].what}` ({doors[0].rule})",
            "Whoever breaks into that container has the device.",
            f"Look at `{doors[0].service}`.",
            "A camera needs one device file, and no privilege: `devices:`.",
        )
    host = container(kit.normal_form(reading)["services"]["camera"], name="camera").body["HostConfig"]
    there = {each["PathInContainer"]: each for each in host["Devices"]}.get("/dev/video0", {})
    if there.get("PathOnHost") != "/dev/video0" or "r" not in there["CgroupPermissions"]:
        raise NotYet(
            "`camera` has no `/dev/video0` that it can read",
            "A container sees the devices of its host that are named, and no others.",
            "Look at `camera`: `privileged` is not the way.",
            "`devices:` with `- /dev/video0` below it.",
        )


def so_far(answer: object) -> kit.Composition:
    """The release for the lab: the answer, or an example as long as the answer is none."""
    reading = kit.read(answer) if isinstance(answer, str) else None
    composition = reading.composition if reading and reading.ok else None
    return composition if composition and composition.services else example("vision").composition or kit.Composition()


CHECKS = (
    does_what_it_says,
    has_one_vision_in_each_family,
    leaves_nobody_behind,
    starts_in_order,
    keeps_its_data,
    opens_no_door,
)


def shipped(_answer: object) -> str:
    """A release that passes, put together from the task."""
    text = "services:\n  camera:\n    build: ./camera\n    devices:\n      - /dev/video0\n"
    text += "    volumes:\n      - data:/data\n"
    for name, (_words, _slugs, _l4t, label, value) in FAMILIES.items():
        text += f"  {name}:\n    build: ./{name}\n    depends_on:\n      - camera\n"
        text += f"    labels:\n      {PREFIX}{label}: '{value}'\n      {OPTIONAL}: '1'\n"
    text += "  ui:\n    build: ./ui\n    depends_on:\n      - camera\n    ports:\n      - '80:80'\n"
    return text + "    volumes:\n      - data:/data\nvolumes:\n  data:\n"


# --------------------------------------------------------------------------------------- to guess, and to see

SENT = """\
services:
  web:
    image: example/web:1.4
    container_name: web
    restart: on-failure:3
    tty: false
    command: migrate && serve
    mem_limit: 1e9
    environment:
      MODE: 010
      LEVEL: info
    labels:
      io.balena.features.dbus: yes
    ports:
      - 80:80
"""


def arrived(guess: object) -> Page:
    """How many settings arrive as written, beside the guess, and then the whole list."""
    reading = kit.read(SENT)
    rows = vanishing(reading)
    count = sum(row.outcome == "=" for row in rows)
    card = predict(guess, str(count), f"Of {len(rows)} settings {count} arrive as they are written.")
    if card.result == "untouched":
        return Page(str(card), card.html)
    return Page(str(card), card.html + vanishing_figure(reading))


IMAGES: Final = (
    # image, labels inside it, labels in the composition
    ("an image that you made", {}, {}),
    ("a stranger's image", {"io.balena.features.sysfs": "1"}, {}),
    ("the same, and you say no", {"io.balena.features.sysfs": "1"}, {"io.balena.features.sysfs": "0"}),
    ("a stranger's image with a mark and a wish", {OPTIONAL: "1", f"{PREFIX}sw.linux": ">=99"}, {}),
)


def hidden_doors() -> Page:
    """Labels inside images open doors: four containers, each made now."""
    rows: list[tuple[str, ...]] = []
    told = []
    for what, inside, written in IMAGES:
        body = container({"image": "x", "labels": written}, image={"Labels": inside}).body
        mounts = [each.partition(":")[0] for each in body["HostConfig"]["Binds"]]
        opened = [each for each in mounts if not each.startswith("/tmp/balena-supervisor")]  # noqa: S108 - its own
        service = kit.Service(name="x", labels=tuple(written.items()))
        met = kit.decide(kit.Composition(services=(service,)), preset("raspberrypi4-64", "8.0.2").facts).outcome
        has = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in inside.items()) or "nothing"
        mine = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in written.items()) or "nothing"
        door = ", ".join(opened) or "none"
        drawn = state("no" if opened else "run", door)
        rows.append((escaped(what), escaped(has), escaped(mine), drawn, escaped(met)))
        told.append("  ".join((what, has, mine, door, met)))
    answer = "A label inside an image opens the host, with no trace in the composition (C-91)."
    situation = (
        "Features and the update strategy are read from the image, too; the optional mark and requirements are not."
    )
    head = ("Image", "Its own labels", "You write", "Host paths in the container", "Decision")
    return Page("\n".join([answer, *told]), figure(answer, situation, table(head, rows)))


lesson = Lesson(
    "09",
    "A stranger's composition, and yours",
    (
        Exercise(
            number="09.1",
            title="Eight problems of a stranger",
            task="List eight settings that do something else than they say, or open the device: as lines or rules.",
            checks=(names_lines_or_rules, finds_all_eight, blames_little_else),
            solve=all_of_them,
            start=NOTHING,
            show=entries,
            praise="All found, and little else blamed.",
        ),
        Exercise(
            number="09.2",
            title="One release for three families",
            task="Write the release. Six acceptance checks decide, on devices that they make up.",
            checks=CHECKS,
            solve=shipped,
            start=BLANK,
            praise="Accepted: it runs where it should, and nobody is left behind.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
