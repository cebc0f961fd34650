"""Findings as text, as JSON and as annotations."""

from __future__ import annotations

import json
import time

from kit.diagnostics import Diagnostic, Fix, Severity, Span, as_github, as_json, did_you_mean, render, render_all

TEXT = "services:\n  proxy:\n    depends_on: [dta]\n"
FOUND = Diagnostic(
    code="undefined-dependency",
    severity=Severity.ERROR,
    message="`proxy` depends on `dta`, which is not a service here",
    span=Span("docker-compose.yml", 3, 18, 3),
    help="did you mean `data`?",
    rule="C-55",
    path=("services", "proxy", "depends_on", 0),
)


def test_the_line_is_shown_and_the_very_word_is_underlined() -> None:
    _head, _place, _gap, line, marks, helped = render(FOUND, TEXT).splitlines()
    assert line == "3 |     depends_on: [dta]"
    assert line[marks.index("^") : marks.rindex("^") + 1] == "dta"
    assert helped == "  = help: did you mean `data`?"


def test_a_finding_without_its_text_still_says_where() -> None:
    assert render(FOUND).splitlines()[1] == " --> docker-compose.yml:3:18"
    assert "^" not in render(FOUND)


def test_a_span_beyond_the_end_of_its_line_is_marked_at_the_end() -> None:
    far = Diagnostic(code="x", severity=Severity.ERROR, message="m", span=Span("n", 1, 99, 50))
    assert render(far, "abc").splitlines()[-1] == "  |    ^"


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "a" * 500 + "HERE" + "b" * 500
    drawn = render(Diagnostic(code="x", severity=Severity.ERROR, message="m", span=Span("n", 1, 501, 4)), text)
    line, marks = drawn.splitlines()[-2:]
    assert line[marks.index("^") : marks.rindex("^") + 1] == "HERE"
    assert len(line) < 140


def test_control_characters_cannot_drive_a_terminal() -> None:
    evil = Diagnostic(code="x", severity=Severity.ERROR, message="\x1b[2Jm", span=Span("n", 1, 1), help="\x07h")
    assert "\x1b" not in render(evil, "\x1b[31mred")
    assert "\x07" not in render(evil)
    named = Diagnostic(code="x", severity=Severity.ERROR, message="m", span=Span("\x1b[2J.yml", 1, 1))
    assert "\x1b" not in render(named)


def test_several_findings_take_their_lines_from_their_own_texts() -> None:
    other = Diagnostic(code="y", severity=Severity.WARNING, message="m", span=Span("b.yml", 1, 1))
    drawn = render_all([FOUND, other], {"docker-compose.yml": TEXT, "b.yml": "only line"})
    assert "depends_on: [dta]" in drawn
    assert "1 | only line" in drawn


def test_json_carries_everything_a_program_needs() -> None:
    fixed = Diagnostic(code="z", severity=Severity.CHANGED, message="m", span=FOUND.span, fix=Fix(FOUND.span, "data"))
    value = json.loads(json.dumps(as_json(fixed)))
    assert value["fix"] == {"line": 3, "column": 18, "width": 3, "replacement": "data"}
    assert json.loads(json.dumps(as_json(FOUND)))["path"] == ["services", "proxy", "depends_on", 0]


def test_an_annotation_stays_on_one_line() -> None:
    odd = Diagnostic(code="x", severity=Severity.REFUSED, message="a\nb", span=Span("a:b.yml", 1, 1))
    assert as_github(odd) == "::error file=a%3Ab.yml,line=1,col=1,endColumn=2,title=x::a%0Ab"


def test_no_near_word_means_all_known_words() -> None:
    assert did_you_mean("handover", ("hand-over", "kill")) == "did you mean `hand-over`?"
    assert did_you_mean("zzz", ("aarch64", "amd64")) == "known here: aarch64, amd64"


def test_the_line_is_underlined_below_wide_letters_and_marks() -> None:
    line = '"漢字": "e\u0301日本"'
    found = Diagnostic(code="x", severity=Severity.ERROR, message="no", span=Span("c.yml", 1, line.rindex('"e') + 1, 6))
    drawn = render(found, line).splitlines()
    assert drawn[-1] == f"  | {' ' * 8}{'^' * 7}"  # two quotes, two letters of two columns, a colon and a space


def test_a_long_text_is_cut_into_lines_once_however_many_findings_it_has() -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    spans = [Span("c.yml", number + 1, 1, 4) for number in range(20_000)]
    found = [Diagnostic(code="x", severity=Severity.ERROR, message="no", span=span) for span in spans]
    begun = time.process_time()
    assert render_all(found, {"c.yml": text}).endswith("20000 | line 19999\n      | ^^^^")
    assert time.process_time() - begun < 5  # each cut anew, it would take half a minute
