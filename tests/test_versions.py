"""Versions and ranges: what is read, what is refused and where, what is admitted, and what is said about it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import pytest
import semver
from hypothesis import example, given
from hypothesis import strategies as st

from kit.versions import (
    Comparator,
    InvalidRange,
    InvalidVersion,
    Range,
    Version,
    clarify,
    satisfies,
    valid_range,
)

T = TypeVar("T")

LARGEST = "9007199254740991"
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2005\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # of JavaScript
NO_BLANKS = "\x1c\x1d\x1e\x1f\x85\u180e\u200b\u2060"  # of Python, of other standards, or of nobody

# -------------------------------------------------------------------------------------------- versions

VERSIONS = [
    # written               npm's form        build
    ("5.15.92", "5.15.92", ""),
    ("v5.15.92", "5.15.92", ""),
    (" \t5.15.92\n", "5.15.92", ""),
    ("6.3.0+rev4", "6.3.0", "rev4"),
    ("6.4.0-rc.1+build.07", "6.4.0-rc.1", "build.07"),
    ("17.4.3-17-draft.x", "17.4.3-17-draft.x", ""),
    ("0.0.0-0", "0.0.0-0", ""),
    ("1.2.3----", "1.2.3----", ""),
    ("1.2.3-0a", "1.2.3-0a", ""),
    ("1.2.3+01", "1.2.3", "01"),
    (f"{LARGEST}.{LARGEST}.{LARGEST}", f"{LARGEST}.{LARGEST}.{LARGEST}", ""),
    ("1.2.3-99999999999999999999999", "1.2.3-99999999999999999999999", ""),
    ("1.2.3-" + "a" * 250, "1.2.3-" + "a" * 250, ""),
]

NOT_VERSIONS = [
    # written                where it goes wrong
    ("", 0),
    ("1", 0),
    ("1.2", 0),
    ("1.2.3.4", 5),
    ("1.2.3-", 5),
    ("1.2.3-01", 7),
    ("1.2.3+", 5),
    ("01.2.3", 0),
    ("=1.2.3", 0),
    ("V1.2.3", 0),
    ("v 1.2.3", 0),
    (" latest", 1),
    ("1.2.3 4", 5),
    ("1.2.x", 0),
    ("١.٢.٣", 0),
    ("\x851.2.3", 0),
    ("9007199254740992.0.0", 0),
    ("1.2.3" + " " * 252, 0),
    ("1.2.3-" + "a" * 251, 0),
]

ASCENDING = [
    # by section 11 of the semver standard, and npm's doubles at the end
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.9.0",
    "0.10.0",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-1.0",
    "1.0.0-10",
    "1.0.0-9007199254740991",
    "1.0.0-9007199254740992",
    "1.0.0-9007199254740994",
    "1.0.0--",
    "1.0.0-A",
    "1.0.0-a",
    "1.0.0-a.0",
    "1.0.0-a.a",
    "1.0.0-alpha",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
]


@pytest.mark.parametrize(("written", "normal", "build"), VERSIONS)
def test_a_version_is_read_as_npm_reads_it(written: str, normal: str, build: str) -> None:
    version = Version.parse(written)
    assert (str(version), version.build) == (normal, build)
    assert version.triple == (version.major, version.minor, version.patch)


@pytest.mark.parametrize(("written", "at"), NOT_VERSIONS)
def test_a_text_that_is_no_version_says_where(written: str, at: int) -> None:
    with pytest.raises(InvalidVersion, match="expected three numbers") as caught:
        Version.parse(written)
    assert (caught.value.text, caught.value.at) == (written, at)


def test_versions_stand_in_the_order_of_the_standard() -> None:
    versions = [Version.parse(text) for text in ASCENDING]
    for older, newer in pairwise(versions):
        assert older < newer <= newer
        assert newer > older
        assert newer >= older
        assert not newer <= older
    versions.reverse()
    assert [str(version) for version in sorted(versions)] == ASCENDING
    assert len(set(versions)) == len(versions)


def test_numbers_above_2_to_the_53_are_doubles_as_they_are_in_npm() -> None:
    one, two = (Version.parse(f"1.0.0-{number}") for number in ("9007199254740992", "9007199254740993"))
    assert one == two
    assert hash(one) == hash(two)
    assert str(two) == "1.0.0-9007199254740993"


def test_build_metadata_makes_no_version_newer() -> None:
    assert Version.parse("6.3.0+rev4") == Version.parse("6.3.0+rev5")
    assert not Version.parse("6.3.0+rev4") < Version.parse("6.3.0+rev5")
    assert len({Version.parse("6.3.0+rev4"), Version.parse("6.3.0")}) == 1


def test_a_version_is_not_equal_to_a_text() -> None:
    assert Version.parse("1.2.3") != "1.2.3"


def test_a_version_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Version.parse("1.2.3").major = 2  # type: ignore[misc]


# ---------------------------------------------------------------------------------------------- ranges

MEANS = [
    # written, npm's normal form. S-45, in the order of its table.
    ("1", ">=1.0.0 <2.0.0-0"),
    ("1.x", ">=1.0.0 <2.0.0-0"),
    ("1.2", ">=1.2.0 <1.3.0-0"),
    ("1.2.*", ">=1.2.0 <1.3.0-0"),
    ("=1.2", ">=1.2.0 <1.3.0-0"),
    (">1", ">=2.0.0"),
    (">1.2", ">=1.3.0"),
    (">1.2.x", ">=1.3.0"),
    (">1.2.*", ">=1.3.0"),
    (">=1", ">=1.0.0"),
    (">=1.2.x", ">=1.2.0"),
    ("<1", "<1.0.0-0"),
    ("<1.2.x", "<1.2.0-0"),
    ("<=1", "<2.0.0-0"),
    ("<=1.2", "<1.3.0-0"),
    ("~1.2.3", ">=1.2.3 <1.3.0-0"),
    ("~1.2", ">=1.2.0 <1.3.0-0"),
    ("~>1.2", ">=1.2.0 <1.3.0-0"),
    ("~1", ">=1.0.0 <2.0.0-0"),
    ("~0", "<1.0.0-0"),
    ("~1.2.3-rc.1", ">=1.2.3-rc.1 <1.3.0-0"),
    ("^1.2.3", ">=1.2.3 <2.0.0-0"),
    ("^0.2.3", ">=0.2.3 <0.3.0-0"),
    ("^0.0.3", ">=0.0.3 <0.0.4-0"),
    ("^0.0.3-b", ">=0.0.3-b <0.0.4-0"),
    ("^0.0", "<0.1.0-0"),
    ("^0", "<1.0.0-0"),
    ("^0.x", "<1.0.0-0"),
    ("^1.2.x-rc", ">=1.2.0 <2.0.0-0"),
    ("1.2.3 - 2.3", ">=1.2.3 <2.4.0-0"),
    ("1.2 - 2", ">=1.2.0 <3.0.0-0"),
    ("1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4"),
    ("1.2.3-a - 2.3.4-b", ">=1.2.3-a <=2.3.4-b"),
    ("1 - *", ">=1.0.0"),
    ("x - 1.2.3", "<=1.2.3"),
    ("*", "*"),
    ("x", "*"),
    ("", "*"),
    (" ", "*"),
    ("||", "*"),
    (">*", "<0.0.0-0"),
    ("<x", "<0.0.0-0"),
    (">=*", "*"),
    ("<=X", "*"),
    ("^*", "*"),
    # several comparators, several alternatives
    ("1 || 2.3", ">=1.0.0 <2.0.0-0||>=2.3.0 <2.4.0-0"),
    (">=5.15 <6", ">=5.15.0 <6.0.0-0"),
    ("  >=5.15\t\t<6 ", ">=5.15.0 <6.0.0-0"),
    ("1.2.3 || ", "*"),
    ("1.2.3 || * || 3", "*"),
    ("* 1.2.3 *", "1.2.3"),
    ("1.2.3 1.2.3", "1.2.3"),
    ("1.2.3 || 1.2.3", "1.2.3||1.2.3"),
    (">1 >* <2", "<0.0.0-0"),
    (">* || 1.2.3", "1.2.3"),
    (">* || <*", "<0.0.0-0"),
    ("<0 || <0.0", "<0.0.0-0"),
    ("=1.2.3 =1.2.4", "1.2.3 1.2.4"),
    ("^1.2.3 ^2", ">=1.2.3 <2.0.0-0 >=2.0.0 <3.0.0-0"),
    # `>=0.0.0` says nothing, but only if it is written plainly
    (">=0.0.0", "*"),
    (">=0.0.0+rev1", "*"),
    (">=0.0.0 <2", "<2.0.0-0"),
    (">=v0.0.0", ">=0.0.0"),
    (">=0.0.0-0", ">=0.0.0-0"),
    # signs and blanks
    ("v1.2.3", "1.2.3"),
    ("=v1.2.3", "1.2.3"),
    ("> 1.2.3", ">1.2.3"),
    (">= v1.2.3", ">=1.2.3"),
    ("~ > 1", ">=1.0.0 <2.0.0-0"),
    ("~> >1", ">=1.0.0 <2.0.0-0"),
    ("^ =v1.2.3", ">=1.2.3 <2.0.0-0"),
    ("==1", ">=1.0.0 <2.0.0-0"),
    (">==1.2", ">=1.2.0"),
    ("> =1", ">=1.0.0"),
    ("vv1", ">=1.0.0 <2.0.0-0"),
    ("= 1 - v = 2", ">=1.0.0 <3.0.0-0"),
    ("1 - ==2.0.0-rc", ">=1.0.0 <=2.0.0-rc"),
    # what follows a wildcard is ignored
    ("5.*.1", ">=5.0.0 <6.0.0-0"),
    ("*.1.2", "*"),
    ("*.1.2-a+b", "*"),
    (">5.*.1", ">=6.0.0"),
    ("x." + "9" * 257, "*"),
    # build metadata goes first, wherever it stands (S-44)
    (">6.3.0+rev4", ">6.3.0"),
    ("=6.3.0+rev1", "6.3.0"),
    ("1.2+rev1", ">=1.2.0 <1.3.0-0"),
    ("1.2.3+a+b", "1.2.3"),
    ("1.2.3 +a", "1.2.3"),
    ("+a>1", ">=2.0.0"),
    ("+1.2.3v= 1", ">=1.0.0 <2.0.0-0"),
    ("1.2.3+" + "a" * 250 + "4", "1.2.34"),
    # one star goes out of what is left
    ("1.2.3*", "1.2.3"),
    ("<*1.2.3", "1.2.3"),
    (">=1.2*.3", ">=1.2.3"),
    # limits
    (f">={LARGEST}", f">={LARGEST}.0.0"),
    (f"~1.2.{LARGEST}", f">=1.2.{LARGEST} <1.3.0-0"),
    (">=1.2.3-99999999999999999999", ">=1.2.3-99999999999999999999"),
    ("1.2.3-" + "a" * 250, "1.2.3-" + "a" * 250),
    (" || ".join(["1.2.3"] * 400), "||".join(["1.2.3"] * 400)),
]

MEANS_NOTHING = [
    # written             where           what is expected there
    ("latest", 0, "a version such as"),
    (">=latest", 0, "a version such as"),
    ("!=1.2", 0, "there is no `not`"),
    ("=>1.2", 0, "`>=` or `<=`"),
    (">=1 && <2", 4, "it means *and*"),
    ("1.2,1.3", 3, "a blank between comparators"),
    ("1 | 2", 2, "`||` between alternatives"),
    ("01.2", 1, "without leading zeros"),
    ("1.2.3-01", 7, "without leading zeros"),
    ("1.2.3.4", 5, "at most three numbers"),
    ("1.2.3.x", 5, "at most three numbers"),
    ("1.", 1, "behind the dot"),
    ("1.2.3-", 5, "a prerelease name"),
    ("1-2", 1, "blanks around the `-`"),
    ("^1.2.3 - 2", 7, "one plain version on each side"),
    ("1 - 2 3", 2, "one plain version on each side"),
    ("1 - =2.3.4", 4, "at most one `=`"),
    ("==1.2.3", 0, "at most one `=`"),
    ("v=1.2.3", 0, "at most one `=`"),
    (">", 1, "after the operator"),
    (">=1 >", 5, "after the operator"),
    ("= = 1", 3, "after the operator"),
    ("> v 1", 3, "after the operator"),
    (">1<2", 2, "a blank before it"),
    ("~^1", 0, "one operator"),
    (">=1.2 || foo", 9, "a version such as"),
    ("\t \u00a0foo", 3, "a version such as"),
    (">=9007199254740992", 0, "numbers up to 9007199254740991"),
    (f">{LARGEST}", 0, "numbers up to 9007199254740991"),
    (f"^0.0.{LARGEST}", 0, "numbers up to 9007199254740991"),
    ("1.2.3-" + "a." * 130 + "a", 0, "at most 256 characters"),
    ("v1.2.3-" + "a" * 250, 0, "at most 256 characters"),
    ("1.2.3-a\0", 7, "a version such as"),
    ("1.2.3**", 5, "a version such as"),
    ("1.2*", 3, "a version such as"),
    ("^*1.2.3", 2, "without leading zeros"),
    ("1.2+a+b", 5, "a version such as"),
]


@pytest.mark.parametrize(("written", "normal"), MEANS)
def test_a_range_has_the_normal_form_of_npm(written: str, normal: str) -> None:
    assert valid_range(written) == normal
    assert Range.parse(written).written == written


@pytest.mark.parametrize(("written", "at", "expected"), MEANS_NOTHING)
def test_a_text_that_is_no_range_says_where_and_what_was_expected(written: str, at: int, expected: str) -> None:
    assert valid_range(written) is None
    with pytest.raises(InvalidRange, match=re.escape(expected)) as caught:
        Range.parse(written)
    assert (caught.value.text, caught.value.at) == (written, at)


def test_the_caret_stands_under_the_spot_of_a_long_text_too() -> None:
    text = ">=1.2.3 " * 50 + "foo\tbar " + "<9 " * 50
    with pytest.raises(InvalidRange) as caught:
        Range.parse(text)
    _, line, caret = str(caught.value).splitlines()
    assert line[caret.index("^") :].startswith("foo bar")
    assert len(line) < 120


@pytest.mark.parametrize("blank", BLANKS)
def test_what_javascript_takes_for_a_blank_is_one(blank: str) -> None:
    assert valid_range(f"{blank}>={blank}1{blank}<2{blank}") == ">=1.0.0 <2.0.0-0"
    assert valid_range(f"1{blank}-{blank}2") == ">=1.0.0 <3.0.0-0"
    assert str(Version.parse(f"{blank}1.2.3{blank}")) == "1.2.3"


@pytest.mark.parametrize("character", NO_BLANKS)
def test_what_only_others_take_for_a_blank_is_none(character: str) -> None:
    assert valid_range(f">=1{character}<2") is None
    with pytest.raises(InvalidVersion):
        Version.parse(f"1.2.3{character}")


ADMITS = [
    # range, version, answer
    (">5.15.*", "5.15.92", False),
    (">5.15.*", "5.16.0", True),
    (">=5.15", "5.15.0", True),
    ("14", "14.9.9", True),
    ("14", "15.0.0", False),
    (">=14", "19.0.5", True),
    ("<2", "1.99.0", True),
    ("<2", "2.0.0", False),
    ("<=2", "2.9.0", True),
    ("<=2.0.0", "2.0.1", False),
    (">6.3.0+rev4", "6.3.0+rev5", False),
    (">=6.3.0+rev4", "6.3.0+rev1", True),
    ("=6.3.0+rev1", "6.3.0+rev4", True),
    ("1.2 || 3", "3.4.5", True),
    ("1.2 || 3", "2.0.0", False),
    ("^1.2.3 ^2", "2.0.0", False),
    ("=1.2.3 =1.2.4", "1.2.3", False),
    (">*", "1.2.3", False),
    ("*", "0.0.0", True),
    # a prerelease must be asked for, on the same three numbers (S-48)
    ("*", "6.4.0-rc1", False),
    ("", "6.4.0-rc1", False),
    (">=6.3.0", "6.4.0-rc1", False),
    (">=6.3.0-0", "6.4.0-rc1", False),
    (">=6.4.0-0", "6.4.0-rc1", True),
    (">=6.4.0-0 <7", "6.4.0-rc1", True),
    (">=6.4.0-0 || >=6.5", "6.5.0-rc1", False),
    (">=17.4.2", "17.4.3-17-draft", False),
    ("~1.2.3-beta.2", "1.2.3-beta.11", True),
    ("~1.2.3-beta.2", "1.2.4-beta.11", False),
    ("<2", "2.0.0-rc1", False),
    ("<=2.0.0-rc1", "2.0.0-rc1", True),
    ("<=2.0.0-rc1", "2.0.0", False),
    (">2.0.0-rc1", "2.0.0", True),
    (">2.0.0-rc1", "2.0.0-rc1", False),
    ("2.0.0-rc1", "2.0.0", False),
    ("2.0.0-rc1", "2.0.0-rc1+build", True),
    ("1.2.3-9007199254740993", "1.2.3-9007199254740992", True),
    # one of the two is none
    (">=1", "2024.11", False),
    (">=1", "latest", False),
    ("latest", "1.2.3", False),
    ("*", "", False),
]


@pytest.mark.parametrize(("wanted", "version", "answer"), ADMITS)
def test_a_range_admits_what_npm_admits(wanted: str, version: str, answer: bool) -> None:
    assert satisfies(version, wanted) is answer


# --------------------------------------------------------------------------------------- said and drawn

WORDS = [
    (">=5.16.0", "5.16.0 or newer"),
    ("<2", "older than 2.0.0"),
    ("<=1.2.3", "1.2.3 or older"),
    (">6.3.0", "newer than 6.3.0"),
    ("1.2.3", "exactly 1.2.3"),
    ("*", "any release version"),
    (">*", "no version at all"),
    ("^1.2.3", "1.2.3 or newer, but older than 2.0.0"),
    ("<2 >=1", "older than 2.0.0, and 1.0.0 or newer"),
    (">=6.4.0-0", "6.4.0 or newer, its prereleases too"),
    ("1.2.3 || >=2", "exactly 1.2.3; or 2.0.0 or newer"),
]


@pytest.mark.parametrize(("written", "words"), WORDS)
def test_a_range_says_in_words_what_it_demands(written: str, words: str) -> None:
    assert Range.parse(written).words() == words


FAILING = [
    # range, version, comparator and sentence of each failure
    (">5.15.*", "5.15.92", [(">=5.16.0", "5.15.92 is older than 5.16.0")]),
    (">=1 <2 || >=3 <4", "5.0.0", [("<4.0.0-0", "5.0.0 is not older than 4.0.0")]),
    (">=1 <2 || >=3 <4", "0.5.0", [(">=1.0.0", "0.5.0 is older than 1.0.0")]),
    (">=1 <2 || >=3 <4", "2.5.0", [("<2.0.0-0", "2.5.0 is not older than 2.0.0")]),
    (">=2 >=3 || >=4", "1.0.0", [(">=4.0.0", "1.0.0 is older than 4.0.0")]),
    (">6.3.0+rev4", "6.3.0+rev5", [(">6.3.0", "6.3.0 is not newer than 6.3.0")]),
    ("<=1.2.3", "1.2.4", [("<=1.2.3", "1.2.4 is newer than 1.2.3")]),
    ("=1.2.3 =1.2.4", "1.2.3", [("1.2.4", "1.2.3 is not 1.2.4")]),
    (">*", "1.2.3", [("<0.0.0-0", "no version is in this range")]),
    ("<2", "2.0.0-rc", [("<2.0.0-0", "2.0.0-rc is not older than 2.0.0-0")]),
    (
        "*",
        "6.4.0-rc1",
        [("None", "6.4.0-rc1 is a prerelease, and nothing here asks for one of 6.4.0 (`>=6.4.0-0` would)")],
    ),
    (
        ">=7",
        "6.4.0-rc1",
        [
            (">=7.0.0", "6.4.0-rc1 is older than 7.0.0"),
            ("None", "6.4.0-rc1 is a prerelease, and nothing here asks for one of 6.4.0 (`>=6.4.0-0` would)"),
        ],
    ),
    (">=1", "1.2.3", []),
]


@pytest.mark.parametrize(("written", "version", "failures"), FAILING)
def test_a_range_says_which_comparator_a_version_fails(
    written: str, version: str, failures: list[tuple[str, str]]
) -> None:
    found = Range.parse(written).failing(Version.parse(version))
    assert [(str(each.comparator), each.why) for each in found] == failures
    assert {each.rule for each in found if each.comparator is None} <= {"S-48"}


LINES = [
    # range, its pieces as a mathematician writes them
    ("*", "(-, -)"),
    (">=1", "[1.0.0, -)"),
    (">1.2.3 <=2.0.0", "(1.2.3, 2.0.0]"),
    ("^1.2 || 4", "[1.2.0, 2.0.0) [4.0.0, 5.0.0)"),
    ("4 || ^1.2", "[1.2.0, 2.0.0) [4.0.0, 5.0.0)"),
    ("1 || 2", "[1.0.0, 3.0.0)"),
    ("<2 || >=1", "(-, -)"),
    ("<=1.2.3 || >1.2.3", "(-, -)"),
    ("<2 || >=0.0.0-0", "(-, -)"),
    ("<=1.0.0-0 || >=0.0.0-0 <1", "(-, 1.0.0)"),
    ("<1.2.3 || >1.2.3", "(-, 1.2.3) (1.2.3, -)"),
    ("1.2.3 || 1.2.3", "[1.2.3, 1.2.3]"),
    (">=1 >=1.5 <3 <=2.0.0", "[1.5.0, 2.0.0]"),
    (">1.5.0 >=1.5.0", "(1.5.0, -)"),
    ("1 || 1.2", "[1.0.0, 2.0.0)"),
    ("^1.2.3 ^2", ""),
    (">*", ""),
    (">1.2.3-a <1.2.3-a.0", ""),
    (">1.2.3 <1.2.4", ""),
    (">1.2.3-a <1.2.3", "(1.2.3-a, 1.2.3)"),
    ("^1 ^2 || 3.0.0", "[3.0.0, 3.0.0]"),
]


@pytest.mark.parametrize(("written", "drawn"), LINES)
def test_a_range_is_pieces_of_a_line_merged_and_ascending(written: str, drawn: str) -> None:
    pieces = [
        f"{'[' if low_closed else '('}{low or '-'}, {high or '-'}{']' if high_closed else ')'}"
        for low, low_closed, high, high_closed in Range.parse(written).intervals()
    ]
    assert " ".join(pieces) == drawn
    assert Range.parse(written).empty is (drawn == "")


HINTS = [
    # range, code, rule, what to write instead
    (">5.15.*", "skips-its-own-line", "S-46", ">=5.15"),
    (">5", "skips-its-own-line", "S-46", ">=5"),
    (">= 1 >5.15", "skips-its-own-line", "S-46", ">= 1 >=5.15"),
    ("14", "window", "S-45", ">=14"),
    ("=5.15", "window", "S-45", ">=5.15"),
    ("1.2.3", "exact", "S-45", ">=1.2.3"),
    ("1.2.3-rc1", "exact", "S-45", ">=1.2.3-rc1"),
    (">6.3.0+rev4", "build-ignored", "S-44", ">6.3.0"),
    ("5.*.1", "ignored-behind-wildcard", "S-47", "5.*"),
    (">*", "admits-nothing", "S-45", "*"),
    ("^1.2.3 ^2", "admits-nothing", "S-49", ""),
    ("^1.2.3 ||", "empty-alternative", "S-45", ""),
    ("=>14", "invalid-range", "S-47", ">=14"),
    (">=14 && <20", "invalid-range", "S-47", ">=14   <20"),
    ("latest", "invalid-range", "S-47", ""),
]


@pytest.mark.parametrize(("written", "code", "rule", "instead"), HINTS)
def test_a_range_that_often_means_something_else_is_pointed_out(
    written: str, code: str, rule: str, instead: str
) -> None:
    assert [(hint.code, hint.rule, hint.instead) for hint in clarify(written)] == [(code, rule, instead)]


@pytest.mark.parametrize(
    "written", [">=14", ">=14 <20", "^1.2", "~1.2.3", "1.x", "1.2.*", "*", "", "1 - 2", ">=6.4.0-0"]
)
def test_a_range_that_means_what_it_seems_to_gets_no_hint(written: str) -> None:
    assert clarify(written) == ()


def test_the_hint_on_a_skipped_line_says_what_to_write() -> None:
    (hint,) = clarify(">5.15.*")
    assert hint.sentence == "`>5.15.*` means >=5.16.0: no 5.15.x is in it; to admit 5.15.x write `>=5.15`"


# ------------------------------------------------------------------------------------------ properties

names = st.one_of(
    st.sampled_from(["0", "1", "10", "rc", "rc1", "a", "A", "-", "0a"]),
    st.from_regex(r"[0-9A-Za-z-]{1,6}", fullmatch=True).filter(lambda name: name == "0" or name.lstrip("0") == name),
)
numbers = st.one_of(st.integers(0, 4), st.integers(0, 2**53 - 1))
version_texts = st.builds(
    lambda triple, pre: "{}.{}.{}".format(*triple) + (f"-{'.'.join(pre)}" if pre else ""),
    st.tuples(numbers, numbers, numbers),
    st.lists(names, max_size=3),
).filter(lambda text: not re.search(r"[0-9]{16,}", text.partition("-")[2]))  # no doubles here
partials = st.lists(st.one_of(st.integers(0, 3).map(str), st.sampled_from("xX*")), min_size=1, max_size=3).map(".".join)
words = st.tuples(
    st.sampled_from(["", ">", ">=", "<", "<=", "=", "~", "^", "~>", "v"]), st.one_of(partials, version_texts)
).map("".join)
sets = st.one_of(st.lists(words, max_size=3).map(" ".join), st.tuples(partials, partials).map(" - ".join))
range_texts = st.lists(sets, min_size=1, max_size=3).map(" || ".join)
any_texts = st.one_of(
    st.text(max_size=40), st.text("0123456789.xX*-+v=<>~^| ,!&ab\t\ufeff\x85", max_size=40), range_texts
)


def read(parse: Callable[[str], T], text: str) -> T | InvalidRange | InvalidVersion:
    """The value, or the one exception that reading may raise."""
    try:
        return parse(text)
    except (InvalidRange, InvalidVersion) as error:
        return error


@given(any_texts)
@example("1.2.3+" + "a" * 300)
@example("= " * 3_000)
@example("v" * 10_000)
def test_any_text_is_a_range_or_an_invalid_one(text: str) -> None:
    found = read(Range.parse, text)
    if isinstance(found, InvalidRange):
        assert 0 <= found.at <= len(text)
        assert valid_range(text) is None
    else:
        assert valid_range(text) == str(found)
        assert found.words()
    assert all(hint.sentence for hint in clarify(text))


@given(any_texts)
def test_any_text_is_a_version_or_an_invalid_one(text: str) -> None:
    version = read(Version.parse, text)
    if isinstance(version, InvalidVersion):
        assert 0 <= version.at <= len(text)
    else:
        assert Version.parse(str(version)) == version


@given(any_texts)
def test_the_normal_form_is_a_fixed_point(text: str) -> None:
    normal = valid_range(text)
    if normal is not None:
        assert valid_range(normal) == normal


@given(range_texts)
def test_what_is_made_of_the_grammar_is_a_range(text: str) -> None:
    normal = valid_range(text)
    # Numbers at the limit are the one way out: nothing is above them.
    assert normal is not None or re.search(r"[0-9]{15}", text)


@given(range_texts, version_texts)
def test_the_normal_form_admits_the_same_versions(text: str, version: str) -> None:
    normal = valid_range(text)
    if normal is not None:
        assert satisfies(version, text) is satisfies(version, normal)


@given(version_texts, version_texts)
def test_versions_stand_in_the_order_of_the_semver_package(one: str, two: str) -> None:
    ours, theirs = (Version.parse(one), Version.parse(two)), (semver.Version.parse(one), semver.Version.parse(two))
    expected = theirs[0].compare(theirs[1])
    assert ((ours[0] > ours[1]) - (ours[0] < ours[1])) == expected
    assert (ours[0] <= ours[1]) is (expected <= 0)
    assert (ours[0] == ours[1]) is (expected == 0)


@given(range_texts, version_texts)
def test_the_window_of_a_set_admits_the_releases_that_its_comparators_admit(text: str, version: str) -> None:
    release = Version.parse(version).release
    if valid_range(text) is not None:
        asked = Range.parse(text)
        by_comparators = any(all(each.admits(release) for each in comparators) for comparators in asked.sets)
        assert (release in asked) is by_comparators


@given(range_texts, version_texts)
def test_a_version_is_in_a_range_exactly_if_it_fails_nothing(text: str, version: str) -> None:
    if valid_range(text) is not None:
        asked, found = Range.parse(text), Version.parse(version)
        assert (found in asked) is (asked.failing(found) == ())
        assert not (asked.empty and found in asked)


@given(range_texts, version_texts)
def test_a_release_is_on_the_drawn_line_exactly_if_it_is_in_the_range(text: str, version: str) -> None:
    release = Version.parse(version).release
    if valid_range(text) is not None:
        asked = Range.parse(text)
        drawn = any(
            (low is None or low < release or (low_closed and low == release))
            and (high is None or release < high or (high_closed and high == release))
            for low, low_closed, high, high_closed in asked.intervals()
        )
        assert drawn is (release in asked)


@given(range_texts)
def test_what_a_hint_proposes_is_a_range(text: str) -> None:
    for hint in clarify(text):
        assert not hint.instead or valid_range(hint.instead) is not None


# --------------------------------------------------------------------------------------------- the room


def test_a_comparator_reads_as_it_is_written() -> None:
    comparator = Comparator(">=", Version.parse("5.16.0"))
    assert (str(comparator), comparator.words()) == (">=5.16.0", "5.16.0 or newer")
    assert comparator.admits(Version.parse("5.16.1"))


def test_reading_and_asking_for_releases_does_not_load_the_semver_package() -> None:
    code = "import sys, kit.versions as v; print(v.satisfies('5.15.92', '>=5.15 <6 || ^7'), 'semver' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
