"""Who starts when: rounds of starts with reasons, for four generations of supervisors and for what happens later.

    release + what each process does ── course ──▶ rounds: steps, who waits and why, the state of each service

From 17.5.1 on the rounds are those of the kit's planner on the simulated engine, which follows supervisor 19.0.5.
What older supervisors took for "a dependency is satisfied" is told by S-133; `_older` is that table as a function.
They differ in one thing only: from 16.10.2 to 16.12.8 a dependency has to run right now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from kit import graphs
from kit.composition import Composition
from kit.device import State
from kit.device import steps as do
from kit.device.state import Why
from kit.diagnostics import Severity
from kit.engines import base as on
from kit.engines.base import settle
from kit.engines.simulated import Simulated
from kit.graphs import Graph, of_composition
from kit.looks import escaped, figure, glyph, picture, prose, table
from kit.planner import Release, Round
from kit.reader import Reading, read
from kit.versions import Version

from .rows import MOST, NUMBERS, with_rows

Does = Literal["runs", "ends", "fails", "crashes", "broken"]
Generation = Literal["status", "times", "running", "order"]
DOES: Final[dict[Does, tuple[str, str, int | None]]] = {
    # what the process of a service does: in words, its restart policy, the code it ends with
    "runs": ("keeps running", "", None),
    "ends": ("ends with 0, restart: no", "no", 0),
    "fails": ("ends with 1, restart: no", "no", 1),
    "crashes": ("ends with 1, restart: always", "", 1),
    "broken": ("cannot be started", "", None),
}
GENERATIONS: Final[dict[Generation, tuple[str, tuple[int, int, int], str]]] = {
    # which test of a dependency: supervisors, the first of them, what has to be true of the dependency (S-133)
    "status": ("17.5.1 and newer", (17, 5, 1), "has been started once; its status says so"),
    "times": ("16.12.9 to 17.5.0", (16, 12, 9), "has been started once; its time stamps say so"),
    "running": ("16.10.2 to 16.12.8", (16, 10, 2), "runs right now"),
    "order": ("before 16.10.2", (0, 0, 0), "comes earlier, and no more than that"),
}
INSTALL, REBOOT, RESTART, CRASH = "the release is installed", "the device reboots", "the API restarts the app", "crash "
SHOWN: Final = {
    # state of a service: its mark in the picture, and the line below its name
    "absent": ("wait", "not started"),
    "waits": ("wait", "waits"),
    "runs": ("run", "runs"),
    "ended": ("part", "has ended"),
    "crashing": ("part", "crashes, is restarted"),
    "created": ("no", "created, cannot start"),
    "never": ("no", "never starts"),
}


class Step(NamedTuple):
    """One thing that is done, or not done: a mark, who, what, and why with its rules."""

    mark: str
    service: str
    says: str


class Stage(NamedTuple):
    """One round: its title, its steps, and the state of each service after it."""

    title: str
    steps: tuple[Step, ...]
    states: Mapping[str, str]
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """All rounds. `never` are the services that never start; then the device is stuck."""

    stages: tuple[Stage, ...]
    never: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[tuple[str, ...], ...]:
        """The services in the order of their first start: those of one round stand together."""
        return tuple(stage.starts for stage in self.stages if stage.starts)


def generation(supervisor: str) -> Generation:
    """Which test of a dependency a supervisor makes (S-133).

    >>> generation("16.12.8"), generation("16.12.9"), generation("19.0.5"), generation("16.10.1")
    ('running', 'times', 'status', 'order')
    """
    version = Version.parse(supervisor).triple
    return next(name for name, (_words, first, _test) in GENERATIONS.items() if version >= first)


def course(
    release: Composition | Mapping[str, Sequence[str]], *, does: Mapping[str, Does] | None = None,
    test: Generation = "status",
) -> Course:  # fmt: skip
    """The rounds of a first installation.

    Args:
        release: A composition, or each service with what it depends on.
        does: What the process of a service does; without a word it keeps running.
        test: Which test of a dependency the supervisor makes.

    >>> course({"db": [], "web": ["db"], "log": []}).order
    (('db', 'log'), ('web',))
    >>> course({"migrate": [], "web": ["migrate"]}, does={"migrate": "ends"}, test="running").never
    ('web',)
    """
    after = dependencies(release)
    done = does or {}
    return _installed(after, done)[0] if test == "status" else _older(after, done, test)


def dependencies(release: Composition | Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Each service with what it depends on."""
    if isinstance(release, Composition):
        return {service.name: service.depends_on for service in release.services}
    return {name: tuple(after) for name, after in release.items()}


