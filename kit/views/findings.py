"""Findings as HTML: a card for one, a list for many, the vanishing list, the map of host access, a rule.

Every function turns values into one string and decides nothing: what was found, and where, is in the
diagnostics; what a rule says is in the catalogue. A card says everything in words, in the order of the
file, so that it still makes sense where a notebook takes its style and its pictures away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from pathlib import Path as File
from typing import Final

from .. import looks
from ..diagnostics import Diagnostic, Path, Severity
from ..looks import escaped, glyph, prose
from ..reader import Reading
from ..reader.notes import FALSE_ALARM
from ..rules import Access, Rule, rules
from ..vanishing import Mark, Row, vanishing

LEVELS: Final = {
    # word: its mark, and what it says in a legend
    "Error": ("ref", "refuses the release"),
    "Reject": ("no", "the device does not take it"),
    "Warning": ("ask", "does not do what it says"),
    "Note": ("out", "ignored, or harmless"),
}
OUTCOMES: Final[dict[Mark, tuple[str, str, str]]] = {
    # outcome of a row: the word for it, its colour, and the drawing of its mark
    "=": ("as written", "ink2", "M3 6h10M3 10h10"),
    "changed": ("changed", "old", "M2.5 8H13M9 4l4 4-4 4"),
    "gone": ("gone", "no", "M1.5 8H6M10 8h4.5M6.5 10.5l3-5"),
    "refused": ("refuses the whole release", "ref", ""),
}
ACCESS: Final = {"network_mode": "Network", "devices": "Devices", "labels": "Features"}
"""Fields that have a column of their own in the map of host access; the others are rights."""
WIDEST: Final = 120
"""Characters of one source line that are shown."""
MOST: Final = 200
"""Rows that are shown; the rest is counted."""
_WORDS: Final = {Severity.ERROR: "Error", Severity.REFUSED: "Reject", Severity.IGNORED: "Note"}
_KINDS: Final = {"services": "service", "networks": "network", "volumes": "volume"}
_NUMBERS: Final = ("none", *"one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML begins a new line


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet of all cards, with the part for findings."""
    return f"{looks.style()}<style>{File(__file__).with_suffix('.css').read_text('utf-8')}</style>"


def level(found: Diagnostic) -> str:
    """The word for a finding: how much it matters to the person who wrote the file.

    What the device ignores is a note, but a warning where the rule is known to surprise people. The false
    alarm of C-4 is a note, although balena prints it as a warning.
    """
    said = _catalogue().get(found.rule)
    if found.severity is Severity.IGNORED and said is not None and said.trap:
        return "Warning"
    return "Note" if found.code == FALSE_ALARM else _WORDS.get(found.severity, "Warning")


def finding_card(found: Diagnostic, text: str = "", *, with_style: bool = True) -> str:
    """One finding with its lines of *text*, why it matters, and what to write instead."""
    word, said = level(found), _catalogue().get(found.rule)
    mark = LEVELS[word][0]
    where = f"in {found.span.name}, line {found.span.line}{_owner(found.path, ', ')}"
    where += "; the one that balena reports" if found.reported else ""
    background = f"<details><summary>{prose(said.title)}</summary>{_says(said)}</details>" if said else ""
    card = (
        f'<figure class="mc" lang="en" aria-label="{escaped(word)}: {escaped(found.message)}">'
        f'<div class="mc-find">{glyph(mark, 20)}<div><h4>{prose(_sentence(found.message))}</h4>'
        f'<p class="mc-small mc-quiet"><b class="mc-{mark}">{word}</b> {escaped(where)}</p></div> '
        f'<code class="mc-rule">{escaped(found.rule or found.code)}</code></div>{_source(found, text)}'
        f"{f'<p>{prose(said.why)}</p>' if said else ''}{_instead(found, text)}{background}</figure>"
    )
    return (style() if with_style else "") + card


