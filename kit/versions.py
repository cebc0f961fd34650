r"""Versions, and the ranges that people write for them.

Theory of operation
-------------------
A device answers a requirement such as `>=5.15` with the range grammar of npm's semver 7.7.4, the one
that the supervisor pins (not loose, `includePrerelease` off). This module is that grammar, from text to
answer. All sugar becomes plain once, while reading: a range is a choice of *sets* (`||`), a set is a
row of *comparators* that must all hold, and a comparator is an operator and a full version.

    range      = set { "||" set }
    set        = partial " - " partial | [ word { blank word } ]
    word       = [ op ] [ blank ] { "v" | "=" } partial
    op         = "<" | "<=" | ">" | ">=" | "=" | "~" | "~>" | "^"
    partial    = xr [ "." xr [ "." xr [ "-" prerelease ] [ "+" build ] ] ]
    xr         = "x" | "X" | "*" | number          (no leading zeros)

The order of versions is that of the `semver` package: every `<` between two versions asks it. One
shortcut is taken, and a test holds it against the package: among *releases* (versions without a
prerelease) a set of comparators is a window of (major, minor, patch), and tuples of numbers compare fast.

Our exceptions, both `ValueError`, both drawn with a caret under the spot:

* InvalidVersion    a text is no version
* InvalidRange      a text is no range

Known limits, all of the reference: a prerelease number above 2^53 is compared as the nearest double;
a text of more than 256 characters is no version. Rules: S-43 to S-49 of the supervisor's specification.

>>> str(Range.parse(">5.15.*"))
'>=5.16.0'
>>> Version.parse("5.15.92") in Range.parse(">5.15.*")
False
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from itertools import chain, pairwise, takewhile
from math import inf
from operator import eq, ge, gt, le, lt
from typing import Any, Final, NamedTuple, TypeVar

from .diagnostics import beside

T = TypeVar("T")
Triple = tuple[int, int, int]
Window = tuple[Triple, tuple[float, ...]]

_SAID: Final[dict[str, Any]] = beside(__file__)
"""The words of `operators`, and of a prerelease that is `unasked`; of ranges what is `expected` where, and `repairs`;
`hints` by the shape of a word: operator, `n` or `x` for each number or wildcard, `+` for build metadata."""

_LONGEST: Final = 256  # characters of one version
_LARGEST: Final = 2**53 - 1  # of a major, minor or patch number

# What JavaScript takes for a blank. Python's own idea differs: it has \x1c to \x1f and \x85 too, and no \ufeff.
_BLANKS: Final = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_INK: Final = re.compile(f"[^{_BLANKS}]+")

# The grammar. The lengths are the reference's own; they decide about texts that nobody writes.
_NUMBER: Final = "(?:0|[1-9][0-9]{0,256})"
_XR: Final = f"({_NUMBER}|[xX*])"
_NAME: Final = "[0-9]{0,256}[A-Za-z-][0-9A-Za-z-]{0,250}"
_PRERELEASE: Final = rf"((?:{_NAME}|{_NUMBER})(?:\.(?:{_NAME}|{_NUMBER}))*)"
_BUILD: Final = r"\+([0-9A-Za-z-]{1,250}(?:\.[0-9A-Za-z-]{1,250})*)"
_PARTIAL: Final = rf"{_XR}(?:\.{_XR}(?:\.{_XR}(?:-{_PRERELEASE})?(?:{_BUILD})?)?)?"
# Where a blank may stand after an operator, a version may still have leading zeros or lack its hyphen.
_SLOPPY_NAME: Final = f"(?:{_NAME}|[0-9]{{1,256}})"
_SLOPPY: Final = rf"[0-9]{{1,256}}(?:\.[0-9]{{1,256}}){{2}}(?:-?{_SLOPPY_NAME}(?:\.{_SLOPPY_NAME})*)?(?:{_BUILD})?"

_VERSION: Final = re.compile(rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-{_PRERELEASE})?(?:{_BUILD})?")
_WORD: Final = re.compile(rf"(\^|~>?|[<>]?=?)([v= ]*){_PARTIAL}")
_END: Final = re.compile(f"([v= ]*){_PARTIAL}")  # of a hyphen range
# What is left out of a range while it is read: group 1 of each pattern.
_OPERATOR_GAP: Final = re.compile(f" ?[<>]?=?( ?)[v= ]*+(?:{_SLOPPY}|{_PARTIAL})|[v= ]++")  # the last part is for speed
_SIGN_GAP: Final = re.compile(r"(?:~|\^(?!>))(>? )")
_FIRST_BUILD: Final = re.compile(rf"\A.*?({_BUILD})", re.DOTALL)
_FIRST_STAR: Final = re.compile(r"\A.*?([<>]?=?\*)", re.DOTALL)


class _Invalid(ValueError):  # noqa: N818  (names say what a text is, not that something failed)
    def __init__(self, text: str, at: int, expected: str) -> None:
        start = max(0, at - 60)  # a long text is cut to what stands around the spot
        line = "".join(c if c.isprintable() else " " for c in text[start : start + 100])
        super().__init__(f"expected {expected}\n    {line}\n    {' ' * (at - start)}^")
        self.text, self.at, self.expected = text, at, expected


class InvalidVersion(_Invalid):
    """A text that is no version. `at` counts characters from 0, `expected` names what should stand there."""


class InvalidRange(_Invalid):
    """A text that is no version range. `at` counts characters from 0, `expected` names what should stand there."""


# ---------------------------------------------------------------------------------------------- versions


@lru_cache(maxsize=1 << 14)
def _compare(one: str, two: str) -> int:
    """Below, at or above 0, as the `semver` package has it; that package knows which version is newer."""
    from semver import Version as Ordered  # 20 ms, and most ranges never need it

    return Ordered.parse(one).compare(two)


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version: three numbers, prerelease names, and build metadata, which no comparison sees (S-43, S-44).

    `str()` is npm's form, without `v` and build. Versions that differ only in their build are equal.

    >>> Version.parse("v6.3.0+rev4") == Version.parse("6.3.0+rev5")
    True
    >>> Version.parse("6.4.0-rc1") < Version.parse("6.4.0")
    True
    """

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: str = ""
    triple: Triple = field(init=False, repr=False)
    _rank: str = field(init=False, repr=False)  # what the `semver` package is given

    def __post_init__(self) -> None:
        # The reference compares numbers above 2^53 as doubles.
        names = [str(int(float(name))) if len(name) > 15 and name.isdigit() else name for name in self.prerelease]
        object.__setattr__(self, "triple", (self.major, self.minor, self.patch))
        object.__setattr__(self, "_rank", self._text(names))

    def _text(self, names: Sequence[str]) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{'.'.join(names)}" if names else "")

    @staticmethod
    @lru_cache(maxsize=8192)
    def parse(text: str) -> Version:
        """Read a full version: blanks around it and one `v` are allowed, `1.2` and `=1.2.3` are not.

        Raises:
            InvalidVersion: The text is none, is longer than 256 characters, or a number is too large.
        """
        bare = text.strip(_BLANKS)
        match = _VERSION.fullmatch(bare)
        if match and len(text) <= _LONGEST and max(map(int, match.groups()[:3])) <= _LARGEST:
            major, minor, patch, names, build = match.groups("")
            return Version(int(major), int(minor), int(patch), tuple(names.split(".")) if names else (), build)
        begun = None if match else _VERSION.match(bare)
        at = len(text) - len(text.lstrip(_BLANKS)) + (begun.end() if begun else 0)
        limits = f" up to {_LARGEST}, in at most {_LONGEST} characters" if match else ""
        raise InvalidVersion(text, at, f"three numbers such as 5.15.92{limits}")

    @property
    def above(self) -> Triple:
        """The first release above this version. A release is newer than its own prereleases."""
        return self.triple if self.prerelease else (self.major, self.minor, self.patch + 1)

    @property
    def release(self) -> Version:
        """The release of the same three numbers."""
        return Version(*self.triple)

    def __str__(self) -> str:
        return self._text(self.prerelease)

    def __hash__(self) -> int:
        return hash(self._rank)

    def __eq__(self, other: object) -> bool:
        return self._rank == other._rank if isinstance(other, Version) else NotImplemented

    def __lt__(self, other: Version) -> bool:
        return _compare(self._rank, other._rank) < 0

    def __le__(self, other: Version) -> bool:
        return _compare(self._rank, other._rank) <= 0


