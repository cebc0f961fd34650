"""`kit.versions` beside npm's semver 7.7.4, text by text."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from random_ranges import questions

from kit.versions import InvalidRange, InvalidVersion, Range, Version, clarify, satisfies, valid_range

if TYPE_CHECKING:
    from conftest import Ask

RANGES = 50_000
VERSIONS = 4  # for each range

pytestmark = pytest.mark.oracle


def parsed(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except InvalidVersion:
        return None


def compared(one: Version | None, two: Version | None) -> int | None:
    return None if one is None or two is None else (one > two) - (one < two)


def opinion(text: str, versions: list[str]) -> list[object]:
    """What we say, in the shape of the reference's answer."""
    found = [parsed(version) for version in versions]
    return [
        valid_range(text),
        [satisfies(version, text) for version in versions],
        [None if version is None else str(version) for version in found],
        [compared(one, two) for one, two in pairwise(found)],
    ]


def test_ranges_and_versions_mean_what_they_mean_to_npm(ask: Ask, seed: int) -> None:
    asked = list(questions(seed, RANGES, VERSIONS))
    theirs = ask("semver.cjs", asked)
    ours = [opinion(text, versions) for text, versions in asked]

    valid = sum(answer[0] is not None for answer in theirs)
    met = sum(sum(answer[1]) for answer in theirs)
    # A generator that makes only nonsense, or only `no`, would compare nothing.
    assert RANGES * 0.3 < valid < RANGES * 0.9
    assert met > RANGES * VERSIONS * 0.05

    different = [
        (len(json.dumps(question)), question, our, their)
        for question, our, their in zip(asked, ours, theirs, strict=True)
        if our != their
    ]
    report = "\n".join(
        f"{text!a} with {versions!a}\n  kit {our!a}\n  npm {their!a}"
        for _, (text, versions), our, their in sorted(different, key=lambda row: row[0])[:10]
    )
    assert not different, f"{len(different)} of {RANGES} differ (KIT_SEED={seed}); the shortest:\n{report}"


def test_every_text_of_the_oracle_is_read_explained_and_drawn_without_a_crash(seed: int) -> None:
    for text, versions in questions(seed + 1, 5_000, 2):
        clarify(text)
        if valid_range(text) is None:
            with pytest.raises(InvalidRange) as caught:
                Range.parse(text)
            assert 0 <= caught.value.at <= len(text)
            continue
        asked = Range.parse(text)
        asked.words()
        found = [version for version in map(parsed, versions) if version is not None]
        pieces = asked.intervals()
        assert bool(pieces) is not asked.empty
        for version in found:
            assert (version in asked) is (not asked.failing(version))
            inside = any(
                (not piece.low or piece.low < version or (piece.low == version and piece.low_closed))
                and (not piece.high or version < piece.high or (piece.high == version and piece.high_closed))
                for piece in pieces
            )
            # A prerelease may stand on the line and yet not be asked for (S-48); a release may not.
            assert inside if version in asked else version.prerelease or not inside
