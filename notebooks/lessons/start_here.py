"""Notebook 00: change a device until everything runs, and mend one line of a composition."""

from __future__ import annotations

import re
from difflib import ndiff
from random import Random

import kit
from kit.contracts import OPTIONAL, PREFIX, flips
from kit.diagnostics import Severity
from kit.exercises import Exercise, NotYet
from kit.looks import figure, legend
from labs.decision_controls import Answer
from labs.decisions import Page
from labs.order_model import GENERATIONS, course, dependencies

from . import Lesson, example, listed, understood

# ---------------------------------------------------------------- 00.1 a device on which everything runs

DEVICE = kit.Device.preset("raspberrypi4-64", "6.4.0")
GIVEN = Answer(example("optional").composition, DEVICE)


def labels_of(composition: kit.Composition) -> list[str]:
    """The labels that decide, as lines."""
    return sorted(
        f"{service.name}: {key.removeprefix(PREFIX)} {value}"
        for service in composition.services
        for key, value in service.labels
        if key.startswith(PREFIX) or key == OPTIONAL
    )


def as_lines(answer: object) -> str:
    """A lab's answer as text: the labels, then the device."""
    if not isinstance(answer, Answer):
        return str(answer)
    device = answer.device
    fields = ("device_type", "arch", "os", "supervisor", "kernel", "l4t")
    facts = [f"{field.replace('_', ' ')}: {value}" for field in fields if (value := getattr(device, field))]
    names = [f"service {service.name}" for service in answer.composition.services]
    return "\n".join([*names, *labels_of(answer.composition), *facts])


def is_a_lab(answer: object) -> None:
    """The answer is the lab."""
    if not isinstance(answer, Answer):
        raise NotYet(
            f"This is a `{type(answer).__name__}`, and the exercise wants the lab",
            "The lab has a name: the cell above says which.",
            "Write the name of the lab, without quotation marks.",
            'It reads `check("00.1", lab)`.',
        )


def keeps_the_labels(answer: Answer) -> None:
    """The services and their labels are as they were."""
    names, given = ([service.name for service in each.services] for each in (answer.composition, GIVEN.composition))
    if gone := [name for name in given if name not in names]:
        raise NotYet(
            f"`{gone[0]}` is gone, so not every service runs. Change the device instead",
            "The right half of the lab is what the services ask for. Leave it as it was.",
            f"The release has {listed([f'`{name}`' for name in given])}.",
            "Run the cell of the lab again: it begins anew.",
        )
    if changed := [line for line in labels_of(GIVEN.composition) if line not in labels_of(answer.composition)]:
        raise NotYet(
            f"A label was changed or is gone: `{changed[0]}`. Change the device instead",
            "The right half of the lab is what the services ask for. Leave it as it was.",
            f"Bring back `{changed[0]}`.",
            "Run the cell of the lab again: it begins anew.",
        )
    if more := [line for line in labels_of(answer.composition) if line not in labels_of(GIVEN.composition)]:
        raise NotYet(
            f"There is a label that was not there: `{more[0]}`",
            "The right half of the lab is what the services ask for. Leave it as it was.",
            "The button × at the end of a row removes it.",
            "Run the cell of the lab again: it begins anew.",
        )


def runs_everything(answer: Answer) -> None:
    """Every service runs on this device."""
    decision = kit.decide(answer.composition, answer.device.facts)
    if decision.outcome == "deployed":
        return
    clause = next(clause for service in decision.services for clause in service.clauses if not clause.met)
    facts = [flip for flip in flips(answer.composition, answer.device.facts, wanted="deployed") if flip.kind == "fact"]
    raise NotYet(
        f"{decision.answer} {decision.situation}",
        "One service has a dashed ring. Its row says what it wants.",
        f"It is about the {clause.type.partition('.')[2].replace('-', ' ')}: the device has `{clause.fact}`.",
        f"To get there, {facts[0].sentence}." if facts else clause.why,
    )


def a_device_that_runs_everything(answer: object) -> Answer:
    """The given release, and the device that the kit suggests."""
    device = answer.device if isinstance(answer, Answer) else DEVICE
    for flip in flips(GIVEN.composition, device.facts, wanted="deployed"):
        if flip.kind == "fact":
            changes = {
                field: getattr(flip.facts, field).shown
                for field in ("device_type", "arch", "os", "supervisor")
                if getattr(flip.facts, field) != getattr(device.facts, field)
            }
            return Answer(GIVEN.composition, device.changed(**changes))
    return Answer(GIVEN.composition, device)


# ---------------------------------------------------------------------------- 00.2 one line to mend

START = """\
services:
  frontend:
    build: ./frontend
  proxy:
    build: ./haproxy
    depends_on:
      - frontend
      - dta
    ports:
      - "80:80"
  data:
    build: ./data
"""
BUILT = set(re.findall(r"^  (\w+):$", START, re.MULTILINE))


