"""Notebook 06: two networks that hide a backend, and a service with the least access that does the job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any, Final, NamedTuple

import kit
from kit.composition import Composition
from kit.container import FEATURE_TABLE, container
from kit.exercises import Exercise, NotYet
from kit.looks import figure
from kit.reader.release import FEATURES
from kit.rules import Access, host_access
from labs.decisions import Page
from labs.findings import host_access_table
from labs.reachability_model import OUTSIDE, network_card, reachability, sentence

from . import Lesson, listed, open_at, predict, understood

# ------------------------------------------------------------------------------- the question before

ASKED: Final = """\
services:
  radio:
    build: ./example
    network_mode: host
    ports:
      - "8081:80"
  web:
    build: ./frontend
    ports:
      - "80"
"""
ASKS: Final = (("web", "radio"), ("radio", "web"), (OUTSIDE, "web"), (OUTSIDE, "radio"))


def by_name(guess: object) -> Page:
    """A guess at how many of four ways work by service name, beside the matrix."""
    reading = kit.read(ASKED)
    found = reachability(reading)
    works = sum(found[pair].how == "name" for pair in ASKS)
    card = predict(guess, str(works), "A service on the device’s own network has no service name, and knows none.")
    if card.result == "untouched":
        return Page(str(card), card.html)
    told = [f"{sentence(found, *pair)} {found[pair].why} ({found[pair].rule})".replace("`", "") for pair in ASKS]
    return Page("\n".join([str(card), "", *told]), card.html + network_card(reading))


def doors(text: str) -> Page:
    """What the services of a composition open to their device."""
    reading = kit.read(text)
    if reading.composition is None or not reading.ok:
        answer = "Refused. No release is made."
        first = next(iter(reading.findings), None)
        return Page(answer, figure(answer, f"Line {first.span.line}: {first.message}." if first else ""))
    rows = host_access(reading.normal or {})
    names = [service.name for service in reading.composition.services]
    told = [f"{row.service}: {row.what}, {row.opens} ({row.rule})" for row in rows]
    return Page("\n".join(told) or "Nothing is opened.", host_access_table(rows, names))


# --------------------------------------------------------------------------------- 06.1 two networks

START = """\
services:
  frontend:
    build: ./frontend
    ports:
      - "80:80"
  backend:
    build: ./backend
    ports:
      - "8080:8080"
  database:
    build: ./database
