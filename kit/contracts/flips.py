"""What would have to change? The smallest change of facts, and of labels, that turns a decision.

Facts: requirements of one type bind one fact, so a fact that fails must change, and a value that passes
lies at an edge of a range: only edges are tried. A choice in a contract file may tie several facts
together; then further facts are tried, fewest first. Labels: each failing label must change, or its
service is marked optional where it need not run itself.

Nothing is promised unchecked: every flip was decided again, by `decide`, before it is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations, islice, product
from typing import Any, Final, Literal, NamedTuple

from ..composition import Composition, Service
from ..versions import clarify, range_of, version_of
from .decisions import NONE, Contracts, Decision, Outcome, decide, listed
from .labels import ARCHITECTURES, LABEL_OF, OPTIONAL, TYPES, is_optional
from .reasons import OF_TYPE, Clause, Fact, Facts, clause
from .requirements import Malformed, entries_of

Releases = Iterable[tuple[str, Facts]]
"""balenaOS releases, each with the facts that a device would have."""

_TRIES: Final = 4_000  # combinations of facts, when choices in contract files tie them together


class Change(NamedTuple):
    """One edit. `key` is the type of a fact or, on a service, a label. None is absent."""

    key: str
    before: str | None
    after: str | None
    service: str = ""


class Flip(NamedTuple):
    """A change that turns the decision: as edits, as a sentence, and as the facts and composition after it."""

    kind: Literal["fact", "label"]
    changes: tuple[Change, ...]
    sentence: str
    outcome: Outcome
    facts: Facts
    composition: Composition


def flips(
    composition: Composition, facts: Facts, *, wanted: str = "", contracts: Contracts = NONE, releases: Releases = ()
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
    repeats = {each.name for each in composition.services if entries_of(each, contracts) == entries_of(each, NONE)}
    given = {name: raw for name, raw in contracts.items() if name not in repeats}
    now = decide(composition, facts, contracts=given)
    search = _Search(composition, facts, given, wanted or ("deployed" if now.outcome == "partial" else "partial"))
    if search.impossible or search.reached(now):
        return ()
    return (*search.of_labels(), *islice(search.of_releases(releases), 1), *islice(search.of_facts(), 1))


class _Search:
    """One question, and what every answer to it must respect."""

    def __init__(self, composition: Composition, facts: Facts, contracts: Contracts, aim: str) -> None:
        self.composition, self.facts, self.contracts, self.aim = composition, facts, contracts, aim
        read = {each.name: entries_of(each, contracts) for each in composition.services}
        known = {name: each for name, each in read.items() if not isinstance(each, Malformed)}
        self.impossible = len(known) < len(read) or not (aim in ("partial", "deployed") or aim in read)
        must = [each.name for each in composition.services if self.must_run(each)]
        entries = [entry for name in must for entry in known.get(name, ()) if entry]
        # Choices between facts tie several facts together; every other entry binds one.
        self.choices = [each for each in entries if len({atom.type for atom in each}) > 1]
        self.single = [each for each in entries if each not in self.choices]
        self.failing = [type for type in OF_TYPE if not self.meets(type, facts.get(type))]

    def must_run(self, service: Service) -> bool:
        return self.aim in ("deployed", service.name) or not is_optional(service)

    def reached(self, decision: Decision) -> bool:
        if self.aim in ("deployed", "partial"):
            return decision.outcome in ("deployed", self.aim)
        return self.aim in decision.run

    def checked(self, changes: Iterable[Change], sentence: str, after: Facts | Composition) -> Iterator[Flip]:
        """The flip, if it is one."""
        composition = after if isinstance(after, Composition) else self.composition
        facts = after if isinstance(after, Facts) else self.facts
        decision = decide(composition, facts, contracts=self.contracts)
        if self.reached(decision):
            kind: Literal["fact", "label"] = "fact" if facts is after else "label"
            yield Flip(kind, tuple(changes), sentence, decision.outcome, facts, composition)

    # ------------------------------------------------------------------------------------------ facts

    def meets(self, type: str, fact: Fact | None) -> bool:
        """Whether this fact meets every entry that binds it alone, and is not too old for the labels (S-71)."""
        if type == "sw.supervisor" and any(_young(self.composition, fact)):
            return False
        mine = [entry for entry in self.single if entry[0].type == type]
        return all(any(clause(atom, fact).met for atom in entry) for entry in mine)

    def of_facts(self) -> Iterator[Flip]:
        """The fewest facts that must change, each to the nearest value that will do."""
        values = {type: [each for each in self.edges(type) if self.meets(type, each)] for type in OF_TYPE}
        others = [type for type in OF_TYPE if type not in self.failing] if self.choices else []
        sets = ((*self.failing, *more) for extra in range(len(others) + 1) for more in combinations(others, extra))
        tries = ((types, facts) for types in sets for facts in product(*(values[type] for type in types)))
        for types, found in islice(tries, _TRIES):
            now = [self.facts.get(type) for type in types]
            changes = [Change(type, b and b.shown, a.shown) for type, b, a in zip(types, now, found, strict=True)]
            fields: dict[str, Any] = dict(zip(map(OF_TYPE.__getitem__, types), found, strict=True))
            yield from self.checked(changes, _go_to(types, now, found), replace(self.facts, **fields))

    def edges(self, type: str) -> list[Fact]:
        """Values that a fact could take: the ends of the ranges that are asked for, the nearest newer one first."""
        now, label = self.facts.get(type), TYPES[type]
        least = "0.0.0" if label.value == "range" else None
        floors = [LABEL_OF[change.key].minimum for change in _young(self.composition, Fact(None, "0.0.0", ""))]
        known = [".".join(map(str, max(floors)))] if type == "sw.supervisor" and floors else []
        found: set[tuple[str | None, str | None]] = {(None, text) for text in known}
        for atom in (atom for entry in (*self.single, *self.choices) for atom in entry if atom.type == type):
            slug = atom.slug or (now.slug if now else label.slug)
            texts = _edges(atom.version) if atom.version else [now.version if now else least]
            found |= {(slug, text) for text in texts}
        here = version_of(now.version) if now else None

        def nearness(value: tuple[str | None, str | None]) -> tuple[bool, bool, list[int], str]:
            version = version_of(value[1])
            older = bool(version and here and version < here)
            return version is None, older, [-n if older else n for n in version.triple] if version else [], str(value)

        return [Fact(*value, "what would have to be") for value in sorted(found, key=nearness) if any(value)]

    def of_releases(self, releases: Iterable[tuple[str, Facts]]) -> Iterator[Flip]:
        """The nearest balenaOS release with which it happens. One change: the facts come with the release."""
        now = self.facts.os.version if self.facts.os else None
        for version, facts in releases:
            if all(self.meets(type, facts.get(type)) for type in self.failing):
                told = {TYPES[type].noun: facts.get(type) for type in self.failing if type != "sw.os"}
                news = listed([f"{noun} {fact.shown}" for noun, fact in told.items() if fact])
                sentence = f"bring the device to balenaOS {version}{news and f' ({news})'}"
                yield from self.checked([Change("sw.os", now, version)], sentence, facts)

    # ----------------------------------------------------------------------------------------- labels

    def of_labels(self) -> Iterator[Flip]:
        """The fewest labels that must change: written anew where that is enough, and with the optional mark instead."""
        young = list(_young(self.composition, self.facts.supervisor))
        composition = _relabelled(self.composition, young)
        now = decide(composition, self.facts, contracts=self.contracts)
        seen: list[list[Change]] = []
        for marking in (False, True):
            changes = list(young)
            for service, decided in zip(composition.services, now.services, strict=True):
                if decided.met or not self.must_run(service):
                    continue
                written = [_rewritten(service.name, each, self.facts) for each in decided.clauses if not each.met]
                if self.aim not in ("deployed", service.name) and (marking or None in written or len(written) > 1):
                    written = [Change(OPTIONAL, service.label(OPTIONAL), "1", service.name)]
                changes += [each for each in written if each]
            if changes not in seen:
                seen.append(changes)
                sentence = ", and ".join(map(_write, changes))
                yield from self.checked(changes, sentence, _relabelled(self.composition, changes))


def _young(composition: Composition, supervisor: Fact | None) -> Iterator[Change]:
    """The labels that a supervisor does not know yet must go: each of them makes it refuse the offer (S-71)."""
    version = version_of(supervisor.version) if supervisor else None
    for service in composition.services if version else ():
        for key, value in dict(service.labels).items():
            if version and key in LABEL_OF and version.triple < LABEL_OF[key].minimum:
                yield Change(key, value, None, service.name)


def _relabelled(composition: Composition, changes: Iterable[Change]) -> Composition:
    """The composition with these labels changed. A label without a value goes."""
    services = {each.name: each for each in composition.services}
    for key, _, after, name in changes:
        labels = {**dict(services[name].labels), key: after}
        kept = tuple((key, value) for key, value in labels.items() if value is not None)
        services[name] = replace(services[name], labels=kept)
    return replace(composition, services=tuple(services.values()))


def _edges(text: str) -> Iterator[str]:
    """The versions at the ends of a range: the first that is in it, and the last full one below its end."""
    range_ = range_of(text)
    for low, closed, high, high_closed in range_.intervals() if range_ else ():
        if low:
            yield str(low) if closed else ".".join(map(str, low.above))
        yield str(low.release) if low else "0.0.0"
        if high:
            major, minor, patch = high.triple
            steps = [(major, minor, patch - 1), (major, minor - 1, 0), (major - 1, 0, 0)]
            below = next((each for each in steps if min(each) >= 0), high.triple)
            yield str(high) if high_closed else ".".join(map(str, below))
    if range_ is None:
        yield text


def _go_to(types: Iterable[str], before: Iterable[Fact | None], after: Iterable[Fact]) -> str:
    """The sentence for changed facts."""
    versions, others = [], []
    for type, was, fact in zip(types, before, after, strict=True):
        label = TYPES[type]
        if label.value != "range":
            others.append(f"use a device whose {label.noun} is `{fact.slug}`")
        elif was is None or was.slug != fact.slug or fact.version == "0.0.0":
            version = "" if fact.version == "0.0.0" else f" {fact.version}"
            others.append(f"use a device with {fact.slug if type == 'sw.os' else label.noun}{version}")
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
        after = next((each for each in tried if clause(label.atom(each), fact).met), None)
    return Change(label.key, failed.wanted, after, service)


# One word, often meant as a minimum.
_WINDOW: Final = re.compile(r"\s*(?:\^|~>?|=)?\s*v?([0-9][^\s|]*?)(?:\.[xX*])*\s*")


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
        if match := _WINDOW.fullmatch(written):
            yield f">={match[1]}"
        if not all(each.admits(version) for each in lows):
            yield " ".join((f">={line}", *(f"{each.op}{each.edge}" for each in highs)))
        elif all((version.major < 2019) == (each.version.major < 2019) for each in highs):
            yield " ".join((*map(str, lows), f"<={line}"))
    yield f"{written} || {line}"
    yield f"{written} || >={version.major}.{version.minor}.{version.patch}-0"
