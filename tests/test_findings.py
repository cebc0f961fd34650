"""Findings, the vanishing list and host access as HTML: true, counted, escaped, and readable when bare."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.diagnostics import Diagnostic, Fix, Severity, Span
from kit.reader import read
from kit.reader.notes import FALSE_ALARM
from kit.rules import check, host_access, rules
from kit.vanishing import vanishing
from labs.findings import (
    MOST,
    finding_card,
    finding_list,
    host_access_table,
    level,
    rule_card,
    vanishing_figure,
)

TEXT = """services:
  web:
    image: nginx
    privileged: true
    container_name: web
    expose: ["80"]
    restart: on-failure:3
    volumes:
      - /run/dbus:/run/dbus
      - ./cfg:/cfg
    labels:
      io.balena.features.avahi: "1"
    depends_on: [db]
  db: {image: postgres}
"""
HOSTILE = "<script>alert('x')</script> & \"q\" </pre>"
VOID = {"br", "hr", "img", "path", "circle", "meta"}


class Bare(HTMLParser):
    """What is left in a notebook that is not trusted: no pictures, no style; and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.said: list[str] = []
        self.marked: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"svg", "style"} & set(self.open):
            self.said.append(data)
            self.marked.setdefault(self.open[-1] if self.open else "", []).append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())


def found(severity: Severity = Severity.ERROR, **more: object) -> Diagnostic:
    given = {"code": "bind-mount", "message": "`./cfg:/cfg` binds a folder", "span": Span("c.yml", 10, 9, 10)} | more
    return Diagnostic(severity=severity, **given)  # type: ignore[arg-type]


def test_a_card_says_everything_in_words() -> None:
    one = found(rule="C-51", path=("services", "web", "volumes", 1), help="use a named volume", reported=True)
    bare = Bare(finding_card(one, TEXT))
    assert "./cfg:/cfg binds a folder" in bare.text
    assert "Error in c.yml, line 10, service web; the one that balena reports" in bare.text
    assert "C-51" in bare.text
    assert "What helps use a named volume" in bare.text
    (why,) = [rule.why for rule in rules() if rule.id == "C-51"]
    assert why in bare.text


def test_a_card_shows_five_lines_and_underlines_the_exact_span() -> None:
    html = finding_card(found(), TEXT)
    assert [int(number) for number in re.findall(r"<i>(\d+)</i>", html)] == [7, 8, 9, 10, 11]
    assert Bare(html).marked["u"] == ["./cfg:/cfg"]
    (hit,) = re.findall(r'mc-hit"><i>(\d+)</i>', html)
    assert hit == "10"


@pytest.mark.parametrize(("line", "shown"), [(1, [1, 2, 3, 4, 5]), (14, [11, 12, 13, 14, 15]), (16, []), (0, [])])
def test_lines_at_the_ends_of_a_file_and_beyond_them(line: int, shown: list[int]) -> None:
    html = finding_card(found(span=Span("c.yml", line, 1, 3)), TEXT)
    assert [int(number) for number in re.findall(r"<i>(\d+)</i>", html)] == shown


def test_a_bracket_stands_for_all_it_holds() -> None:
    html = finding_card(found(span=Span("c.yml", 6, 13, 1)), TEXT)
    assert Bare(html).marked["u"] == ['["80"]']


def test_a_long_line_is_cut_around_the_span() -> None:
    html = finding_card(found(span=Span("c.yml", 1, 5001, 4)), "a" * 5000 + "HERE" + "b" * 5000)
    assert Bare(html).marked["u"] == ["HERE"]
    assert len(html) < len(finding_card(found(), "x")) + 400


def test_a_repair_is_shown_as_the_line_that_it_makes() -> None:
    span = Span("c.yml", 7, 14, 12)
    html = finding_card(found(span=span, fix=Fix(span, "on-failure"), help="no count is read"), TEXT)
    assert "Write instead restart: on-failure no count is read" in Bare(html).text
    gone = finding_card(found(span=span, fix=Fix(Span("c.yml", 7, 1, 40), "")), TEXT)
    assert "Write instead nothing: remove the line" in Bare(gone).text


def test_an_advice_to_write_something_has_its_own_heading() -> None:
    assert 'Write instead "80:8080"' in Bare(finding_card(found(help='write "80:8080"'))).text


