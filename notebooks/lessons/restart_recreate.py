"""Notebook 03: what makes a container anew, and a composition whose data survives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

import kit
from course.lesson import plain
from kit import looks
from kit.container import container
from kit.device import data_folder
from kit.device.state import POLICIES, restarts
from kit.device.steps import RemoveVolume
from kit.engines import base as on
from kit.engines.simulated import Simulated, settle
from kit.exercises import Exercise, NotYet, run
from kit.planner import Release, what_changed
from kit.reader import Reading
from labs import restart_model
from labs.decisions import Page

from . import Lesson, listed, predict, understood

Form = dict[str, Any]

# ------------------------------------------------------------------------------------- before you see

GUESSES = ("once", "four times", "again and again")


def guessed(guess: str) -> Page:
    """A guess beside a minute of a script that ends with 0 under `on-failure:3`, and why."""
    inputs = restart_model.Inputs(written="on-failure:3", code=0, lasts=3, mended=0, happening="nothing")
    lives = restart_model.lived(inputs)
    runs = len(lives[restart_model.YOURS].runs)
    outcome = GUESSES[0] if runs == 1 else GUESSES[1] if runs == 4 else GUESSES[2]
    card = predict(guess, outcome, f"In this minute it starts {runs} times.")
    if card.result == "untouched":
        return Page(str(card), card.html)
    svg = restart_model.to_svg(inputs, lives, width=restart_model.LAB)
    rows = restart_model.to_table(restart_model.shown(inputs, lives))
    situation = restart_model.situation(inputs, lives)
    html = looks.figure(
        "A script that ends is started again.", situation, looks.picture(svg, name="A minute"), table=rows
    )
    return Page(f"{card}\n\n{situation.replace('`', '')}", card.html + html)


resin_data = data_folder() / "compositions" / "resin-data.yml"
"""A release with a volume, for the engine lab."""

# ------------------------------------------------------------------------ 03.1 what a change does

SHOWN: Form = {
    "services": {
        "shop": {
            "image": "shop:1", "environment": {"MODE": "day"}, "labels": {"team": "north"},
            "ports": ["80:80"], "volumes": ["goods:/goods"],
        },
        "till": {"image": "till:1"},
    },
    "volumes": {"goods": {}},
}  # fmt: skip
OUTCOMES = ("runs on", "made anew", "empty", "deleted")
"""What becomes of `shop`: untouched; a new container with its data; with an empty volume; and the data is deleted."""


class Kind(NamedTuple):
    """One kind of change: what it says in the text, and how it is made in a release."""

    words: str
    make: Callable[[Form, str, Random], None]


def _environment(form: Form, name: str, random: Random) -> None:
    form["services"][name].setdefault("environment", {})["MODE"] = f"night {random.randrange(1000)}"


def _label(form: Form, name: str, random: Random) -> None:
    form["services"][name].setdefault("labels", {})["team"] = f"south {random.randrange(1000)}"


def _depends_on(form: Form, name: str, random: Random) -> None:
    form["services"][name]["depends_on"] = [random.choice([other for other in form["services"] if other != name])]


def _neighbour(form: Form, name: str, random: Random) -> None:
    other = random.choice([other for other in form["services"] if other != name])
    form["services"][other]["image"] = f"{other}:{random.randrange(100, 1000)}"


def _volume_name(form: Form, name: str, random: Random) -> None:
    old, _, rest = form["services"][name]["volumes"][0].partition(":")
    new = f"{old}{random.randrange(2, 99)}"
    form["services"][name]["volumes"][0] = f"{new}:{rest}"
    form["volumes"] = {new if key == old else key: body for key, body in form["volumes"].items()}


def _volume_label(form: Form, name: str, random: Random) -> None:
    volume = form["services"][name]["volumes"][0].partition(":")[0]
    form["volumes"][volume] = {"labels": {"backup": f"plan {random.randrange(1000)}"}}


KINDS = {
    "environment": Kind("a variable of `shop` gets another value", _environment),
    "label": Kind("a label of `shop` gets another value", _label),
    "depends_on": Kind("`shop` gets `depends_on: [till]`", _depends_on),
    "neighbour": Kind("`till` gets another image, and `shop` depends on it already", _neighbour),
    "volume name": Kind("`goods` is called `stock`, at the top and in `shop`", _volume_name),
    "volume label": Kind("the volume `goods` gets a label at the top", _volume_label),
}
START: dict[str, str] = dict.fromkeys(KINDS, "")


def why(before: Form, after: Form, name: str) -> str:
    """The planner's reason for what becomes of a service."""
    changes = what_changed(Release("r1", before), Release("r2", after))
    return next(str(change.why) for change in changes if change.service == name)