"""
NAMES: Final = ("frontend", "backend", "database")
MAY: Final = (("frontend", "backend"), ("backend", "database"))
MAY_NOT: Final = (("frontend", "database"),)


def makes_a_release(answer: object) -> None:
    """balena makes a release of it, with its three services."""
    composition = understood(answer).composition
    names = [service.name for service in composition.services]
    if {*names} != {*NAMES}:
        what = sorted({*NAMES} ^ {*names})
        raise NotYet(
            f"The services are not the same: {listed([f'`{name}`' for name in what])}",
            "Networks change; the services stay.",
            f"There are three: {listed([f'`{name}`' for name in NAMES])}.",
            f"Bring back or take away `{what[0]}`.",
        )


def open_at_the_front_only(answer: str) -> None:
    """Port 80 of the device leads to `frontend`, and nothing leads to the others."""
    found = reachability(understood(answer))
    ports = found.ends["frontend"].openings
    if found.ends["frontend"].space != "frontend" or not open_at(ports, 80):
        raise NotYet(
            f"Another machine does not reach `frontend` at port 80: {found[OUTSIDE, 'frontend'].why}",
            "One door stays open: the one of the frontend.",
            f"`frontend` publishes {listed([str(port) for port in ports]) or 'nothing'} now.",
            'Below `frontend:`, write `ports:` and, further in, `- "80:80"`.',
        )
    for name in NAMES[1:]:
        if reach := found[OUTSIDE, name]:
            raise NotYet(
                f"`{name}` is open from outside: {reach.why}",
                "A service that only its neighbours use needs no published port.",
                f"Look at `{name}`: it has `network_mode: host`."
                if found.ends[name].space == "host"
                else f"Look at `ports:` of `{name}`.",
                f"Remove `{'network_mode' if found.ends[name].space == 'host' else 'ports'}:` of `{name}`.",
            )


def reaches_what_it_may(answer: str) -> None:
    """`frontend` reaches `backend` by name, and `backend` reaches `database`."""
    found = reachability(understood(answer))
    for source, target in MAY:
        reach = found[source, target]
        if reach.how != "name":
            raise NotYet(
                f"`{source}` does not reach `{target}` by name: {reach.why}",
                "By name, one network has to serve both.",
                f"`{source}` is on {_on(found, source)}, `{target}` on {_on(found, target)}.",
                f"Put both on the same network: the same line below `networks:` of `{source}` and of `{target}`.",
            )


def _on(found: Any, name: str) -> str:
    lines = found.ends[name].lines
    return listed([f"`{line}`" for line in lines]) or "no network of the release"


def hides_what_it_must(answer: str) -> None:
    """`frontend` does not reach `database`."""
    found = reachability(understood(answer))
    for source, target in MAY_NOT:
        if reach := found[source, target]:
            shared = [line for line in found.ends[source].lines if line in found.ends[target].lines]
            raise NotYet(
                f"`{source}` reaches `{target}` {reach.word}: {reach.why}",
                "Without `networks:` all services are on one network, `default`.",
                f"Both are on {listed([f'`{line}`' for line in shared])}." if shared else reach.why,
                "Two networks, one for each pair that has to talk; `backend` is on both.",
            )


def keeps_newcomers_out(answer: str, random: Random) -> None:
    """A service that somebody adds later, without a word about networks, reaches neither `backend` nor `database`."""
    composition = understood(answer).composition
    front = set(composition.service("frontend").networks or ("default",))
    for _case in range(12):
        name = f"{random.choice(('shop', 'camera', 'monitor', 'logger'))}-{random.randrange(100)}"
        beside = random.choice(((), (), tuple(sorted(front - {"default"}))))  # nothing said, or beside the frontend
        guest = kit.Service(name=name, image="guest", networks=beside)
        found = reachability(replace(composition, services=(*composition.services, guest)))
        told = f"on {listed([f'`{one}`' for one in beside])}" if beside else "without a word about networks"
        for target in ("database",) if beside else ("database", "backend"):
            if reach := found[name, target]:
                raise NotYet(
                    f"Somebody adds `{name}` {told}, and it reaches `{target}`: {reach.why}",
                    "`default` is where everybody is who says nothing.",
                    f"`{target}` is on {_on(found, target)}.",
                    f"Give `{target}` a network of a name of its own, and only that.",
                )


def apart(_answer: object) -> str:
    """The services of the task on one network for each pair that has to talk; only what may be open is published."""
    composition = kit.read(START).composition or Composition()
    pairs = {f"{source}-{target}": (source, target) for source, target in MAY}
    lines = ["networks:", *(f"  {name}:" for name in pairs), "services:"]
    for service in composition.services:
        lines += [f"  {service.name}:", f"    build: ./{service.name}", "    networks:"]
        lines += [f"      - {name}" for name, pair in pairs.items() if service.name in pair]
        if service.name == "frontend":
            lines += ["    ports:", *(f'      - "{port}"' for port in service.ports)]
    return "\n".join(lines) + "\n"


# ----------------------------------------------------------------------------- 06.2 the least access

PRIVILEGED = """\
services:
  sensors:
    build: ./example
    privileged: true
    network_mode: host
