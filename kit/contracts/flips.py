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
from typing import Final, Literal, NamedTuple

from ..composition import Composition, Service
from ..versions import clarify
from .decisions import Decision, Outcome, contract_for, decide, listed
from .reasons import OF_TYPE, Clause, Fact, Facts, clause, range_of, version_of
from .requirements import (
    ARCHITECTURES,
    LABEL_OF,
    OPTIONAL,
    TYPES,
    AnyOf,
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
    aim = wanted or ("deployed" if now.outcome == "partial" else "partial")
    search = _Search(composition, facts, given, aim)
    if search.reached(now) or search.unreadable or not (aim in ("partial", "deployed") or composition.service(aim)):
        return ()
    return (*search.of_labels(now), *search.of_releases(releases), *search.of_facts())


def _repeats(service: Service | None, raw: object) -> bool:
    labelled = contract_of(service) if service else None
    given = contract_for(service, {service.name: raw}) if service else None
    return labelled is not None and not isinstance(given, Malformed | None) and given.requires == labelled.requires


class _Search:
    """One question, and what every answer to it must respect."""

    def __init__(self, composition: Composition, facts: Facts, contracts: Mapping[str, object], aim: str) -> None:
        self.composition, self.facts, self.contracts, self.aim = composition, facts, contracts, aim
        self.unreadable = False
        self.single: list[Requirement] = []  # each must hold
        self.choices: list[AnyOf] = []  # of each, one must hold
        for service in composition.services:
            contract = contract_for(service, contracts)
            if isinstance(contract, Malformed):
                self.unreadable = True
            elif aim in ("deployed", service.name) or _must_run(composition, service.name):
                entries = [
                    each.members[0] if isinstance(each, AnyOf) and len(each.members) == 1 else each
                    for each in contract.requires
                ]
                self.single += [each for each in entries if isinstance(each, Requirement)]
                self.choices += [each for each in entries if isinstance(each, AnyOf)]
        labels = [LABEL_OF[key] for each in composition.services for key in dict(each.labels) if key in LABEL_OF]
        self.floor = max((label.minimum for label in labels), default=(0, 0, 0))

    def decide(self, facts: Facts, composition: Composition | None = None) -> Decision:
        return decide(composition or self.composition, facts, contracts=self.contracts)

    def reached(self, decision: Decision) -> bool:
        if self.aim == "deployed":
            return decision.outcome == "deployed"
        return decision.outcome in ("deployed", "partial") and (self.aim == "partial" or self.aim in decision.run)

    def flip(
        self,
        kind: Literal["fact", "label"],
        changes: Iterable[Change],
        sentence: str,
        facts: Facts,
        composition: Composition,
    ) -> Iterator[Flip]:
        """The flip, if it is one."""
        decision = self.decide(facts, composition)
        if self.reached(decision):
            yield Flip(kind, tuple(changes), sentence, decision.outcome, facts, composition)

    # ------------------------------------------------------------------------------------------ facts

    def holds(self, type: str, fact: Fact | None) -> bool:
        """Whether this fact meets every requirement of its type that must hold, and is not too old for the labels."""
        if type == "sw.supervisor" and fact and (version := version_of(fact.version)) and version.triple < self.floor:
            return False
        return all(clause(each, fact).met for each in self.single if each.type == type)

    def of_facts(self) -> Iterator[Flip]:
        """The fewest facts that must change, each to the nearest value that will do."""
        failing = [type for type in OF_TYPE if not self.holds(type, self.facts.get(type))]
        values = {type: [each for each in self.edges(type) if self.holds(type, each)] for type in OF_TYPE}
        others = [type for type in OF_TYPE if type not in failing] if self.choices else []
        tries = (
            dict(zip(types, facts, strict=True))
            for extra in range(len(others) + 1)
            for types in ((*failing, *more) for more in combinations(others, extra))
            for facts in product(*(values[type] for type in types))
        )
        for found in islice(tries, _TRIES):
            after = replace(self.facts, **{OF_TYPE[type]: fact for type, fact in found.items()})  # type: ignore[arg-type]
            changes = [_fact_change(type, self.facts.get(type), fact) for type, fact in found.items()]
            if flip := next(self.flip("fact", changes, _go_to(found, self.facts), after, self.composition), None):
                yield flip
                return

    def edges(self, type: str) -> list[Fact]:
        """Values that a fact could take: the ends of the ranges that are asked for, the nearest newer one first."""
        atoms = [each for each in self.single if each.type == type]
        atoms += [each for choice in self.choices for each in choice.members if each.type == type]
        now = self.facts.get(type)
        found = {
            (each.slug or (now.slug if now else TYPES[type].slug) or None, text)
            for each in atoms
            for text in (_edges(each.version) if each.version else [now.version if now else None])
        }
        if type == "sw.supervisor":
            found.add((None, ".".join(map(str, self.floor))))
        if TYPES[type].value == "range":
            found = {(slug, text or "0.0.0") for slug, text in found}
        here = version_of(now.version) if now else None

        def nearness(value: tuple[str | None, str | None]) -> tuple[bool, bool, tuple[int, ...]]:
            version = version_of(value[1])
            older = bool(version and here and version < here)
            return version is None, older, tuple(-n if older else n for n in version.triple) if version else ()

        ordered = sorted(found, key=lambda value: (nearness(value), str(value)))
        return [Fact(slug, text, "what would have to be") for slug, text in ordered if slug or text]

    def of_releases(self, releases: Iterable[tuple[str, Facts]]) -> Iterator[Flip]:
        """The nearest balenaOS release with which it happens. One change: the facts come with the release."""
        failing = [each for each in self.single if not clause(each, self.facts.get(each.type)).met]
        now = self.facts.os.version if self.facts.os else None
        for version, facts in releases:
            if all(clause(each, facts.get(each.type)).met for each in failing):
                told = dict.fromkeys(each.type for each in failing if each.type != "sw.os")
                news = [f"{TYPES[type].noun} {fact.shown}" for type in told if (fact := facts.get(type))]
                brackets = f" ({', '.join(news)})" if news else ""
                sentence = f"bring the device to balenaOS {version}{brackets}"
                change = Change("balenaOS", now, version, key="sw.os")
                if flip := next(self.flip("fact", (change,), sentence, facts, self.composition), None):
                    yield flip
                    return

    # ----------------------------------------------------------------------------------------- labels

    def of_labels(self, now: Decision) -> Iterator[Flip]:
        """The fewest labels that must change: written anew where that is enough, else the optional mark."""
        young = list(self.too_young())
        composition = _relabelled(self.composition, young)
        now = self.decide(self.facts, composition) if young else now
        seen: set[tuple[Change, ...]] = set()
        for prefer_optional in (False, True):
            changes = list(young)
            for service in now.services:
                if service.met or not (self.aim in ("deployed", service.name) or _must_run(composition, service.name)):
                    continue
                written = [_rewritten(service.name, each, self.facts) for each in service.clauses if not each.met]
                mark = [
                    Change(
                        f"{OPTIONAL} of {service.name}", _label(composition, service.name), "1", service.name, OPTIONAL
                    )
                ]
                may_go = self.aim not in ("deployed", service.name)
                if may_go and (None in written or len(written) > 1 or prefer_optional):
                    changes += mark
                else:
                    changes += [each for each in written if each]
            if tuple(changes) not in seen:
                seen.add(tuple(changes))
                after = _relabelled(self.composition, changes)
                yield from self.flip("label", changes, ", and ".join(map(_write, changes)), self.facts, after)

    def too_young(self) -> Iterator[Change]:
        """Labels that this supervisor does not know yet: each of them makes it refuse the offer (S-71)."""
        version = version_of(self.facts.supervisor.version) if self.facts.supervisor else None
        for service in self.composition.services if version else ():
            for key, value in dict(service.labels).items():
                if version and key in LABEL_OF and version.triple < LABEL_OF[key].minimum:
                    yield Change(f"{key} of {service.name}", value, None, service.name, key)


def _must_run(composition: Composition, name: str) -> bool:
    service = composition.service(name)
    return service is not None and not is_optional(service)


def _label(composition: Composition, name: str) -> str | None:
    service = composition.service(name)
    return service.label(OPTIONAL) if service else None


def _relabelled(composition: Composition, changes: Iterable[Change]) -> Composition:
    """The composition with these labels changed. A label without a value goes."""
    edits: dict[str, dict[str, str | None]] = {}
    for change in changes:
        edits.setdefault(change.service, {})[change.key] = change.after
    services = [
        replace(
            each, labels=tuple((k, v) for k, v in {**dict(each.labels), **edits[each.name]}.items() if v is not None)
        )
        if each.name in edits
        else each
        for each in composition.services
    ]
    return replace(composition, services=tuple(services)) if edits else composition


def _edges(text: str) -> Iterator[str]:
    """The versions at the ends of a range: the first that is in it, and the last full one below its end."""
    range_ = range_of(text)
    if range_ is None:
        yield text
        return
    for low, closed, high, high_closed in range_.intervals():
        if low:
            major, minor, patch = low.triple
            yield str(low) if closed else f"{major}.{minor}.{patch + (not low.prerelease)}"
            yield f"{major}.{minor}.{patch}"
        else:
            yield "0.0.0"
        if high:
            major, minor, patch = high.triple
            steps = [(major, minor, patch - 1), (major, minor - 1, 0), (major - 1, 0, 0)]
            below = next((each for each in steps if min(each) >= 0), high.triple)
            yield str(high) if high_closed else ".".join(map(str, below))


def _fact_change(type: str, before: Fact | None, after: Fact) -> Change:
    return Change(type, before.shown if before else None, after.shown, key=type)


def _go_to(found: Mapping[str, Fact], now: Facts) -> str:
    """The sentence for changed facts."""
    versions, others = [], []
    for type, fact in found.items():
        label, before = TYPES[type], now.get(type)
        if label.value != "range":
            others.append(f"use a device whose {label.noun} is `{fact.slug}`")
        elif fact.version == "0.0.0":
            others.append(f"use a device that reports {label.noun}")
        elif before is None or before.slug != fact.slug:
            others.append(f"use a device with {label.slug and fact.slug or label.noun} {fact.version}")
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
    fact = facts.get(label.type)
    after = None
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
        if match := re.fullmatch(r"\s*(?:\^|~>?)\s*v?([^\s|]+)\s*", written):  # a window that is meant as a minimum
            yield f">={match[1]}"
        if not all(each.admits(version) for each in lows):
            yield " ".join((f">={line}", *(f"{each.op}{each.edge}" for each in highs)))
        elif all((version.major < 2019) == (each.version.major < 2019) for each in highs):
            yield " ".join((*map(str, lows), f"<={line}"))
    yield f"{written} || {line}"
    yield f"{written} || >={version.major}.{version.minor}.{version.patch}-0"
