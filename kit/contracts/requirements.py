"""Contracts: what a service asks of the device it runs on.

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

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from ..composition import Service
from ..diagnostics import Diagnostic, Severity, Span, said
from .labels import LABEL_OF, TYPES, WORDS, Requirement

CHOSEN: Final = ("sw.os", "sw.kernel")  # labels of these types become one choice each (S-20)


class AnyOf(NamedTuple):
    """A choice: one member is enough, and an empty choice is always met (S-42)."""

    members: tuple[Requirement, ...]


class Contract(NamedTuple):
    """What must hold, all of it."""

    requires: tuple[Requirement | AnyOf, ...] = ()
    slug: str | None = None
    type: str = "sw.container"


class Malformed(NamedTuple):
    """A contract that the device cannot read. The whole offer is refused because of it (S-55)."""

    reason: str
    rule: str


def contract_of(service: Service) -> Contract | None:
    """The contract that the labels of a service become (S-20), or None without a known label (S-21).

    Plain atoms come first, in the order of the labels; then one choice with the `sw.os` atoms and one
    with the `sw.kernel` atoms.
    """
    atoms = [LABEL_OF[key].atom(value) for key, value in dict(service.labels).items() if key in LABEL_OF]
    plain = [atom for atom in atoms if atom.type not in CHOSEN]
    choices = [tuple([atom for atom in atoms if atom.type == type]) for type in CHOSEN]
    entries: tuple[Requirement | AnyOf, ...] = (*plain, *(AnyOf(members) for members in choices if members))
    return Contract(entries, f"contract-for-{service.name}") if entries else None


# ------------------------------------------------------------------------------- a contract as an object


def read_contract(raw: object) -> Contract | Malformed:
    """A contract as the device reads it (S-26 to S-35). `None` is a contract that asks for nothing.

    >>> read_contract({"requires": [{"type": "sw.spec", "slug": "compose"}]}).reason
    '`sw.spec` is a requirement type that the supervisor does not know'
    """
    try:
        return _contract({} if raw is None else raw)
    except _Unreadable as error:
        return Malformed(*error.args)


class _Unreadable(Exception):  # noqa: N818  (it never leaves this module)
    """A reason and a rule."""


def _contract(raw: object) -> Contract:
    if not isinstance(raw, Mapping):
        raise _Unreadable("the contract is not an object", "S-26")
    type, slug = (_text(raw, key, "the contract", "S-27") for key in ("type", "slug"))
    requires = raw.get("requires")
    if not isinstance(requires, list | tuple | None):
        raise _Unreadable("`requires` is not a list", "S-30")
    entries = [_entry(each) for each in requires or ()]
    for unknown in (atom.type for entry in entries for atom in entry.members if atom.type not in TYPES):
        raise _Unreadable(f"`{unknown}` is a requirement type that the supervisor does not know", "S-34")
    return Contract((*entries, *_inherited(raw.get("children"))), slug, "sw.container" if type is None else type)


def _text(raw: Mapping[Any, object], key: str, where: str, rule: str) -> str | None:
    value = raw.get(key)
    if isinstance(value, str | None):
        return value
    raise _Unreadable(f"the `{key}` of {where} is not text", rule)


def _entry(raw: object) -> Requirement | AnyOf:
    """One entry of `requires`: an object with a `type` is an atom, one with an `or` is a choice (S-28, S-29)."""
    if isinstance(raw, Mapping) and raw.get("type") is None:
        if isinstance(members := raw.get("or"), list | tuple):
            return AnyOf(tuple([_atom(each) for each in members]))
        raise _Unreadable("a requirement has neither a `type` nor a list of alternatives under `or`", "S-30")
    return _atom(raw)


def _atom(raw: object) -> Requirement:
    if not isinstance(raw, Mapping):
        raise _Unreadable("a requirement is not an object", "S-28")
    type, slug, version = (_text(raw, key, "a requirement", "S-30") for key in ("type", "slug", "version"))
    if type is None:
        raise _Unreadable("an alternative under `or` has no `type`", "S-30")
    if not isinstance(raw.get("data", {}), Mapping):
        raise _Unreadable(f"the `data` of a `{type}` requirement is not an object", "S-28")
    return Requirement(type, slug or None, version or None, "data" in raw)


def _inherited(tree: object, depth: int = 0) -> Iterator[Requirement | AnyOf]:
    """What contracts under `children` ask for; it counts too, and their types are not checked (S-32).

    A branch without a `slug` only leads to others. Entries that are neither atom nor choice are passed over.
    """
    for child in tree.values() if isinstance(tree, Mapping) and depth < 32 else ():
        contract = isinstance(child, Mapping) and bool(child.get("slug"))
        requires = child.get("requires") if contract else ()
        for each in requires if isinstance(requires, list | tuple) else ():
            with suppress(_Unreadable):
                yield _entry(each)
        yield from _inherited(child.get("children") if contract else child, depth + 1)


Entries = tuple[tuple[Requirement, ...], ...]
"""What a contract asks for: of each entry, one atom must hold."""


def entries_of(service: Service, contracts: Mapping[str, object]) -> Entries | Malformed:
    """What a service asks for, in its contract file or else in its labels. An atom that is also a label is named so."""
    if service.newer:
        because = f"for `{service.newer[0]}` balena asks for `sw.spec`, a requirement type that no supervisor knows"
        return Malformed(because, "S-34")
    labelled = contract_of(service) or Contract()
    given = read_contract(contracts[service.name]) if service.name in contracts else labelled
    if isinstance(given, Malformed):
        return given
    names = {atom._replace(label=""): atom for each in labelled.requires for atom in each.members}
    return tuple([tuple([names.get(atom, atom) for atom in each.members]) for each in given.requires])


# ---------------------------------------------------------------------------------------- contract files


def contract_file(service: Service, text: str, name: str) -> tuple[object | None, list[Diagnostic]]:
    """The `contract.yml` in the build folder of a service, and what a build says about it (S-24, C-77).

    The object is what `decide(..., contracts={service.name: object})` takes. A contract that builds and
    that no device can read is a finding of severity `refused` (S-34, S-55).
    """
    from ..source import parse  # it loads PyYAML, and only a contract file needs that

    parsed = parse(text, name)
    found = list(parsed.findings)

    def find(code: str, span: Span, hint: str = "", rule: str = "") -> None:
        found.append(said(WORDS["findings"], code, span, words={"hint": hint}, rule=rule))

    if contract_of(service):
        find("two-contracts", Span(name, 1, 1), service.name)
    root = next(iter(parsed.documents), None)
    raw = root.plain() if root else None
    if root is None or not isinstance(raw, dict):
        if not any(each.severity is Severity.ERROR for each in parsed.findings):
            find("no-contract", Span(name, 1, 1))
        return None, found
    for key in ("name", "slug"):
        if not isinstance(raw.get(key), str) or not raw[key]:
            find("contract-without-name", root.key_span(key), key)
    if raw.get("type") != "sw.container":
        find("contract-type", root.key_span("type"))
    if isinstance(contract := read_contract(raw), Malformed):
        find("unreadable-contract", root.key_span("requires"), contract.reason, contract.rule)
    return raw, found
