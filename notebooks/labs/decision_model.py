"""What the decision lab thinks, without a widget: inputs go in, texts come out.

`Inputs` is all that a learner can change: a device, rows of requirement labels, and the services that are
optional. `View` is all that the lab shows. Equal inputs give equal bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kit.composition import Composition, Service
from kit.contracts import LABELS, OPTIONAL, PREFIX, Decision, Facts, Flip, decide, flips, is_optional, label_findings
from kit.device import Device, device_types, os_releases
from kit.diagnostics import Diagnostic, Severity
from kit.graphs import Graph, of_composition, to_svg, to_table
from kit.looks import escaped, figure, glyph, picture, prose

from . import decisions

FACTS: Final = {
    # field of a device: what it is called
    "device_type": "device type",
    "arch": "architecture",
    "os": "balenaOS",
    "supervisor": "supervisor",
    "kernel": "Linux kernel",
    "l4t": "L4T",
}
REFUSED: Final = "Refused. No release is made."
ABSENT: Final = "the device does not say"
SUFFIXES: Final = tuple(label.suffix for label in LABELS)
_KEYS: Final = {label.key for label in LABELS}
_MARKS: Final = {Severity.ERROR: "ref", Severity.REFUSED: "ref", Severity.IGNORED: "out"}


class Row(NamedTuple):
    """One requirement label of one service: `sw.linux` and its value."""

    service: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What can be changed. A field of the device that is None or empty is a fact that it does not have."""

    device: Device
    rows: tuple[Row, ...] = ()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown: HTML, the sentence that is spoken, and the number of the row that decides.

    Without a decision the release is not built; `graph` and `verdicts` say why.
    """

    decision: Decision | None
    answer: str
    verdicts: str
    graph: str
    table: str
    status: str
    flip: Flip | None = None
    flip_html: str = ""
    marked: int | None = None


def inputs_of(composition: Composition, device: Device) -> Inputs:
    """A release and a device as inputs."""
    rows = [
        Row(service.name, key.removeprefix(PREFIX), value)
        for service in composition.services
        for key, value in service.labels
        if key in _KEYS
    ]
    optional = frozenset(service.name for service in composition.services if is_optional(service))
    return Inputs(device=device, rows=tuple(rows), optional=optional)


def composition_of(base: Composition, inputs: Inputs) -> Composition:
    """The release with the labels of the inputs in place of its own."""
    return replace(base, services=tuple(_labelled(service, inputs) for service in base.services))


def _labelled(service: Service, inputs: Inputs) -> Service:
    was, chosen = is_optional(service), service.name in inputs.optional
    gone = _KEYS | ({OPTIONAL} if was is not chosen else set())
    wanted = {PREFIX + row.label: row.value for row in inputs.rows if row.service == service.name}
    wanted |= {OPTIONAL: "1"} if chosen and not was else {}
    labels = {key: wanted.get(key, value) for key, value in service.labels if key in wanted or key not in gone}
    return replace(service, labels=tuple((labels | wanted).items()))


def presets() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Device types by slug, and balenaOS releases: the newest of each line, newest first."""
    newest: dict[tuple[str, ...], str] = {}
    for release in os_releases():
        newest.setdefault(tuple(release.version.split(".")[:2]), release.version)
    return tuple(sorted(each.slug for each in device_types())), tuple(newest.values())


def applied(inputs: Inputs, flip: Flip) -> Inputs:
    """The inputs after a flip."""
    if flip.kind == "label":
        return inputs_of(flip.composition, inputs.device)
    before, after = _texts(inputs.device.facts), _texts(flip.facts)
    changes = {field: after[field] for field in FACTS if after[field] != before[field]}
    if "kernel" in changes:  # the L4T may have stood in the old text
        changes["l4t"] = after["l4t"]
    return replace(inputs, device=inputs.device.changed(**changes))


def _texts(facts: Facts) -> dict[str, str | None]:
    return {field: fact.shown if (fact := getattr(facts, field)) else None for field in FACTS}


def hint(device: Device) -> str:
    """What the empty L4T field says: the L4T may stand in the kernel's text (S-8)."""
    fact = device.facts.l4t
    return f"{fact.version}, read from the kernel" if fact and not device.l4t else ABSENT


