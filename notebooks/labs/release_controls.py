"""The release lab: a composition as text, and what becomes of it: the start order, what arrives, what it opens.

Everything that is shown is made by `kit` and by `findings`; this file only chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit import graphs
from kit.composition import Composition
from kit.diagnostics import Severity
from kit.looks import picture
from kit.reader import Reading, read
from kit.rules import check, host_access

from . import findings, rows
from .frame import Form, View, area, choice, panel, section

SHOWS: Final = ("start order", "what arrives", "what it opens", "findings")
NOTHING: Final = "There is no service in this text."
SHEET: Final = Path(findings.__file__).with_suffix(".css").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What can be changed: the text, and which side of it is shown."""

    text: str = ""
    shows: str = SHOWS[0]


def _order(reading: Reading) -> str:
    graph = graphs.of_composition(reading.composition or Composition(), show=("ports", "volumes", "networks"))
    if not graph.nodes or graph.too_many:
        return ""
    twin = graphs.to_svg(graph, narrow=True) if graph.narrow else ""
    return picture(graphs.to_svg(graph), twin, "start order")


def _opens(reading: Reading) -> str:
    names = [service.name for service in (reading.composition or Composition()).services]
    return findings.host_access_table(host_access(reading.normal or {}), names, with_style=False)


SIDES: Final[dict[str, Callable[[Reading], str]]] = {
    "start order": _order,
    "what arrives": lambda reading: findings.vanishing_figure(reading, with_style=False),
    "what it opens": _opens,
    "findings": lambda reading: findings.finding_list(check(reading), with_style=False),
}


def think(inputs: Inputs) -> View:
    """What the lab shows for its inputs."""
    reading = read(inputs.text)
    errors = [found for found in reading.findings if found.severity is Severity.ERROR]
    graph = graphs.of_composition(reading.composition or Composition())
    shown = SIDES[inputs.shows](reading) if not errors or inputs.shows != "what it opens" else ""
    if errors:
        answer, situation = "Refused. No release is made.", f"Line {errors[0].span.line}: {errors[0].message}."
        shown += findings.finding_list(errors, with_style=False) if inputs.shows != "findings" else ""
    else:
        answer = graph.answer if graph.nodes else NOTHING
        situation = graph.situation
    table = graphs.to_table(graph) if graph.nodes else ""
    return View(answer=answer, situation=situation, panels={"shown": shown}, table=table)


def release_lab(text: str | Path) -> Form[Inputs]:
    """Try out what becomes of a composition: type, and see its other sides.

    Args:
        text: A composition, or the path of one.

    Returns:
        The lab; its `answer` is the text.
    """
    written = text.read_text(encoding="utf-8") if isinstance(text, Path) else text
    return Form(
        Inputs(text=written.strip("\n")),
        think,
        section(
            "The file, and what becomes of it",
            area("text", "docker-compose.yml", rows=18),
            choice("shows", "show", SHOWS),
        ),
        panel("shown", "mc-shown"),
        css=SHEET + rows.SHEET,
        answer=lambda inputs: inputs.text,
    )