# ---------------------------------------------------------------------------------- the kit's planner


def _release(after: Mapping[str, Sequence[str]], does: Mapping[str, Does]) -> Release:
    services: dict[str, Any] = {}
    for name, needs in after.items():
        _words, policy, code = DOES[does.get(name, "runs")]
        services[name] = {"depends_on": list(needs)} | ({"restart": policy} if policy else {})
        services[name] |= {} if code is None else {"oneshot": code}
    return Release("r1", {"services": services})


def _said(why: Why) -> str:
    return f"{why.sentence} ({', '.join(why.rules)})."


def _states(state: State, names: Sequence[str]) -> dict[str, str]:
    """The state of each service, as a picture shows it."""
    found = {}
    for name in names:
        one = state.container(name)
        if one is None:
            found[name] = "absent"
        elif one.status == "Installed":
            found[name] = "created"
        elif one.status == "Running":
            found[name] = "crashing" if one.restart_at is not None else "runs"
        else:
            found[name] = "ended"
    return found


def _stage(round: Round, after: State, names: Sequence[str]) -> Stage:
    """A round of the planner as the lab shows it."""
    steps, starts, kinds = [], [], []
    failed = {trouble.about: trouble.why for trouble in round.troubles}
    for step in round:
        if isinstance(step, do.Start):
            trouble = failed.get(step.service)
            steps.append(Step("no" if trouble else "run", step.service, _said(trouble or step.why)))
            starts += [] if trouble else [step.service]
        elif isinstance(step, do.Noop) and step.service:
            steps.append(Step("wait", step.service, _said(step.why)))
        elif step.kind not in ("noop",):
            kinds.append(step.kind)
    told = {
        "fetch": "All images are downloaded; nothing starts before (S-93).",
        "takeLock": "The supervisor takes the lock of the app (S-111).",
        "kill": "All containers are stopped and deleted in one round (S-117).",
        "updateCommit": "Nothing is left to do: the release is noted as done (S-119).",
    }
    first = [Step("", "", text) for kind, text in told.items() if kind in kinds]
    states = _states(after, names)
    waiting = {step.service for step in steps if step.mark == "wait"}
    states |= {name: "waits" for name in waiting if states[name] == "absent"}
    return Stage("", (*first, *steps), states, tuple(starts))


def _installed(after: Mapping[str, Sequence[str]], does: Mapping[str, Does]) -> tuple[Course, Simulated, Release]:
    """A first installation by the kit's planner on the simulated engine, and the engine as it is then."""
    release, names = _release(after, does), [*after]
    engine = Simulated(State(broken=frozenset(name for name in names if does.get(name) == "broken")))
    stages: list[Stage] = []
    for _observed, round in settle(engine, release, limit=4 * len(names) + 12):
        if any(step.kind != "noop" for step in round) or round.troubles:
            stage = _stage(round, engine.observe(), names)
            if not stages or (stage.steps, stage.states) != (stages[-1].steps, stages[-1].states):
                stages.append(stage)
    return _finished(stages), engine, release


def _finished(stages: Sequence[Stage]) -> Course:
    """The course with its rounds numbered, and what never starts named in the last one."""
    last = stages[-1].states if stages else {}
    never = tuple(name for name, state in last.items() if state in ("absent", "waits", "created"))
    numbered = [stage._replace(title=f"Round {number}") for number, stage in enumerate(stages, 1)]
    if never:
        states = {name: "never" if state in ("absent", "waits") else state for name, state in last.items()}
        numbered[-1] = numbered[-1]._replace(states=states)
    return Course(tuple(numbered), never)


# -------------------------------------------------------------------------------- older supervisors


