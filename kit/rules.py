"""What balena accepts, and what every rule says.

`check` gives all findings about a composition, those of the release and those of the device, in the order of the
text. `rule` looks one rule up in the catalogue (`data/rules.json`); `host_access` tells what a release opens.

>>> rule("c-106").title
'restart knows four words; everything else means always'
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path as File
from typing import Any, Final, NamedTuple

from .composition import Composition
from .container import FEATURE_TABLE, check_device, is_true, spelled
from .contracts import LABEL_OF
from .diagnostics import Diagnostic, Path, Severity, Span, beside
from .reader import Reading
from .reader.decode import Desk, decoded
from .reader.notes import FALSE_ALARM, SAYINGS, Notes, Where
from .reader.release import FEATURES
from .source import Node
from .versions import clarify

NOT_SEEN: Final = ("compose.yml", "compose.yaml", "docker-compose.override.yml", "docker-compose.override.yaml")
DOORS: Final[dict[str, Any]] = beside(__file__, "doors.json")
"""What opens the host: `fields` by their value, entries of `lists`, and the capabilities that are `strong`."""


class Rule(NamedTuple):
    """One rule of the catalogue: what it says, why it matters, and an example. `trap` marks a surprise."""

    id: str
    title: str
    says: str
    why: str
    docs: str = ""
    example: str = ""
    severity: str = ""
    trap: bool = False

    def __str__(self) -> str:
        parts = [f"{self.id}  {self.title}", self.says, f"Why it matters: {self.why}"]
        parts += [f"The documentation: {self.docs}"] if self.docs else []
        parts += ["Example:\n" + "\n".join(f"    {line}" for line in self.example.splitlines())] if self.example else []
        return "\n\n".join(parts)


class UnknownRule(LookupError):  # noqa: N818 (it names the text, not the failure)
    """A text that is no rule number. `near` are the rules that it may mean."""

    def __init__(self, text: str, near: tuple[str, ...]) -> None:
        hint = f"did you mean {' or '.join(near)}?" if near else "rules are called C-1 to C-115 and S-1 to S-150"
        super().__init__(f"there is no rule `{text}`: {hint}")
        self.text, self.near = text, near


@cache
def catalogue() -> Mapping[str, Rule]:
    """All rules by their number, C-1 to C-115 and then S-1 to S-150."""
    here = File(__file__).parent
    file = next(folder / "data" / "rules.json" for folder in (here, here.parent) if (folder / "data").is_dir())
    return {row["id"]: Rule(**row) for row in json.loads(file.read_text("utf-8"))}


def rules() -> tuple[Rule, ...]:
    """All rules, in the order of the catalogue."""
    return tuple(catalogue().values())


def rule(number: str) -> Rule:
    """One rule by its number; `c52` and `C-52` are the same.

    Raises:
        UnknownRule: There is no such rule.
    """
    found = re.fullmatch(r"\s*([a-zA-Z]?)\s*-?\s*0*(\d{1,6})\s*", number, re.ASCII)
    letter, digits = (found[1].upper(), found[2]) if found else ("", "")
    if (exact := catalogue().get(f"{letter}-{digits}")) is not None:
        return exact
    near = [f"C-{digits}", f"S-{digits}", f"{letter}-{digits[:-1]}", f"{letter}-{digits[1:]}"]
    raise UnknownRule(number, tuple(dict.fromkeys(each for each in near if each in catalogue()))[:2])


def check(reading: Reading, *, false_alarms: bool = False) -> tuple[Diagnostic, ...]:
    """All findings about a composition, of the release and of the device, in the order of the text.

    The warning that balena prints for every port although nothing is wrong (C-4) is left out unless asked for.

    >>> from kit.reader import read
    >>> [str(found) for found in check(read("services: {web: {image: nginx, restart: never}}"))]
    ['docker-compose.yml:1:41: ignored[restart-unknown] `restart: never` becomes `always`']
    """
    note = Notes()
    for name in reading.texts:
        if (base := re.split(r"[\\/]", name)[-1]) in NOT_SEEN:
            note.say("file-not-seen", Span(name, 1, 1), value=base)
    found = [*reading.findings, *note.results()]
    if reading.normal is not None:
        written, top = written_ports(reading.tree, reading.normal), Span(next(iter(reading.texts), ""), 1, 1)

        def where(path: Path) -> Span:
            return reading.place(written.get(path, path)) or top

        for each in check_device(reading.normal, where):
            keys = reading.keys if "at" in SAYINGS[each.code] else {}
            found.append(replace(each, span=keys.get(each.path, each.span)))
        found += _ranges(reading.composition or Composition(), where)
    kept = dict.fromkeys(each for each in found if false_alarms or each.code != FALSE_ALARM)
    return tuple(sorted(kept, key=lambda each: (each.span.name, each.span.line, each.span.column)))


def _ranges(composition: Composition, where: Where) -> Iterator[Diagnostic]:
    """Ranges that are valid and often mean something else to their writer (S-44 … S-49)."""
    for service in composition.services:
        for label, value in service.labels:
            for hint in clarify(value) if label in LABEL_OF and LABEL_OF[label].value == "range" else ():
                path: Path = ("services", service.name, "labels", label)
                yield Diagnostic(
                    code=hint.code, severity=Severity.IGNORED, message=hint.sentence, span=where(path), path=path,
                    help=f"did you mean `{hint.instead}`?" if hint.instead else "", rule=hint.rule,
                )  # fmt: skip


def written_ports(tree: Node | None, form: Mapping[str, Any]) -> dict[Path, Path]:
    """Where each port of a normal form was written: ranges and repetitions are counted differently there (C-49)."""
    found: dict[Path, Path] = {}
    for name, service in (form.get("services") or {}).items():
        here: Path = ("services", name, "ports")
        node = tree.at(here) if tree else None
        places = {str(spec): path for spec, _node, path in (node and decoded(Desk(Notes()), "ports", node, here)) or ()}
        found |= {(*here, index): places.get(text, here) for index, text in enumerate(service.get("ports") or ())}
    return found


# ── the map of host access (C-89, C-111 … C-114) ───────────────────────────────────────────────────


class Access(NamedTuple):
    """One door that a service opens to its host.

    `danger` says how far it reaches: the whole `device`, a `part` of it, or `read`, where nothing can be changed.
    """

    service: str
    what: str
    opens: str
    danger: str
    rule: str
    path: Path = ()


def host_access(release: Mapping[str, Any] | Composition) -> tuple[Access, ...]:
    """Every door to the host that the services of a release open, service by service.

    >>> form = {"services": {"web": {"privileged": True, "labels": {"io.balena.features.dbus": "1"}}}}
    >>> [(row.what, row.danger) for row in host_access(form)]
    [('privileged', 'device'), ('io.balena.features.dbus', 'device')]
    """
    if isinstance(release, Composition):
        form = {service.name: asdict(service) | {"labels": dict(service.labels)} for service in release.services}
    else:
        form = release.get("services") or {}
    return tuple(door for name, service in form.items() for door in _doors(name, service))


def _doors(name: str, service: Mapping[str, Any]) -> Iterator[Access]:
    here: Path = ("services", name)
    for field, (value, opens, danger, number) in DOORS["fields"].items():
        if service.get(field) == value:
            yield Access(name, field if value is True else f"{field}: {value}", opens, danger, number, (*here, field))
    for field, (opens, number) in DOORS["lists"].items():
        for index, entry in enumerate(service.get(field) or ()):
            strong = field == "cap_add" and entry.upper().removeprefix("CAP_") in DOORS["strong"]
            strong = strong or entry.startswith(tuple(DOORS["memory and disks"]))
            says = opens.format(entry, entry.partition(":")[0]) + ", enough to leave the container" * strong
            if field != "security_opt" or entry.endswith("unconfined"):
                yield Access(name, entry, says, "device" if strong else "part", number, (*here, field, index))
    labels = service.get("labels") or {}
    names = spelled(labels)
    for feature, row in FEATURE_TABLE.items():
        label = names.get(FEATURES + feature, "")
        if is_true(labels.get(label)):
            reach = "device" if row["dangerous"] else "read" if feature == "journal-logs" else "part"
            yield Access(name, label, row["opens"], reach, "C-89", (*here, "labels", label))