def seen(before: Form, after: Form, name: str) -> str:
    """Update a simulated device from one form to the other, with a line in the service's volume; what became of it."""
    old, new = Release("r1", before), Release("r2", after)
    engine = Simulated()
    deployed(engine, old)
    volume = old.services[[each.name for each in old.services].index(name)].volumes[0]
    engine.happen(on.Writes(service=name, text="a line", volume=volume))
    was = engine.observe().container(name)
    deployed(engine, new)
    now = engine.observe()
    found = {each.name: each.data for each in now.volumes}
    here = now.container(name)
    if was and here and was.id == here.id:
        return "runs on"
    if here and any("a line" in found.get(each, ()) for each in here.wanted.volumes):
        return "made anew"
    return "empty" if any("a line" in data for data in found.values()) else "deleted"


def deployed(engine: Simulated, release: Release) -> None:
    """Offer a release and let the device settle."""
    engine.happen(on.OfferArrives(releases=(release,)))
    for _ in settle(engine, engine.target):
        pass


def changed(form: Form, kind: str, name: str, random: Random) -> tuple[Form, Form]:
    """A release and the one after it, which differ in one thing."""
    before = deepcopy(form)
    if kind == "neighbour":
        before["services"][name]["depends_on"] = [other for other in before["services"] if other != name]
    after = deepcopy(before)
    KINDS[kind].make(after, name, random)
    return before, after


def generated(random: Random) -> tuple[Form, str]:
    """A release of two to four services, and the one that is looked at."""
    names = random.sample(["api", "web", "cache", "worker", "sensor", "proxy"], random.randrange(2, 5))
    services: Form = {}
    for name in names:
        services[name] = {"image": f"{name}:{random.randrange(1, 9)}"}
        if random.random() < 0.5:
            services[name]["environment"] = {"MODE": "a", "PLACE": random.choice(["north", "south"])}
        if random.random() < 0.5:
            services[name]["restart"] = random.choice(POLICIES)
    name = random.choice(names)
    volume = random.choice(["data", "store", "lines"])
    services[name]["volumes"] = [f"{volume}:/{volume}"]
    return {"services": services, "volumes": {volume: {}}}, name


def says(kind: str) -> Callable[[object, Random], None]:
    """The check of one kind of change."""

    def check(answer: object, random: Random) -> None:
        said = answer.get(kind) if isinstance(answer, Mapping) else None
        word = plain(said)
        if word not in OUTCOMES:
            words = listed([f"`{word}`" for word in OUTCOMES]).replace(" and ", " or ")
            given = f"`{said}`" if word else "nothing"
            raise NotYet(
                f"For `{kind}` there is {given}, and it should be {words}",
                f"The change is: {KINDS[kind].words}.",
                "Ask two things: is the container another one, and does it find the line that was written?",
                f"Rules S-87 to S-90 and S-115 say it; here the reason is: {why(*shown(kind))}.",
            )
        cases = [(*changed(SHOWN, kind, "shop", random), "shop")]
        for _ in range(3):
            form, name = generated(random)
            cases.append((*changed(form, kind, name, random), name))
        for number, case in enumerate(cases):
            if (found := seen(*case)) != word:
                where = f" on generated release {number}" if number else ""
                raise wrong(kind, word, found, why(*case), where)

    check.__doc__ = f"What becomes of the service: {KINDS[kind].words}."
    return check


