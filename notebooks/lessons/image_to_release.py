"""Notebook 01: one service becomes two, and a file of which everything arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import kit
from kit.container import container, default_composition
from kit.device.state import restarts
from kit.exercises import Exercise, NotYet, run
from kit.looks import figure, prose, state, table
from kit.rules import host_access
from kit.vanishing import vanishing
from labs.decisions import Page
from labs.order_model import DOES, GENERATIONS, course
from labs.reachability_model import OUTSIDE, reachability

from . import Lesson, listed, open_at, predict, understood

# ------------------------------------------------------- what a compose file takes away (C-112, C-114)

ONE_SERVICE = "services: {main: {build: .}}"
"""The smallest compose file for the same program."""


def contrast() -> tuple[tuple[str, str, str, bool], ...]:
    """What the device gives `main`: without a compose file, with one of one service, and whether it is the same."""
    rows: list[tuple[str, str, str, bool]] = []
    forms = (default_composition(), kit.normal_form(kit.read(ONE_SERVICE)))
    before, after = (dict(_given(form)) for form in forms)
    for key, value in before.items():
        rows.append((key, value, after[key], value == after[key]))
    return tuple(rows)


def _given(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What one service is given, read from the request that the supervisor makes of it."""
    request = container(form["services"]["main"], name="main").body
    host = request["HostConfig"]
    data = [each for each in host["Binds"] if each.partition(":")[2] == "/data"]
    features = [door.what for door in host_access(form) if door.rule == "C-89"]
    mode = host["NetworkMode"]
    return [
        ("privileged", "yes" if host["Privileged"] else "no"),
        ("network", "the device’s own" if mode == "host" else "one of the app; ports must be published"),
        ("/data", "volume resin-data" if data else "nothing unless it is declared"),
        ("feature labels", f"{len(features)} are on" if features else "none"),
        ("restart", str(host["RestartPolicy"]["Name"])),
    ]


def same_service(guess: object) -> Page:
    """A guess at how many of the five things stay, beside the truth."""
    rows = contrast()
    kept = sum(same for *_row, same in rows)
    card = predict(guess, str(kept), f"Of {len(rows)} things, {len(rows) - kept} are gone with the first compose file.")
    if card.result == "untouched":
        return Page(str(card), card.html)
    cells: list[tuple[str, ...]] = [
        (prose(key), prose(before), state("run" if same else "no", after)) for key, before, after, same in rows
    ]
    html = figure(
        "A compose file with the “same” service takes four things away.",
        "Left: a folder with a Dockerfile only (C-112). Right: the same with `docker-compose.yml` (C-114).",
        table(("main has", "without a compose file", "with one"), cells),
    )
    told = [f"{key}: {before} / {after}" for key, before, after, _same in rows]
    return Page("\n".join([str(card), "", *told]), card.html + html)


# --------------------------------------------------------------------------- 01.1 from one to two

START = """\
services:
  main:
    build: ./app
    ports:
      - "80:80"
"""
PAIR = ("frontend", "backend")


def makes_a_release(answer: object) -> None:
    """balena makes a release of it."""
    understood(answer)


def has_two_services(answer: str) -> None:
    """There are two services, `frontend` and `backend`."""
    composition = understood(answer).composition
    names = [service.name for service in composition.services]
    if missing := [name for name in PAIR if name not in names]:
        raise NotYet(
            f"There is no service called {listed([f'`{name}`' for name in missing])}",
            "A release has one entry for each service, all at the same depth below `services:`.",
            f"The names that are there now: {listed([f'`{name}`' for name in names])}.",
            f"Write `{missing[0]}:` below `services:`, two blanks in, and `build: ./{missing[0]}` below it.",
        )
    if more := [name for name in names if name not in PAIR]:
        raise NotYet(
            f"`{more[0]}` is there too, and only two services are wanted",
            "The one service becomes two; it does not stay beside them.",
            f"Look at the lines that begin with `{more[0]}:`.",
            f"Remove `{more[0]}:` and everything below it that is further in.",
        )
    for service in composition.services:
        context = service.build.context if service.build else service.image
        if not service.build or service.build.context.removeprefix("./").rstrip("/") != service.name:
            raise NotYet(
                f"`{service.name}` comes from `{context}`, and its Dockerfile is in `./{service.name}`",
                "Each service has its own folder with its own Dockerfile.",
                f"Look at `build:` of `{service.name}`.",
                f"It reads `build: ./{service.name}`.",
            )


def keeps_the_order(answer: str, random: Random) -> None:
    """`frontend` starts after `backend`, on every supervisor and whatever the backend does."""
    composition = understood(answer).composition
    for _case in range(12):
        does = random.choice(["runs", "crashes"])
        test = random.choice([*GENERATIONS])
        order = course(composition, does={"backend": does}, test=test).order
        if order == (("backend",), ("frontend",)):
            continue
        frontend = composition.service("frontend")
        waits = listed([f"`{name}`" for name in frontend.depends_on]) or "nothing"
        raise NotYet(
            f"`frontend` waits for {waits}, and it shall start after `backend` "
            f"(supervisor {GENERATIONS[test][0]}, a backend that {DOES[does][0]})",
            "Without a word, services start in one round (S-97).",
            "One field orders first starts. It stands at the service that waits.",
            "Below `frontend:`, write `depends_on:` and on the next line, further in, `- backend`.",
        )