@pytest.mark.parametrize(
    ("severity", "rule", "word"),
    [
        (Severity.ERROR, "C-51", "Error"), (Severity.REFUSED, "C-50", "Reject"), (Severity.WARNING, "C-45", "Warning"),
        (Severity.CHANGED, "C-48", "Warning"), (Severity.IGNORED, "C-106", "Warning"),
        (Severity.IGNORED, "C-100", "Note"), (Severity.IGNORED, "", "Note"),
    ],
)  # fmt: skip
def test_the_level_is_a_word_and_a_mark(severity: Severity, rule: str, word: str) -> None:
    one = found(severity, rule=rule)
    assert level(one) == word
    assert f">{word}</b>" in finding_card(one)


def test_the_false_alarm_of_every_port_is_a_note() -> None:
    assert level(found(Severity.WARNING, code=FALSE_ALARM, rule="C-4")) == "Note"


def test_the_list_is_counted_and_begins_with_the_worst() -> None:
    findings = check(read(TEXT))
    bare = Bare(finding_list(findings))
    assert bare.marked["h3"] == [f"{len(findings)} findings; the release is refused."]
    words = [word for word in bare.said if word in ("Error", "Reject", "Warning", "Note")]
    assert words == sorted(words, key=["Error", "Reject", "Warning", "Note"].index)
    assert len(words) == len(findings)
    for word, count in Counter(words).items():
        assert re.search(rf"{word}: [a-z ,]+ \({count}\)", bare.text), word


def test_the_answer_of_a_list_is_true() -> None:
    def answer(*findings: Diagnostic) -> list[str]:
        return Bare(finding_list(findings)).marked["h3"]

    assert answer() == ["Nothing was found."]
    assert answer(found(Severity.CHANGED)) == ["1 finding."]
    assert answer(found(Severity.CHANGED), found(Severity.REFUSED)) == ["2 findings; the device refuses the release."]
    assert answer(found(Severity.REFUSED), found()) == ["2 findings; the release is refused."]


def test_a_long_list_says_how_much_it_hides() -> None:
    bare = Bare(finding_list(found(span=Span("c.yml", n + 1, 1)) for n in range(1250)))
    assert bare.marked["h3"] == ["1,250 findings; the release is refused."]
    assert "The first 200 are shown; 1,050 more are not." in bare.text
    assert bare.tags["tr"] == MOST + 1


def test_the_vanishing_list_counts_what_arrives() -> None:
    reading = read(TEXT)
    rows = vanishing(reading)
    bare = Bare(vanishing_figure(reading))
    assert bare.marked["h3"] == ["Of ten settings, four arrive as written."]
    assert sum(row.outcome == "=" for row in rows) == 4
    counts = Counter(row.outcome for row in rows)
    assert [counts[mark] for mark in ("=", "changed", "gone", "refused")] == [4, 3, 2, 1]
    for word in ("as written (4)", "changed (3)", "gone (2)", "refuses the whole release (1)"):
        assert word in bare.text
    assert "The release is refused" in bare.text


def test_the_vanishing_list_strikes_what_has_no_effect_and_says_so_in_words() -> None:
    bare = Bare(vanishing_figure(read(TEXT)))
    assert bare.marked["del"] == [
        "container_name: web", 'expose: ["80"]', "volumes: ./cfg:/cfg", 'labels: …features.avahi: "1"',
    ]  # fmt: skip
    for words in (
        "gone: removed, with a warning",
        "changed: always",
        "refuses the whole release: the release is refused",
    ):
        assert words in bare.text


def test_one_service_needs_no_headings_and_several_do() -> None:
    one = Bare(vanishing_figure(read("services: {web: {image: nginx, tty: false}}")))
    assert "service web in docker-compose.yml" in one.text
    assert one.marked["h3"] == ["Of two settings, one arrives as written."]
    two = Bare(vanishing_figure(read("x-a: 1\nservices: {web: {image: nginx}, db: {image: x}}")))
    assert two.marked["b"] == ["the file", "service web", "service db"]


def test_what_cannot_be_read_at_all_is_a_list_of_findings() -> None:
    bare = Bare(vanishing_figure(read("services: [")))
    assert bare.marked["h3"] == ["1 finding; the release is refused."]


