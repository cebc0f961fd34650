"""What would have to change? The smallest change of facts, and of labels, that turns a decision.

Facts: requirements of one type bind one fact, so a fact that fails must change, and a value that passes
lies at an edge of a range: only edges are tried. A choice in a contract file may tie several facts
together; then further facts are tried, fewest first. Labels: each failing label must change, or its
service is marked optional where it need not run itself.

Nothing is promised unchecked: every flip was decided again, by `decide`, before it is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import Any, Final, Literal, NamedTuple

from ..composition import Composition, Service
from ..versions import clarify
from .decisions import Decision, Outcome, contract_for, decide, listed
from .reasons import OF_TYPE, Clause, Fact, Facts, clause, range_of, version_of
from .requirements import (
    ARCHITECTURES,
    LABEL_OF,
    OPTIONAL,
    TYPES,
    Malformed,
    Requirement,
    contract_of,
    is_optional,
)

_TRIES: Final = 4_000  # combinations of facts, when choices in contract files tie them together


class Change(NamedTuple):
    """One edit. `key` is a fact's type or a label; without `service` it is a fact. None is absent."""

    where: str
    before: str | None
    after: str | None
    service: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Flip:
    """A change that turns the decision: as edits, as a sentence, and as the facts and composition after it."""

    kind: Literal["fact", "label"]
    changes: tuple[Change, ...]
    sentence: str
    outcome: Outcome
    facts: Facts
    composition: Composition


def flips(
    composition: Composition,
    facts: Facts,
    *,
    wanted: str = "",
    contracts: Mapping[str, object] | None = None,
    releases: Iterable[tuple[str, Facts]] = (),
) -> tuple[Flip, ...]:
    """The smallest changes after which what is wanted happens: of labels first, then of facts.

    Args:
        composition, facts, contracts: As for `decide`.
        wanted: `partial` (the release is deployed, at least partly), `deployed` (everything runs) or the name of a
            service that shall run. Without it: `partial` for a release that is not deployed, else `deployed`.
        releases: balenaOS releases that the device could go to, the nearest first, each with the facts it would have.

    Returns:
        None at all if it happens already, or if a contract cannot be read: no fact and no label mends that.
    """
    # Contracts that only repeat the labels must change with them.
    given = {name: raw for name, raw in (contracts or {}).items() if not _repeats(composition.service(name), raw)}
    now = decide(composition, facts, contracts=given)
    search = _Search(composition, facts, given, wanted or ("deployed" if now.outcome == "partial" else "partial"))
    if search.impossible or search.reached(now):
        return ()
    return (*search.of_labels(), *search.of_releases(releases), *search.of_facts())


def _repeats(service: Service | None, raw: object) -> bool:
    """Whether a contract is the one that the labels give."""
    if service is None or not (labelled := contract_of(service)):
        return False
    given = contract_for(service, {service.name: raw})
    return not isinstance(given, Malformed) and [e.members for e in given.requires] == [
        e.members for e in labelled.requires
    ]


