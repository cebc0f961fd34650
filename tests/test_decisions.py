"""Decisions as HTML: rows, the line of versions, the tree, the card."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import unescape

import pytest

from kit.composition import Composition, Service
from kit.contracts import OPTIONAL, PREFIX, Clause, Decision, Fact, Facts, decide, flips
from kit.looks import GLYPHS
from labs import decisions

JETSON = Facts(
    supervisor=Fact(None, "17.6.3", "the supervisor: 17.6.3"),
    device_type=Fact("jetson-agx-orin-devkit", None, "device-type.json: jetson-agx-orin-devkit"),
    arch=Fact("aarch64", None, "device-type.json: aarch64"),
    os=Fact("balena-os", "6.12.3", "/etc/os-release: 6.12.3"),
    kernel=Fact("linux", "5.15.148", "uname -r: 5.15.148-l4t-r36.4.4"),
    l4t=Fact(None, "36.4.4", "uname -r: 5.15.148-l4t-r36.4.4"),
)
EVIL = '"><img src=x onerror=alert(1)>'


def service(name: str, *, optional: bool = False, **labels: str) -> Service:
    pairs = tuple((PREFIX + suffix.replace("__", ".").replace("_", "-"), value) for suffix, value in labels.items())
    return Service(name=name, labels=pairs + (((OPTIONAL, "1"),) if optional else ()))


def decided(*services: Service, facts: Facts = JETSON, name: str = "") -> Decision:
    return decide(Composition(services=services), facts, name=name)


def clause(range_: str, kernel: str = "5.15.148") -> Clause:
    facts = replace(JETSON, kernel=Fact("linux", kernel, "test"))
    return decided(service("a", sw__linux=range_), facts=facts).services[0].clauses[0]


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html))).split())


PARTIAL = decided(
    service("camera"),
    service("gpu", optional=True, sw__linux=">5.15.*", sw__l4t=">=36.4.3"),
    service("ui", sw__supervisor=">=14"),
)
REJECTED = decided(
    service("thermal", optional=True, sw__linux="<5"),
    service("gpu", sw__l4t=">=38", hw__device_type="jetson-agx-orin-devkit"),
    service("ui"),
    name="v2.4.0",
)
REFUSED = decided(service("ui"), service("gpu", sw__linux=">=5"), facts=Facts(supervisor=Fact(None, "16.0.0", "x")))


def test_each_service_has_a_row_with_its_mark_and_its_word() -> None:
    rows = re.findall(r"<li>(.*?)</li>", decisions.verdicts(PARTIAL))
    assert [text(row).split(". ")[0] for row in rows] == ["camera runs", "gpu is left out", "ui runs"]
    assert all('class="mc-g"' in row for row in rows)


def test_the_deciding_clause_is_marked_once() -> None:
    for decision in (PARTIAL, REJECTED):
        assert decisions.verdicts(decision).count("<mark>") == 1
    assert "<mark><code>&gt;5.15.*</code></mark>" in decisions.verdicts(PARTIAL)
    assert decisions.deciding(REJECTED) == ("gpu", next(c for c in REJECTED.services[1].clauses if not c.met))


def test_nothing_decides_where_everything_runs() -> None:
    decision = decided(service("camera"))
    assert decisions.deciding(decision) is None
    assert "<mark>" not in decisions.verdicts(decision)


def test_the_reason_says_what_the_range_means() -> None:
    assert "sw.linux wants >5.15.* , which means >=5.16.0" in text(decisions.verdicts(PARTIAL))


def test_a_clause_that_holds_is_named_with_the_fact() -> None:
    assert "sw.l4t >=36.4.3 holds: 36.4.4." in text(decisions.verdicts(PARTIAL))


def test_a_refused_offer_says_why_once() -> None:
    shown = text(decisions.verdicts(REFUSED))
    assert shown.count("is refused with the whole offer") == 2
    assert shown.count("this device has 16.0.0") == 1


@pytest.mark.parametrize("decision", [PARTIAL, REJECTED, REFUSED], ids=["partial", "rejected", "refused"])
def test_everything_is_balanced_markup(decision: Decision) -> None:
    for html in (decisions.card(decision), decisions.reasons(decision), decisions.tree(decision)):
        body = re.sub(r"<style>.*?</style>", "", html)
        body = re.sub(r"(\s[\w-]+)=([\w-]+)(?=[\s>])", r'\1="\2"', body.replace("<hr>", "<hr/>"))
        ET.fromstring(re.sub(r"<details open>", "<details>", f"<div>{body}</div>"))


# ------------------------------------------------------------------------------- the line of versions

LABELS = [
    # range               device       the device's label, and those of the range
    (">5.15.*", "5.15.148", "device 5.15.148", ["from 5.16.0 on"]),
    ("<5.15", "5.15.148", "device 5.15.148", ["before 5.15.0"]),
    ("4.x || 6.x", "5.15.148", "device 5.15.148", ["4.0.0 to before 5.0.0", "6.0.0 to before 7.0.0"]),
    ("6.1.0", "5.15.148", "device 5.15.148", ["only 6.1.0"]),
    (">6.1.0 <=6.2.0", "5.15.148", "device 5.15.148", ["after 6.1.0 to 6.2.0"]),
    ("<=4.19.0", "5.15.148", "device 5.15.148", ["up to 4.19.0"]),
]


@pytest.mark.parametrize(("range_", "device", "said", "pieces"), LABELS)
def test_the_line_names_the_device_and_the_nearest_pieces(
    range_: str, device: str, said: str, pieces: list[str]
) -> None:
    drawn = ET.fromstring(re.sub(r"</?div[^>]*>", "", decisions.version_line(clause(range_, device))))
    assert [node.text for node in drawn.iter("text")] == [said, *pieces]


@pytest.mark.parametrize(("range_", "device", "_said", "_pieces"), LABELS)
def test_the_labels_of_a_line_do_not_meet_and_stay_inside(
    range_: str, device: str, _said: str, _pieces: list[str]
) -> None:
    from kit.looks import text_width

    drawn = ET.fromstring(re.sub(r"</?div[^>]*>", "", decisions.version_line(clause(range_, device))))
    left, _top, width, height = map(float, drawn.get("viewBox", "").split())
    boxes = []
    for node in drawn.iter("text"):
        wide, x, y = text_width(node.text or "", 12, bold=True), float(node.get("x", "")), float(node.get("y", ""))
        start = x - {"start": 0, "middle": wide / 2, "end": wide}[node.get("text-anchor", "")]
        boxes.append((start, start + wide, y))
        assert left <= start + 0.01
        assert start + wide <= left + width + 0.01
        assert y < height
    for index, (start, end, y) in enumerate(boxes):
        assert all(end <= other[0] or other[1] <= start or abs(y - other[2]) >= 14 for other in boxes[index + 1 :])


def test_an_end_that_belongs_to_the_range_is_a_dot_and_another_a_ring() -> None:
    line = decisions.version_line(clause(">6.1.0 <=6.2.0"))
    assert re.findall(r'<circle[^>]*fill="var\(--mc-(\w+)\)"', line) == ["paper", "run"]


@pytest.mark.parametrize(
    ("range_", "device"),
    [(">=5.15", "5.15.148"), ("latest", "5.15.148"), (">=5", "5.15.148-rc1"), ("^1.2.3 ^2", "5.15.148")],
    ids=["it holds", "no range", "a prerelease inside", "an empty range"],
)
def test_there_is_no_line_where_none_can_be_drawn(range_: str, device: str) -> None:
    assert decisions.version_line(clause(range_, device)) == ""


def test_there_is_no_line_without_a_fact() -> None:
    decision = decided(service("a", sw__l4t=">=36"), facts=replace(JETSON, l4t=None))
    assert decisions.version_line(decision.services[0].clauses[0]) == ""
    assert "reports no L4T" in text(decisions.verdicts(decision))


def test_a_line_is_one_named_image() -> None:
    line = decisions.version_line(clause(">5.15.*"))
    assert 'role="img" aria-label="The device has 5.15.148; wanted is 5.16.0 or newer."' in line


# ----------------------------------------------------------------------------------- the tree of reasons


def test_the_tree_begins_with_what_decides() -> None:
    shown = text(decisions.tree(REJECTED))
    assert shown.startswith("v2.4.0 is rejected because one service that must run cannot. gpu is not optional")
    assert shown.count("This decides.") == 1
    assert shown.index("sw.l4t wants") < shown.index("hw.device-type wants")
    assert "thermal" not in shown


def test_the_tree_marks_the_wish_and_the_fact_that_it_met() -> None:
    assert re.findall(r"<mark><code>(.*?)</code></mark>", decisions.tree(REJECTED)) == ["&gt;=38", "36.4.4"]


def test_an_optional_service_is_named_but_not_blamed() -> None:
    shown = text(decisions.reasons(REJECTED))
    assert "Named in the log, but not the cause thermal is not met either." in shown


def test_what_changes_the_answer_has_at_most_three_items() -> None:
    composition = Composition(services=(service("gpu", sw__l4t=">=38"), service("ui")))
    found = flips(composition, JETSON)
    html = decisions.reasons(decide(composition, JETSON), (*found, *found, *found))
    assert "What changes the answer" in html
    assert len(re.findall("<li>", html.partition("<ol")[2])) == 3


def test_the_mark_of_each_outcome_exists() -> None:
    assert {"deployed", "partial", "rejected", "refused"} == set(decisions.OUTCOMES)
    assert set(decisions.OUTCOMES.values()) | set(decisions.STATES) <= set(GLYPHS)


def test_the_table_says_the_states_of_the_rows() -> None:
    table = text(decisions.summary(PARTIAL))
    assert all(
        f"{each.name} {word}" in table
        for each, word in zip(PARTIAL.services, ("runs", "left out", "runs"), strict=True)
    )


def test_nothing_that_a_person_wrote_becomes_markup() -> None:
    facts = replace(JETSON, kernel=Fact("linux", EVIL, EVIL), device_type=Fact(EVIL, None, EVIL))
    decision = decided(service(EVIL, sw__linux=EVIL, hw__device_type=EVIL + "x"), service("b"), facts=facts, name=EVIL)
    for html in (decisions.card(decision), decisions.reasons(decision), decisions.summary(decision)):
        assert "<img" not in html
        assert "onerror=alert" not in re.sub(r"&quot;&gt;&lt;img src=x onerror=alert\(1\)&gt;", "", html)


def test_equal_decisions_give_equal_bytes() -> None:
    assert decisions.card(PARTIAL) == decisions.card(PARTIAL._replace())
