"""Findings as HTML: a card for one, a list for many, the vanishing list, the map of host access, a rule.

Every function turns values into one string and decides nothing: what was found, and where, is in the
diagnostics; what a rule says is in the catalogue. A card says everything in words, in the order of the
file, so that it still makes sense where a notebook takes its style and its pictures away.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, groupby
from pathlib import Path as File
from typing import Any, Final

from kit import looks
from kit.diagnostics import Diagnostic, Path, Severity
from kit.looks import escaped, glyph, prose
from kit.reader import Reading
from kit.reader.notes import FALSE_ALARM
from kit.rules import Access, Rule, catalogue
from kit.vanishing import BREAK, Mark, Row, vanishing

TABLES: Final[dict[str, Any]] = json.loads(File(__file__).with_suffix(".json").read_text("utf-8"))
LEVELS: Final[dict[str, tuple[str, str]]] = TABLES["levels"]
"""The word for a level to its mark, and to what it says in a legend."""
OUTCOMES: Final[dict[Mark, tuple[str, str, str]]] = TABLES["outcomes"]
"""Outcome of a row to the word for it, its colour, and the drawing of its mark."""
ACCESS: Final[dict[str, str]] = TABLES["access"]
"""Fields that have a column of their own in the map of host access; the others are rights."""
WIDEST: Final = 120
"""Characters of one source line that are shown."""
MOST: Final = 200
"""Rows that are shown; the rest is counted."""


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet of all cards, with the part for findings."""
    return f"{looks.style()}<style>{File(__file__).with_suffix('.css').read_text('utf-8')}</style>"


def level(found: Diagnostic) -> str:
    """The word for a finding: how much it matters to the person who wrote the file.

    What the device ignores is a note, but a warning where the rule is known to surprise people. The false
    alarm of C-4 is a note, although balena prints it as a warning.
    """
    said = catalogue().get(found.rule)
    if found.severity is Severity.IGNORED and said is not None and said.trap:
        return "Warning"
    return "Note" if found.code == FALSE_ALARM else TABLES["severities"].get(found.severity, "Warning")


def finding_card(found: Diagnostic, text: str = "", *, with_style: bool = True) -> str:
    """One finding with its lines of *text*, why it matters, and what to write instead."""
    word, said = level(found), catalogue().get(found.rule)
    mark = LEVELS[word][0]
    where = f"in {found.span.name}, line {found.span.line}{_owner(found.path, ', ')}"
    where += "; the one that balena reports" * found.reported
    why = f"<p>{prose(said.why)}</p>" if said else ""
    background = f"<details><summary>{prose(said.title)}</summary>{_says(said)}</details>" if said else ""
    card = (
        f'<figure class="mc" lang="en" aria-label="{escaped(word)}: {escaped(found.message)}">'
        f'<div class="mc-find">{glyph(mark, 20)}<div><h4>{prose(_sentence(found.message))}</h4>'
        f'<p class="mc-small mc-quiet"><b class="mc-{mark}">{word}</b> {escaped(where)}</p></div> '
        f'<code class="mc-rule">{escaped(found.rule or found.code)}</code></div>'
        f"{_source(found, text)}{why}{_instead(found, text)}{background}</figure>"
    )
    return (style() if with_style else "") + card


def finding_list(findings: Iterable[Diagnostic], *, with_style: bool = True) -> str:
    """All findings in short form, the worst first, with each level counted below."""
    found = sorted(findings, key=lambda each: [*LEVELS].index(level(each)))
    counts = Counter(map(level, found))
    end = "; the device refuses the release" if counts["Reject"] else ""
    end = "; the release is refused" if counts["Error"] else end
    answer = f"{len(found):,} finding{'s' * (len(found) != 1)}{end}." if found else "Nothing was found."
    situation = f"In {_files(each.span.name for each in found)}.{_hidden(len(found))}" if found else ""
    table = _table("mc-list", ("Level", "Finding", "Where", "Rule"), map(_short, found[:MOST]))
    legend = [(glyph(mark), f"{word}: {says}", counts[word]) for word, (mark, says) in LEVELS.items()]
    return _card(answer, situation, table, legend, with_style)