def finding_list(findings: Iterable[Diagnostic], *, with_style: bool = True) -> str:
    """All findings in short form, the worst first, with each level counted below."""
    words = list(LEVELS)
    found = sorted(findings, key=lambda each: words.index(level(each)))
    counts = Counter(map(level, found))
    rows = (
        (looks.state(LEVELS[level(each)][0], level(each), 14), prose(_sentence(each.message)),
         escaped(f"{_owner(each.path).partition(' ')[2]}, line {each.span.line}".removeprefix(", ")),
         f"<code>{escaped(each.rule or each.code)}</code>")
        for each in found[:MOST]
    )  # fmt: skip
    end = "; the device refuses the release" if counts["Reject"] else ""
    end = "; the release is refused" if counts["Error"] else end
    return _card(
        f"{len(found):,} finding{'s'[: len(found) != 1]}{end}." if found else "Nothing was found.",
        f"In {_files(each.span.name for each in found)}.{_hidden(len(found))}" if found else "",
        _table("mc-list", ("Level", "Finding", "Where", "Rule"), rows),
        [(glyph(mark), f"{word}: {says}", counts[word]) for word, (mark, says) in LEVELS.items()], with_style,
    )  # fmt: skip


def vanishing_figure(reading: Reading, *, with_style: bool = True) -> str:
    """What was written, what balena keeps and what the device uses, side by side."""
    rows = vanishing(reading)
    if not rows:
        return finding_list(reading.findings, with_style=with_style)
    counts = Counter(row.outcome for row in rows)
    groups = [(owner, [*map(_three, group)]) for owner, group in groupby(rows[:MOST], lambda row: _owner(row.path))]
    cells = groups[0][1]
    if len(groups) > 1:
        cells = [cell for owner, group in groups for cell in ((f"<b>{escaped(owner or 'the file')}</b>",), *group)]
    only = f"{groups[0][0]} in " if len(groups) == 1 and groups[0][0] else ""
    situation = f"{only}{_files(row.span.name for row in rows)}, parser 0.3.0. Read each row from left to right."
    if not reading.ok:
        situation += " The release is refused; the other rows say what becomes of them once the errors are mended."
    return _card(
        _answer(len(rows), counts["="]), situation + _hidden(len(rows)),
        _table("mc-three", ("You write", "balena keeps", "The device uses"), cells),
        [(_mark(mark), word, counts[mark]) for mark, (word, _colour, _drawn) in OUTCOMES.items()], with_style,
    )  # fmt: skip


def host_access_table(rows: Iterable[Access], services: Iterable[str] = (), *, with_style: bool = True) -> str:
    """Services × host access: the doors that each service opens, then what each of them opens.

    *services* are the names of all services of the release, also of those that open nothing.
    """
    doors = sorted(rows, key=lambda door: door.danger != "device")
    held: dict[str, dict[str, list[Access]]] = {name: {} for name in (*services, *(door.service for door in doors))}
    for door in doors:
        held[door.service].setdefault(ACCESS.get("".join(map(str, door.path[2:3])), "Rights"), []).append(door)
    columns = ("Rights", *ACCESS.values())
    table = [
        (escaped(name), *("".join(map(_door, kinds.get(kind, ()))) or "–" for kind in columns))
        for name, kinds in [*held.items()][:MOST]
    ]
    opened = [
        (f"<code>{escaped(door.what)}</code>", escaped(door.service), prose(door.opens), f"<code>{door.rule}</code>")
        for door in doors[:MOST]
    ]
    details = _table("mc-doors", ("Written", "Service", "What it opens", "Rule"), opened)
    worst = {door.service for door in doors if door.danger == "device"}
    only = f"The only service {'can' if worst else 'cannot'}"
    subject = only if len(held) == 1 else f"{_count(len(worst))} of the {_count(len(held)).lower()} services can"
    return _card(
        f"{subject} take over the whole device.",
        "What a program that breaks into a container could reach. Labels inside an image open doors as well, "
        f"and are not seen here.{_hidden(len(held))}",
        _table("mc-doors", ("Service", *columns), table)
        + (f"<details><summary>What each of them opens</summary>{details}</details>" if doors else ""),
        [(glyph("no"), "reaches the whole device", sum(door.danger == "device" for door in doors))], with_style,
    )  # fmt: skip