NUDGES = {
    # what was said, what is: whether the container or the data was misjudged
    "runs on": "Something that the device compares has changed: the container cannot stay.",
    "made anew": "It is not about the container alone: look at the name and at the configuration of the volume.",
    "empty": "Is the container another one at all? And is the old volume still there?",
    "deleted": "Data is deleted only where a volume is deleted. Is one here?",
}
LOOK = {
    "runs on": "The device does not compare this with what runs: S-88 and S-121 name what it leaves out.",
    "made anew": "The text of the service changed, and its volume did not (S-87, S-115).",
    "empty": "Another name is another volume, and no release deletes the old one (S-115).",
    "deleted": "A volume whose configuration changed is removed and made again (S-115).",
}


def wrong(kind: str, said: str, found: str, reason: str, where: str) -> NotYet:
    """A prediction that does not come true."""
    return NotYet(
        f"{KINDS[kind].words[:1].upper()}{KINDS[kind].words[1:]}: you say `{said}`, and it is something else{where}",
        NUDGES[said] if said != "made anew" or found != "runs on" else "Not everything in a text is compared.",
        LOOK[found],
        f"The planner says: {reason}.",
    )


def shown(kind: str) -> tuple[Form, Form, str]:
    """The release of the notebook before and after the change, and the service that is looked at."""
    return (*changed(SHOWN, kind, "shop", Random(0)), "shop")  # noqa: S311 - cases, not secrets


def predicted(answer: object) -> dict[str, str]:
    """The predictions of the answer that come true, and what happens for the rest."""
    given = answer if isinstance(answer, Mapping) else {}
    found = {}
    for kind in KINDS:
        try:
            says(kind)(given, Random(0))  # noqa: S311 - cases, not secrets
            found[kind] = str(given[kind])
        except NotYet:
            found[kind] = seen(*shown(kind))
    return found


def as_lines(answer: object) -> str:
    """Predictions as text, one line for each."""
    if not isinstance(answer, Mapping):
        return str(answer)
    return "\n".join(f"{key}: {value}" for key, value in answer.items())


# ----------------------------------------------------------------------- 03.2 data that survives

TODAY = """\
services:
  counter:
    image: counter:1
    volumes:
      - count:/data
volumes:
  count:
"""
"""What runs on the device now."""
MENDABLE = """\
services:
  counter:
    image: counter:2
    restart: on-failure:3
    volumes:
      - counts:/data
volumes:
  counts:
    labels:
      backup: nightly
"""
FOLDER, NEXT_IMAGE = "/data", "counter:2"


def makes_a_release(answer: object) -> None:
    """balena makes a release of it, and `counter` is in it."""
    composition = understood(answer).composition
    if composition.service("counter") is None:
        raise NotYet(
            "`counter` is gone",
            "Keep the service, and change what stands below it.",
            f"There is {listed([f'`{service.name}`' for service in composition.services])}.",
            "The line below `services:` reads `counter:`, two blanks in front of it.",
        )
    if (image := composition.service("counter").image) != NEXT_IMAGE:
        raise NotYet(
            f"`counter` has the image `{image or 'nothing'}`, and the release brings `{NEXT_IMAGE}`",
            "The next release is a new program; its data is what stays.",
            "Look at `image:` below `counter:`.",
            f"It reads `image: {NEXT_IMAGE}`.",
        )


@lru_cache(maxsize=8)
def read_once(answer: str) -> Reading:
    """The answer as a composition; every check looks at it."""
    return understood(answer)


def formed(answer: str) -> Form:
    """The normal form of the answer."""
    return dict(read_once(answer).normal or {})


def policy_of(answer: str) -> str:
    """The restart policy that the device takes."""
    return next(each.policy for each in Release("r2", formed(answer)).services if each.name == "counter")


def starts_again(answer: str, random: Random) -> None:
    """It is started again after every end of its process, and after a boot."""
    policy: Any = policy_of(answer)
    code = random.randrange(1, 256)
    for words, situation, how in (
        ("ends with 0", "it ends with 0", 0),
        (f"ends with {code}", "it ends with another code, or is killed", code),
        ("ended with 0 for a clean reboot", "boot after a clean shutdown, it was running", 0),
        ("was running in a power cut", "boot after a power cut, it was running", 255),
    ):
        if not restarts(policy, situation, how):
            raise NotYet(
                f"With `{policy}` it stays down when it {words} (S-128)",
                "The table in the restart lab has a row for this.",
                f"Look at the row “{situation}”: which policies start again?",
                "Two policies start it again in every one of these rows; only one of them keeps a stop on purpose.",
            )


