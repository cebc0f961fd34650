"""The labels with which a service asks something of its device (S-13 to S-19, S-53).

>>> LABEL_OF["io.balena.features.requires.sw.linux"].atom(">=5.15").shown
'sw.linux'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

from ..composition import Service
from ..diagnostics import Diagnostic, Path, Span, beside, did_you_mean, said
from ..versions import InvalidRange, Range

WORDS: Final[dict[str, Any]] = beside(__file__)
"""The sentences of this room, by subject."""

PREFIX: Final = "io.balena.features.requires."
OPTIONAL: Final = "io.balena.features.optional"
ARCHITECTURES: Final = ("aarch64", "rpi", "amd64", "armv7hf", "i386")  # what `arch.sw` may say (S-13)


class LabelType(NamedTuple):
    """One row of the table of requirement labels (S-13): what it produces, and since when it is understood (S-71)."""

    suffix: str
    type: str
    slug: str | None  # fixed slug of the atom
    value: Literal["range", "slug", "architecture"]
    noun: str
    minimum: tuple[int, int, int]  # supervisor, as the documentation says
    measured: tuple[int, int, int]  # supervisor, as its history says

    @property
    def key(self) -> str:
        """The whole label."""
        return PREFIX + self.suffix

    def atom(self, value: str) -> Requirement:
        """What the label asks for with this value."""
        slug, version = (self.slug, value) if self.value == "range" else (value, None)
        return Requirement(self.type, slug, version, label=self.key)


LABELS: Final = tuple([LabelType(*row[:5], *map(tuple, row[5:])) for row in WORDS["labels"]])
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


def is_optional(service: Service) -> bool:
    """Whether the service may be left out: the label says `1`, `true` or `on`, in any case (S-53).

    >>> [is_optional(Service(name="a", labels=((OPTIONAL, word),))) for word in ("1", "On", "yes", " 1", "")]
    [True, True, False, False, False]
    """
    return (service.label(OPTIONAL) or "").lower() in ("1", "true", "on")


Where = Callable[[Path], Span]
"""Where a path of the composition was written."""


def label_findings(service: Service, where: Where = lambda path: Span(str(path[-1]), 1, 1)) -> Iterator[Diagnostic]:
    """What is wrong with the requirement and optional labels of a service (S-14 to S-18, S-53)."""
    for key, value in dict(service.labels).items():
        for code, hint in _problems(key, value):
            path: Path = ("services", service.name, "labels", key)
            words = {"service": service.name, "key": key, "value": value, "hint": hint}
            rule = "S-53" if hint == OPTIONAL else ""  # the old spelling of the mark, not of a requirement
            yield said(WORDS["findings"], code, where(path), path, words, rule=rule)


def meant(written: str, known: tuple[str, ...]) -> str:
    """The word that was probably meant: a usual other name, or else the nearest one.

    >>> meant("arm64", ARCHITECTURES)
    'did you mean `aarch64`?'
    """
    alias = WORDS["meant"].get(written.lower())
    return f"did you mean `{alias}`?" if alias in known else did_you_mean(written, known)


def _problems(key: str, value: str) -> Iterator[tuple[str, str]]:
    """Code and hint; no label has two problems, and most have none."""
    modern = key.replace("io.resin.", "io.balena.", 1)
    if modern != key and (modern.startswith(PREFIX) or modern == OPTIONAL):
        yield "legacy-requirement", modern
    if key == OPTIONAL and value.lower() not in ("1", "true", "on", "0", "false", "off", "no", "n"):
        yield "misspelt-optional", ""
    if key.startswith(PREFIX) and key not in LABEL_OF:
        yield "unknown-requirement", meant(key.removeprefix(PREFIX), tuple(each.suffix for each in LABELS))
    kind = LABEL_OF[key].value if key in LABEL_OF else ""
    if kind == "architecture" and value not in ARCHITECTURES:
        yield "unknown-architecture", meant(value, ARCHITECTURES)
    if kind == "range":
        try:
            Range.parse(value)
        except InvalidRange as error:
            yield "bad-range", f"expected {error.expected} at character {error.at + 1}"