ACCESS = {
    "services": {
        "panel": {"image": "a"},
        "net": {"network_mode": "host", "cap_add": ["NET_ADMIN"], "labels": {"io.balena.features.journal-logs": "1"}},
        "cam": {"devices": ["/dev/video0:/dev/video0:rwm"], "labels": {"io.balena.features.dbus": "on"}},
        "root": {"privileged": True, "pid": "host"},
    }
}


def test_the_map_of_host_access_has_a_row_for_each_service() -> None:
    html = host_access_table(host_access(ACCESS), ACCESS["services"])
    bare = Bare(html)
    assert bare.marked["h3"] == ["Two of the four services can take over the whole device."]
    table = html.split("<tbody>")[1].split("</tbody>")[0]
    rows = [
        [Bare(cell).text for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in table.split("</tr>")[:-1]
    ]
    assert rows == [
        ["panel", "–", "–", "–", "–"],
        ["net", "NET_ADMIN", "host", "–", "journal-logs, read only"],
        ["cam", "–", "–", "/dev/video0", "dbus, the whole device"],
        [
            "root",
            "privileged, the whole device pid: host, the whole device",
            "–",
            "–",
            "–",
        ],
    ]
    assert "reaches the whole device (3)" in bare.text


def test_the_answer_about_host_access_is_true() -> None:
    def answer(form: dict[str, object], *names: str) -> list[str]:
        return Bare(host_access_table(host_access({"services": form}), names)).marked["h3"]

    assert answer({}, "a", "b") == ["None of the two services can take over the whole device."]
    assert answer({"a": {"privileged": True}}) == ["The only service can take over the whole device."]
    assert answer({"a": {"network_mode": "host"}}) == ["The only service cannot take over the whole device."]


@pytest.mark.parametrize("number", ["C-52", "S-72", "C-6"])
def test_a_rule_has_a_card(number: str) -> None:
    (said,) = [rule for rule in rules() if rule.id == number]
    bare = Bare(rule_card(said))
    assert bare.marked["h3"] == [said.title]
    for words in (said.says, said.why, said.docs, f"Rule {number}"):
        assert words in bare.text
    assert ("surprises" in bare.text) == said.trap


def test_a_card_of_every_rule_is_well_formed() -> None:
    for said in rules():
        Bare(rule_card(said, with_style=False))


def test_nothing_that_a_person_wrote_becomes_markup() -> None:
    one = found(
        message=HOSTILE, help=HOSTILE, code=HOSTILE, span=Span(HOSTILE, 1, 3, 4), path=("services", HOSTILE),
        fix=Fix(Span("c.yml", 1, 1, 2), HOSTILE),
    )  # fmt: skip
    form = {"services": {HOSTILE: {"cap_add": [HOSTILE], "devices": [HOSTILE], "pid": "host"}}}
    text = f"services: {{web: {{image: {HOSTILE!r}, hostname: '<b>', {HOSTILE!r}: 1}}}}"
    for html in (
        finding_card(one, HOSTILE + "\n" + HOSTILE),
        finding_list([one]),
        host_access_table(host_access(form), [HOSTILE]),
        vanishing_figure(read(text, name=HOSTILE)),
    ):
        bare = Bare(html)
        assert not bare.tags["script"]
        assert "alert" in bare.text


def test_equal_input_gives_equal_bytes_and_style_can_be_left_out() -> None:
    reading = read(TEXT)
    assert vanishing_figure(reading) == vanishing_figure(read(TEXT))
    for draw in (
        lambda style: vanishing_figure(reading, with_style=style),
        lambda style: finding_card(found(), with_style=style),
    ):
        assert "<style>" in draw(True)
        assert draw(True).endswith(draw(False))
        assert "<style>" not in draw(False)


@given(st.text(max_size=80), st.integers(0, 9), st.integers(1, 99), st.integers(1, 99))
def test_any_text_and_any_place_make_a_card(text: str, line: int, column: int, width: int) -> None:
    bare = Bare(
        finding_card(found(message=text, help=text, span=Span(text, line, column, width)), text, with_style=False)
    )
    assert bare.tags["figure"] == 1


@given(st.text(alphabet="ab:-{}[]&*!|>'\"#\n 0<x~", max_size=60))
def test_any_text_makes_a_vanishing_list(text: str) -> None:
    for source in (text, f"services:\n  web:\n    image: a\n    labels: {text}\n"):
        reading = read(source)
        Bare(vanishing_figure(reading, with_style=False))
        Bare(finding_list(check(reading), with_style=False))