def vanishing_figure(reading: Reading, *, with_style: bool = True) -> str:
    """What was written, what balena keeps and what the device uses, side by side."""
    rows = vanishing(reading)
    if not rows:
        return finding_list(reading.findings, with_style=with_style)
    counts = Counter(row.outcome for row in rows)
    groups = [(owner, [*map(_three, group)]) for owner, group in groupby(rows[:MOST], lambda row: _owner(row.path))]
    cells = [cell for owner, group in groups for cell in ((f"<b>{escaped(owner or 'the file')}</b>",), *group)]
    only = f"{groups[0][0]} in " if len(groups) == 1 and groups[0][0] else ""
    situation = f"{only}{_files(row.span.name for row in rows)}, parser 0.3.0. Read each row from left to right."
    if not reading.ok:
        situation += " The release is refused; the other rows say what becomes of them once the errors are mended."
    table = _table("mc-three", ("You write", "balena keeps", "The device uses"), cells[len(groups) == 1 :])
    legend = [(_mark(mark), word, counts[mark]) for mark, (word, _colour, _drawn) in OUTCOMES.items()]
    return _card(_answer(len(rows), counts["="]), situation + _hidden(len(rows)), table, legend, with_style)


def host_access_table(rows: Iterable[Access], services: Iterable[str] = (), *, with_style: bool = True) -> str:
    """Services × host access: the doors that each service opens, then what each of them opens.

    *services* are the names of all services of the release, also of those that open nothing.
    """
    doors = sorted(rows, key=lambda door: door.danger != "device")
    columns = ("Rights", *ACCESS.values())
    held = {name: dict.fromkeys(columns, "") for name in (*services, *(door.service for door in doors))}
    for door in doors:
        held[door.service][ACCESS.get("".join(map(str, door.path[2:3])), "Rights")] += _door(door)
    cells = [(escaped(name), *(cell or "–" for cell in kinds.values())) for name, kinds in [*held.items()][:MOST]]
    opened = ((_code(door.what), escaped(door.service), prose(door.opens), _code(door.rule)) for door in doors[:MOST])
    details = _table("mc-doors", ("Written", "Service", "What it opens", "Rule"), opened)
    table = _table("mc-doors", ("Service", *columns), cells)
    table += f"<details><summary>What each of them opens</summary>{details}</details>" if doors else ""
    worst = [door.service for door in doors if door.danger == "device"]
    subject = f"{_count(len({*worst})).capitalize()} of the {_count(len(held))} services can"
    if len(held) == 1:
        subject = f"The only service {'can' if worst else 'cannot'}"
    situation = "What a program that breaks into a container could reach. Labels inside an image open doors as well, "
    situation += f"and are not seen here.{_hidden(len(held))}"
    legend = [(glyph("no"), "reaches the whole device", len(worst))]
    return _card(f"{subject} take over the whole device.", situation, table, legend, with_style)


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


def _says(said: Rule) -> str:
    documented = f'<p class="mc-quiet">{prose(said.docs)}</p>' if said.docs else ""
    example = f'<pre class="mc-example">{escaped(said.example)}</pre>' if said.example else ""
    return f"<p>{prose(said.says)}</p>{documented}{example}"


def _code(text: str) -> str:
    return f"<code>{escaped(text)}</code>"


def _sentence(message: str) -> str:
    """The message with a capital, unless it begins with a name.

    >>> _sentence("a circle of dependencies"), _sentence("`web` is written twice"), _sentence("balena has no configs")
    ('A circle of dependencies', '`web` is written twice', 'balena has no configs')
    """
    return message if message.startswith(("`", "balena")) else message[:1].upper() + message[1:]


def _owner(path: Path, before: str = "") -> str:
    kind = TABLES["kinds"].get(path[0]) if len(path) > 1 else None
    return f"{before}{kind} {path[1]}" if kind else ""


