"""Ranges and versions at random: what people write, what they nearly write, and what nobody would.

Made from weighted pieces, not from characters: most texts are valid or one slip away from it, since that is
where two readers of one grammar part. Everything comes from one `random.Random`, so a seed repeats a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

BLANKS = (
    (" ",) * 30 + tuple("\t\n\r\v\f\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff") + ("  ", " \t ", "\n\n")
)
NO_BLANKS = ("\x1c", "\x1f", "\x85", "\u180e", "\u200b", "\u2060", "\0")
NUMBERS = ("0",) * 6 + ("1",) * 6 + ("2",) * 5 + ("3", "5", "6", "10", "14", "15", "16", "17", "32", "92", "2024")
HUGE = (
    "9007199254740990",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "18014398509481985",
    "99999999999999999999999",
    "1" + "0" * 30,
    "7" * 256,
    "7" * 257,
    "7" * 258,
)
NOT_NUMBERS = ("01", "00", "-1", "1e3", "٣", "1.", ".1", "", "1_0")  # one is an Arabic digit
WILDCARDS = ("x", "X", "*")
NAMES = ("0", "1", "2", "9", "10", "rc", "rc1", "alpha", "beta", "a", "A", "a-b", "-", "--", "0a", "x", "v", "rev4")
NOT_NAMES = ("01", "", "a_b", "é", "*")  # two dots in a row, and other slips
OPERATORS = ("",) * 8 + (">=",) * 6 + (">",) * 5 + ("<", "<=", "=", "^", "~") * 3 + ("~>",)
NOT_OPERATORS = ("==", "=>", "=<", "!=", "<>", ">>", "~=", "~>=", "^=", "^>", "~^", "~ >", "> =", "= =", "!", "&&", ",")
SIGNS = ("",) * 25 + ("v",) * 4 + ("=", "V", "vv", "v=", "=v", "==", "v ", "= ", " v")
WORDS = ("latest", "*", "x", "", "", "-", "|", "foo", "any", "v", ">", "+b", "1.2.3+", "||")
CHARACTERS = "0123456789" * 2 + "xX*.-+v=<>~^|" * 3 + "  ,&!abAB_\t\u00a0\ufeff\x85\x1c\u200b"


class Texts:
    """A source of texts."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def one(self, *weighted: tuple[int, object]) -> object:
        """One of some things with weights; a tuple or a text among them gives one of its own."""
        (found,) = self.random.choices([thing for _, thing in weighted], [weight for weight, _ in weighted])
        return self.random.choice(found) if isinstance(found, tuple | str) else found

    def number(self) -> str:
        return str(self.one((400, NUMBERS), (6, HUGE), (2, NOT_NUMBERS)))

    def name(self) -> str:
        match self.one((60, "n"), (8, "d"), (2, "h"), (2, "s"), (1, "l"), (1, "w")):
            case "n":
                return self.random.choice(NAMES)
            case "d":
                return str(self.random.randrange(40))
            case "h":
                return self.random.choice(HUGE)
            case "s":
                return self.random.choice(NOT_NAMES)
            case "l":  # about as long as a name, a build or a whole version may be
                return self.random.choice("1a-") * self.random.randrange(225, 260)
        return "7" * self.random.randrange(254, 260) + self.random.choice(("", "a", "a" * 250, "a" * 252))

    def tail(self, prerelease: int, build: int) -> str:
        """A prerelease and a build, each with this many chances in a hundred."""
        text = ""
        for sign, chances in (("-", prerelease), ("+", build)):
            if self.random.randrange(100) < chances:
                text += sign + ".".join(self.name() for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))))
        return text

    def partial(self) -> str:
        parts = [self.number() for _ in range(self.random.choice((1, 1, 2, 2, 3, 3, 3, 3)))]
        for i in range(len(parts)):
            if self.random.randrange(9) == 0:
                parts[i] = self.random.choice(WILDCARDS)
        if self.random.randrange(120) == 0:
            parts.append(self.number())
        return ".".join(parts) + (self.tail(25, 12) if len(parts) == 3 else self.tail(1, 3))

    def blank(self) -> str:
        return str(self.one((300, BLANKS), (1, NO_BLANKS)))

    def word(self) -> str:
        if self.random.randrange(40) == 0:
            return self.random.choice(WORDS)
        operator = str(self.one((40, OPERATORS), (1, NOT_OPERATORS)))
        gap = self.blank() if operator and self.random.randrange(12) == 0 else ""
        return operator + gap + self.random.choice(SIGNS) + self.partial()

    def alternative(self) -> str:
        if self.random.randrange(8) == 0:
            ends = (self.random.choice(SIGNS) + self.partial() for _ in range(2))
            return f"{self.blank()}-{self.blank()}".join(ends)
        count = self.random.choice((1, 1, 1, 1, 2, 2, 3))
        return self.blank().join(self.word() for _ in range(count))

    def slip(self, text: str) -> str:
        """One slip of the pen: a character more, less, another, twice, or two in the wrong order."""
        i = self.random.randrange(len(text) + 1)
        new = self.random.choice(CHARACTERS)
        match self.random.randrange(5):
            case 0:
                return text[:i] + new + text[i:]
            case 1:
                return text[:i] + text[i + 1 :]
            case 2:
                return text[:i] + new + text[i + 1 :]
            case 3:
                return text[:i] + text[max(0, i - 1) : i + 1] + text[i:]
        return text[:i] + text[i : i + 2][::-1] + text[i + 2 :]

    def range(self) -> str:
        if self.random.randrange(60) == 0:
            return "".join(self.random.choices(CHARACTERS, k=self.random.randrange(12)))
        bar = self.random.choice(("||", " || ", " ||", "|| "))
        text = bar.join(self.alternative() for _ in range(self.random.choice((1, 1, 1, 1, 1, 2, 2, 3))))
        for _ in range(self.random.choice((0,) * 7 + (1, 1, 2))):
            text = self.slip(text)
        return self.blank() + text + self.blank() if self.random.randrange(10) == 0 else text

    def version(self, near: str) -> str:
        """A version, more often than not one next to a version that `near` names."""
        numbers = re.findall("[0-9]{1,5}", near)
        start = self.random.randrange(len(numbers)) if numbers and self.random.randrange(4) else None
        if start is None:
            parts = [self.number() for _ in range(3)]
        else:
            parts = [*numbers[start : start + 3], "0", "0"][:3]
            place = self.random.randrange(3)
            parts[place] = str(max(0, int(parts[place]) + self.random.choice((-1, 0, 0, 0, 1))))
        named = re.findall(r"-([0-9A-Za-z.-]{1,20})", near)
        tail = f"-{self.random.choice(named)}" if named and self.random.randrange(3) == 0 else self.tail(30, 10)
        text = self.random.choice(("",) * 30 + ("v", "v", "=", "V", "v ")) + ".".join(parts) + tail
        if self.random.randrange(25) == 0:
            text = self.slip(text)
        return self.blank() + text + self.blank() if self.random.randrange(25) == 0 else text


def questions(seed: int, count: int, versions: int) -> Iterator[tuple[str, list[str]]]:
    """So many different ranges, each with so many versions."""
    texts, seen = Texts(Random(seed)), set[str]()
    while len(seen) < count:
        text = texts.range()
        if text not in seen:
            seen.add(text)
            yield text, [texts.version(text) for _ in range(versions)]