def stays_stopped(answer: str) -> None:
    """Once it is stopped on purpose, a reboot does not start it."""
    policy: Any = policy_of(answer)
    if restarts(policy, "boot, it had been stopped on purpose", 143):
        written = str(read_once(answer).composition.service("counter").restart or "")
        read = f"`{written}` is read as `{policy}` (S-125). " if written and written != policy else ""
        read = read or ("Nothing is written, so it is `always` (S-126). " if not written else "")
        raise NotYet(
            f"{read}With `{policy}` a boot starts it even if somebody stopped it on purpose (S-128)",
            "One policy is like `always`, but remembers that somebody stopped it.",
            "Look at the last row of the table in the restart lab.",
            "Its name has two words with a hyphen between, and says it: unless …",
        )


def volume_of(answer: str) -> tuple[str, bool]:
    """The volume at the counter's folder, and whether it can be written; an empty name if there is none."""
    service = read_once(answer).composition.service("counter")
    for each in service.volumes:
        if each.target.rstrip("/") == FOLDER:
            return each.volume, not each.read_only
    return "", False


def has_a_volume(answer: str) -> None:
    """There is a volume to write to at `/data`."""
    name, writes = volume_of(answer)
    if not name:
        raise NotYet(
            f"There is no volume at `{FOLDER}`: the counter writes into its container's own layer",
            "What is in the layer dies with the container.",
            f"Look under `volumes:` of `counter`: one line ends with `:{FOLDER}`.",
            "A line there reads `name:/folder`, and the name stands at the top level too.",
        )
    if not writes:
        raise NotYet(
            f"`{name}` is mounted read-only, and the counter writes",
            "Two letters at the end of a mount say so.",
            f"Look at the line with `{name}:{FOLDER}`.",
            "Leave `:ro` away.",
        )


class Counter:
    """A device with the counter on it: each start and each deed writes a line into what is at its folder."""

    def __init__(self) -> None:
        self.engine, self.written, self.deleted = Simulated(), 0, set[str]()
        self.deploy("r1", dict(kit.read(TODAY).normal or {}), "count")

    def deploy(self, commit: str, form: Form, volume: str) -> None:
        self.engine.happen(on.OfferArrives(releases=(Release(commit, form),)))
        for _, round in settle(self.engine, self.engine.target):
            self.deleted |= {step.thing.name for step in round if isinstance(step, RemoveVolume)}
        self.volume = volume

    def write(self) -> None:
        self.written += 1
        self.engine.happen(on.Writes(service="counter", text=f"line {self.written}", volume=self.volume))

    @property
    def lines(self) -> int:
        """How many lines the counter finds."""
        return next((len(each.data) for each in self.engine.observe().volumes if each.name == self.volume), 0)


DEEDS: dict[str, Callable[[Counter, Form, int], None]] = {
    "a crash": lambda device, _form, _number: (
        device.engine.happen(on.ProcessExits(service="counter", code=1)) or device.engine.happen(on.TimePasses(ms=999))
    ),
    "a reboot": lambda device, _form, _number: device.engine.happen(on.CleanReboot()),
    "a restart through the API": lambda device, _form, _number: device.engine.happen(on.ApiRestart(service="counter")),
    "a release with another image": lambda device, form, number: device.deploy(
        f"r{number + 10}", reimaged(form, f"counter:{number + 10}"), device.volume
    ),
}


def reimaged(form: Form, image: str) -> Form:
    """The same release with another image of the counter."""
    counter = {key: value for key, value in form["services"]["counter"].items() if key != "build"}
    return {**form, "services": {**form["services"], "counter": {**counter, "image": image}}}