class _Search:
    """One question, and what every answer to it must respect."""

    def __init__(self, composition: Composition, facts: Facts, contracts: Mapping[str, object], aim: str) -> None:
        self.composition, self.facts, self.contracts, self.aim = composition, facts, contracts, aim
        read = {each.name: contract_for(each, contracts) for each in composition.services}
        must = [read[each.name] for each in composition.services if self.must_run(each)]
        entries = [
            entry for each in must if not isinstance(each, Malformed) for entry in each.requires if entry.members
        ]
        # Choices between facts tie several facts together; every other entry binds one.
        self.choices = [each for each in entries if len({atom.type for atom in each.members}) > 1]
        self.single = [each for each in entries if each not in self.choices]
        labels = [LABEL_OF[key] for each in composition.services for key in dict(each.labels) if key in LABEL_OF]
        self.floor = max((label.minimum for label in labels), default=(0, 0, 0))
        unreadable = any(isinstance(each, Malformed) for each in read.values())
        self.impossible = unreadable or not (aim in ("partial", "deployed") or aim in read)

    def must_run(self, service: Service) -> bool:
        return self.aim in ("deployed", service.name) or not is_optional(service)

    def reached(self, decision: Decision) -> bool:
        if self.aim in ("deployed", "partial"):
            return decision.outcome in ("deployed", self.aim)
        return self.aim in decision.run

    def checked(
        self,
        kind: Literal["fact", "label"],
        changes: Iterable[Change],
        sentence: str,
        facts: Facts,
        composition: Composition,
    ) -> Iterator[Flip]:
        """The flip, if it is one."""
        decision = decide(composition, facts, contracts=self.contracts)
        if self.reached(decision):
            yield Flip(kind, tuple(changes), sentence, decision.outcome, facts, composition)

    # ------------------------------------------------------------------------------------------ facts

    def meets(self, type: str, fact: Fact | None) -> bool:
        """Whether this fact meets every entry that binds it alone, and is not too old for the labels (S-71)."""
        version = version_of(fact.version) if fact and type == "sw.supervisor" else None
        mine = (each.members for each in self.single if each.members[0].type == type)
        return not (version and version.triple < self.floor) and all(
            any(clause(a, fact).met for a in atoms) for atoms in mine
        )

    def of_facts(self) -> Iterator[Flip]:
        """The fewest facts that must change, each to the nearest value that will do."""
        failing = [type for type in OF_TYPE if not self.meets(type, self.facts.get(type))]
        values = {type: [each for each in self.edges(type) if self.meets(type, each)] for type in OF_TYPE}
        others = [type for type in OF_TYPE if type not in failing] if self.choices else []
        tries = (
            dict(zip(types, facts, strict=True))
            for extra in range(len(others) + 1)
            for types in ((*failing, *more) for more in combinations(others, extra))
            for facts in product(*(values[type] for type in types))
        )
        for found in islice(tries, _TRIES):
            fields: dict[str, Any] = {OF_TYPE[type]: fact for type, fact in found.items()}
            before = {type: self.facts.get(type) for type in found}
            changes = [
                Change(type, (b := before[type]) and b.shown, fact.shown, key=type) for type, fact in found.items()
            ]
            sentence = _go_to(found, before)
            for flip in self.checked("fact", changes, sentence, replace(self.facts, **fields), self.composition):
                yield flip
                return

    def edges(self, type: str) -> list[Fact]:
        """Values that a fact could take: the ends of the ranges that are asked for, the nearest newer one first."""
        now, label = self.facts.get(type), TYPES[type]
        found: set[tuple[str | None, str | None]] = set()
        for atom in (atom for each in (*self.single, *self.choices) for atom in each.members if atom.type == type):
            slug = atom.slug or (now.slug if now else label.slug)
            kept = now.version if now else None
            found |= {(slug, text) for text in (_edges(atom.version) if atom.version else [kept])}
        if type == "sw.supervisor":
            found.add((None, ".".join(map(str, self.floor))))
        if label.value == "range":
            found = {(slug, text or "0.0.0") for slug, text in found}
        here = version_of(now.version) if now else None

        def nearness(value: tuple[str | None, str | None]) -> tuple[bool, bool, tuple[int, ...], str]:
            version = version_of(value[1])
            older = bool(version and here and version < here)
            return (
                version is None,
                older,
                tuple(-n if older else n for n in version.triple) if version else (),
                str(value),
            )

        return [Fact(*value, "what would have to be") for value in sorted(found, key=nearness) if any(value)]

    def of_releases(self, releases: Iterable[tuple[str, Facts]]) -> Iterator[Flip]:
        """The nearest balenaOS release with which it happens. One change: the facts come with the release."""
        failing = [type for type in OF_TYPE if not self.meets(type, self.facts.get(type))]
        now = self.facts.os.version if self.facts.os else None
        for version, facts in releases:
            if all(self.meets(type, facts.get(type)) for type in failing):
                news = [
                    f"{TYPES[type].noun} {fact.shown}"
                    for type in failing
                    if type != "sw.os" and (fact := facts.get(type))
                ]
                sentence = f"bring the device to balenaOS {version}{f' ({listed(news)})' if news else ''}"
                change = Change("balenaOS", now, version, key="sw.os")
                for flip in self.checked("fact", (change,), sentence, facts, self.composition):
                    yield flip
                    return

    # ----------------------------------------------------------------------------------------- labels

    def of_labels(self) -> Iterator[Flip]:
        """The fewest labels that must change: written anew where that is enough, and with the optional mark instead."""
        young = list(self.too_young())
        composition = _relabelled(self.composition, young)
        now = decide(composition, self.facts, contracts=self.contracts)
        seen: list[list[Change]] = []
        for marking in (False, True):
            changes = list(young)
            for service in now.services:
                written = [_rewritten(service.name, each, self.facts) for each in service.clauses if not each.met]
                before = composition.service(service.name)
                if not written or not before or not self.must_run(before):
                    continue
                may_go = self.aim not in ("deployed", service.name)
                if may_go and (marking or None in written or len(written) > 1):
                    written = [
                        Change(f"{OPTIONAL} of {service.name}", before.label(OPTIONAL), "1", service.name, OPTIONAL)
                    ]
                changes += [each for each in written if each]
            if changes not in seen:
                seen.append(changes)
                after = _relabelled(self.composition, changes)
                yield from self.checked("label", changes, ", and ".join(map(_write, changes)), self.facts, after)

    def too_young(self) -> Iterator[Change]:
        """Labels that this supervisor does not know yet: each of them makes it refuse the offer (S-71)."""
        version = version_of(self.facts.supervisor.version) if self.facts.supervisor else None
        for service in self.composition.services:
            for key, value in dict(service.labels).items():
                if version and key in LABEL_OF and version.triple < LABEL_OF[key].minimum:
                    yield Change(f"{key} of {service.name}", value, None, service.name, key)