def rule_card(said: Rule, *, with_style: bool = True) -> str:
    """What one rule of the catalogue says, why it matters, and an example: `kit rule C-52` for a notebook."""
    number = f"Rule {said.id}{', one that surprises people' if said.trap else ''}."
    return _card(said.title, number, f"{_says(said)}<p>{prose(said.why)}</p>", [], with_style)


# ── parts ──────────────────────────────────────────────────────────────────────────────────────────


def _card(answer: str, situation: str, body: str, legend: Iterable[tuple[str, str, int]], with_style: bool) -> str:
    items = "".join(f"<li>{mark} <span>{says} ({count:,})</span></li>" for mark, says, count in legend if count)
    foot = f'<ul class="mc-legend">{items}</ul>' if items else ""
    return (style() if with_style else "") + looks.figure(answer, situation, body, foot, with_style=False)


def _table(kind: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f'<div class="{kind}">{looks.table(head, listed)}</div>' if (listed := [*rows]) else ""


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, Rule]:
    return {each.id: each for each in rules()}


def _says(said: Rule) -> str:
    documented = f'<p class="mc-quiet">{prose(said.docs)}</p>' if said.docs else ""
    example = f'<pre class="mc-example">{escaped(said.example)}</pre>' if said.example else ""
    return f"<p>{prose(said.says)}</p>{documented}{example}"


def _sentence(message: str) -> str:
    """The message with a capital, unless it begins with a name.

    >>> _sentence("a circle of dependencies"), _sentence("`web` is written twice"), _sentence("balena has no configs")
    ('A circle of dependencies', '`web` is written twice', 'balena has no configs')
    """
    return message if message.startswith(("`", "balena")) else message[:1].upper() + message[1:]


def _owner(path: Path, before: str = "") -> str:
    return f"{before}{_KINDS[str(path[0])]} {path[1]}" if len(path) > 1 and path[0] in _KINDS else ""