def finds_its_lines(answer: str, random: Random) -> None:
    """The lines that are on the device today are found by the new release."""
    device = Counter()
    for _ in range(random.randrange(3, 9)):
        device.write()
    name, _ = volume_of(answer)
    device.deploy("r2", formed(answer), name)
    if device.lines < device.written:
        raise lost(device, f"{device.written} lines lie on the device today, and the new release finds {device.lines}")


def keeps_its_lines(answer: str, random: Random) -> None:
    """Crashes, reboots, API restarts and further releases lose no line."""
    device, form, (name, _) = Counter(), formed(answer), volume_of(answer)
    device.deploy("r2", form, name)
    for number in range(8):
        device.write()
        words = random.choice(list(DEEDS))
        DEEDS[words](device, form, number)
        if device.lines < device.written:
            raise lost(device, f"After {words} {device.lines} of {device.written} lines are left")


def lost(device: Counter, said: str) -> NotYet:
    """Lines that are gone: because the volume was deleted, or because another one is looked at."""
    if device.volume in device.deleted:
        return NotYet(
            f"{said}: `{device.volume}` was deleted and made anew, empty (S-115)",
            "The name is right. Something else about the volume changed.",
            "Compare the top-level `volumes:` with that of the release that runs today.",
            "A label on a volume is part of its configuration: take it away, or put it on the service.",
        )
    return NotYet(
        f"{said}: they lie in `1_count`, and `{device.volume}` is another volume (S-115)",
        "A volume is found by its name, and by nothing else.",
        f"Today the data lies in `count`; the new release looks into `{device.volume}`.",
        "Write the old name, at the top level and in the service.",
    )


def leaves_core_dumps(answer: str) -> None:
    """When it crashes, it leaves a core dump."""
    body = formed(answer)["services"]["counter"]
    host: Any = container(body, name="counter").body["HostConfig"]
    found = next((each for each in host.get("Ulimits") or () if each.get("Name") == "core"), None)
    if not found or found.get("Soft") != -1 or found.get("Hard") != -1:
        limit = "no limit for `core`" if not found else f"`core: {found.get('Soft', 'nothing')}`"
        raise NotYet(
            f"The engine gets {limit}: a crash leaves no core dump since balenaOS 2.113.31",
            "A limit of the process decides how large a core dump may become.",
            "The field is called `ulimits`, and stands in the service.",
            "Two lines: `ulimits:`, and below it `core: -1`, which means without limit (C-60).",
        )


CHECKS = (
    makes_a_release, starts_again, stays_stopped, has_a_volume, finds_its_lines, keeps_its_lines, leaves_core_dumps,
)  # fmt: skip


def passes(text: str) -> bool:
    """Whether a text passes every check."""
    return run(CHECKS, text)[-1].result == "passed"


def surviving(answer: object) -> str:
    """The given text with as few changes as it takes; if the answer cannot be mended, the text of the notebook."""
    text = answer if isinstance(answer, str) else MENDABLE
    for pattern, into in (
        (r"(?m)^(\s*)restart:.*$", r"\1restart: unless-stopped"),
        (r"\bcounts\b", "count"),
        (r"(?m)^    labels:\n      backup:.*\n", ""),
        (r"(?m)^(\s*)(volumes:\n\s+- count:)", r"\1ulimits:\n\1  core: -1\n\1\2"),
    ):
        if passes(text):
            return text
        text = re.sub(pattern, into, text, count=0 if "counts" in pattern else 1)
    return text if answer == MENDABLE or passes(text) else surviving(MENDABLE)


lesson = Lesson(
    "03",
    "Restart is not recreate",
    (
        Exercise(
            number="03.1",
            title="Six changes",
            task="Write for each change what becomes of `shop`: `runs on`, `made anew`, `empty` or `deleted`.",
            checks=tuple(map(says, KINDS)),
            solve=predicted,
            start=START,
            show=as_lines,
            praise="Each was tried on the release above and on three generated ones.",
        ),
        Exercise(
            number="03.2",
            title="Data that survives",
            task="Mend the release so that the counter comes back, keeps its lines, and leaves core dumps.",
            checks=CHECKS,
            solve=surviving,
            start=MENDABLE,
            praise="Its lines survived crashes, reboots, API restarts and releases.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