def opens_the_right_door(answer: str) -> None:
    """Port 80 of the device leads to `frontend`, and no port leads to `backend`."""
    found = reachability(understood(answer))
    front, back = found[OUTSIDE, "frontend"], found[OUTSIDE, "backend"]
    if found.ends["frontend"].space != "frontend" or found.ends["backend"].space != "backend":
        raise NotYet(
            "One of the two has no network of its own",
            "Neither service needs `network_mode` here.",
            "Look for `network_mode:`.",
            "Remove the line with `network_mode:`.",
        )
    ports = found.ends["frontend"].openings
    if not open_at(ports, 80):
        raise NotYet(
            f"Port 80 of the device does not lead to `frontend`: {front.why}",
            "The port of the old service is still wanted, and at one of the new ones.",
            f"`frontend` publishes {listed([str(port) for port in ports]) or 'nothing'}.",
            'Below `frontend:`, write `ports:` and on the next line, further in, `- "80:80"`.',
        )
    if back:
        raise NotYet(
            f"The backend is open from outside: {back.why}",
            "Services of one release reach each other without published ports.",
            "Look at `ports:` of `backend`.",
            "Remove `ports:` of `backend`; `frontend` reaches it by its name all the same.",
        )


def talks_by_name(answer: str) -> None:
    """`frontend` reaches `backend` by name."""
    reach = reachability(understood(answer))["frontend", "backend"]
    if reach.how != "name":
        raise NotYet(
            f"`frontend` does not reach `backend` by name: {reach.why}",
            "Two services reach each other by name when one network serves both.",
            "Without `networks:` all services are on the network `default`.",
            "Remove `networks:` from both, or give both the same one.",
        )


def split(answer: object) -> str:
    """The answer if it passes, else the plainest pair of services, with the port that was given."""
    if _passes(answer, (makes_a_release, has_two_services, opens_the_right_door, talks_by_name)):
        try:
            keeps_the_order(str(answer), Random(0))  # noqa: S311 - cases, not secrets
        except NotYet:
            pass
        else:
            return str(answer)
    (main,) = kit.read(START).composition.services
    first, then = PAIR
    lines = ["services:", f"  {first}:", f"    build: ./{first}", "    depends_on:", f"      - {then}", "    ports:"]
    lines += [f'      - "{port}"' for port in main.ports]
    return "\n".join([*lines, f"  {then}:", f"    build: ./{then}", ""])


def _passes(answer: object, checks: Sequence[Callable[..., None]]) -> bool:
    try:
        for check in checks:
            check(answer)
    except NotYet:
        return False
    return True


# ------------------------------------------------------------------------- 01.2 everything arrives

VANISHING = """\
services:
  web:
    build: ./web
    container_name: web
    expose:
      - "8080"
    ports:
      - "8080"
    restart: on-failure:3
    environment:
      MODE: 010
    volumes:
      - /run/dbus:/run/dbus
"""
WANTED = {"MODE": "010"}
SITUATIONS: tuple[Any, Any] = ("it ends with 0", "it ends with another code, or is killed")


def _request(answer: str) -> dict[str, Any]:
    """What the device makes of `web`."""
    form = kit.normal_form(understood(answer))
    if "web" not in form["services"]:
        raise NotYet(
            "There is no service `web` any more",
            "The service keeps its name.",
            f"The names that are there now: {listed([f'`{name}`' for name in form['services']])}.",
            "Write `web:` below `services:`.",
        )
    body: dict[str, Any] = container(form["services"]["web"], name="web").body
    return body


def arrives_as_written(answer: str) -> None:
    """No line vanishes, and none becomes something else."""
    reading = understood(answer)
    _request(answer)
    for row in vanishing(reading):
        if row.outcome == "=":
            continue
        word = {"gone": "has no effect", "changed": "becomes something else", "refused": "refuses the release"}
        line = answer.splitlines()[row.span.line - 1].strip() if row.span.line <= len(answer.splitlines()) else ""
        raise NotYet(
            f"`{row.written}` {word[row.outcome]} ({row.rule or 'C-45'})",
            f"At release: {row.kept or 'nothing'}. On the device: {row.device or 'as kept'}.",
            f"Look at line {row.span.line}: `{line}`.",
            _instead(row.path, row.note),
        )