def view(base: Composition, inputs: Inputs) -> View:
    """Everything that the lab shows for these inputs."""
    composition, facts = composition_of(base, inputs), inputs.device.facts
    findings = [found for service in composition.services for found in label_findings(service)]
    error = next((found for found in findings if found.severity is Severity.ERROR), None)
    decision = None if error else decide(composition, facts)
    answer, situation = (decision.answer, decision.situation) if decision else (REFUSED, "")
    found = flips(composition, facts) if decision else ()
    blamed = None
    if error:  # a label that no release is made with: nothing is decided, and the old release goes on
        situation, blamed = f"{error.message}.", (str(error.path[1]), str(error.path[-1]))
    elif decision and (marked := decisions.deciding(decision)) and marked[1]:
        blamed = marked[0], marked[1].label
    written = ((row.service, PREFIX + row.label) for row in inputs.rows)
    verdicts, graph = decisions.verdicts(decision) if decision else "", of_composition(composition, decision)
    return View(
        decision=decision,
        answer=f'<h3>{prose(answer)}</h3><p class="mc-sub">{prose(situation)}</p>',
        verdicts=f"<h4>Verdict per service</h4>{verdicts}{_noticed(findings, inputs)}",
        graph=_drawn(graph),
        table=to_table(graph),
        status=f"{answer} {situation}".replace("`", ""),
        flip=next(iter(found), None),
        flip_html=_suggested(found),
        marked=max((number for number, place in enumerate(written) if place == blamed), default=None),
    )


def still(shown: View) -> str:
    """The lab as a page on which nothing runs."""
    decision = shown.decision
    answer, situation = (decision.answer, decision.situation) if decision else (shown.status, "")
    columns = f'<div class="mc-cols"><div>{shown.verdicts}{shown.flip_html}</div><div>{shown.graph}</div></div>'
    return figure(answer, situation, columns, table=shown.table, name="decision")


def unread(findings: Iterable[Diagnostic]) -> str:
    """What is said in place of a lab when there is no composition to decide on."""
    lines = "".join(
        f"<li>{glyph('ref', 16)}<div>{prose(f'{found.message}. {found.help}'.strip())} "
        f"<code>{escaped(found.span)}</code></div></li>"
        for found in findings
        if found.severity is Severity.ERROR
    )
    return figure(REFUSED, "The composition cannot be read.", f'<ul class="mc-rows">{lines}</ul>')


def too_many(composition: Composition, most: int) -> tuple[str, str]:
    """What is said about a release that is too large for a lab, as text and as HTML."""
    answer = f"{len(composition.services)} services are too many for a lab."
    where = f"A lab has room for {most}. The command `kit decide` takes any number."
    return f"{answer} {where.replace('`', '')}", figure(answer, where)


def _suggested(found: Sequence[Flip]) -> str:
    """The first change that would turn the decision, and one of the other kind."""
    if not found:
        return ""
    other = next((flip.sentence for flip in found if flip.kind != found[0].kind), "")
    more = f'<p class="mc-quiet mc-small">Or {prose(other)}.</p>' if other else ""
    return f"<p><b>To let it run here</b>, {prose(found[0].sentence)}.</p>{more}"


def _noticed(findings: list[Diagnostic], inputs: Inputs) -> str:
    """What is odd about the labels, worst first, and where the device's facts come from."""
    order = list(Severity)
    lines = [
        (_MARKS.get(found.severity, "ask"), f"{found.message}{f'; {found.help}' if found.help else ''} ({found.rule}).")
        for found in sorted(findings, key=lambda found: order.index(found.severity))
    ]
    counted = Counter((row.service, row.label) for row in inputs.rows)
    lines += [
        ("ask", f"`{service}` has `{label}` {times} times; a label is there once, and the last one counts (S-22).")
        for (service, label), times in counted.items()
        if times > 1
    ]
    drawn = "".join(f'<li>{glyph(mark, 16)}<div class="mc-small">{prose(said)}</div></li>' for mark, said in lines)
    notes = "".join(f'<p class="mc-quiet mc-small">{prose(note)}</p>' for note in inputs.device.notes)
    return (f'<ul class="mc-rows">{drawn}</ul>' if drawn else "") + notes


def _drawn(graph: Graph) -> str:
    """The picture in its compact size, which fits beside the verdicts."""
    vars(graph)["size"] = "large"
    said = f'<p class="mc-quiet mc-small">{prose(_order(graph))}</p>'
    twin = to_svg(graph, narrow=True) if graph.narrow and not graph.too_many else ""
    drawn = "" if graph.too_many else picture(to_svg(graph), twin, "What starts, in order")
    return f"<h4>What starts, in order</h4>{drawn}{said}"


def _order(graph: Graph) -> str:
    """What the picture cannot say."""
    if graph.too_many:
        return f"{len(graph.nodes)} services are too many for one picture. The table has all of them."
    left = [node.name for node in graph.nodes if node.state == "out"]
    waiting = ((node.name, name) for node in graph.nodes for name in node.after if node.name not in left)
    for dependant, name in (pair for pair in waiting if pair[1] in left):
        return (
            f"`{dependant}` does not wait for `{name}`: a service that is left out counts as satisfied (S-66). "
            f"If an old version of `{name}` runs today, it is stopped (S-57)."
        )
    return "An arrow means “has been started before”; it does not wait for ready." if graph.edges else ""
