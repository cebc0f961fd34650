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

from ..versions import Comparator, InvalidRange, InvalidVersion, Range, Version, clarify
from .requirements import TYPES, Requirement

OF_TYPE: Final = {
    "sw.supervisor": "supervisor", "hw.device-type": "device_type", "arch.sw": "arch", "sw.os": "os",
    "sw.kernel": "kernel", "sw.l4t": "l4t",
}  # fmt: skip
"""Which field of `Facts` answers a type."""

_ABSENT: Final = {
    "sw.kernel": ": `uname -r` must begin with three numbers",
    "sw.l4t": ": `uname -r` has no `-l4t-r` with a version behind it",
}


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
        field = OF_TYPE.get(type)
        fact: Fact | None = getattr(self, field) if field else None
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


@lru_cache(maxsize=1 << 15)
def version_of(text: str | None) -> Version | None:
    """The version that a text is, or None."""
    try:
        return Version.parse(text) if text is not None else None
    except InvalidVersion:
        return None


@lru_cache(maxsize=1 << 12)
def range_of(text: str) -> Range | None:
    """The range that a text is, or None."""
    try:
        return Range.parse(text)
    except InvalidRange:
        return None


class _Asked(NamedTuple):
    """What one requirement always says, whatever the device."""

    range: Range | None
    normal: str | None
    wants: str
    holds: str
    comparators: tuple[tuple[Comparator, str, str, int], ...]


@lru_cache(maxsize=1 << 12)
def _asked(requirement: Requirement) -> _Asked:
    range_ = range_of(requirement.version) if requirement.version else None
    normal = str(range_) if range_ else None
    wanted = requirement.wanted
    meaning = f", which means `{normal}`" if normal and normal != requirement.version else ""
    return _Asked(
        range_,
        normal,
        f"`{requirement.shown}` wants `{wanted}`{meaning}." if wanted else f"`{requirement.shown}` wants any.",
        f"`{requirement.shown}` `{wanted}` holds: the" if wanted else f"`{requirement.shown}` wants any. The",
        tuple(
            (each, str(each), each.words(), index)
            for index, together in enumerate(range_.sets if range_ else ())
            for each in together
        ),
    )


@lru_cache(maxsize=1 << 16)
def clause(requirement: Requirement, fact: Fact | None) -> Clause:
    """Whether a fact meets a requirement, and why (S-36 to S-41)."""
    asked = _asked(requirement)
    comparisons: tuple[Comparison, ...] = ()
    reason = ""
    rules: tuple[str, ...]
    if fact is None:
        met, reason = False, f"The device reports no {_noun(requirement)}{_ABSENT.get(requirement.type, '')}."
        rules = ("S-9", "S-10") if requirement.type == "sw.l4t" else ("S-10",)
    elif requirement.slug and fact.slug != requirement.slug:
        met, (reason, rules) = False, _other_slug(requirement, fact)
    elif requirement.data:
        met, reason, rules = False, "A requirement with `data` is met by nothing.", ("S-38",)
    elif not requirement.version:
        met, rules = True, ("S-39",)
    elif asked.range and (version := version_of(fact.version)):
        met, rules = version in asked.range, ("S-45",)
        comparisons = tuple(
            [Comparison(text, each.admits(version), words, index) for each, text, words, index in asked.comparators]
        )
        if not met:
            reason, rules = _outside(requirement, asked.range, fact, version)
    else:
        met, rules = fact.version == requirement.version, ("S-40", "S-41")
        reason = _as_text(asked.range, fact, met)
    has = fact.shown if fact else None
    return Clause(
        requirement.label or requirement.type,
        requirement.shown,
        requirement.wanted,
        asked.normal,
        has,
        fact.source if fact else "",
        met,
        f"{asked.holds} device has {has}. {reason}".rstrip() if met else f"{asked.wants} {reason}",
        rules,
        comparisons,
    )


def _noun(requirement: Requirement) -> str:
    return TYPES[requirement.type].noun if requirement.type in TYPES else requirement.type


def _other_slug(requirement: Requirement, fact: Fact) -> tuple[str, tuple[str, ...]]:
    """Why a slug does not match: it is compared letter by letter (S-37)."""
    if fact.slug is None:
        return f"The {_noun(requirement)} of a device has no name, so no name matches; the device has {fact.shown}.", (
            "S-37",
        )
    if requirement.type in ("sw.os", "sw.kernel"):
        return f"The device runs `{fact.slug}` {fact.version or ''}".rstrip() + ".", ("S-37",)
    reason = f"The device has `{fact.slug}`."
    if fact.slug.lower() == (requirement.slug or "").lower():
        return f"{reason} Upper and lower case count.", ("S-37",)
    if requirement.type == "arch.sw":
        return f"{reason} No architecture stands in for another.", ("S-37", "S-12")
    return f"{reason} Only the very same name matches.", ("S-37", "S-11")


def _as_text(range_: Range | None, fact: Fact, met: bool) -> str:
    """Where one side is no version or no range, the two texts are compared (S-40, S-41)."""
    odd = "It is not a full version" if range_ else "What is wanted is no version range"
    if met:
        return f"{odd}, but the two texts are the same."
    return f"The device has {fact.version or 'no version'}. {odd}, so only the very same text would do."


_TRAPS: Final = {
    # a hint of `clarify` that explains why a version is outside → the sentence
    "build-ignored": "What follows a `+` never counts.",
    "skips-its-own-line": "That skips the line it names.",
    "window": "That is a window, not a minimum.",
}


def _outside(requirement: Requirement, range_: Range, fact: Fact, version: Version) -> tuple[str, tuple[str, ...]]:
    """Why a version is not in a range: the trap first, if it is one."""
    has = f"The device has {fact.version}."
    if range_.empty:
        return f"{has} No version at all is in this range.", ("S-49",)
    if prerelease := next((each for each in range_.failing(version) if each.comparator is None), None):
        return f"{has} {prerelease.why[0].upper()}{prerelease.why[1:]}.", ("S-48",)
    for hint in clarify(requirement.version or ""):
        if hint.code in _TRAPS:
            return f"{has} {_TRAPS[hint.code]}", (hint.rule,)
    return has, ("S-44", "S-45") if version.build else ("S-45",)
