"""What balena accepts, and what every rule says.

`check` gives all findings about a composition, those of the release and those of the device, in the order of the
text. `rule` looks one rule up in the catalogue (`data/rules.json`); `host_access` tells what a release opens.

>>> rule("c-106").title
'restart knows four words; everything else means always'
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any, Final, Literal

from .composition import Composition
from .container import FEATURE_TABLE, LEGACY, check_device, is_true
from .diagnostics import Diagnostic, Path, Span
from .reader import Reading
from .reader.decode import Desk, ports
from .reader.notes import FALSE_ALARM, Notes
from .reader.release import FEATURES

NOT_SEEN: Final = ("compose.yml", "compose.yaml", "docker-compose.override.yml", "docker-compose.override.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
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
def rules() -> tuple[Rule, ...]:
    """All rules, C-1 to C-115 and then S-1 to S-150."""
    inside = File(__file__).parent / "data"
    folder = inside if inside.is_dir() else inside.parents[1] / "data"
    return tuple(Rule(**row) for row in json.loads((folder / "rules.json").read_text(encoding="utf-8")))


@cache
def _by_number() -> dict[str, Rule]:
    return {each.id: each for each in rules()}


def rule(number: str) -> Rule:
    """One rule by its number; `c52` and `C-52` are the same.

    Raises:
        UnknownRule: There is no such rule.
    """
    found = re.fullmatch(r"\s*([a-zA-Z]?)\s*-?\s*0*(\d{1,6})\s*", number, re.ASCII)
    letter, digits = (found[1].upper(), found[2]) if found else ("", "")
    if (exact := _by_number().get(f"{letter}-{digits}")) is not None:
        return exact
    near = [f"{each}-{digits}" for each in "CS"] + [f"{letter}-{digits[:-1]}", f"{letter}-{digits[1:]}"]
    raise UnknownRule(number, tuple(dict.fromkeys(each for each in near if each in _by_number()))[:2])


def check(reading: Reading, *, false_alarms: bool = False) -> tuple[Diagnostic, ...]:
    """All findings about a composition, of the release and of the device, in the order of the text.

    The warning that balena prints for every port although nothing is wrong (C-4) is left out unless asked for.

    >>> from kit.reader import read
    >>> [str(found) for found in check(read("services: {web: {image: nginx, restart: never}}"))]
    ['docker-compose.yml:1:41: ignored[restart-unknown] `restart: never` becomes `always`']
    """
    note = Notes()
    for name in reading.texts:
        if posixpath.basename(name.replace("\\", "/")) in NOT_SEEN:
            note.say("file-not-seen", Span(name, 1, 1), value=posixpath.basename(name))
    found = [*reading.findings, *note.results()]
    if reading.normal is not None:
        found += check_device(reading.normal, _Places(reading))
    kept = dict.fromkeys(each for each in found if false_alarms or each.code != FALSE_ALARM)
    return tuple(sorted(kept, key=lambda each: (each.span.name, each.span.line, each.span.column)))


class _Places:
    """Where values of the normal form were written; ports are found behind ranges and repetitions (C-49)."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.ports = reading, dict[Path, dict[str, Span]]()

    def __call__(self, path: Path) -> Span:
        node = self.reading.tree.at(path[:3]) if self.reading.tree and path[2:3] == ("ports",) else None
        if node is not None and self.reading.normal is not None and len(path) == 4:
            if path[:3] not in self.ports:
                placed = ports(Desk(Notes()), node, path[:3]) or ()
                self.ports[path[:3]] = {str(spec): at.span for spec, at, _path in placed}
            text = self.reading.normal["services"][path[1]]["ports"][path[3]]
            return self.ports[path[:3]].get(text, node.span)
        return self.reading.place(path) or Span(next(iter(self.reading.texts), ""), 1, 1)


# ── the map of host access (C-89, C-111 … C-114) ───────────────────────────────────────────────────

Danger = Literal["device", "part", "read"]
"""How far it reaches: the whole device, a part of it, or reading only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One door that a service opens to its host. `danger` says how far it reaches."""

    service: str
    what: str
    opens: str
    danger: Danger
    rule: str
    path: Path = ()


WHOLE_DEVICE: Final = {
    # field: value that opens the host, what it opens, rule
    "privileged": (True, "every device and every capability: no wall is left", "C-114"),
    "pid": ("host", "sees and signals every process of the device", "C-56"),
    "userns_mode": ("host", "user ids of the host", "C-71"),
    "cgroup": ("host", "control groups of the host", "C-56"),
}
PARTS: Final = {
    "network_mode": ("host", "every network interface and port of the device", "C-105"),
    "ipc": ("host", "shared memory of the host", "C-56"),
    "uts": ("host", "host name of the device", "C-46"),
}
STRONG: Final = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE", "DAC_READ_SEARCH", "BPF"})


def host_access(release: Mapping[str, Any] | Composition) -> tuple[Access, ...]:
    """Every door to the host that the services of a release open, service by service.

    >>> form = {"services": {"web": {"privileged": True, "labels": {"io.balena.features.dbus": "1"}}}}
    >>> [(row.what, row.danger) for row in host_access(form)]
    [('privileged', 'device'), ('io.balena.features.dbus', 'device')]
    """
    form = _as_form(release) if isinstance(release, Composition) else release.get("services") or {}
    rows: list[Access] = []
    for name, service in form.items():
        here: Path = ("services", name)
        for danger, table in (("device", WHOLE_DEVICE), ("part", PARTS)):
            for field, (value, opens, number) in table.items():
                if service.get(field) == value:
                    what = field if value is True else f"{field}: {value}"
                    rows.append(_access(name, what, opens, danger, number, (*here, field)))
        for index, capability in enumerate(service.get("cap_add") or ()):
            strong = capability.upper().removeprefix("CAP_") in STRONG
            opens = f"the kernel capability {capability}" + (", enough to leave the container" if strong else "")
            rows.append(
                _access(name, capability, opens, "device" if strong else "part", "C-69", (*here, "cap_add", index))
            )
        for index, device in enumerate(service.get("devices") or ()):
            opens = f"the device {device.partition(':')[0]}"
            rows.append(_access(name, device, opens, "part", "C-58", (*here, "devices", index)))
        for index, option in enumerate(service.get("security_opt") or ()):
            if option.endswith("unconfined"):
                opens = "system calls or files that are blocked otherwise"
                rows.append(_access(name, option, opens, "part", "C-59", (*here, "security_opt", index)))
        labels = service.get("labels") or {}
        modern = {key.replace("resin", "balena"): key for key in labels if key.startswith(LEGACY)}
        for feature, row in FEATURE_TABLE.items():
            label = FEATURES + feature if FEATURES + feature in labels else modern.get(FEATURES + feature, "")
            if is_true(labels.get(label)):
                danger = "device" if row["dangerous"] else "read" if feature == "journal-logs" else "part"
                rows.append(_access(name, label, row["opens"], danger, "C-89", (*here, "labels", label)))
    return tuple(rows)


def _access(service: str, what: str, opens: str, danger: Any, number: str, path: Path) -> Access:
    return Access(service=service, what=what, opens=opens, danger=danger, rule=number, path=path)


def _as_form(composition: Composition) -> dict[str, dict[str, Any]]:
    return {
        service.name: {
            "privileged": service.privileged,
            "network_mode": service.network_mode,
            "cap_add": service.cap_add,
            "devices": service.devices,
            "labels": dict(service.labels),
        }
        for service in composition.services
    }


__all__ = ["Access", "Rule", "UnknownRule", "check", "host_access", "rule", "rules"]