def can_be_read(answer: object) -> None:
    """balena can make a release of it."""
    understood(answer)


def keeps_every_service(answer: str) -> None:
    """All three services are there."""
    names = {service.name for service in understood(answer).composition.services}
    if gone := sorted(BUILT - names):
        raise NotYet(
            f"{listed([f'`{name}`' for name in gone])} {'is' if len(gone) == 1 else 'are'} gone",
            "A service that is taken out cannot be named wrongly, but then it does not run either.",
            "The text has three services at the second level.",
            f"Bring back the lines that begin with `{gone[0]}:`.",
        )


def keeps_the_order(answer: str) -> None:
    """`proxy` waits for two services."""
    proxy = understood(answer).composition.service("proxy")
    if len(set(proxy.depends_on)) < len(kit.read(START).composition.service("proxy").depends_on):
        waits = listed([f"`{name}`" for name in proxy.depends_on]) or "nothing"
        raise NotYet(
            f"`proxy` waits for {waits} only",
            "Without the line nothing is wrong any more, and nothing is right: the order is lost.",
            "Look at what stands under `depends_on:`.",
            "It needs two lines, one for each of the other services.",
        )


def starts_last(answer: str, random: Random) -> None:
    """`proxy` starts after both others, on every supervisor, also if one of them has to wait itself."""
    after = dependencies(understood(answer).composition)
    for _case in range(12):
        late, test = random.choice(("frontend", "data")), random.choice([*GENERATIONS])
        order = course({**after, "disk": (), late: (*after[late], "disk")}, does={}, test=test).order
        if order[-1] != ("proxy",):
            told = ", then ".join(" with ".join(f"`{name}`" for name in names) for names in order)
            raise NotYet(
                f"`proxy` does not start last if `{late}` waits for a `disk`: the rounds are {told}",
                "Two services have to be started before it, and each of them may be late.",
                "Look at what stands under `depends_on:` of `proxy`.",
                "It needs two lines, `- frontend` and `- data`.",
            )


def changes_one_line(answer: str) -> None:
    """Nothing else was changed."""
    lines = [*ndiff(START.strip().splitlines(), answer.strip().splitlines())]
    sides = [[line for line in lines if line[0] == sign] for sign in "+-"]
    changed = max(sides, key=len)
    if len(changed) > 1:
        raise NotYet(
            f"It works, but {len(changed)} lines differ from the given text, and one is enough",
            "Only one name was wrong.",
            f"One of the changed lines is `{changed[0][2:].strip()}`.",
            'Begin again with the given text: `solution("00.2")` shows the difference.',
        )


def mended(answer: object) -> str:
    """The text with each wrong name replaced by the one that is meant."""
    text = answer if isinstance(answer, str) else START
    for _attempt in range(3):
        reading = kit.read(text)
        for found in (found for found in reading.findings if found.severity is Severity.ERROR):
            if meant := re.search(r"did you mean `([^`]+)`", found.help):
                lines = text.splitlines()
                line, at = lines[found.span.line - 1], found.span.column - 1
                lines[found.span.line - 1] = line[:at] + meant[1] + line[at + found.span.width :]
                text = "\n".join(lines) + "\n"
                break
        else:
            break
    passes = [can_be_read, keeps_every_service, keeps_the_order, changes_one_line]
    try:
        for check in passes:
            check(text)
    except NotYet:
        return text if answer == START else mended(START)
    return text


# -------------------------------------------------------------------------------------- the legend


def marks() -> Page:
    """The whole legend."""
    answer = (
        "Round runs. Square stops. A dashed ring is left out. Six corners could not be read. A diamond nobody knows."
    )
    return Page(answer, figure(answer, foot=legend(["run", "old", "part", "out", "no", "ref", "ask"])))


lesson = Lesson(
    "00",
    "Start here",
    (
        Exercise(
            number="00.1",
            title="Let every service run",
            task='Change the device in the lab, and leave the labels alone. Then run `check("00.1", lab)`.',
            checks=(is_a_lab, keeps_the_labels, runs_everything),
            solve=a_device_that_runs_everything,
            start=GIVEN,
            show=as_lines,
            praise="You changed a decision: the dashed ring became a round mark.",
        ),
        Exercise(
            number="00.2",
            title="One line is wrong",
            task="Mend the one line with the typing mistake. Then run the cell.",
            checks=(can_be_read, keeps_every_service, keeps_the_order, starts_last, changes_one_line),
            solve=mended,
            start=START,
            praise="A release can be made of it, and the order of starts is kept.",
        ),
    ),
)
check, hint, solution = lesson.check, lesson.hint, lesson.solution