def _relabelled(composition: Composition, changes: Iterable[Change]) -> Composition:
    """The composition with these labels changed. A label without a value goes."""
    services = list(composition.services)
    for change in changes:
        at = next(index for index, each in enumerate(services) if each.name == change.service)
        labels = {**dict(services[at].labels), change.key: change.after}
        kept = tuple((key, value) for key, value in labels.items() if value is not None)
        services[at] = replace(services[at], labels=kept)
    return replace(composition, services=tuple(services))


def _edges(text: str) -> Iterator[str]:
    """The versions at the ends of a range: the first that is in it, and the last full one below its end."""
    range_ = range_of(text)
    for low, closed, high, high_closed in range_.intervals() if range_ else ():
        if low:
            yield str(low) if closed else f"{low.major}.{low.minor}.{low.patch + (not low.prerelease)}"
        yield str(low.release) if low else "0.0.0"
        if high:
            major, minor, patch = high.triple
            steps = [(major, minor, patch - 1), (major, minor - 1, 0), (major - 1, 0, 0)]
            below = next((each for each in steps if min(each) >= 0), high.triple)
            yield str(high) if high_closed else ".".join(map(str, below))
    if range_ is None:
        yield text


def _go_to(found: Mapping[str, Fact], before: Mapping[str, Fact | None]) -> str:
    """The sentence for changed facts."""
    versions, others = [], []
    for type, fact in found.items():
        label, was = TYPES[type], before[type]
        if label.value != "range":
            others.append(f"use a device whose {label.noun} is `{fact.slug}`")
        elif fact.version == "0.0.0":
            others.append(f"use a device that reports {label.noun}")
        elif was is None or was.slug != fact.slug:
            others.append(f"use a device with {fact.slug if type == 'sw.os' else label.noun} {fact.version}")
        else:
            versions.append(f"{label.noun} {fact.version}")
    return listed(([f"bring the device to {listed(versions)}"] if versions else []) + others)


def _write(change: Change) -> str:
    """The sentence for one label."""
    if change.key == OPTIONAL:
        return f"mark `{change.service}` optional"
    suffix = LABEL_OF[change.key].suffix
    if change.after is None:
        return f"remove `{suffix}` from `{change.service}`"
    return f"write `{change.after}` for `{suffix}` on `{change.service}`"


def _rewritten(service: str, failed: Clause, facts: Facts) -> Change | None:
    """The label of a failing clause with a value that this device meets, or without any. None: it is no label."""
    label = LABEL_OF.get(failed.label)
    if label is None:
        return None
    fact, after = facts.get(label.type), None
    if fact and label.value != "range":
        after = fact.slug if label.value == "slug" or fact.slug in ARCHITECTURES else None
    elif fact and fact.slug in (None, label.slug):
        tried = (each for each in _wider(failed.wanted, fact) if range_of(each))
        after = next((each for each in tried if clause(Requirement(label.type, label.slug, each), fact).met), None)
    return Change(f"{label.key} of {service}", failed.wanted, after, service, label.key)


def _wider(written: str, fact: Fact) -> Iterator[str]:
    """Ranges that admit all that the written one does, and perhaps this fact; the plainest first."""
    range_, version = range_of(written), version_of(fact.version)
    if version is None or range_ is None:
        yield fact.version or ""
        return
    line = f"{version.major}.{version.minor}"
    yield from (hint.instead for hint in clarify(written))
    if len(range_.sets) == 1 and not version.prerelease:
        lows = [each for each in range_.sets[0] if each.op in (">", ">=", "")]
        highs = [each for each in range_.sets[0] if each.op in ("<", "<=")]
        if match := re.fullmatch(
            r"\s*(?:\^|~>?|=)?\s*v?([0-9][^\s|]*?)(?:\.[xX*])*\s*", written
        ):  # a window that is meant as a minimum
            yield f">={match[1]}"
        if not all(each.admits(version) for each in lows):
            yield " ".join((f">={line}", *(f"{each.op}{each.edge}" for each in highs)))
        elif all((version.major < 2019) == (each.version.major < 2019) for each in highs):
            yield " ".join((*map(str, lows), f"<={line}"))
    yield f"{written} || {line}"
    yield f"{written} || >={version.major}.{version.minor}.{version.patch}-0"