def _instead(path: tuple[Any, ...], note: str) -> str:
    """What to write in place of a line that does not arrive."""
    said = {
        "container_name": "Remove the line: on a network of the app the service is known by its own name.",
        "expose": "Remove `expose:` and what is below it: services on one network reach each other anyway.",
        "restart": "The device knows four words: `always`, `on-failure`, `unless-stopped`, `no`.",
        "environment": "Put the value between quotation marks: then it stays a text.",
        "volumes": "Write the label that it becomes: `io.balena.features.dbus: '1'` below `labels:`.",
        "tty": "Remove the line: the device has its own default (C-66).",
    }
    return said.get(str(path[2]) if len(path) > 2 else "", note or "Remove the line.")


def is_open_at_80(answer: str) -> None:
    """Port 80 of the device leads to port 8080 of `web`."""
    _request(answer)
    end = reachability(understood(answer)).ends["web"]
    if not open_at(end.openings, 80, 8080):
        leads = listed([f"{each} → {each.target}" for each in end.openings]) or "nowhere"
        raise NotYet(
            f"Port 80 of the device does not lead to 8080: {leads} (C-50)",
            "A port without a colon is not a free port: it opens the same port of the device.",
            f"What is published now leads: {leads}.",
            'The device’s port comes first, then the container’s: `- "80:8080"`.',
        )


def starts_again_after_errors(answer: str, random: Random) -> None:
    """`web` is started again if it ends with an error, and only then."""
    policy: Any = _request(answer)["HostConfig"]["RestartPolicy"]["Name"]
    codes = [0, *(random.randrange(1, 256) for _ in range(6))]
    if any(restarts(policy, SITUATIONS[code > 0], code) is not (code > 0) for code in codes):
        raise NotYet(
            f"The device uses `{policy}` for `web` (C-106)",
            "Four words are known: `always`, `on-failure`, `unless-stopped`, `no`.",
            "Which of the four looks at the code a process ends with?",
            "Write `restart: on-failure`, without a number.",
        )


def keeps_the_variable(answer: str) -> None:
    """`MODE` is 010 inside the container."""
    given = dict(text.partition("=")[::2] for text in _request(answer)["Env"])
    for name, value in WANTED.items():
        if given.get(name) != value:
            raise NotYet(
                f"Inside the container `{name}` is `{given.get(name, 'not there')}`, and it shall be `{value}` (C-13)",
                "A number that begins with 0 is octal in this dialect of YAML.",
                f"Look at `{name}:`. In quotation marks a value is a text.",
                f'Write `{name}: "{value}"`, or the list form `- {name}={value}`.',
            )


def has_the_bus(answer: str) -> None:
    """The device’s D-Bus is there, by the label that is meant for it."""
    binds = [bind for bind in _request(answer)["HostConfig"]["Binds"] if bind.startswith("/run/dbus:")]
    if not binds:
        raise NotYet(
            "The D-Bus of the device is not inside the container any more (C-52, C-89)",
            "A bind mount is a label in disguise here. The label has to take its place.",
            "Feature labels begin with `io.balena.features.`; a value that switches on is `1`, `true` or `on` (C-88).",
            "Below `labels:`, write `io.balena.features.dbus: '1'`.",
        )


def plain(answer: object) -> str:
    """The text with each line in the form that arrives."""
    text = answer if isinstance(answer, str) else VANISHING
    text = re.sub(r"^ *(container_name|tty):.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *expose:.*\n(?:^ +- .*\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"""^( *- )["']?(?:8080|8080:8080)["']? *$""", r'\1"80:8080"', text, flags=re.MULTILINE)
    text = re.sub(r"restart:.*", "restart: on-failure", text)
    text = re.sub(r"^( *)MODE:.*", r'\1MODE: "010"', text, flags=re.MULTILINE)
    bus = r"^( *)volumes:.*\n *- */run/dbus.*\n?"
    text = re.sub(bus, r"\1labels:\n\1  io.balena.features.dbus: '1'\n", text, flags=re.MULTILINE)
    if run(CHECKS, text)[-1].result != "passed":
        return text if answer == VANISHING else plain(VANISHING)
    return text


CHECKS = (
    makes_a_release,
    arrives_as_written,
    is_open_at_80,
    starts_again_after_errors,
    keeps_the_variable,
    has_the_bus,
)
lesson = Lesson(
    "01",
    "From image to release",
    (
        Exercise(
            number="01.1",
            title="One service becomes two",
            task="Split `main` into `frontend` and `backend`, each built from the folder of its name. Port 80 stays "
            "open and leads to `frontend`, which starts after `backend`. Nobody outside reaches `backend`.",
            checks=(makes_a_release, has_two_services, keeps_the_order, opens_the_right_door, talks_by_name),
            solve=split,
            start=START,
            praise="Two services, one open port, and an order that holds on every supervisor.",
        ),
        Exercise(
            number="01.2",
            title="Everything arrives",
            task="Six settings do not do what they say. Mend the file so that no line vanishes or changes, and `web` "
            "has what was meant: port 80 of the device leads to its 8080, it starts again after errors only, `MODE` "
            "is 010, and it can use the device’s D-Bus.",
            checks=CHECKS,
            solve=plain,
            start=VANISHING,
            praise="Read the middle and the right column of the list once more: both say the same now.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
