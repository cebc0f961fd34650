"""One requirement, one fact, one answer: met or not, and why.

`clause` is the whole of matching (S-36 to S-42). The answer is a leaf of the tree of reasons: what was
wanted, what the device has and where that was read, and a sentence. Answers are remembered: two devices
with an equal fact share one.

>>> kernel = Fact("linux", "5.15.92", "uname -r: 5.15.92-v8")
>>> print(clause(Requirement("sw.kernel", "linux", ">5.15.*"), kernel).why)
`sw.kernel` wants `linux >5.15.*`, which means `>=5.16.0`. The device has 5.15.92. That skips the line it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from ..versions import Comparator, Range, clarify, range_of, version_of
from .labels import TYPES, WORDS, Requirement

OF_TYPE: Final[dict[str, str]] = WORDS["fields"]
"""Which field of `Facts` answers a type."""


class Fact(NamedTuple):
    """Something a device says about itself, and where it was read. Deciding hashes facts, so a fact is a tuple."""

    slug: str | None
    version: str | None
    source: str

    @property
    def shown(self) -> str:
        """The fact as people say it: the version, or the slug where there is no version."""
        return self.version if self.version is not None else self.slug or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a device knows about itself (S-2). A fact that is absent meets nothing (S-10)."""

    supervisor: Fact | None = None
    device_type: Fact | None = None
    arch: Fact | None = None
    os: Fact | None = None
    kernel: Fact | None = None
    l4t: Fact | None = None
    notes: tuple[str, ...] = ()
    nothing: ClassVar[None] = None  # the fact of a type that no device has

    def get(self, type: str) -> Fact | None:
        """The fact of a contract type such as `sw.kernel`, or None."""
        fact: Fact | None = getattr(self, OF_TYPE.get(type, "nothing"))
        return fact


class Comparison(NamedTuple):
    """One comparator of a range against the fact. Those with an equal `alternative` must hold together."""

    text: str
    met: bool
    words: str
    alternative: int = 0


class Clause(NamedTuple):
    """One requirement against one fact. For a choice, `members` are its alternatives."""

    label: str
    type: str
    wanted: str
    range: str | None
    fact: str | None
    source: str
    met: bool
    why: str
    rules: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    members: tuple[Clause, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The clause as plain values."""
        keys = ("label", "wanted", "range", "fact", "met", "why")
        found: dict[str, object] = {key: getattr(self, key) for key in keys}
        return found | {"any": [each.to_json() for each in self.members]} if self.members else found


def any_of(members: tuple[Clause, ...]) -> Clause:
    """A choice, from the clauses of its members. A choice of one is that one."""
    if len(members) == 1:
        return members[0]
    if not members:
        return Clause("or", "or", "", None, None, "", True, "A choice without alternatives is always met.", ("S-42",))
    met = any(each.met for each in members)
    telling = [each for each in members if each.met == met]
    opening = f"One of {len(members)} alternatives is enough." if met else f"None of {len(members)} alternatives holds."
    wanted = " or ".join(f"{each.type} {each.wanted}".strip() for each in members)
    why = " ".join((opening, *(each.why for each in telling)))
    return Clause("or", "or", wanted, None, telling[0].fact, telling[0].source, met, why, ("S-42",), (), members)


@lru_cache(maxsize=1 << 12)
def _asked(requirement: Requirement) -> tuple[Range | None, str, str, list[tuple[Comparator, str, str, int]]]:
    """What one requirement always says: its range, two openings of a sentence, and its comparators in words."""
    range_, wanted = range_of(requirement.version or "") if requirement.version else None, requirement.wanted
    meaning = f", which means `{range_}`" if range_ and str(range_) != requirement.version else ""
    wants = f"`{requirement.shown}` wants " + (f"`{wanted}`{meaning}." if wanted else "any.")
    holds = f"`{requirement.shown}` `{wanted}` holds: the" if wanted else f"{wants} The"
    sets = enumerate(range_.sets if range_ else ())
    return range_, wants, holds, [(each, str(each), each.words(), at) for at, together in sets for each in together]


@lru_cache(maxsize=1 << 16)
def clause(requirement: Requirement, fact: Fact | None) -> Clause:
    """Whether a fact meets a requirement, and why (S-36 to S-41)."""
    range_, wants, holds, comparators = _asked(requirement)
    code = _judged(requirement, fact, range_)
    met = code in ("any", "inside") or code.startswith("same")
    sentence, *rules = WORDS["reasons"][code]
    noun = TYPES[requirement.type].noun if requirement.type in TYPES else requirement.type
    has, slug = (fact.shown, fact.slug) if fact else ("", "")
    version = version_of(fact.version) if fact and not code.startswith(("other", "nameless", "data")) else None
    failing = range_.failing(version) if range_ and version and code == "prerelease" else ()
    why = next((each.why[0].upper() + each.why[1:] for each in failing if each.comparator is None), "")
    reason = sentence.format_map({"noun": noun, "has": has or "no version", "slug": slug, "why": why})
    compared = [Comparison(text, c.admits(version), words, at) for c, text, words, at in comparators if version]
    return Clause(
        label=requirement.label or requirement.type, type=requirement.shown, wanted=requirement.wanted,
        range=str(range_) if range_ else None, fact=has if fact else None, source=fact.source if fact else "", met=met,
        why=f"{holds} device has {has}. {reason}".rstrip() if met else f"{wants} {reason}",
        rules=tuple(rules), comparisons=tuple(compared),
    )  # fmt: skip


def _judged(requirement: Requirement, fact: Fact | None, range_: Range | None) -> str:
    """Which reason the answer has."""

    def of_type(code: str) -> str:
        special = f"{code} {requirement.type}"
        return special if special in WORDS["reasons"] else code

    if fact is None:
        return of_type("absent")
    if requirement.slug and fact.slug != requirement.slug:  # compared letter by letter (S-37)
        same = fact.slug is not None and fact.slug.lower() == requirement.slug.lower()
        return "nameless" if fact.slug is None else of_type("other case" if same else "other")
    if requirement.data or not requirement.version:
        return "data" if requirement.data else "any"
    version = version_of(fact.version)
    if not (range_ and version):
        return ("same, " if fact.version == requirement.version else "") + ("no version" if range_ else "no range")
    if version in range_ or range_.empty:
        return "inside" if version in range_ else "empty"
    if any(each.comparator is None for each in range_.failing(version)):
        return "prerelease"
    hints = (hint.code for hint in clarify(requirement.version) if hint.code in WORDS["reasons"])
    return next(hints, "outside")
