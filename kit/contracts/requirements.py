"""What a service asks of the device it runs on.

Two ways lead to a contract. Requirement labels become one when a release is made (S-13 to S-25), and a
`contract.yml` in the build folder is one already. On the device both are the same: a list of entries
that must all hold, each an atom or a choice of atoms (S-26 to S-35). `read_contract` reads that list as
the supervisor's parser does; a contract that it cannot read is a `Malformed`, with the reason.

>>> from kit.composition import Service
>>> labels = (("io.balena.features.requires.sw.linux", ">=5.15"), ("io.balena.features.requires.arch.sw", "aarch64"))
>>> contract_of(Service(name="gpu", labels=labels)).requires[0]
Requirement(type='arch.sw', slug='aarch64', version=None, data=False, label='io.balena.features.requires.arch.sw')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ..composition import Service
from ..diagnostics import Diagnostic, Path, Severity, Span, did_you_mean
from ..versions import InvalidRange, Range

PREFIX: Final = "io.balena.features.requires."
OPTIONAL: Final = "io.balena.features.optional"
ARCHITECTURES: Final = ("aarch64", "rpi", "amd64", "armv7hf", "i386")  # what `arch.sw` may say (S-13)

Value = Literal["range", "slug", "architecture"]


class LabelType(NamedTuple):
    """One row of the table of requirement labels (S-13): what it produces, and since when it is understood (S-71)."""

    suffix: str
    type: str
    slug: str | None  # fixed slug of the atom
    value: Value
    noun: str
    minimum: tuple[int, int, int]  # supervisor, as the documentation says
    measured: tuple[int, int, int]  # supervisor, as its history says

    @property
    def key(self) -> str:
        """The whole label."""
        return PREFIX + self.suffix


LABELS: Final = (
    LabelType("sw.supervisor", "sw.supervisor", None, "range", "supervisor", (10, 16, 17), (10, 6, 17)),
    LabelType("sw.l4t", "sw.l4t", None, "range", "L4T", (10, 16, 17), (10, 6, 17)),
    LabelType("hw.device-type", "hw.device-type", None, "slug", "device type", (11, 1, 0), (14, 11, 0)),
    LabelType("arch.sw", "arch.sw", None, "architecture", "architecture", (14, 10, 11), (14, 11, 0)),
    LabelType("sw.balena-os", "sw.os", "balena-os", "range", "balenaOS", (17, 4, 0), (17, 4, 2)),
    LabelType("sw.linux", "sw.kernel", "linux", "range", "Linux kernel", (17, 4, 0), (17, 4, 2)),
)
LABEL_OF: Final = {label.key: label for label in LABELS}
TYPES: Final = {label.type: label for label in LABELS}  # the types that may be required (S-33)


class Requirement(NamedTuple):
    """One atom: a type, and what is wanted of it. `label` is the label it came from, empty for a contract file."""

    type: str
    slug: str | None = None
    version: str | None = None
    data: bool = False
    label: str = ""

    @property
    def members(self) -> tuple[Requirement, ...]:
        """Itself: an atom is a choice of one."""
        return (self,)

    @property
    def shown(self) -> str:
        """How people call it: the end of its label, or its type."""
        return self.label.removeprefix(PREFIX) or self.type

    @property
    def wanted(self) -> str:
        """What is asked for, as it was written."""
        fixed = LABEL_OF[self.label].slug if self.label in LABEL_OF else None
        return " ".join(part for part in (self.slug if self.slug != fixed else "", self.version) if part)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A choice: one member is enough, and an empty choice is always met (S-42)."""

    members: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """What must hold, all of it."""

    requires: tuple[Requirement | AnyOf, ...] = ()
    slug: str | None = None
    type: str = "sw.container"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A contract that the device cannot read. The whole offer is refused because of it (S-55)."""

    reason: str
    rule: str


def is_optional(service: Service) -> bool:
    """Whether the service may be left out: the label says `1`, `true` or `on`, in any case (S-53).

    >>> [is_optional(Service(name="a", labels=((OPTIONAL, word),))) for word in ("1", "On", "yes", " 1", "")]
    [True, True, False, False, False]
    """
    return (service.label(OPTIONAL) or "").lower() in ("1", "true", "on")


def contract_of(service: Service) -> Contract | None:
    """The contract that the labels of a service become (S-20), or None without a known label (S-21).

    Plain atoms come first, in the order of the labels; then one choice with the `sw.os` atoms and one
    with the `sw.kernel` atoms.
    """
    found: dict[str, list[Requirement]] = {"": [], "sw.os": [], "sw.kernel": []}
    for key, value in dict(service.labels).items():
        if label := LABEL_OF.get(key):
            slug, version = (label.slug, value) if label.value == "range" else (value, None)
            found[label.type if label.type in found else ""].append(Requirement(label.type, slug, version, label=key))
    plain = found.pop("")
    choices = [AnyOf(tuple(members)) for members in found.values() if members]
    entries: tuple[Requirement | AnyOf, ...] = (*plain, *choices)
    return Contract(entries, f"contract-for-{service.name}") if entries else None


# ------------------------------------------------------------------------------- a contract as an object


def read_contract(raw: object) -> Contract | Malformed:
    """A contract as the device reads it (S-26 to S-35). `None` is a contract that asks for nothing.

    >>> read_contract({"requires": [{"type": "sw.spec", "slug": "compose"}]}).reason
    '`sw.spec` is a requirement type that the supervisor does not know'
    """
    if raw is None:
        return Contract()
    if not isinstance(raw, Mapping):
        return Malformed("the contract is not an object", "S-26")
    kind, slug, requires = (raw.get(key) for key in ("type", "slug", "requires"))
    for key, value in (("type", kind), ("slug", slug)):
        if not isinstance(value, str | None):
            return Malformed(f"the `{key}` of the contract is not text", "S-27")
    if not isinstance(requires, list | tuple | None):
        return Malformed("`requires` is not a list", "S-30")
    entries: list[Requirement | AnyOf] = []
    for entry in map(_entry, requires or ()):
        if isinstance(entry, Malformed):
            return entry
        entries.append(entry)
    for type in (atom.type for entry in entries for atom in entry.members if atom.type not in TYPES):
        return Malformed(f"`{type}` is a requirement type that the supervisor does not know", "S-34")
    return Contract((*entries, *_inherited(raw.get("children"))), slug, "sw.container" if kind is None else kind)


def _entry(raw: object) -> Requirement | AnyOf | Malformed:
    """One entry of `requires`: an object with a `type` is an atom, one with an `or` is a choice (S-28, S-29)."""
    if not isinstance(raw, Mapping):
        return Malformed("a requirement is not an object", "S-28")
    if raw.get("type") is not None:
        return _atom(raw)
    members = raw.get("or")
    if not isinstance(members, list | tuple):
        return Malformed("a requirement has neither a `type` nor a list of alternatives under `or`", "S-30")
    atoms: list[Requirement] = []
    for member in map(_atom, members):
        if isinstance(member, Malformed):
            return member
        atoms.append(member)
    return AnyOf(tuple(atoms))


def _atom(raw: object) -> Requirement | Malformed:
    if not isinstance(raw, Mapping) or not isinstance(kind := raw.get("type"), str):
        return Malformed("an alternative under `or` or a requirement has no `type` that is text", "S-30")
    slug, version = raw.get("slug"), raw.get("version")
    for key, value in (("slug", slug), ("version", version)):
        if not isinstance(value, str | None):
            return Malformed(f"the `{key}` of a `{kind}` requirement is not text", "S-30")
    if "data" in raw and not isinstance(raw["data"], Mapping):
        return Malformed(f"the `data` of a `{kind}` requirement is not an object", "S-28")
    assert isinstance(slug, str | None)
    assert isinstance(version, str | None)
    return Requirement(kind, slug or None, version or None, "data" in raw)


def _inherited(tree: object, depth: int = 0) -> Iterator[Requirement | AnyOf]:
    """What contracts under `children` ask for; it counts too, and their types are not checked (S-32).

    A branch without a `slug` only leads to others. Entries that are neither atom nor choice are passed over.
    """
    if not isinstance(tree, Mapping) or depth > 32:
        return
    for child in tree.values():
        if isinstance(child, Mapping) and child.get("slug"):
            requires = child.get("requires")
            for entry in map(_entry, requires if isinstance(requires, list | tuple) else ()):
                if not isinstance(entry, Malformed):
                    yield entry
            yield from _inherited(child.get("children"), depth + 1)
        else:
            yield from _inherited(child, depth + 1)


# ---------------------------------------------------------------------------------------------- findings

Where = Callable[[Path], Span]
"""Where a path of the composition was written."""


def label_findings(service: Service, where: Where = lambda path: Span(str(path[-1]), 1, 1)) -> Iterator[Diagnostic]:
    """What is wrong with the requirement and optional labels of a service (S-14 to S-18, S-53)."""
    for key, value in dict(service.labels).items():
        problem = _problem(key, value)
        if problem:
            code, severity, message, help_, rule = problem
            path: Path = ("services", service.name, "labels", key)
            error = "ValidationError" if severity is Severity.ERROR else ""
            yield Diagnostic(
                code=code, severity=severity, message=f"`{service.name}`: {message}", span=where(path), help=help_,
                rule=rule, path=path, error_class=error,
            )  # fmt: skip


def _problem(key: str, value: str) -> tuple[str, Severity, str, str, str] | None:
    """Code, severity, sentence, help and rule, or None if the label is as it should be."""
    modern = key.replace("io.resin.", "io.balena.", 1)
    if modern != key and (modern.startswith(PREFIX) or modern == OPTIONAL):
        rule = "S-53" if modern == OPTIONAL else "S-15"
        return (
            "legacy-requirement",
            Severity.IGNORED,
            f"the old spelling `{key}` asks for nothing",
            f"write `{modern}`",
            rule,
        )
    if key == OPTIONAL:
        if value.lower() in ("1", "true", "on", "0", "false", "off", "no", "n"):
            return None
        message = f"`{value}` does not make it optional; only `1`, `true` and `on` do"
        return "misspelt-optional", Severity.IGNORED, message, 'write `io.balena.features.optional: "1"`', "S-53"
    if not key.startswith(PREFIX):
        return None
    label = LABEL_OF.get(key)
    if label is None:
        suffix = key.removeprefix(PREFIX)
        alias = {"sw.os": "sw.balena-os", "sw.kernel": "sw.linux", "sw.arch": "arch.sw"}.get(suffix)
        hint = f"did you mean `{alias}`?" if alias else did_you_mean(suffix, tuple(each.suffix for each in LABELS))
        return (
            "unknown-requirement",
            Severity.IGNORED,
            f"`{key}` is no requirement label; it asks for nothing",
            hint,
            "S-14",
        )
    if label.value == "architecture" and value not in ARCHITECTURES:
        alias = {"arm64": "aarch64", "armv8": "aarch64", "x86_64": "amd64", "x86-64": "amd64", "armv7": "armv7hf"}.get(
            value.lower()
        )
        hint = f"did you mean `{alias}`?" if alias else did_you_mean(value, ARCHITECTURES)
        message = f"`{value}` is not an architecture that `{key}` accepts; no release is made"
        return "unknown-architecture", Severity.ERROR, message, hint, "S-16"
    if label.value == "range":
        try:
            Range.parse(value)
        except InvalidRange as error:
            message = f"`{value}` is not a version range that `{key}` accepts; no release is made"
            spot = f"at character {error.at + 1}" if value else ""
            return "bad-range", Severity.ERROR, message, f"expected {error.expected} {spot}".rstrip(), "S-16"
    return None


def contract_file(service: Service, text: str, name: str) -> tuple[object | None, list[Diagnostic]]:
    """The `contract.yml` in the build folder of a service, and what a build says about it (S-24, C-77).

    The object is what `decide(..., contracts={service.name: object})` takes. A contract that builds and
    that no device can read is a finding of severity `refused` (S-34, S-55).
    """
    from ..source import parse  # it loads PyYAML, and only a contract file needs that

    parsed = parse(text, name)
    found = list(parsed.findings)
    start = Span(name, 1, 1)
    root = parsed.documents[0] if parsed.documents else None

    def error(
        message: str, span: Span, severity: Severity = Severity.ERROR, rule: str = "S-24", help_: str = ""
    ) -> None:
        code = "unreadable-contract" if severity is Severity.REFUSED else "bad-contract-file"
        found.append(Diagnostic(code=code, severity=severity, message=message, span=span, rule=rule, help=help_))

    if contract_of(service):
        error(f"`{service.name}` has requirement labels and a contract file; only one of them may be there", start)
    if root is None or not isinstance(root.value, dict):
        if not any(each.severity is Severity.ERROR for each in parsed.findings):
            error("a contract file holds one object with `name`, `slug` and `type: sw.container`", start)
        return None, found
    raw = root.plain()
    assert isinstance(raw, dict)
    for key in ("name", "slug"):
        if not isinstance(raw.get(key), str) or not raw[key]:
            error(f"the contract has no `{key}`", root.keys.get(key, root.span), help_=f"give it a `{key}`, as text")
    if raw.get("type") != "sw.container":
        span = root.value["type"].span if "type" in root.value else root.span
        error("the `type` of a contract file must be `sw.container`", span, help_="write `type: sw.container`")
    contract = read_contract(raw)
    if isinstance(contract, Malformed):
        span = root.keys.get("requires", root.span)
        error(f"no device can read this contract: {contract.reason}", span, Severity.REFUSED, contract.rule)
    return raw, found
