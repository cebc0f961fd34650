"""The decision lab: its view-model without widgets, then its hands without a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances

from kit.composition import Composition, Service
from kit.contracts import OPTIONAL, PREFIX, decide, flips, is_optional
from kit.device import Device
from labs import decision_model as model
from labs.decision_controls import SPARE, DecisionLab
from labs.decision_model import Inputs, Row

EVIL = '"><img src=x onerror=alert(1)>'
JETSON = Device("jetson-agx-orin-devkit", "aarch64", "17.6.3", os="6.12.3", kernel="5.15.148-l4t-r36.4.4")


def service(name: str, *after: str, optional: str = "", **labels: str) -> Service:
    pairs = [(PREFIX + suffix.replace("__", ".").replace("_", "-"), value) for suffix, value in labels.items()]
    pairs += [(OPTIONAL, optional)] if optional else []
    return Service(name=name, depends_on=after, labels=tuple(pairs))


VISION = Composition(
    services=(
        service("camera"),
        service("vision-cpu", "camera"),
        service("vision-gpu", "camera", optional="1", sw__linux=">5.15.*", sw__l4t=">=36.4.3"),
        service("ui", "vision-cpu", "vision-gpu", sw__supervisor=">=14"),
    )
)
INPUTS = model.inputs_of(VISION, JETSON)


def large(count: int) -> Composition:
    services = [
        service(f"s{n}", *([f"s{n - 1}"] if n % 4 else []), sw__linux=f">={n % 7}", optional="1" if n % 3 else "")
        for n in range(count)
    ]
    return Composition(services=tuple(services))


@pytest.fixture
def lab() -> Iterator[DecisionLab]:
    opened = DecisionLab(VISION, JETSON)
    yield opened
    opened.close()


# ---------------------------------------------------------------------------------- the view-model


def test_the_view_model_needs_no_widgets() -> None:
    heavy = {"ipywidgets", "anywidget", "matplotlib", "IPython"}
    home = Path(model.__file__).parents[1]
    code = (
        f"import sys; sys.path.insert(0, {str(home)!r})\nimport labs.decision_model; print({heavy} & {{*sys.modules}})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_a_release_becomes_rows_and_back() -> None:
    assert INPUTS.rows[0] == Row("vision-gpu", "sw.linux", ">5.15.*")
    assert INPUTS.optional == {"vision-gpu"}
    assert model.composition_of(VISION, INPUTS) == VISION


def test_labels_that_are_no_requirements_stay() -> None:
    kept = (("com.example", "x"), (PREFIX + "sw.os", ">=6"), (OPTIONAL, "yes"))
    base = Composition(services=(Service(name="a", labels=kept),))
    inputs = model.inputs_of(base, JETSON)
    assert inputs.rows == ()
    assert model.composition_of(base, inputs) == base


def test_the_optional_mark_is_written_as_the_device_reads_it() -> None:
    base = Composition(services=(service("a", optional="yes"), service("b", optional="true"), service("c")))
    inputs = replace(model.inputs_of(base, JETSON), optional=frozenset({"a", "b"}))
    marked = model.composition_of(base, inputs)
    assert [is_optional(each) for each in marked.services] == [True, True, False]
    none = model.composition_of(marked, replace(inputs, optional=frozenset()))
    assert not any(is_optional(each) for each in none.services)


def test_everything_is_shown_for_a_partial_release() -> None:
    shown = model.view(VISION, INPUTS)
    assert shown.decision is not None
    assert shown.decision.outcome == "partial"
    assert "Partly deployed: 3 of 4 services run." in shown.answer
    assert shown.status.startswith("Partly deployed: 3 of 4 services run. One clause decides: vision-gpu asks")
    assert INPUTS.rows[shown.marked or 0].value == ">5.15.*"
    assert shown.verdicts.count("<mark>") == 1
    assert 'role="img"' in shown.graph
    assert "counts as satisfied (S-66)" in shown.graph


def test_equal_inputs_give_equal_bytes() -> None:
    assert model.view(VISION, INPUTS) == model.view(VISION, replace(INPUTS))


def test_the_suggestion_does_what_it_says() -> None:
    shown = model.view(VISION, INPUTS)
    assert shown.flip is not None
    after = model.view(VISION, model.applied(INPUTS, shown.flip))
    assert after.decision is not None
    assert after.decision.outcome == "deployed"
    assert after.flip is None
    assert after.marked is None


def test_a_suggestion_about_facts_reaches_the_device() -> None:
    composition = model.composition_of(VISION, INPUTS)
    for flip in flips(composition, JETSON.facts, releases=JETSON.upgrades()):
        after = model.applied(INPUTS, flip)
        assert decide(model.composition_of(VISION, after), after.device.facts).outcome == "deployed"


def test_the_same_label_twice_is_said_and_the_last_one_counts() -> None:
    inputs = replace(INPUTS, rows=(*INPUTS.rows, Row("ui", "sw.supervisor", ">=99")))
    shown = model.view(VISION, inputs)
    assert "2 times" in shown.verdicts
    assert "S-22" in shown.verdicts
    assert shown.decision is not None
    assert shown.decision.outcome == "rejected"
    assert shown.marked == len(inputs.rows) - 1


@pytest.mark.parametrize(
    ("label", "value", "rule"), [("sw.linux", "latest", "S-16"), ("arch.sw", "arm64", "S-16"), ("sw.l4t", ">=1 ||", "")]
)
def test_a_value_that_no_release_is_made_with_is_a_finding(label: str, value: str, rule: str) -> None:
    shown = model.view(VISION, replace(INPUTS, rows=(Row("ui", label, value),)))
    if not rule:
        assert shown.decision is not None
        return
    assert shown.decision is None
    assert "No release is made." in shown.answer
    assert rule in shown.verdicts
    assert shown.marked == 0
    assert shown.flip is None
    assert 'role="img"' in shown.graph


def test_a_label_that_asks_for_nothing_is_noticed() -> None:
    base = Composition(services=(Service(name="a", labels=((PREFIX + "sw.os", ">=6"), (OPTIONAL, "yes"))),))
    shown = model.view(base, model.inputs_of(base, JETSON))
    assert "S-14" in shown.verdicts
    assert "S-53" in shown.verdicts


def test_an_old_supervisor_refuses_and_says_which_label() -> None:
    shown = model.view(VISION, replace(INPUTS, device=JETSON.changed(supervisor="16.0.0")))
    assert shown.decision is not None
    assert shown.decision.outcome == "refused"
    assert "sw.linux" in shown.status


def test_an_empty_l4t_field_says_what_the_kernel_says() -> None:
    assert model.hint(JETSON) == "36.4.4, read from the kernel"
    assert model.hint(JETSON.changed(kernel="5.15.148-tegra")) == model.ABSENT


def test_a_preset_says_where_its_facts_come_from() -> None:
    shown = model.view(VISION, replace(INPUTS, device=Device.preset("jetson-agx-orin-devkit", "6.4.2")))
    assert "from the row of balenaOS 6.4.0" in shown.verdicts


def test_releases_to_choose_from_are_the_newest_of_their_line_newest_first() -> None:
    types, releases = model.presets()
    assert "jetson-nano" in types
    lines = [release.split(".")[:2] for release in releases]
    assert len(lines) == len({tuple(line) for line in lines})
    assert [int(major) for major, _minor in lines] == sorted((int(major) for major, _minor in lines), reverse=True)


def test_more_services_than_a_picture_holds_are_a_table() -> None:
    base = large(60)
    shown = model.view(base, model.inputs_of(base, JETSON))
    assert "too many for one picture" in shown.graph
    assert shown.table.count("<tr>") == 61


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([">=14", "*", "", "latest", EVIL, "5.15.148", "14 || 16", "aarch64", "6.3.0+rev4"]),
)


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["camera", "ui", "gone"]), st.sampled_from(model.SUFFIXES), TEXTS), max_size=5
    ),
    facts=st.fixed_dictionaries({field: st.one_of(st.none(), TEXTS) for field in model.FACTS}),
    optional=st.frozensets(st.sampled_from(["camera", "ui", "gone"])),
)
def test_nothing_that_is_typed_breaks_the_lab(
    rows: list[tuple[str, str, str]], facts: dict[str, str | None], optional: frozenset[str]
) -> None:
    inputs = Inputs(device=Device(**facts), rows=tuple(Row(*row) for row in rows), optional=optional)
    shown = model.view(VISION, inputs)
    assert "<img" not in shown.answer + shown.verdicts + shown.graph + shown.table + shown.flip_html
    assert shown.status


def test_names_from_a_file_stay_text_everywhere() -> None:
    base = Composition(services=(service(EVIL, sw__linux=EVIL), service("b", EVIL)))
    inputs = model.inputs_of(base, JETSON.changed(device_type=EVIL, os=EVIL, kernel=EVIL))
    for rows in (inputs.rows, (Row(EVIL, "hw.device-type", EVIL + "x"),)):
        shown = model.view(base, replace(inputs, rows=rows))
        for html in (shown.answer, shown.verdicts, shown.graph, shown.table, shown.flip_html, model.still(shown)):
            assert "<img" not in html
        assert "Refused" in shown.status or shown.decision is not None


# -------------------------------------------------------------------------------------------- hands


def test_a_label_that_is_changed_turns_the_verdict(lab: DecisionLab) -> None:
    before = lab._graph.value
    lab._rows[0][2].value = ">=5.15"
    assert lab.view.decision is not None
    assert lab.view.decision.outcome == "deployed"
    assert lab.status.text == "Deployed: all 4 services run. Every requirement holds."
    assert "Deployed" in lab._answer.value
    assert lab._graph.value != before


def test_a_fact_that_is_changed_turns_the_verdict(lab: DecisionLab) -> None:
    lab._facts["kernel"].value = "6.1.77"
    lab._facts["l4t"].value = "36.4.4"
    assert lab.view.decision is not None
    assert lab.view.decision.outcome == "deployed"


def test_a_mark_that_is_taken_away_rejects_the_release(lab: DecisionLab) -> None:
    lab._marks["vision-gpu"].value = False
    assert lab.view.decision is not None
    assert lab.view.decision.outcome == "rejected"


def test_the_deciding_input_is_marked_and_only_that_one(lab: DecisionLab) -> None:
    marked = [number for number, row in enumerate(lab._rows) if "mc-deciding" in row[2]._dom_classes]
    assert marked == [0]
    lab._rows[0][2].value = ">=5.15"
    assert not any("mc-deciding" in row[2]._dom_classes for row in lab._rows)


def test_try_it_puts_the_suggestion_in_place_and_takes_it_back(lab: DecisionLab) -> None:
    before = lab.answer
    assert lab._try.description == "Try it"
    lab._try.click()
    assert lab._rows[0][2].value == ">=5.15"
    assert (lab._try.description, lab._flip.layout.display) == ("Take it back", None)
    lab._try.click()
    assert lab.answer == before
    assert lab._try.description == "Try it"


def test_there_is_no_suggestion_where_everything_runs(lab: DecisionLab) -> None:
    lab._rows[0][2].value = ">=5.15"
    assert lab._flip.layout.display == "none"


def test_a_pick_from_the_table_fills_the_other_facts(lab: DecisionLab) -> None:
    lab._known["device_type"].value = "raspberrypi4-64"
    preset = Device.preset("raspberrypi4-64", "6.12.3")
    assert lab._facts["arch"].value == "aarch64"
    assert lab._facts["kernel"].value == (preset.kernel or "")
    assert lab._facts["l4t"].value == ""
    lab._known["os"].value = "another"
    assert lab._facts["os"].value == "6.12.3"


def test_the_pick_follows_what_is_typed(lab: DecisionLab) -> None:
    lab._facts["device_type"].value = "my-own-board"
    assert lab._known["device_type"].value == "another"
    lab._facts["device_type"].value = "jetson-nano"
    assert lab._known["device_type"].value == "jetson-nano"
    assert lab._facts["arch"].value == "aarch64"  # typed text fills nothing else


def test_rows_are_added_until_the_pool_is_empty(lab: DecisionLab) -> None:
    shown = lambda: sum(line.layout.display != "none" for line in lab._lines)  # noqa: E731
    assert shown() == 3
    for count in range(4, 4 + SPARE):
        assert not lab._add.disabled
        lab._add.click()
        assert shown() == count
    assert lab._add.disabled
    lab._rows[0][3].click()
    assert not lab._add.disabled


def test_an_added_row_asks_for_something_that_its_service_does_not_ask_yet(lab: DecisionLab) -> None:
    lab._add.click()
    row = lab._read().rows[-1]
    assert (row.service, row.label) == ("ui", "sw.l4t")


def test_a_row_that_is_removed_is_gone(lab: DecisionLab) -> None:
    lab._rows[0][3].click()
    assert [row.value for row in lab._read().rows] == [">=36.4.3", ">=14"]
    assert lab.view.decision is not None
    assert lab.view.decision.outcome == "deployed"


def test_the_table_is_there_when_it_is_asked_for(lab: DecisionLab) -> None:
    assert lab._table.value == ""
    lab._tabled.value = True
    assert "<table" in lab._table.value


def test_a_front_end_that_picks_by_index_is_heard(lab: DecisionLab) -> None:
    """As the browser does it: a message with the number of the option."""
    at = lab._rows[0][1].options.index("hw.device-type")
    lab._rows[0][1].set_state({"index": at})
    assert lab._read().rows[0].label == "hw.device-type"
    lab._try._handle_custom_msg({"event": "click"}, [])
    assert lab._try.description == "Take it back"


def test_what_a_learner_made_can_be_handed_in(lab: DecisionLab) -> None:
    lab._facts["os"].value = "7.0.0"
    composition, device = lab.answer
    assert composition == VISION
    assert device.os == "7.0.0"


def test_a_hundred_changes_make_no_widget(lab: DecisionLab) -> None:
    before = set(_instances)
    for number in range(25):
        lab._rows[0][2].value = f">={number}"
        lab._known["device_type"].value = ("jetson-nano", "raspberrypi4-64")[number % 2]
        lab._marks["vision-gpu"].value = bool(number % 2)
        lab._try.click()
    assert set(_instances) == before


def test_a_fault_is_shown_and_the_lab_goes_on(lab: DecisionLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "view", lambda *_: 1 / 0)
    lab._rows[0][2].value = ">=5"
    assert lab.status.fault
    assert "ZeroDivisionError" in lab.status.text
    monkeypatch.undo()
    lab._rows[0][2].value = ">=5.15"
    assert not lab.status.fault
    assert "Deployed" in lab.status.text


def test_every_control_has_a_name(lab: DecisionLab) -> None:
    controls = [widget for widget in lab._mine if hasattr(widget, "description") and hasattr(widget, "disabled")]
    names = [control.description for control in controls]
    assert all(names)
    assert len(names) == len(set(names))


def test_there_is_no_slider_and_no_output(lab: DecisionLab) -> None:
    kinds = {type(widget).__name__ for widget in lab._mine}
    assert not any("Slider" in kind or kind in ("Output", "Image") for kind in kinds)


def test_a_closed_lab_leaves_nothing_behind() -> None:
    before = set(_instances)
    DecisionLab(VISION, JETSON).close()
    assert set(_instances) == before


@pytest.mark.parametrize("count", [0, 1, 2, 40, 200])
def test_labs_of_every_size_open(count: int) -> None:
    lab = DecisionLab(large(count), JETSON)
    assert lab.status.text
    assert lab._add.disabled is (count == 0)
    lab.close()


def test_where_nothing_runs_the_lab_is_a_picture(lab: DecisionLab) -> None:
    bundle, _live = lab.bundles()
    html = bundle["text/html"]
    assert html.count("<figure") == 1
    assert "vision-gpu" in re.sub(r"<svg.*?</svg>", "", html)
    assert bundle["text/plain"].startswith("Partly deployed: 3 of 4 services run.")