def _older(after: Mapping[str, Sequence[str]], does: Mapping[str, Does], test: Generation) -> Course:
    """A first installation by an older supervisor, from S-133 and what S-94 shares with it."""
    ends: dict[Does, str] = {
        "runs": "runs", "ends": "ended", "fails": "ended", "crashes": "crashing", "broken": "created",
    }  # fmt: skip
    states = dict.fromkeys(after, "absent")
    stages = [
        Stage("", (Step("", "", text),), dict(states))
        for text in (
            "All images are downloaded; nothing starts before (S-93).",
            "The supervisor takes the lock of the app (S-111).",
        )
    ]
    while True:
        steps, starts = [], []
        for name in (name for name, state in states.items() if state == "absent"):
            if why := _blocked(after[name], states, test):
                steps.append(Step("wait", name, f"`{name}` waits for {why}."))
                continue
            starts.append(name)
            broken = does.get(name) == "broken"
            said = f"the program of `{name}` cannot be started (S-134)." if broken else f"{_may(name, test)} (S-133)."
            steps.append(Step("no" if broken else "run", name, said))
        states |= {name: ends[does.get(name, "runs")] for name in starts}
        shown = {name: "waits" if state == "absent" else state for name, state in states.items()}
        started = tuple(name for name in starts if does.get(name) != "broken")
        if starts or steps:
            stages.append(Stage("", tuple(steps), shown, started))
        if not starts:
            break
    if all(state not in ("absent", "created") for state in states.values()):
        done = "Nothing is left to do: the release is noted as done (S-119)."
        stages.append(Stage("", (Step("", "", done),), dict(states)))
    return _finished(stages)


def _may(name: str, test: Generation) -> str:
    return f"all images are here, and each dependency of `{name}` {GENERATIONS[test][2]}"


def _blocked(needs: Sequence[str], states: Mapping[str, str], test: Generation) -> str:
    """Why a service may not start yet; a name that is not part of the release binds nobody (S-66)."""
    for need in needs:
        state = states.get(need, "runs")
        if state == "absent":
            return f"`{need}`, which has not been started (S-94)"
        if state == "created":
            return f"`{need}`, which was created but never started (S-134)"
        if test == "running" and state == "ended":  # one that is about to be restarted counts as running (S-131)
            return f"`{need}`, which has to run right now, and has ended (S-133)"
    return ""


# ------------------------------------------------------------------------------------ what comes later


def later(after: Mapping[str, Sequence[str]], does: Mapping[str, Does], event: str) -> Course:
    """What happens to an installed release: a crash, a reboot, a restart of the app through the API.

    >>> graph = {"db": [], "web": ["db"]}
    >>> later(graph, {}, RESTART).order
    (('db', 'web'),)
    >>> [step.service for step in later(graph, {}, "crash db").stages[0].steps]
    ['db', 'web', '']
    """
    start, engine, release = _installed(after, does)
    names = [*after]
    if start.never:
        return Course(
            (Stage("Before it", (Step("no", "", "The release never came so far."),), start.stages[-1].states),)
        )
    before = engine.observe()
    if event == RESTART:
        engine.happen(on.RestartApp())
        stages = _api_rounds(engine, names)
        return Course(tuple(stage._replace(title=f"Round {number}") for number, stage in enumerate(stages, 1)))
    if event == REBOOT:
        engine.happen(on.CleanReboot())
        first = _after_boot(before, engine.observe(), names)
    else:
        engine.happen(on.ProcessExits(service=event.removeprefix(CRASH), code=1))
        first = _after_crash(engine.observe(), event.removeprefix(CRASH), after)
    steps = [step for _observed, round in settle(engine, release) for step in round]
    none = "The supervisor has nothing to do: no step, no order, no waiting (S-132)."
    first += [Step("", "", none)] if not steps else []
    return Course((Stage("At once", tuple(first), _states(engine.observe(), names)),))


def _api_rounds(engine: Simulated, names: Sequence[str]) -> Iterator[Stage]:
    """The rounds of an API action: all are killed, then all are started in one round."""
    state = engine.observe()
    for number, round in enumerate(engine.rounds):
        nexts = [each.state for each in engine.rounds[number + 1 :]]
        if any(step.kind in ("kill", "start") for step in round):
            yield _stage(round, nexts[0] if nexts else state, names)


def _after_boot(before: State, state: State, names: Sequence[str]) -> list[Step]:
    steps = []
    for name in names:
        was, one = before.container(name), state.container(name)
        if one is None or was is None:
            continue
        if one.status == "Running":
            steps.append(Step("run", name, f"the engine starts `{name}`; it knows no `depends_on` (S-98, S-132)."))
        else:
            steps.append(Step("part", name, f"`{name}` has ended, and stays so (S-128, S-129)."))
    return steps


def _after_crash(state: State, name: str, after: Mapping[str, Sequence[str]]) -> list[Step]:
    one = state.container(name)
    again = one is not None and one.status == "Running"
    said = f"the engine starts `{name}` again (S-128)." if again else f"`{name}` has ended, and stays so (S-128)."
    steps = [Step("run" if again else "part", name, said)]
    depend = [other for other, needs in after.items() if name in needs]
    return [*steps, *(Step("run", other, f"`{other}` depends on `{name}`, and runs on (S-132).") for other in depend)]