"""
NEEDS: Final = {"devices": ("/dev/i2c-1", "/dev/ttyACM0"), "binds": ("/run/dbus",)}
"""What the program uses: two device files, and the system bus of the device."""


def is_readable(answer: object) -> None:
    """balena makes a release of it, and `sensors` is there."""
    composition = understood(answer).composition
    if composition.service("sensors") is None:
        raise NotYet(
            "There is no service `sensors` any more",
            "The service keeps its name.",
            f"The names that are there now: {listed([f'`{service.name}`' for service in composition.services])}.",
            "Write `sensors:` below `services:`.",
        )


def _asked_for(answer: str) -> dict[str, Any]:
    """What the supervisor would ask the engine for."""
    form = kit.normal_form(understood(answer))
    host: dict[str, Any] = container(form["services"]["sensors"], name="sensors").body["HostConfig"]
    return host


def leaves_the_walls(answer: str) -> None:
    """It is not privileged."""
    if _asked_for(answer)["Privileged"]:
        raise NotYet(
            "`sensors` is privileged: every device and every capability, no wall is left (C-114)",
            "The program uses two device files and one bus, not the whole device.",
            "Look at `privileged:`.",
            "Remove the line; multi-container services are not privileged by default.",
        )


def has_its_devices(answer: str) -> None:
    """It has the two device files that it uses, where it looks for them, and may read them."""
    there = {each["PathInContainer"]: each for each in _asked_for(answer)["Devices"]}
    for path in NEEDS["devices"]:
        found = there.get(path, {"PathOnHost": "nothing", "CgroupPermissions": ""})
        if found["PathOnHost"] != path:
            raise NotYet(
                f"`{path}` is not inside the container"
                + (f"; what is called so there is {found['PathOnHost']}" if path in there else ""),
                "A device file is given by a field of its own.",
                f"Inside there is {listed([f'`{each}`' for each in there]) or 'nothing'}.",
                f'Below `devices:`, write `- "{path}:{path}"` (C-58).',
            )
        if "r" not in found["CgroupPermissions"]:
            raise NotYet(
                f"`{path}` may be used with `{found['CgroupPermissions']}` only: the program cannot read it",
                "A device file can be given for less than reading.",
                f"Letters behind the second colon say so; for `{path}` they are `{found['CgroupPermissions']}`.",
                f'Write `- "{path}:{path}"`, without a third part (C-58).',
            )


def has_the_bus(answer: str) -> None:
    """It has the system bus of the device."""
    for path in NEEDS["binds"]:
        if not any(bind.startswith(f"{path}:") for bind in _asked_for(answer)["Binds"]):
            raise NotYet(
                f"`{path}` of the device is not inside the container; `privileged` does not bring it either (C-89)",
                "What is not a device file comes by a feature label.",
                "The table above has one line for the system bus.",
                f"Below `labels:`, write `{FEATURES}dbus: '1'`.",
            )


def opens_nothing_else(answer: str) -> None:
    """It opens no door that the program does not use."""
    for door in host_access(kit.normal_form(understood(answer))):
        if not _needed(door):
            raise NotYet(
                f"`{door.service}` opens more than it uses: `{door.what}`, {door.opens} ({door.rule})",
                "Each line that is not needed is a line that somebody else can use.",
                f"The program uses {listed([f'`{each}`' for part in NEEDS.values() for each in part])}.",
                f"Remove `{door.what.removeprefix(FEATURES)}`, and run the check again.",
            )


class Thing(NamedTuple):
    """Something on a device that a container may reach: a file, a right, a folder or socket, or its network."""

    kind: str
    name: str


def things(random: Random, count: int = 40) -> list[Thing]:
    """What the program uses, and whatever else is on a made-up device."""
    used = [*(Thing("file", each) for each in NEEDS["devices"]), *(Thing("bind", each) for each in NEEDS["binds"])]
    mounts = [each for row in FEATURE_TABLE.values() for each in row.get("binds", ())]
    binds = sorted({str(each).partition(":")[0] for each in mounts} - {*NEEDS["binds"]})
    rights = ("SYS_RAWIO", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_TIME", "DAC_READ_SEARCH")
    files = ("i2c-", "ttyACM", "ttyUSB", "video", "spidev0.", "gpiochip", "sd", "mmcblk")
    found = dict.fromkeys(used)
    while len(found) < count:
        path = f"/dev/{random.choice(files)}{random.randrange(12)}"
        port = str(random.choice((22, 80, 443, 8080, 48484, random.randrange(1024, 65536))))
        some = [Thing("file", path), Thing("file", "/dev/mem"), Thing("right", random.choice(rights))]
        some += [Thing("port", port)] + [Thing("bind", each) for each in binds[:]]
        found[random.choice(some)] = None
    return [*found]


def reached(host: Mapping[str, Any], thing: Thing) -> bool:
    """Whether a container with this request reaches something on its device."""
    match thing.kind:
        case "file":
            return bool(host["Privileged"]) or thing.name in [each["PathOnHost"] for each in host["Devices"]]
        case "right":
            return bool(host["Privileged"]) or thing.name in [each.removeprefix("CAP_") for each in host["CapAdd"]]
        case "port":
            return host["NetworkMode"] == "host"
    return any(bind.partition(":")[0] == thing.name for bind in host["Binds"])


def reaches_what_it_uses(answer: str, random: Random) -> None:
    """Of 40 things on made-up devices it reaches the three that it uses, and nothing else; nobody reaches it."""
    form = kit.normal_form(understood(answer))
    for name in form["services"]:
        host = container(form["services"][name], name=name).body["HostConfig"]
        for thing in (each for _ in range(4) for each in things(random)):
            used = thing.name in (*NEEDS["devices"], *NEEDS["binds"]) and name == "sensors"
            if reached(host, thing) and not used:
                raise NotYet(
                    f"`{name}` reaches `{thing.name}` of a made-up device, and does not use it",
                    "Each door that is not needed is a door for somebody else.",
                    f"It is a {WORDS[thing.kind]}.",
                    f"Take away what opens `{thing.name}` to `{name}`.",
                )
    for name, end in reachability(understood(answer)).ends.items():
        if end.openings:
            raise NotYet(
                f"Port {end.openings[0]} of the device leads to `{name}`, and nobody needs that",
                "A program that reads sensors waits for no visitor.",
                f"Look at `ports:` of `{name}`.",
                f"Remove `ports:` of `{name}`.",
            )


WORDS: Final = {
    "file": "device file", "right": "right of the kernel", "port": "port of the device's own network",
    "bind": "folder or socket of the device",
}  # fmt: skip


def _needed(door: Access) -> bool:
    if door.path[2:3] == ("devices",):
        return door.what.partition(":")[0] in NEEDS["devices"]
    return door.what in (f"{FEATURES}dbus",)


def least(answer: object) -> str:
    """The service with the doors that it uses, and no other."""
    build = re.search(r"^    build: .*$", answer, re.MULTILINE) if isinstance(answer, str) else None
    devices = [f'      - "{path}:{path}"' for path in NEEDS["devices"]]
    lines = ["services:", "  sensors:", build[0] if build else "    build: ./example", "    devices:", *devices]
    labels = [f"      {FEATURES}dbus: '1'" for path in NEEDS["binds"] if path == "/run/dbus"]
    text = "\n".join([*lines, "    labels:", *labels]) + "\n"
    return text if kit.read(text).ok or answer == PRIVILEGED else least(PRIVILEGED)


lesson = Lesson(
    "06",
    "Ports, networks, and hardware access",
    (
        Exercise(
            number="06.1",
            title="Hide the backend",
            task="Another machine shall reach `frontend` at port 80, and nothing else. `frontend` reaches `backend`, "
            "`backend` reaches `database`; `frontend` does not reach `database`. A service that somebody "
            "adds later, without a word about networks, reaches neither `backend` nor `database`.",
            checks=(
                makes_a_release,
                open_at_the_front_only,
                reaches_what_it_may,
                hides_what_it_must,
                keeps_newcomers_out,
            ),
            solve=apart,
            start=START,
            praise="Checked with services that others might add.",
        ),
        Exercise(
            number="06.2",
            title="The least access",
            task="`sensors` reads `/dev/i2c-1` and `/dev/ttyACM0`, and speaks to the system bus of the device (D-Bus). "
            "Give it these three, and take everything else away.",
            checks=(
                is_readable,
                leaves_the_walls,
                has_its_devices,
                has_the_bus,
                opens_nothing_else,
                reaches_what_it_uses,
            ),
            solve=least,
            start=PRIVILEGED,
            praise="Three doors, each of them used, and nothing else on made-up devices is reached. Somebody who "
            "breaks in finds a wall again, but for the bus.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