def _files(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    return ", ".join(known[:3]) + (" and others" if len(known) > 3 else "")


def _hidden(count: int) -> str:
    return f" The first {MOST} are shown; {count - MOST:,} more are not." if count > MOST else ""


def _count(number: int) -> str:
    """
    >>> _count(0), _count(2), _count(1300)
    ('None', 'Two', '1,300')
    """
    return _NUMBERS[number].capitalize() if number < len(_NUMBERS) else f"{number:,}"


def _answer(total: int, arrived: int) -> str:
    """How many settings of all arrive as written.

    >>> _answer(8, 2), _answer(3, 3), _answer(1, 0), _answer(40, 1)
    ('Of eight settings, two arrive as written.', 'All three settings arrive as written.', \
'The only setting does not arrive as written.', 'Of 40 settings, one arrives as written.')
    """
    if total == 1:
        return f"The only setting {'arrives' if arrived else 'does not arrive'} as written."
    if arrived == total:
        return f"All {_count(total).lower()} settings arrive as written."
    many = f"{_count(arrived).lower()} {'arrives' if arrived < 2 else 'arrive'}"
    return f"Of {_count(total).lower()} settings, {many} as written."


def _mark(outcome: Mark, size: int = 14) -> str:
    _word, colour, drawn = OUTCOMES[outcome]
    line = f'<path d="{drawn}" fill="none" stroke="var(--mc-{colour})" stroke-width="1.7" stroke-linecap="round"/>'
    return (
        f'<svg class="mc-g" width="{size}" height="{size}" viewBox="0 0 16 16" aria-hidden="true">{line}</svg>'
        if drawn
        else glyph("ref", size)
    )


def _three(row: Row) -> tuple[str, ...]:
    """One row of the vanishing list. A note stands where the text first differs."""
    lost = {row.kept_mark, row.device_mark} & {"gone", "refused"}
    written = escaped(row.written.replace("io.balena.", "…", 1))
    note = f'<span class="mc-note">{prose(row.note)}</span>' if row.note else ""
    kept_note = note if row.kept_mark in ("changed", "refused") and row.device_mark in ("=", "") else ""
    return (
        f"<del>{written}</del>" if lost else written,
        _end(row.kept, row.kept_mark, kept_note),
        _end(row.device, row.device_mark, "" if kept_note else note),
    )


def _end(text: str, mark: Mark, note: str) -> str:
    if not mark:
        return note
    said = f'<span class="mc-hidden">{OUTCOMES[mark][0]}: </span>' if mark != "=" else ""
    shown = escaped(text.replace("io.balena.", "…", 1))
    return f'<div class="mc-end mc-end-{OUTCOMES[mark][1]}">{_mark(mark)}<span>{said}{shown}</span>{note}</div>'


def _door(door: Access) -> str:
    """One door in a cell: a mark where it reaches the whole device."""
    what = door.what.removeprefix("io.balena.features.").removeprefix("network_mode: ")
    what = (what.partition(":")[0] if what.startswith("/") else what) + (", read only" if door.danger == "read" else "")
    if door.danger != "device":
        return f"<div>{escaped(what)}</div>"
    return f'<div>{looks.state("no", what, 14)}<span class="mc-hidden">, the whole device</span></div>'


def _source(found: Diagnostic, text: str) -> str:
    """Five lines around the finding: the one it is about on a tint, the exact run of characters underlined."""
    lines, at = _BREAK.split(text), found.span.line
    if not text or not 0 < at <= len(lines):
        return ""
    first = max(1, min(at - 3, len(lines) - 4))
    shown = []
    for number, line in enumerate(lines[first - 1 : first + 4], first):
        start, width = (min(found.span.column - 1, len(line)), found.span.width) if number == at else (0, 0)
        body = _underlined(line.replace("\t", " "), start, width)
        shown.append(f'<span class="mc-line{" mc-hit" * (number == at)}"><i>{number}</i>{body}\n</span>')
    return f'<pre class="mc-source" tabindex="0" role="group" aria-label="source">{"".join(shown)}</pre>'


def _underlined(line: str, start: int, width: int) -> str:
    """A line cut to the part around *start*, with *width* characters underlined; a bracket means all it holds.

    >>> _underlined("image: a&b", 7, 3), _underlined("x" * 200, 0, 0)[-2:], _underlined("dns: [a, [b]] # c", 5, 1)
    ('image: <u>a&amp;b</u>', 'x…', 'dns: <u>[a, [b]]</u> # c')
    """
    if width == 1 and line[start : start + 1] in ("[", "{"):
        depth = 0
        for width, char in enumerate(line[start:], 1):  # noqa: B007 (the width is what is wanted)
            depth += (char in "[{") - (char in "]}")
            if not depth:
                break
    left = max(0, min(start - WIDEST // 3, len(line) - WIDEST))
    right = left + WIDEST
    end = max(start, min(start + width, right))
    middle = f"<u>{escaped(line[start:end])}</u>" if end > start else ""
    front = "…" * bool(left) + escaped(line[left:start])
    return front + middle + escaped(line[end:right]) + "…" * (right < len(line))


def _instead(found: Diagnostic, text: str) -> str:
    """What to write: the repaired line where a repair is known, and the advice."""
    repaired, order = _repaired(found, text), found.help.startswith("write ")
    cells = [prose(found.help.removeprefix("write "))] if found.help else []
    if repaired is not None:
        code = f"<code>{escaped(repaired)}</code>" if repaired else "nothing: remove the line"
        cells = [code, *([f'<span class="mc-quiet">{prose(found.help)}</span>'] if found.help else [])]
    title = "What helps" if repaired is None and not order else "Write instead"
    said = " ".join(f"<span>{cell}</span>" for cell in cells)
    return f'<div class="mc-instead"><b>{title}</b> {said}</div>' if cells else ""


def _repaired(found: Diagnostic, text: str) -> str | None:
    """The line as the fix would leave it, or None without a fix."""
    lines = _BREAK.split(text)
    if found.fix is None or not 0 < found.fix.span.line <= len(lines):
        return None
    line, start = lines[found.fix.span.line - 1], found.fix.span.column - 1
    return (line[:start] + found.fix.replacement + line[start + found.fix.span.width :]).strip()