# ------------------------------------------------------------------------------------------- comparators

_ORDER: Final = {"": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


class Comparator(NamedTuple):
    """An operator and a full version. No operator means *exactly this one*."""

    op: str
    version: Version

    def __str__(self) -> str:
        return f"{self.op}{self.version}"

    @property
    def edge(self) -> Version:
        """The version as a reader thinks of it: the `-0` that ends a range stands for the release."""
        return self.version.release if self.op == "<" and self.version.prerelease == ("0",) else self.version

    @property
    def kind(self) -> str:
        """The operator; `>=-0` with the prereleases of its release, and `nothing` if no version is old enough."""
        if self == _NOTHING:
            return "nothing"
        return self.op + "-0" * (self.op == ">=" and self.version.prerelease == ("0",))

    def words(self) -> str:
        """What it demands, in words.

        >>> Comparator(">=", Version(5, 16, 0)).words()
        '5.16.0 or newer'
        """
        return str(_SAID["operators"][self.kind]["wanted"].format(self.edge))

    def admits(self, version: Version) -> bool:
        """Whether the order of versions agrees. The rule on prereleases is one of whole sets (S-48)."""
        return bool(_ORDER[self.op](version, self.version))


_OLDEST: Final = Version(0, 0, 0, ("0",))
_NOTHING: Final = Comparator("<", _OLDEST)  # nothing is older
Set = tuple[Comparator, ...]
"""Comparators that must all hold. An empty set admits every release."""


class Failure(NamedTuple):
    """Why a version is not in a range: the comparator that it fails, or None for the prerelease rule."""

    comparator: Comparator | None
    why: str
    rule: str


class Interval(NamedTuple):
    """A piece of the line of versions. `None` is open without end."""

    low: Version | None
    low_closed: bool
    high: Version | None
    high_closed: bool


# ------------------------------------------------------------------------------------------------ ranges


def _welcomes(comparators: Set, version: Version) -> bool:
    """A prerelease must be asked for, by a comparator that has one on the same three numbers (S-48)."""
    return any(each.version.prerelease and each.version.triple == version.triple for each in comparators)


def _holds(comparators: Set, version: Version) -> bool:
    """Whether a version with a prerelease is in this set."""
    return _welcomes(comparators, version) and all(each.admits(version) for each in comparators)


def _interval(comparators: Set) -> Interval:
    """The two ends of a set. It may yet be empty."""
    low = max((c for c in comparators if "<" not in c.op), key=lambda c: (c.version, c.op == ">"), default=None)
    high = min((c for c in comparators if ">" not in c.op), key=lambda c: (c.version, c.op != "<"), default=None)
    low_end = (low.version, low.op != ">") if low else (None, False)
    high_end = (high.edge, high.op != "<") if high else (None, False)
    return Interval(*low_end, *high_end)


def _window(comparators: Set) -> Window:
    """The releases of a set: from the first triple to below the second."""
    low, low_closed, high, high_closed = _interval(comparators)
    first = (low.triple if low_closed else low.above) if low else (0, 0, 0)
    return first, (high.above if high_closed else high.triple) if high else (inf,)


def _is_empty(comparators: Set) -> bool:
    """No version is in this set: no release, and of each prerelease asked for neither it nor what is next to it."""
    low, high = _window(comparators)
    asked = (each.version for each in comparators if each.version.prerelease)
    tried = (Version(*v.triple, names) for v in asked for names in (("0",), v.prerelease, (*v.prerelease, "0")))
    return low >= high and not any(_holds(comparators, version) for version in tried)


@dataclass(frozen=True, slots=True)
class Range:
    """Which versions are wanted. `written` is the text as typed, `str()` is npm's normal form of it.

    >>> Version.parse("2.108.1") in Range.parse("^2.12 || >=14")
    True
    >>> Range.parse("^2.12").words()
    '2.12.0 or newer, but older than 3.0.0'
    """

    written: str
    sets: tuple[Set, ...]
    _windows: tuple[Window, ...] = field(repr=False, compare=False)

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> Range:
        """Read a range.

        Raises:
            InvalidRange: The text, or one of its alternatives, is none (S-47).
        """
        rows = ({str(each): each for term in terms for each in term.meaning} for terms in _read(text))
        sets = [(_NOTHING,) if str(_NOTHING) in row else tuple(row.values()) for row in rows]
        sets = [()] if () in sets else [each for each in sets if each != (_NOTHING,)] or sets[:1]
        return Range(text, tuple(sets), tuple(map(_window, sets)))

    def __str__(self) -> str:
        return "||".join(" ".join(map(str, each)) for each in self.sets) or "*"

    def __contains__(self, version: Version) -> bool:
        if version.prerelease:
            return any(_holds(each, version) for each in self.sets)
        triple = version.triple
        for low, high in self._windows:  # noqa: SIM110  (millions of answers: a generator would take twice the time)
            if low <= triple < high:
                return True
        return False

    @property
    def empty(self) -> bool:
        """Valid, and no version is in it (S-49)."""
        return all(map(_is_empty, self.sets))

    def words(self) -> str:
        """What is demanded, in words that follow *wanted is …*.

        >>> Range.parse("1 || 2.3").words()
        '1.0.0 or newer, but older than 2.0.0; or 2.3.0 or newer, but older than 2.4.0'
        """

        def words(comparators: Set) -> str:
            link = ", but " if len(comparators) == 2 and ">" in comparators[0].op else ", and "
            return link.join(map(Comparator.words, comparators)) or "any release version"

        return "; or ".join(map(words, self.sets))

    def failing(self, version: Version) -> tuple[Failure, ...]:
        """What this version fails, in the set that it misses by least. Empty if the version is in the range.

        >>> [failure.why for failure in Range.parse(">=5.15 <6").failing(Version.parse("6.1.0"))]
        ['6.1.0 is not older than 6.0.0']
        >>> Range.parse("*").failing(Version.parse("6.4.0-rc1"))[0].rule
        'S-48'
        """

        def miss(comparators: Set) -> tuple[int, list[list[int]]]:
            missed = [each.version.triple for each in comparators if not each.admits(version)]
            return len(missed), [[abs(a - b) for a, b in zip(version.triple, each, strict=True)] for each in missed]

        return () if version in self else tuple(_failures(min(self.sets, key=miss), version))

    def intervals(self) -> tuple[Interval, ...]:
        """The range as pieces of a line, merged and ascending, for drawing; none if it is empty.

        The rule on prereleases (S-48) cannot be drawn and is left out: `<2.0.0-0` ends at 2.0.0.
        """
        merged: list[Interval] = []
        for each in sorted((_interval(each) for each in self.sets if not _is_empty(each)), key=_start):
            if not merged or _end(merged[-1]) < (False, each.low or _OLDEST, not each.low_closed):
                merged.append(each)
            elif _end(merged[-1]) < _end(each):
                merged[-1] = merged[-1]._replace(high=each.high, high_closed=each.high_closed)
        return tuple(merged)


def _start(piece: Interval) -> tuple[Version, bool]:
    return piece.low or _OLDEST, bool(piece.low) and not piece.low_closed


def _end(piece: Interval) -> tuple[bool, Version, bool]:
    return piece.high is None, piece.high or _OLDEST, piece.high_closed


def _failures(comparators: Set, version: Version) -> Iterator[Failure]:
    for each in comparators:
        if not each.admits(version):
            edge = each.version if version.prerelease else each.edge
            yield Failure(each, _SAID["operators"][each.kind]["failed"].format(version, edge), "S-45")
    if version.prerelease and not _welcomes(comparators, version):
        yield Failure(None, _SAID["unasked"].format(version), "S-48")


# ------------------------------------------------------------------------------------- from text to range


class _Piece(NamedTuple):
    """A stretch of a text, and where each of its characters stood in it (one place more: its end)."""

    text: str
    at: list[int]

    def part(self, start: int, end: int, op: str = "") -> _Piece:
        return _Piece(op + self.text[start:end], [self.at[start]] * len(op) + self.at[start : end + 1])

    def without(self, pattern: re.Pattern[str]) -> _Piece:
        """Delete what group 1 of the pattern matches."""
        if not (gone := {i for match in pattern.finditer(self.text) for i in range(*match.span(1))}):
            return self
        kept = [i for i in range(len(self.text)) if i not in gone]
        return _Piece("".join(self.text[i] for i in kept), [*(self.at[i] for i in kept), self.at[-1]])


class _Term(NamedTuple):
    """A word of a range: where it stands, how it was written, which of its numbers count, what it means."""

    place: _Piece
    op: str
    parts: Sequence[str | None]
    given: list[int]
    build: str
    meaning: Set


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[tuple[_Term, ...], ...]:
    """The alternatives of a range, each as its words."""
    ink = list(_INK.finditer(text))
    at = [place for run in ink for place in range(run.start(), run.end() + 1)]
    whole = _Piece(" ".join(run[0] for run in ink), at or [0])
    bars = [(0, 0), *(bar.span() for bar in re.finditer(r" ?\|\| ?", whole.text)), (len(whole.text), 0)]
    pieces = (whole.part(left[1], right[0]) for left, right in pairwise(bars))
    return tuple(tuple(_term(text, word) for word in _words(piece)) for piece in pieces)


def _words(piece: _Piece) -> list[_Piece]:
    """The words of one alternative: no blank is left between an operator and its version."""
    low, dash, high = piece.text.partition(" - ")
    if dash and _END.fullmatch(low) and (upper := _END.fullmatch(high)):
        # The reference forgets what stands before an upper end with a prerelease: `1 - ==2.0.0-rc` is valid.
        start = len(low) + len(dash) + (upper.end(1) if upper[5] else 0)
        return [piece.part(0, len(low), ">="), piece.part(start, len(piece.text), "<=")]
    piece = piece.without(_OPERATOR_GAP).without(_SIGN_GAP)
    return [piece.part(*word.span()) for word in re.finditer("[^ ]+", piece.text)]


def _term(text: str, piece: _Piece) -> _Term:
    """One word; its build metadata goes first, wherever it stands (S-44)."""
    build, bare = _FIRST_BUILD.match(piece.text), piece.without(_FIRST_BUILD)
    match = _WORD.fullmatch(bare.text)
    op, _sign, *parts, prerelease, _build = match.groups() if match else ("",) + (None,) * 6
    given = [int(part) for part in takewhile(lambda part: part and part not in "xX*", parts) if part]
    sugar = match and (len(given) < 3 or op[:1] in ("~", "^"))
    # The reference takes one star out of what is no sugar: `1.2.3*` is 1.2.3 to it.
    bounds = _bounds(op, given, prerelease) if sugar else [bare.without(_FIRST_STAR).text]
    try:  # a plain `>=0.0.0` says nothing and goes
        split = [re.split("^([<>]?=?)", each, maxsplit=1) for each in bounds if each not in ("", ">=0.0.0")]
        meaning = tuple(Comparator(op.removeprefix("="), Version.parse(version)) for _, op, version in split)
    except InvalidVersion:
        raise _invalid(text, bare) from None
    return _Term(piece, op, parts, given, build[1] if build else "", meaning)


def _bounds(op: str, given: list[int], prerelease: str | None) -> list[str]:
    """One version behind one operator, as plain comparators (S-45).

    `~1.2.3` keeps the minor number, `^1.2.3` the leftmost one that is not 0, `1.2` every one that is given.
    """
    if not given:
        return [str(_NOTHING)] if op in ("<", ">") else []
    last = len(given) - 1
    keep = min(last, 1) if "~" in op else last
    if op == "^":
        keep = next((place for place, number in enumerate(given) if number), last)
    low = ".".join(map(str, [*given, 0, 0][:3]))
    above = ".".join(map(str, [*given[:keep], given[keep] + 1, 0, 0][:3]))
    plain = {">": f">={above}", ">=": f">={low}", "<": f"<{low}-0", "<=": f"<{above}-0"}
    name = f"-{prerelease}" if prerelease and last == 2 else ""
    return [plain[op]] if op in plain else [f">={low}{name}", f"<{above}-0"]


def _invalid(text: str, word: _Piece) -> InvalidRange:
    """Where a word goes wrong, and what was expected there."""
    begun = _WORD.match(word.text)
    end = begun.end() if begun and begun.end() < len(word.text) else 0
    if not begun and not word.text.strip("<>=~^v"):
        end = len(word.text)
    rest = word.text[end:]
    expected = (expected for pattern, expected in _SAID["expected"] if re.match(pattern, rest, re.DOTALL))
    return InvalidRange(text, word.at[end], next(expected, "a version such as 3 or 2.108.0"))


def _or_none(parse: Callable[[str], T]) -> Callable[[str | None], T | None]:
    """A reader that answers None, and remembers it, where the other one raises."""

    @lru_cache(maxsize=1 << 15)
    def read(text: str | None) -> T | None:
        try:
            return None if text is None else parse(text)
        except ValueError:
            return None

    return read


version_of: Final = _or_none(Version.parse)
"""The version that a text is, or None."""
range_of: Final = _or_none(Range.parse)
"""The range that a text is, or None."""


def valid_range(text: str) -> str | None:
    """npm's normal form of a range, or None if it is none.

    >>> valid_range("1 || 2.3")
    '>=1.0.0 <2.0.0-0||>=2.3.0 <2.4.0-0'
    >>> valid_range("")
    '*'
    >>> valid_range("latest") is None
    True
    """
    return str(found) if (found := range_of(text)) else None


def satisfies(version: str, range: str) -> bool:
    """Whether a version is in a range; False if either text is invalid.

    >>> satisfies("5.15.92", ">5.15.*")
    False
    """
    asked, wanted = version_of(version), range_of(range)
    return asked is not None and wanted is not None and asked in wanted


# ---------------------------------------------------------------------------------- what was meant instead


class Hint(NamedTuple):
    """A form that often means something else to its writer. `instead` is the whole text to write, or empty."""

    code: str
    rule: str
    sentence: str
    instead: str


@lru_cache(maxsize=1 << 10)
def clarify(text: str) -> tuple[Hint, ...]:
    """What a learner should know about this range: forms that often mean something else to their writer.

    >>> clarify(">5.15.*")[0].sentence
    '`>5.15.*` means >=5.16.0: no 5.15.x is in it; to admit 5.15.x write `>=5.15`'
    >>> [hint.instead for hint in clarify("=>14")]
    ['>=14']
    >>> clarify(">=5.15")
    ()
    """
    try:
        alternatives, range = _read(text), Range.parse(text)
    except InvalidRange as error:
        repaired = reduce(lambda text, pair: text.replace(*pair), _SAID["repairs"], text)
        sentence = f"`{text}` is no range: expected {error.expected}"
        return (Hint("invalid-range", "S-47", sentence, repaired if valid_range(repaired) else ""),)
    found = []
    for term in chain.from_iterable(alternatives):
        before, word, after = text[: (at := term.place.at)[0]], text[at[0] : at[-1]], text[at[-1] :]
        texts = {"word": word, "build": term.build, "means": " ".join(map(str, term.meaning))}
        texts |= {"plain": word.replace(term.build, "", 1), "short": re.sub("[xX*].*", "*", word)}
        texts["given"] = ".".join(map(str, term.given))
        shape = term.op + "".join("x" if part in "xX*" else "n" for part in term.parts if part) + "+" * bool(term.build)
        for code, (of, rule, sentence, instead) in _SAID["hints"].items():
            if re.search(of, shape):
                found.append(Hint(code, rule, sentence.format_map(texts), before + instead.format_map(texts) + after))
    if range.empty and "admits-nothing" not in [hint.code for hint in found]:
        found.append(Hint("admits-nothing", "S-49", f"`{text}` is valid, and no version is in it: {range}", ""))
    if len(alternatives) > 1 and () in alternatives:
        found.append(Hint("empty-alternative", "S-45", "an empty alternative admits every release", ""))
    return tuple(found)