# ------------------------------------------------------------------------------------- what is shown


class Row(NamedTuple):
    """What can be changed about one service."""

    name: str
    after: str = ""
    does: Does = "runs"


def _column(value: str = "") -> Mapping[str, str]:
    return dict.fromkeys(NUMBERS, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a learner can change. `step` counts the rounds that are shown; 0 is before the first."""

    count: int = 0
    name: Mapping[str, str] = field(default_factory=_column)
    after: Mapping[str, str] = field(default_factory=_column)
    does: Mapping[str, Any] = field(default_factory=lambda: _column("runs"))
    test: Generation = "status"
    event: str = INSTALL
    step: int = 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are there."""
        numbers = NUMBERS[: self.count]
        return tuple(Row(self.name[each].strip(), self.after[each], self.does[each]) for each in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown: HTML, and how many rounds there are. Without `course` no release is made."""

    reading: Reading
    course: Course | None
    answer: str
    situation: str
    picture: str
    steps: str
    table: str

    @property
    def status(self) -> str:
        """The sentence that is spoken."""
        return f"{self.answer} {self.situation}".replace("`", "")


def inputs_of(composition: Composition) -> Inputs:
    """A release as inputs. A service that is not restarted is one that ends."""
    rows = [
        Row(each.name, ", ".join(each.depends_on), "ends" if each.restart in ("no", "on-failure") else "runs")
        for each in composition.services[:MOST]
    ]
    return with_rows(Inputs(), rows, Row(""))


def forward(inputs: Inputs) -> Inputs:
    """One round further; after the last one it stays there."""
    return replace(inputs, step=min(inputs.step, len(_course(inputs).stages)) + 1)


def from_the_start(inputs: Inputs) -> Inputs:
    """Before the first round."""
    return replace(inputs, step=0)


def text_of(inputs: Inputs) -> str:
    """The release of the inputs as a composition, in the plainest form: JSON is YAML (C-22)."""
    services: dict[str, Any] = {}
    for row in inputs.rows:
        needs, policy = row.after.replace(",", " ").split(), DOES[row.does][1]
        services[row.name] = {"image": row.name.lower() or "image"}
        services[row.name] |= {"depends_on": needs} if needs else {}
        services[row.name] |= {"restart": policy} if policy else {}
    return json.dumps({"services": services}, ensure_ascii=False)


def events(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """What can happen, with what it is called."""
    crashes = [(f"{row.name} crashes", f"{CRASH}{row.name}") for row in inputs.rows if row.name and row.does == "runs"]
    return ((INSTALL, INSTALL), *dict.fromkeys(crashes), (REBOOT, REBOOT), (RESTART, RESTART))


def _course(inputs: Inputs) -> Course:
    after = {row.name: row.after.replace(",", " ").split() for row in inputs.rows}
    does = {row.name: row.does for row in inputs.rows}
    if inputs.event == INSTALL or inputs.event.removeprefix(CRASH) not in {*after, REBOOT, RESTART}:
        return course(after, does=does, test=inputs.test)
    return later(after, does, inputs.event)


def listed(names: Sequence[str]) -> str:
    """
    >>> listed(["a", "b", "c"])
    '`a`, `b` and `c`'
    """
    shown = [f"`{name}`" for name in names]
    return " and ".join(filter(None, (", ".join(shown[:-1]), "".join(shown[-1:]))))


def view(inputs: Inputs) -> View:
    """Everything that the lab shows for these inputs."""
    reading = read(text_of(inputs), name="the lab")
    composition = reading.composition or Composition()
    graph = of_composition(composition)
    names = [row.name for row in inputs.rows]
    wrong = [f"Two services are called `{name}`." for name in sorted({n for n in names if names.count(n) > 1})]
    wrong += ["A service has no name."] * ("" in names)
    wrong += [
        f"{each.message}. {capital(each.help)}".strip(" .") + "."
        for each in reading.findings
        if each.severity is Severity.ERROR
    ]
    if wrong or not names:
        drawn = graph.answer.startswith("Refused")
        answer = graph.answer if drawn else "Refused. No release is made."
        situation = graph.situation if drawn else wrong[0] if wrong else "Add one."
        return View(
            reading=reading, course=None, answer=answer if names else "There is no service yet.", situation=situation,
            picture=_drawn(graph) if graph.nodes else "", table=graphs.to_table(graph) if graph.nodes else "",
            steps=_listed([Step("ref", "", each) for each in wrong]),
        )  # fmt: skip
    found = _course(inputs)
    step = min(inputs.step, len(found.stages))
    return View(
        reading=reading,
        course=found,
        answer=_answer(found, step, inputs),
        situation=_situation(found, step, inputs),
        picture=_drawn(_painted(graph, found, step, inputs)),
        steps=_rounds(found, step),
        table=_table(found),
    )


def _answer(found: Course, step: int, inputs: Inputs) -> str:
    if step == 0:
        return "Nothing runs yet." if inputs.event == INSTALL else "Everything was started once, and runs or has ended."
    stage, last = found.stages[step - 1], step == len(found.stages)
    if last and found.never:
        return f"{listed(found.never)} never {'starts' if len(found.never) == 1 else 'start'}."
    if inputs.event == REBOOT:
        return "After the reboot all are started at once, in no order."
    if inputs.event.startswith(CRASH) and inputs.event != RESTART:
        return f"`{inputs.event.removeprefix(CRASH)}` crashes, and nothing else changes."
    head = f"{stage.title} of {len(found.stages)}"
    if stage.starts:
        return f"{head}: {listed(stage.starts)} {'starts' if len(stage.starts) == 1 else 'start'}."
    if last and not found.never:
        order = found.order[-1] if found.order else ()
        return f"Done: {listed(order)} {'was' if len(order) == 1 else 'were'} started last."
    return f"{head}: nothing starts."


def _situation(found: Course, step: int, inputs: Inputs) -> str:
    words, _first, test = GENERATIONS[inputs.test]
    if step and step == len(found.stages) and found.never:
        why = [one.says for one in found.stages[-1].steps if one.service in found.never and one.mark != "run"]
        return f"Supervisor {words}: {why[0]}" if why else ""
    if inputs.event == INSTALL:
        return f"Supervisor {words}: a service starts when each of its dependencies {test}."
    if inputs.event == RESTART:
        return "The API's restart of an app takes no notice of `depends_on` (S-117)."
    return "`depends_on` orders first starts only (S-132)."


def _painted(graph: Graph, found: Course, step: int, inputs: Inputs) -> Graph:
    """The graph with the states after a round."""
    none = "absent" if inputs.event == INSTALL else "runs"
    states = found.stages[step - 1].states if step else {}
    nodes = []
    for node in graph.nodes:
        mark, second = SHOWN[states.get(node.name, none)]
        nodes.append(replace(node, state=mark, second=second or node.second, icon=""))
    return replace(graph, nodes=tuple(nodes))


def _drawn(graph: Graph) -> str:
    twin = graphs.to_svg(graph, narrow=True) if graph.narrow else ""
    return picture(graphs.to_svg(graph), twin, "Start order")


def _listed(steps: Sequence[Step]) -> str:
    told = [
        (glyph(step.mark, 16) if step.mark else "<span></span>", prose(capital(step.says)))
        for step in dict.fromkeys(steps)
    ]
    items = "".join(f'<li>{mark}<div class="mc-small">{said}</div></li>' for mark, said in told)
    return f'<ul class="mc-rows">{items}</ul>' if items else ""


def capital(text: str) -> str:
    """
    >>> capital("all images are here"), capital("`web` waits")
    ('All images are here', '`web` waits')
    """
    return text[:1].upper() + text[1:]


def _rounds(found: Course, step: int) -> str:
    """The steps of the round that is shown, and how far it is."""
    if step == 0:
        count = len(found.stages)
        return f'<p class="mc-quiet">{"One round follows" if count == 1 else f"{count} rounds follow"}.</p>'
    stage = found.stages[step - 1]
    return f"<h4>{escaped(stage.title)}</h4>{_listed(stage.steps)}"


def _table(found: Course) -> str:
    """All rounds, with what starts in each, who waits and why."""
    rows: list[tuple[str, ...]] = []
    for stage in found.stages:
        told = "".join(f"<div>{prose(capital(step.says))}</div>" for step in stage.steps)
        rows.append((escaped(stage.title), escaped(", ".join(stage.starts)) or "–", told))
    return table(("Round", "Starts", "Steps, and why"), rows)


def still(shown: View) -> str:
    """The lab as a page on which nothing runs."""
    return figure(shown.answer, shown.situation, shown.picture + shown.steps, table=shown.table, name="start order")
