"""Decisions as HTML: a row for each service, the line of versions, the tree of reasons, a table.

Everything here is text made of text: no state, no widgets. A clause that decides is marked once, in one
colour; where a version misses its range, a line shows where it stands. The line is not to scale: the ends
of the range and the device are placed by rank, in equal steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kit import looks
from kit.composition import Composition
from kit.contracts import Clause, Decision, Flip, ServiceDecision, decide, flips
from kit.device import Device
from kit.looks import escaped, glyph, prose
from kit.versions import Interval, InvalidRange, InvalidVersion, Range, Version

STATES: Final = {
    # state of a service: what its row says
    "run": "runs.",
    "out": "is left out.",
    "no": "is not optional, and its {requirements} not met.",
    "old": "could run here, but the release is rejected.",
    "ref": "is refused with the whole offer.",
}
OUTCOMES: Final = {"deployed": "run", "partial": "part", "rejected": "no", "refused": "ref"}
"""Outcome to the mark that it has."""
_CHOSEN: Final = " class=mc-decides"
EDGE: Final = 8  # pixels between the frame of a version line and its axis
STEP: Final = 92  # between two ranks, where there is room


def deciding(decision: Decision) -> tuple[str, Clause | None] | None:
    """The service that decides, and its clause: the first that fails of the first service that must run.

    A refused offer has no clause. Where everything runs, nothing decides.
    """
    if decision.refused_by:
        return decision.refused_by[0], None
    for state in ("no", "out"):
        for service in decision.services:
            if service.state == state:
                return service.name, next(clause for clause in service.clauses if not clause.met)
    return None


def verdicts(decision: Decision, below: str = "") -> str:
    """A row for each service: its mark, its name, its state in words, and the clauses behind it."""
    name, clause = deciding(decision) or ("", None)
    rows = "".join(_row(service, service.name == name, clause) for service in decision.services)
    return f'<ul class="mc-rows">{rows}</ul>{below}'


def _row(service: ServiceDecision, decides: bool, marked: Clause | None) -> str:
    failing = [clause for clause in service.clauses if not clause.met]
    holding = [clause for clause in service.clauses if clause.met]
    requirements = "requirement is" if len(failing) == 1 else "requirements are"
    said = f"<b>{escaped(service.name)}</b> {escaped(STATES[service.state].format(requirements=requirements))}"
    if service.state in ("run", "old"):
        held = " ".join(_held(clause) for clause in holding)
        body = f"<p>{said} {held or 'It asks for nothing.'}</p>"
    elif service.state == "ref":
        body = f"<p>{said}</p>{f'<p class=mc-quiet>{prose(service.why)}</p>' if decides else ''}"
    else:
        body = f"<p>{said}</p>{''.join(_failing(clause, decides and clause is marked) for clause in failing)}"
        body += "".join(f'<p class="mc-quiet mc-small">{_held(clause)}</p>' for clause in holding)
    return f"<li>{glyph(service.state, 20)}<div>{body}</div></li>"


def _held(clause: Clause) -> str:
    """A clause that holds, in a few words."""
    wanted = f" <code>{escaped(clause.wanted)}</code>" if clause.wanted else ""
    return f'<span class="mc-quiet"><code>{escaped(clause.type)}</code>{wanted} holds: {escaped(clause.fact)}.</span>'


def _failing(clause: Clause, marked: bool) -> str:
    """A clause that fails: what it wants, what that means, and where the device stands."""
    line = version_line(clause)
    rest = _rest(clause, bool(line))
    return f"<p>{_wants(clause, marked)}</p>{line}{f'<p class=mc-quiet>{rest}</p>' if rest else ''}"


def _wants(clause: Clause, marked: bool) -> str:
    """`sw.linux` wants `>5.15.*`, which means `>=5.16.0`; the wish is marked if it decides."""
    wish = f"<code>{escaped(clause.wanted or 'any')}</code>"
    wish = f"<mark>{wish}</mark>" if marked else wish
    means = (
        f", which means <code>{escaped(clause.range)}</code>" if clause.range and clause.range != clause.wanted else ""
    )
    return f"<code>{escaped(clause.type)}</code> wants {wish}{means}."


def _rest(clause: Clause, shown: bool) -> str:
    """What the clause says after its wish: the device, unless it is *shown* already, and the trap if there is one."""
    if clause.members:
        return prose(clause.why)
    _wish, _point, rest = clause.why.partition("`. ")
    return prose(rest.removeprefix(f"The device has {clause.fact}.").strip() if shown else rest)


# ------------------------------------------------------------------------------------ the line of versions


def version_line(clause: Clause) -> str:
    """The range as a line and the device as a mark on it. Empty where there is no line to draw.

    There is none without a version and a range, and none for a prerelease that stands inside the range
    and is shut out all the same (S-48).
    """
    try:
        device = Version.parse(clause.fact or "")
        pieces = Range.parse(clause.range or "").intervals() if clause.range else ()
    except (InvalidRange, InvalidVersion):
        return ""
    if not pieces or any(_inside(device, piece) for piece in pieces):
        return ""
    ends = sorted({end for piece in pieces for end in (piece.low, piece.high) if end} | {device})
    width = 2 * EDGE + STEP * (len(ends) + 1)
    at = {end: EDGE + STEP * rank for rank, end in enumerate(ends, 1)}
    line = [f'<path d="M{EDGE} 8H{width - EDGE}" stroke="var(--mc-edge)" stroke-width="1.5"/>']
    for piece in pieces:
        line += _piece(piece, at, width)
    here = at[device]
    line.append(f'<path d="M{here} 2V14M{here - 6} 20.5L{here} 13L{here + 6} 20.5Z" {_paint("ink", "ink")}/>')
    before = [piece for piece in pieces if piece.high and piece.high <= device][-1:]
    after = [piece for piece in pieces if piece.low and piece.low >= device][:1]
    room = {"end": here - 2, "start": width - here - 2}
    side = "end" if after and not before else "start" if before and not after else "middle"
    # Two labels stand outward of their marks and cannot meet; with a label on each side the device has its own line.
    words = f"device {clause.fact}"
    under = 52 if side == "middle" else 34
    wide = looks.text_width(words, 12, bold=True)
    shift = max(0.0, wide - room.get(side, wide))
    line.append(_label(words, here + (shift if side == "end" else -shift), under, side, "ink"))
    line += [_label(_interval(piece), at[piece.high] if piece.high else 0, 34, "end", "run") for piece in before]
    line += [_label(_interval(piece), at[piece.low] if piece.low else 0, 34, "start", "run") for piece in after]
    inside = [_spread(_interval(piece), at[piece.high or device], "end") for piece in before]
    inside += [_spread(_interval(piece), at[piece.low or device], "start") for piece in after]
    inside += [(here - wide, here + wide)]
    left, right = min(0.0, *(low for low, _high in inside)), max(width, *(high for _low, high in inside))
    said = escaped(f"The device has {clause.fact}; wanted is {Range.parse(clause.range or '').words()}.")
    return (
        f'<div class="mc-pic"><svg role="img" aria-label="{said}" width="{right - left:g}" height="{under + 6}" '
        f'viewBox="{left:g} 0 {right - left:g} {under + 6}">{"".join(line)}</svg></div>'
    )


def _inside(version: Version, piece: Interval) -> bool:
    above = piece.low is None or piece.low < version or (piece.low_closed and piece.low == version)
    below = piece.high is None or version < piece.high or (piece.high_closed and piece.high == version)
    return above and below


def _piece(piece: Interval, at: dict[Version, int], width: int) -> list[str]:
    """The allowed part: a thick line, a dot where its end belongs to it, a ring where not, an arrow if it goes on."""
    start = at[piece.low] if piece.low else EDGE
    end = at[piece.high] if piece.high else width - EDGE - 8
    drawn = [f'<path d="M{start} 8H{end}" stroke="var(--mc-run)" stroke-width="6"/>']
    if piece.high is None:
        drawn.append(f'<path d="M{end - 1} 2L{width - EDGE} 8L{end - 1} 14Z" fill="var(--mc-run)"/>')
    for edge, closed in ((piece.low, piece.low_closed), (piece.high, piece.high_closed)):
        if edge:
            paint = _paint("run" if closed else "paper", "run")
            drawn.append(f'<circle cx="{at[edge]}" cy="8" r="4.5" {paint} stroke-width="2"/>')
    return drawn


def _paint(fill: str, stroke: str) -> str:
    return f'fill="var(--mc-{fill})" stroke="var(--mc-{stroke})"'


def _interval(piece: Interval) -> str:
    """
    >>> _interval(Range.parse(">=5.16").intervals()[0])
    'from 5.16.0 on'
    >>> _interval(Range.parse("14.x").intervals()[0])
    '14.0.0 to before 15.0.0'
    """
    low, high = piece.low, piece.high
    if low is None or high is None:
        start = "" if low is None else f"from {low} on" if piece.low_closed else f"after {low}"
        return start or (f"up to {high}" if piece.high_closed else f"before {high}")
    if low == high:
        return f"only {low}"
    return f"{'' if piece.low_closed else 'after '}{low} to {'' if piece.high_closed else 'before '}{high}"


def _label(words: str, x: float, y: int, side: str, ink: str) -> str:
    return (
        f'<text x="{x:g}" y="{y}" font-size="12" font-weight="600" text-anchor="{side}" fill="var(--mc-{ink})">'
        f"{escaped(words)}</text>"
    )


def _spread(words: str, x: float, side: str) -> tuple[float, float]:
    wide = looks.text_width(words, 12, bold=True)
    return (x - wide, x) if side == "end" else (x, x + wide)


# ------------------------------------------------------------------------------------ the tree of reasons


def suggestion(flip: Flip) -> str:
    """What would have to change, as a sentence."""
    return prose(f"{flip.sentence[:1].upper()}{flip.sentence[1:]}.")


def tree(decision: Decision) -> str:
    """The release, its services, their clauses, and where each fact was read: what decides stands first."""
    name, clause = deciding(decision) or ("", None)
    rank = {"no": 0, "ref": 1, "out": 2, "run": 3, "old": 4}
    blamed = {"rejected": ("no",), "refused": ("ref",)}.get(decision.outcome, tuple(rank))
    told = sorted((each for each in decision.services if each.state in blamed), key=lambda each: rank[each.state])
    items = "".join(_branch(service, service.name == name, clause) for service in told)
    root = f"<b>{escaped(decision.name or 'The release')}</b> {_because(decision)}"
    return f'<ul class="mc-tree"><li>{_item(OUTCOMES[decision.outcome], root)}<ul>{items}</ul></li></ul>'


def _because(decision: Decision) -> str:
    blame = sum(service.state == "no" for service in decision.services)
    match decision.outcome:
        case "deployed":
            return "is deployed: nothing speaks against it."
        case "partial":
            return "is deployed in part: what does not fit is optional."
        case "rejected" if blame == 1:
            return "is rejected because one service that must run cannot."
        case "rejected":
            return f"is rejected because {blame} services that must run cannot."
    return "is refused: the device cannot read what it asks for."


def _branch(service: ServiceDecision, decides: bool, marked: Clause | None) -> str:
    clauses = sorted(service.clauses, key=lambda clause: clause.met)
    failing = sum(not clause.met for clause in clauses)
    state = STATES[service.state].format(requirements="requirement is" if failing == 1 else "requirements are")
    said = f"<b>{escaped(service.name)}</b> {escaped(state)}"
    said += f" <b class=mc-{service.state}>This decides.</b>" if decides and service.state != "out" else ""
    leaves = "".join(_leaf(clause, decides and clause is marked) for clause in clauses)
    leaves = leaves or (f"<li>{_item('', prose(service.why))}</li>" if decides and not leaves else "")
    below = f"<ul>{leaves}</ul>" if leaves else ""
    return f"<li{_CHOSEN if decides else ''}>{_item(service.state, said)}{below}</li>"


def _leaf(clause: Clause, marked: bool) -> str:
    fact = f"<code>{escaped(clause.fact)}</code>"
    has = f"The device has {f'<mark>{fact}</mark>' if marked else fact}." if clause.fact else ""
    source = [f"read from {prose(clause.source)}"] if clause.source else []
    rest = [] if clause.met else [_rest(clause, bool(clause.fact))]
    more = "".join(f"<li>{_item('', f'<span class=mc-quiet>{text}</span>')}</li>" for text in (*rest, *source) if text)
    said = _item("run" if clause.met else "no", f"{_wants(clause, marked)} {has}")
    return f"<li{_CHOSEN if marked else ''}>{said}<ul>{more}</ul></li>"


def _item(mark: str, html: str) -> str:
    return f'<div class="mc-item">{glyph(mark, 20) if mark else ""}<div>{html}</div></div>'


def reasons(decision: Decision, flips: Sequence[Flip] = (), situation: str = "") -> str:
    """The whole card: the tree, what the log names without cause, and what would change the answer."""
    innocent = [each for each in decision.services if each.state == "out"] if decision.outcome == "rejected" else []
    blocks = [
        _block("Named in the log, but not the cause", "mc-rows", (
            f"<li>{glyph('out', 20)}<div><b>{escaped(each.name)}</b> is not met either. It is optional, so alone it "
            "would only be left out.</div></li>" for each in innocent
        )),
        _block("What changes the answer", "", (f"<li>{suggestion(flip)}</li>" for flip in flips[:3]), "ol"),
    ]  # fmt: skip
    below = f'<hr><div class="mc-cols">{"".join(blocks)}</div>' if any(blocks) else ""
    return looks.figure(
        decision.answer, situation or decision.situation, tree(decision) + below, name=decision.name or "decision"
    )


def _block(title: str, css_class: str, items: Iterable[str], tag: str = "ul") -> str:
    listed = "".join(items)
    return f'<div><h4>{title}</h4><{tag} class="{css_class}">{listed}</{tag}></div>' if listed else ""


def summary(decision: Decision) -> str:
    """The decision as a table: service, state, because."""
    rows: list[tuple[str, ...]] = [
        (escaped(each.name), looks.state(each.state), prose(each.why)) for each in decision.services
    ]
    return looks.table(("Service", "State", "Because"), rows)


def card(decision: Decision, pictures: str = "", below: str = "") -> str:
    """A decision for a page on which nothing runs: the verdicts, pictures if there are any, and the table."""
    parts = f"<h4>Verdict per service</h4>{verdicts(decision, below)}"
    return looks.figure(
        decision.answer, decision.situation, f'<div class="mc-cols"><div>{parts}</div>{pictures}</div>',
        table=summary(decision), name=decision.name or "decision",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """A text and its HTML twin, which a notebook shows."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def explain(composition: Composition, device: Device) -> Page:
    """Why a device takes a release or not, and what would change the answer."""
    decision = decide(composition, device.facts)
    found = flips(composition, device.facts, releases=device.upgrades())
    return Page(str(decision), reasons(decision, found))