def _files(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    return ", ".join(known[:3]) + (" and others" if len(known) > 3 else "")


def _hidden(count: int) -> str:
    return f" The first {MOST} are shown; {count - MOST:,} more are not." if count > MOST else ""


def _count(number: int) -> str:
    """
    >>> _count(0), _count(2), _count(1300)
    ('none', 'two', '1,300')
    """
    return TABLES["numbers"][number] if number < len(TABLES["numbers"]) else f"{number:,}"


def _answer(total: int, arrived: int) -> str:
    """How many settings of all arrive as written.

    >>> _answer(8, 2), _answer(3, 3), _answer(1, 0), _answer(40, 1)
    ('Of eight settings, two arrive as written.', 'All three settings arrive as written.', \
'The only setting does not arrive as written.', 'Of 40 settings, one arrives as written.')
    """
    if total == 1:
        return f"The only setting {'arrives' if arrived else 'does not arrive'} as written."
    if arrived == total:
        return f"All {_count(total)} settings arrive as written."
    return f"Of {_count(total)} settings, {_count(arrived)} arrive{'s' * (arrived < 2)} as written."


def _short(found: Diagnostic) -> tuple[str, ...]:
    """One row of the list of findings."""
    word, owner = level(found), _owner(found.path).partition(" ")[2]
    where = escaped(f"{owner}, line {found.span.line}".removeprefix(", "))
    state = looks.state(LEVELS[word][0], word, 14)
    return state, prose(_sentence(found.message)), where, _code(found.rule or found.code)


def _mark(outcome: Mark) -> str:
    _word, colour, drawn = OUTCOMES[outcome]
    line = f'<path d="{drawn}" fill="none" stroke="var(--mc-{colour})" stroke-width="1.7" stroke-linecap="round"/>'
    field = 'width="14" height="14" viewBox="0 0 16 16"'
    return f'<svg class="mc-g" {field} aria-hidden="true">{line}</svg>' if drawn else glyph("ref", 14)


def _three(row: Row) -> tuple[str, ...]:
    """One row of the vanishing list. A note stands where the text first differs."""
    written = escaped(row.written.replace("io.balena.", "…", 1))
    if {row.kept_mark, row.device_mark} & {"gone", "refused"}:
        written = f"<del>{written}</del>"
    note = f'<span class="mc-note">{prose(row.note)}</span>' if row.note else ""
    early = row.kept_mark in ("changed", "refused") and row.device_mark in ("=", "")
    kept = _end(row.kept, row.kept_mark, note if early else "")
    return written, kept, _end(row.device, row.device_mark, "" if early else note)


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
    lines, at = BREAK.split(text), found.span.line
    if not text or not 0 < at <= len(lines):
        return ""
    first, shown = max(1, min(at - 3, len(lines) - 4)), ""
    for number, line in enumerate(lines[first - 1 : first + 4], first):
        start, width = (min(found.span.column - 1, len(line)), found.span.width) if number == at else (0, 0)
        body = _underlined(line.replace("\t", " "), start, width)
        shown += f'<span class="mc-line{" mc-hit" * (number == at)}"><i>{number}</i>{body}\n</span>'
    return f'<pre class="mc-source" tabindex="0" role="group" aria-label="source">{shown}</pre>'


def _underlined(line: str, start: int, width: int) -> str:
    """A line cut to the part around *start*, with *width* characters underlined; a bracket means all it holds.

    >>> _underlined("image: a&b", 7, 3), _underlined("x" * 200, 0, 0)[-2:], _underlined("dns: [a, [b]] # c", 5, 1)
    ('image: <u>a&amp;b</u>', 'x…', 'dns: <u>[a, [b]]</u> # c')
    """
    if width == 1 and line[start : start + 1] in ("[", "{"):
        depths = accumulate((char in "[{") - (char in "]}") for char in line[start:])
        width = next((number for number, depth in enumerate(depths, 1) if not depth), len(line))
    left = max(0, min(start - WIDEST // 3, len(line) - WIDEST))
    right = left + WIDEST
    end = max(start, min(start + width, right))
    middle = f"<u>{escaped(line[start:end])}</u>" if line[start:end] else ""
    return f"{'…' * bool(left)}{escaped(line[left:start])}{middle}{escaped(line[end:right])}{'…' * (right < len(line))}"


def _instead(found: Diagnostic, text: str) -> str:
    """What to write: the repaired line where a repair is known, and the advice."""
    lines, fix = BREAK.split(text), found.fix
    title = "Write instead" if found.help.startswith("write ") else "What helps"
    said = f"<span>{prose(found.help.removeprefix('write '))}</span>" if found.help else ""
    if fix and 0 < fix.span.line <= len(lines):
        line, start = lines[fix.span.line - 1], fix.span.column - 1
        repaired = (line[:start] + fix.replacement + line[start + fix.span.width :]).strip()
        advice = f' <span><span class="mc-quiet">{prose(found.help)}</span></span>' if found.help else ""
        title = "Write instead"
        said = f"<span>{_code(repaired) if repaired else 'nothing: remove the line'}</span>{advice}"
    return f'<div class="mc-instead"><b>{title}</b> {said}</div>' if said else ""
