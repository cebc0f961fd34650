"""Does a release fit a device, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.composition import Composition, Service
from kit.contracts import (
    ARCHITECTURES,
    LABELS,
    OPTIONAL,
    PREFIX,
    STATE_WORDS,
    AnyOf,
    Contract,
    Decision,
    Fact,
    Facts,
    Flip,
    Malformed,
    Requirement,
    contract_file,
    contract_of,
    decide,
    decide_offer,
    flips,
    is_optional,
    label_findings,
    read_contract,
)
from kit.contracts.reasons import clause
from kit.diagnostics import Severity, Span

OS, LINUX, L4T = PREFIX + "sw.balena-os", PREFIX + "sw.linux", PREFIX + "sw.l4t"
SUPERVISOR, TYPE, ARCH = PREFIX + "sw.supervisor", PREFIX + "hw.device-type", PREFIX + "arch.sw"

B = Facts(
    supervisor=Fact(None, "19.0.5", "the supervisor"),
    device_type=Fact("raspberrypi4-64", None, "device-type.json"),
    arch=Fact("aarch64", None, "device-type.json"),
    os=Fact("balena-os", "6.3.0+rev4", "/etc/os-release"),
    kernel=Fact("linux", "5.15.92", "uname -r: 5.15.92-v8"),
)
"""The device of the supervisor's specification, section 8."""
J = replace(B, device_type=Fact("jetson-nano", None, "t"), l4t=Fact(None, "35.2.1", "uname -r: 5.10.104-l4t-r35.2.1"))


def release(**services: dict[str, str]) -> Composition:
    """A composition of services with these labels; `_` in a name stands for `-`."""
    return Composition(
        services=tuple(
            Service(name=name.replace("_", "-"), labels=tuple(labels.items())) for name, labels in services.items()
        )
    )


def asking(*requires: object) -> dict[str, object]:
    """A contract for the service `svc`."""
    return {"svc": {"type": "sw.container", "slug": "x", "requires": list(requires)}}


def decided(contract: object, facts: Facts = B) -> Decision:
    return decide(release(svc={}), facts, contracts={"svc": contract})


# ------------------------------------------------------------------------------------ labels to contracts


def test_the_table_of_labels_is_the_one_of_the_documentation() -> None:
    shown = [(each.suffix, each.type, each.slug, each.value, each.minimum, each.measured) for each in LABELS]
    assert shown == [
        ("sw.supervisor", "sw.supervisor", None, "range", (10, 16, 17), (10, 6, 17)),
        ("sw.l4t", "sw.l4t", None, "range", (10, 16, 17), (10, 6, 17)),
        ("hw.device-type", "hw.device-type", None, "slug", (11, 1, 0), (14, 11, 0)),
        ("arch.sw", "arch.sw", None, "architecture", (14, 10, 11), (14, 11, 0)),
        ("sw.balena-os", "sw.os", "balena-os", "range", (17, 4, 0), (17, 4, 2)),
        ("sw.linux", "sw.kernel", "linux", "range", (17, 4, 0), (17, 4, 2)),
    ]


def test_plain_atoms_come_before_the_two_choices() -> None:
    labels = ((LINUX, ">=5"), (OS, ">=6"), (ARCH, "aarch64"), (SUPERVISOR, ">=14"))
    contract = contract_of(Service(name="gpu", labels=labels))
    assert contract == Contract(
        (
            Requirement("arch.sw", "aarch64", label=ARCH),
            Requirement("sw.supervisor", version=">=14", label=SUPERVISOR),
            AnyOf((Requirement("sw.os", "balena-os", ">=6", label=OS),)),
            AnyOf((Requirement("sw.kernel", "linux", ">=5", label=LINUX),)),
        ),
        "contract-for-gpu",
    )


@pytest.mark.parametrize("suffix", ["sw.os", "sw.kernel", "sw.python", "hw.device_type", "sw.arch", "sw.linux ", ""])
def test_a_label_with_another_suffix_asks_for_nothing(suffix: str) -> None:
    assert contract_of(Service(name="a", labels=((PREFIX + suffix, ">=99"),))) is None


def test_the_old_prefix_asks_for_nothing() -> None:
    assert contract_of(Service(name="a", labels=(("io.resin.features.requires.arch.sw", "amd64"),))) is None


@pytest.mark.parametrize(
    ("value", "optional"),
    [
        *((word, True) for word in ("1", "true", "on", "TRUE", "On", "True")),
        *((word, False) for word in ("yes", "y", "2", " 1", "1 ", "", "0", "off", "no", "truthy")),
    ],
)
def test_optional_is_exactly_one_of_three_words_in_any_case(value: str, optional: bool) -> None:
    assert is_optional(Service(name="a", labels=((OPTIONAL, value),))) is optional


def test_the_old_optional_label_does_not_count() -> None:
    assert not is_optional(Service(name="a", labels=(("io.resin.features.optional", "1"),)))
    assert not is_optional(Service(name="a"))


LABEL_FINDINGS = [
    # label, value, code, severity, rule, in the help
    (PREFIX + "sw.os", ">=6", "unknown-requirement", Severity.IGNORED, "S-14", "`sw.balena-os`"),
    (PREFIX + "sw.kernel", ">=6", "unknown-requirement", Severity.IGNORED, "S-14", "`sw.linux`"),
    (PREFIX + "sw.linx", ">=6", "unknown-requirement", Severity.IGNORED, "S-14", "`sw.linux`"),
    (PREFIX + "hw.device_type", "x", "unknown-requirement", Severity.IGNORED, "S-14", "`hw.device-type`"),
    ("io.resin.features.requires.sw.l4t", ">=32", "legacy-requirement", Severity.IGNORED, "S-15", L4T),
    ("io.resin.features.optional", "1", "legacy-requirement", Severity.IGNORED, "S-53", OPTIONAL),
    (OS, "latest", "bad-range", Severity.ERROR, "S-16", "at character 1"),
    (LINUX, ">=1.2 || foo", "bad-range", Severity.ERROR, "S-16", "at character 10"),
    (SUPERVISOR, "=>14", "bad-range", Severity.ERROR, "S-16", "`=` behind"),
    (ARCH, "arm64", "unknown-architecture", Severity.ERROR, "S-16", "`aarch64`"),
    (ARCH, "x86_64", "unknown-architecture", Severity.ERROR, "S-16", "`amd64`"),
    (ARCH, "i386-nlp", "unknown-architecture", Severity.ERROR, "S-16", "`i386`"),
    (ARCH, "", "unknown-architecture", Severity.ERROR, "S-16", "aarch64"),
    (OPTIONAL, "yes", "misspelt-optional", Severity.IGNORED, "S-53", '"1"'),
    (OPTIONAL, " 1", "misspelt-optional", Severity.IGNORED, "S-53", '"1"'),
    (OPTIONAL, "", "misspelt-optional", Severity.IGNORED, "S-53", '"1"'),
]


@pytest.mark.parametrize(("key", "value", "code", "severity", "rule", "help"), LABEL_FINDINGS)
def test_a_label_that_does_not_do_what_it_says_is_found(
    key: str, value: str, code: str, severity: Severity, rule: str, help: str
) -> None:
    spans = {("services", "gpu", "labels", key): Span("c.yml", 7, 9, 4)}
    (found,) = label_findings(Service(name="gpu", labels=((key, value),)), spans.__getitem__)
    assert (found.code, found.severity, found.rule) == (code, severity, rule)
    assert found.span == Span("c.yml", 7, 9, 4)
    assert found.path == ("services", "gpu", "labels", key)
    assert help in found.help
    assert found.message.startswith("`gpu`: ")
    assert found.error_class == ("ValidationError" if severity is Severity.ERROR else "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((label.key, "*") for label in LABELS if label.value == "range"),
        *((ARCH, word) for word in ARCHITECTURES),
        *((OPTIONAL, word) for word in ("1", "TRUE", "on", "0", "false", "off", "no")),
        (OS, ""),  # a valid range: any version (S-18)
        (TYPE, "no-such-device"),  # never checked at build (S-13)
        ("io.balena.features.dbus", "yes"),
    ],
)
def test_a_label_that_is_as_it_should_be_gives_no_finding(key: str, value: str) -> None:
    assert not list(label_findings(Service(name="a", labels=((key, value),))))


# ------------------------------------------------------------------------------- contracts as objects

READABLE = [
    # the object, what is understood of it
    (None, Contract()),
    ({}, Contract()),
    ({"type": None, "slug": None, "requires": None}, Contract()),
    ({"type": "anything", "slug": "s", "requires": []}, Contract((), "s", "anything")),
    ({"requires": [{"type": "arch.sw"}]}, Contract((Requirement("arch.sw"),))),
    ({"requires": [{"type": "arch.sw", "slug": None, "version": None}]}, Contract((Requirement("arch.sw"),))),
    ({"requires": [{"type": "arch.sw", "slug": "", "version": ""}]}, Contract((Requirement("arch.sw"),))),
    ({"requires": [{"type": "sw.os", "name": 4, "x": []}]}, Contract((Requirement("sw.os"),))),
    ({"requires": [{"type": "sw.os", "or": "kept out", "not": 1}]}, Contract((Requirement("sw.os"),))),
    ({"requires": [{"type": "sw.os", "data": {}}]}, Contract((Requirement("sw.os", data=True),))),
    ({"requires": [{"or": []}]}, Contract((AnyOf(()),))),
    ({"requires": [{"or": [{"type": "sw.l4t"}], "not": []}]}, Contract((AnyOf((Requirement("sw.l4t"),)),))),
]


@pytest.mark.parametrize(("raw", "expected"), READABLE)
def test_a_contract_is_read_as_the_device_reads_it(raw: object, expected: Contract) -> None:
    assert read_contract(raw) == expected


UNREADABLE = [
    # the object, the rule that refuses it
    ("text", "S-26"),
    ([], "S-26"),
    (0, "S-26"),
    (False, "S-26"),
    ({"type": 4}, "S-27"),
    ({"slug": ["x"]}, "S-27"),
    ({"requires": {}}, "S-30"),
    ({"requires": "arch.sw"}, "S-30"),
    ({"requires": ["arch.sw"]}, "S-28"),
    ({"requires": [None]}, "S-28"),
    ({"requires": [{}]}, "S-30"),
    ({"requires": [{"not": [{"type": "arch.sw"}]}]}, "S-30"),
    ({"requires": [{"slug": "aarch64"}]}, "S-30"),
    ({"requires": [{"or": {"type": "arch.sw"}}]}, "S-30"),
    ({"requires": [{"or": [{"or": [{"type": "arch.sw"}]}]}]}, "S-30"),
    ({"requires": [{"or": [{"not": []}]}]}, "S-30"),
    ({"requires": [{"or": ["arch.sw"]}]}, "S-28"),
    ({"requires": [{"type": 6}]}, "S-30"),
    ({"requires": [{"type": "sw.os", "version": 6}]}, "S-30"),
    ({"requires": [{"type": "sw.os", "version": 6.1}]}, "S-30"),
    ({"requires": [{"type": "sw.os", "slug": True}]}, "S-30"),
    ({"requires": [{"or": [{"type": "sw.os", "version": 6}]}]}, "S-30"),
    ({"requires": [{"type": "sw.os", "data": "x"}]}, "S-28"),
    ({"requires": [{"type": "sw.spec", "slug": "compose", "version": ">=2"}]}, "S-34"),
    ({"requires": [{"type": "sw.application", "slug": "balena-supervisor"}]}, "S-34"),
    ({"requires": [{"type": ""}]}, "S-34"),
    ({"requires": [{"or": [{"type": "sw.os"}, {"type": "sw.zzz"}]}]}, "S-34"),
    # the whole contract is decoded before its types are looked at
    ({"requires": [{"type": "sw.zzz"}, {"type": "sw.os", "version": 6}]}, "S-30"),
]


@pytest.mark.parametrize(("raw", "rule"), UNREADABLE)
def test_a_contract_that_no_device_can_read_refuses_the_whole_offer(raw: object, rule: str) -> None:
    malformed = read_contract(raw)
    assert isinstance(malformed, Malformed)
    assert malformed.rule == rule
    optional = release(svc={OPTIONAL: "1"}, web={})
    decision = decide(optional, B, contracts={"svc": raw})
    assert decision.outcome == "refused"
    assert decision.rule == rule
    assert decision.refused_by is not None
    assert decision.refused_by[0] == "svc"
    assert malformed.reason in decision.refused_by[1]
    assert (decision.run, decision.unmet, decision.dropped) == ((), (), ())
    assert {each.state for each in decision.services} == {"ref"}


def test_requirements_of_children_count_and_their_types_are_not_checked() -> None:
    def child(*requires: object) -> object:
        return {"children": {"arch": {"sw": {"type": "arch.sw", "slug": "z", "requires": list(requires)}}}}

    assert decided(child({"type": "arch.sw", "slug": "aarch64"})).outcome == "deployed"
    assert decided(child({"type": "arch.sw", "slug": "amd64"})).outcome == "rejected"
    assert decided(child({"type": "sw.zzz"})).outcome == "rejected"
    deeper = {"children": {"a": {"slug": "b", "children": {"c": {"slug": "d", "requires": [{"type": "sw.l4t"}]}}}}}
    assert decided(deeper).outcome == "rejected"
    assert decided({"children": [1, 2]}).outcome == "deployed"


def test_the_first_bad_service_of_the_document_is_named() -> None:
    composition = release(web={}, one={}, two={})
    contracts = {"two": {"requires": 1}, "one": {"requires": [{"type": "sw.zzz"}]}}
    decision = decide(composition, B, contracts=contracts)
    assert decision.refused_by is not None
    assert decision.refused_by[0] == "one"
    assert "`one`" in decision.why[0]
    assert "S-34" in decision.why[0]


# --------------------------------------------------------------------------------------- one requirement

TABLE = [
    # requirement, device, met, a rule that says so
    (Requirement("sw.os"), B, True, "S-39"),
    (Requirement("sw.os", version=""), B, True, "S-39"),
    (Requirement("sw.l4t"), B, False, "S-10"),
    (Requirement("sw.l4t", version=""), B, False, "S-10"),
    (Requirement("sw.l4t", version="*"), B, False, "S-10"),
    (Requirement("sw.l4t", version="*"), J, True, "S-45"),
    (Requirement("sw.os", "balena-os", ">6.3.0+rev4"), B, False, "S-44"),
    (Requirement("sw.os", "balena-os", ">=6.3.0+rev9"), B, True, "S-45"),
    (Requirement("sw.os", "balena-os", "=6.3.0+rev1"), B, True, "S-45"),
    (Requirement("sw.os", "debian", ">=1"), B, False, "S-37"),
    (Requirement("sw.os", "balena-os", "latest"), B, False, "S-40"),
    (Requirement("sw.os", "balena-os", "^1.2.3 ^2"), B, False, "S-49"),
    (Requirement("sw.kernel", "linux", ">5.15.*"), B, False, "S-46"),
    (Requirement("sw.kernel", "linux", ">5.15"), B, False, "S-46"),
    (Requirement("sw.kernel", "linux", "5"), B, True, "S-45"),
    (Requirement("sw.kernel", "Linux", ">=5"), B, False, "S-37"),
    (Requirement("sw.supervisor", version="14"), B, False, "S-45"),
    (Requirement("sw.supervisor", "balena-supervisor", ">=1"), B, False, "S-37"),
    (Requirement("sw.l4t", "x"), J, False, "S-37"),
    (Requirement("hw.device-type", "raspberrypi4-64"), B, True, "S-39"),
    (Requirement("hw.device-type", "RaspberryPi4-64"), B, False, "S-37"),
    (Requirement("hw.device-type", "raspberrypi4"), B, False, "S-11"),
    (Requirement("hw.device-type", " raspberrypi4-64"), B, False, "S-37"),
    (Requirement("hw.device-type", ""), B, True, "S-39"),  # an empty label matches every device (S-18)
    (Requirement("hw.device-type", "raspberrypi4-64", "1"), B, False, "S-40"),
    (Requirement("arch.sw", "armv7hf"), B, False, "S-12"),
    (Requirement("arch.sw", "aarch64", data=True), B, False, "S-38"),
]


@pytest.mark.parametrize(("requirement", "facts", "met", "rule"), TABLE)
def test_a_requirement_is_matched_as_the_supervisor_matches_it(
    requirement: Requirement, facts: Facts, met: bool, rule: str
) -> None:
    found = clause(requirement, facts.get(requirement.type))
    assert found.met is met
    assert rule in found.rules
    assert found.why.endswith(".")
    assert found.why.count("``") == 0


ODD_VERSIONS = [
    # what the device has, what is wanted, met
    ("2024.11", ">=2024", False),
    ("2024.11", "2024.11", True),
    ("latest", "latest", True),
    ("6.4.0-rc1", ">=6.3.0", False),
    ("6.4.0-rc1", "*", False),
    ("6.4.0-rc1", ">=6.3.0-0", False),
    ("6.4.0-rc1", ">=6.4.0-0", True),
    ("6.4.0-rc1", "", True),
    ("17.4.3-1766", ">=17.4.2", False),
    ("v6.3.0", ">=6", True),
    ("6.3", "6.3", True),
    ("6.3", "6.3.0", False),
    ("06.3.0", ">=6", False),
]


@pytest.mark.parametrize(("version", "wanted", "met"), ODD_VERSIONS)
def test_a_version_that_is_none_meets_only_the_very_same_text(version: str, wanted: str, met: bool) -> None:
    fact = Fact("balena-os", version, "/etc/os-release")
    assert clause(Requirement("sw.os", "balena-os", wanted), fact).met is met


def test_a_clause_says_what_is_wanted_what_is_there_and_where_that_was_read() -> None:
    decision = decide(release(gpu={LINUX: ">5.15.*"}), B)
    (found,) = decision.services[0].clauses
    assert (found.label, found.type, found.wanted, found.range) == (LINUX, "sw.linux", ">5.15.*", ">=5.16.0")
    assert (found.fact, found.source) == ("5.15.92", "uname -r: 5.15.92-v8")
    assert found.why == (
        "`sw.linux` wants `>5.15.*`, which means `>=5.16.0`. The device has 5.15.92. That skips the line it names."
    )
    assert [tuple(each) for each in found.comparisons] == [(">=5.16.0", False, "5.16.0 or newer", 0)]


def test_every_comparator_is_compared_and_alternatives_are_told_apart() -> None:
    found = clause(Requirement("sw.os", "balena-os", ">=5 <6 || >=6.4"), B.os)
    assert [(each.text, each.met, each.alternative) for each in found.comparisons] == [
        (">=5.0.0", True, 0),
        ("<6.0.0-0", False, 0),
        (">=6.4.0", False, 1),
    ]


def test_a_choice_is_met_by_one_member_and_an_empty_one_always() -> None:
    good, bad = {"type": "arch.sw", "slug": "aarch64"}, {"type": "sw.l4t"}
    assert decided(asking({"or": [bad, good]})["svc"]).outcome == "deployed"
    assert decided(asking({"or": [bad, bad]})["svc"]).outcome == "rejected"
    assert decided(asking({"or": []})["svc"]).outcome == "deployed"
    assert decided(asking({"or": [good]}, {"or": [bad]})["svc"]).outcome == "rejected"


def test_a_choice_keeps_its_members_in_the_reasons() -> None:
    raw = asking({"or": [{"type": "arch.sw", "slug": "amd64"}, {"type": "sw.os", "version": ">=7"}]})
    (found,) = decided(raw["svc"]).services[0].clauses
    assert (found.type, found.wanted) == ("or", "arch.sw amd64 or sw.os >=7")
    assert [each.label for each in found.members] == ["arch.sw", "sw.os"]
    shown = found.to_json()["any"]
    assert isinstance(shown, list)
    assert [each["met"] for each in shown] == [False, False]


# ---------------------------------------------------------------------------------------------- decisions


def test_an_unmet_optional_service_is_left_out_and_the_rest_runs() -> None:
    decision = decide(release(core={}, gpu={L4T: ">=32", OPTIONAL: "1"}), B)
    assert decision.outcome == "partial"
    assert (decision.run, decision.unmet, decision.dropped) == (("core",), ("gpu",), ("gpu",))
    assert [each.state for each in decision.services] == ["run", "out"]
    assert decision.answer == "Partly deployed: 1 of 2 services runs."
    assert decision.situation == "One clause decides: `gpu` asks for L4T, which this device does not report."
    assert decision.why == (decision.services[1].why,)


def test_one_unmet_service_that_must_run_rejects_the_release() -> None:
    decision = decide(release(core={ARCH: "amd64"}, gpu={L4T: ">=32", OPTIONAL: "1"}, web={}), B)
    assert decision.outcome == "rejected"
    assert (decision.run, decision.unmet, decision.dropped) == ((), ("core", "gpu"), ("gpu",))
    assert [(each.state, each.runs, each.met) for each in decision.services] == [
        ("no", False, False),
        ("out", False, False),
        ("old", False, True),
    ]
    assert decision.answer == "Rejected. The old release goes on running."
    assert decision.why[0].startswith("`core` is not optional")


def test_all_services_optional_and_unmet_is_accepted_and_nothing_runs() -> None:
    decision = decide(release(a={L4T: "*", OPTIONAL: "1"}, b={L4T: "*", OPTIONAL: "on"}), B)
    assert (decision.outcome, decision.run) == ("partial", ())
    assert decision.answer == "Partly deployed: none of 2 services runs."


def test_optional_alone_changes_nothing() -> None:
    assert decide(release(a={OPTIONAL: "1"}), B).outcome == "deployed"


def test_a_release_without_services_is_deployed() -> None:
    decision = decide(Composition(), B)
    assert decision.to_json() | {"why": []} == {
        "outcome": "deployed",
        "services": {},
        "dropped": [],
        "unmet": [],
        "why": [],
    }
    assert decision.answer == "Deployed: the release has no services."


@pytest.mark.parametrize(
    ("composition", "answer", "situation"),
    [
        (release(a={}), "Deployed: the only service runs.", "No service asks for anything."),
        (release(a={}, b={ARCH: "aarch64"}), "Deployed: all 2 services run.", "Every requirement holds."),
        (
            release(a={LINUX: "<5"}),
            "Rejected. The old release goes on running.",
            "One clause decides: `a` asks for an older Linux kernel than this device has.",
        ),
        (
            release(a={TYPE: "x", ARCH: "rpi"}),
            "Rejected. The old release goes on running.",
            "2 clauses decide: `a` asks for another device type than this device has"
            " and another architecture than this device has.",
        ),
        (
            release(a={LINUX: "<5"}, b={L4T: "*"}, c={}),
            "Rejected. The old release goes on running.",
            "`a` and `b` cannot run here, and none of them is optional.",
        ),
        (
            release(a={LINUX: "<5", OPTIONAL: "1"}, b={L4T: "*", OPTIONAL: "1"}, c={}),
            "Partly deployed: 1 of 3 services runs.",
            "`a` and `b` cannot run here, and all of them are optional.",
        ),
    ],
)
def test_the_answer_comes_first_and_the_situation_second(composition: Composition, answer: str, situation: str) -> None:
    decision = decide(composition, B)
    assert (decision.answer, decision.situation) == (answer, situation)
    assert str(decision).splitlines()[:2] == [answer, situation]


def test_the_json_has_the_shape_that_the_command_line_promises() -> None:
    first = {SUPERVISOR: ">=14", OPTIONAL: "1"}
    old = replace(B, supervisor=Fact(None, "13.1.0", "the supervisor"))
    decision = decide(release(first_service=first, second_service={}), old)
    shown = json.loads(json.dumps(decision.to_json()))
    assert list(shown) == ["outcome", "services", "dropped", "unmet", "why"]
    assert shown["outcome"] == "partial"
    assert shown["dropped"] == shown["unmet"] == ["first-service"]
    service = shown["services"]["first-service"]
    assert list(service) == ["optional", "met", "runs", "requirements"]
    assert (service["optional"], service["met"], service["runs"]) == (True, False, False)
    (requirement,) = service["requirements"]
    assert list(requirement) == ["label", "wanted", "range", "fact", "met", "why"]
    assert requirement["label"] == SUPERVISOR
    assert (requirement["wanted"], requirement["range"]) == (">=14", ">=14.0.0")
    assert (requirement["fact"], requirement["met"]) == ("13.1.0", False)
    assert shown["services"]["second-service"] == {"optional": False, "met": True, "runs": True, "requirements": []}


def test_in_the_json_an_atom_of_a_contract_file_has_its_type_for_a_label() -> None:
    shown = decided(asking({"type": "arch.sw", "slug": "amd64"})["svc"]).to_json()
    (requirement,) = shown["services"]["svc"]["requirements"]  # type: ignore[index]
    assert (requirement["label"], requirement["wanted"], requirement["range"]) == ("arch.sw", "amd64", None)


def test_in_the_json_a_refused_offer_has_no_services_and_names_service_and_rule() -> None:
    shown = decided(asking({"type": "sw.spec"})["svc"]).to_json()
    assert (shown["outcome"], shown["services"], shown["dropped"], shown["unmet"]) == ("refused", {}, [], [])
    assert "`svc`" in shown["why"][0]  # type: ignore[index]
    assert "S-34" in shown["why"][0]  # type: ignore[index]


def test_a_contract_that_repeats_the_labels_keeps_their_names() -> None:
    composition = release(svc={OS: ">=7", ARCH: "aarch64"})
    raw = asking(
        {"type": "arch.sw", "slug": "aarch64"}, {"or": [{"type": "sw.os", "slug": "balena-os", "version": ">=7"}]}
    )
    assert decide(composition, B, contracts=raw).to_json() == decide(composition, B).to_json()


def test_a_null_contract_asks_for_nothing_whatever_the_labels_say() -> None:
    assert decide(release(svc={ARCH: "amd64"}), B, contracts={"svc": None}).outcome == "deployed"


def test_the_table_has_a_row_for_each_service_in_words_of_the_design() -> None:
    rows = decide(release(a={}, b={L4T: "*", OPTIONAL: "1"}), B).rows()
    assert [row[:2] for row in rows] == [("a", "runs"), ("b", "left out")]
    assert set(STATE_WORDS) == {"run", "out", "no", "old", "ref"}


def test_the_tree_is_read_aloud_down_to_the_source() -> None:
    text = str(decide(release(gpu={L4T: ">=36", ARCH: "aarch64", OPTIONAL: "1"}), J))
    assert text.splitlines()[2:] == [
        "  `gpu` is optional, and its requirement is not met: it is left out.",
        "    no: `sw.l4t` wants `>=36`, which means `>=36.0.0`. The device has 35.2.1.",
        "        no: `>=36.0.0` asks for 36.0.0 or newer",
        "        read from uname -r: 5.10.104-l4t-r35.2.1",
        "    yes: `arch.sw` `aarch64` holds: the device has aarch64.",
        "        read from device-type.json",
    ]


def test_deciding_again_gives_an_equal_decision() -> None:
    composition = release(a={LINUX: ">5", OPTIONAL: "1"}, b={TYPE: "x"})
    assert decide(composition, B) == decide(composition, B) == decide(replace(composition), B)
    assert decide(composition, J) != decide(composition, B)


# ------------------------------------------------------------------------------------- old supervisors


@pytest.mark.parametrize(
    ("version", "key", "refused"),
    [
        ("10.16.16", SUPERVISOR, True),
        ("10.16.17", SUPERVISOR, False),
        ("10.16.16", L4T, True),
        ("10.16.17", L4T, False),
        ("11.0.9", TYPE, True),
        ("11.1.0", TYPE, False),
        ("14.10.10", ARCH, True),
        ("14.10.11", ARCH, False),
        ("17.3.9", OS, True),
        ("17.4.0", OS, False),
        ("17.3.9", LINUX, True),
        ("17.4.0", LINUX, False),
        ("17.4.0-1766+abc", LINUX, False),  # a prerelease counts as its release
        ("17.4", LINUX, False),  # no version: nothing can be compared
    ],
)
def test_a_supervisor_below_the_documented_version_of_a_label_refuses_the_offer(
    version: str, key: str, refused: bool
) -> None:
    facts = replace(J, supervisor=Fact(None, version, "the supervisor"))
    value = next(label for label in LABELS if label.key == key).value
    composition = release(a={}, b={key: "*" if value == "range" else "aarch64", OPTIONAL: "1"})
    decision = decide(composition, facts)
    assert (decision.outcome == "refused") is refused
    if refused:
        label = next(label for label in LABELS if label.key == key)
        documented, measured = (".".join(map(str, numbers)) for numbers in (label.minimum, label.measured))
        assert decision.rule == "S-71"
        for told in ("`b`", key, f"{documented} on (as documented", f"measured: {measured}", version):
            assert told in decision.why[0]


def test_contracts_of_a_file_are_no_labels_and_an_old_supervisor_reads_them() -> None:
    old = replace(B, supervisor=Fact(None, "12.0.0", "the supervisor"))
    assert decided(asking({"type": "sw.os", "version": ">=6"})["svc"], old).outcome == "deployed"


def test_without_a_supervisor_version_nothing_is_too_young() -> None:
    assert decide(release(a={LINUX: ">=5"}), replace(B, supervisor=None)).outcome == "deployed"


# -------------------------------------------------------------------------------------------- offers


def test_each_app_of_an_offer_is_decided_on_its_own() -> None:
    offer = decide_offer({"1": release(a={L4T: "*"}), "2": release(b={})}, B)
    assert offer.refused is None
    assert {app: decision.outcome for app, decision in offer.apps.items()} == {"1": "rejected", "2": "deployed"}
    assert list(offer.to_json()) == ["1", "2"]


def test_one_unreadable_contract_refuses_every_app_of_the_offer() -> None:
    apps = {"1": release(a={}), "2": release(b={OPTIONAL: "1"})}
    offer = decide_offer(apps, B, contracts={"2": {"b": {"requires": [{"type": "sw.zzz"}]}}})
    assert offer.refused is not None
    assert offer.refused[:2] == ("2", "b")
    assert {decision.outcome for decision in offer.apps.values()} == {"refused"}
    assert "`b`" in offer.apps["1"].why[0]


# -------------------------------------------------------------------------------------- contract files


def file_findings(text: str, service: Service | None = None) -> tuple[object, list[tuple[str, int, int]]]:
    raw, found = contract_file(service or Service(name="gpu"), text, "gpu/contract.yml")
    return raw, [(str(each.severity), each.span.line, each.span.column) for each in found]


GOOD_FILE = """\
name: GPU
slug: gpu
type: sw.container
requires:
  - type: sw.l4t
    version: ">=36"
"""


def test_a_good_contract_file_gives_the_object_that_decide_takes() -> None:
    raw, found = file_findings(GOOD_FILE)
    assert found == []
    assert decide(release(gpu={}), J, contracts={"gpu": raw}).outcome == "rejected"


@pytest.mark.parametrize(
    ("text", "severity", "line"),
    [
        ("", "error", 1),
        ("- a\n", "error", 1),
        ("just text\n", "error", 1),
        ("name: [\n", "error", 2),
        (GOOD_FILE.replace("name: GPU\n", ""), "error", 1),
        (GOOD_FILE.replace("slug: gpu", "slug: 4"), "error", 2),
        (GOOD_FILE.replace("sw.container", "sw.os"), "error", 3),
        (GOOD_FILE.replace("type: sw.container\n", ""), "error", 1),
        (GOOD_FILE.replace('">=36"', "36"), "refused", 4),
        (GOOD_FILE.replace("sw.l4t", "sw.spec"), "refused", 4),
    ],
)
def test_a_bad_contract_file_is_found_with_its_line(text: str, severity: str, line: int) -> None:
    _, found = file_findings(text)
    assert (severity, line) in [each[:2] for each in found]


def test_labels_and_a_contract_file_for_one_service_do_not_build() -> None:
    _, found = file_findings(GOOD_FILE, Service(name="gpu", labels=((ARCH, "aarch64"),)))
    assert found == [("error", 1, 1)]


# ------------------------------------------------------------------------------------------------ flips


def sentences(composition: Composition, facts: Facts, **more: object) -> list[str]:
    return [f"{flip.kind}: {flip.sentence}" for flip in flips(composition, facts, **more)]  # type: ignore[arg-type]


K = replace(
    J, supervisor=Fact(None, "17.6.3", "s"), kernel=Fact("linux", "5.15.148", "u"), l4t=Fact(None, "36.4.0", "u")
)

REWRITES = [
    # label, what is written, the fact, what to write instead
    (LINUX, ">5.15.*", "5.15.148", ">=5.15"),
    (LINUX, "> 5", "5.15.148", ">=5"),
    (L4T, ">=36.4.3", "36.4.0", ">=36.4"),
    (L4T, "=32.7.3", "32.7.6", ">=32.7.3"),
    (SUPERVISOR, "14", "19.0.5", ">=14"),
    (SUPERVISOR, "14.*", "19.0.5", ">=14"),
    (SUPERVISOR, "^16.1", "19.0.5", ">=16.1"),
    (SUPERVISOR, "~17.1", "19.0.5", ">=17.1"),
    (SUPERVISOR, ">=20", "19.0.5", ">=19.0"),
    (LINUX, "6.12.36", "6.12.47", ">=6.12.36"),
    (LINUX, "<=5.15", "5.16.2", "<=5.16"),
    (LINUX, ">=5.10 <5.15", "5.15.92", ">=5.10.0 <=5.15"),
    (LINUX, ">=5.10 <5.15", "4.9.1", ">=4.9 <5.15.0"),
    (OS, "<7", "2024.7.0", "<7 || 2024.7"),
    (OS, "<7", "7.0.5", "<=7.0"),
    (OS, ">6.3.0+rev4", "6.3.0+rev5", ">=6.3"),
    (OS, ">=6.3.0", "6.4.0-rc1", ">=6.3.0 || >=6.4.0-0"),
    (OS, ">=2024", "2024.11", "2024.11"),
    (OS, "<3 || >=7", "6.3.0", "<3 || >=7 || 6.3"),
    (TYPE, "RaspberryPi4-64", "raspberrypi4-64", "raspberrypi4-64"),
    (ARCH, "armv7hf", "aarch64", "aarch64"),
]


@pytest.mark.parametrize(("key", "written", "has", "better"), REWRITES)
def test_a_label_is_rewritten_so_that_this_device_runs_it(key: str, written: str, has: str, better: str) -> None:
    label = next(each for each in LABELS if each.key == key)
    fact = Fact(label.slug, has, "here") if label.value == "range" else Fact(has, None, "here")
    names = {"sw.os": "os", "sw.kernel": "kernel", "sw.l4t": "l4t", "sw.supervisor": "supervisor"}
    field = names.get(label.type, "arch" if label is LABELS[3] else "device_type")
    facts = replace(B, **{field: fact})  # type: ignore[arg-type]
    flip = flips(release(gpu={key: written}), facts)[0]
    assert flip.sentence == f"write `{better}` for `{label.suffix}` on `gpu`"
    assert flip.outcome == "deployed"
    (change,) = flip.changes
    assert (change.service, change.key, change.before, change.after) == ("gpu", key, written, better)
    assert not [found for found in label_findings(flip.composition.services[0]) if found.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("key", "written", "has", "better"), [row for row in REWRITES if row[0] in (OS, LINUX, L4T, SUPERVISOR)]
)
def test_a_rewritten_range_admits_all_that_the_written_one_did(key: str, written: str, has: str, better: str) -> None:
    from kit.versions import satisfies

    numbers = (0, 1, 3, 4, 5, 6, 7, 9, 10, 14, 15, 16, 17, 32, 36)
    for version in (f"{a}.{b}.{c}" for a, b, c in product(numbers, repeat=3)):
        assert not satisfies(version, written) or satisfies(version, better), version


def test_what_is_missing_on_a_device_can_only_be_left_out_of_the_labels() -> None:
    composition = release(gpu={L4T: ">=32"}, web={})
    assert sentences(composition, B) == [
        "label: remove `sw.l4t` from `gpu`",
        "label: mark `gpu` optional",
        "fact: use a device with L4T 32.0.0",
    ]


def test_one_label_with_the_optional_mark_is_less_than_three_rewritten_ones() -> None:
    composition = release(gpu={L4T: ">=99", LINUX: ">=99", TYPE: "x"})
    (first, *_) = flips(composition, K)
    assert first.sentence == "mark `gpu` optional"
    assert first.outcome == "partial"


def test_a_named_service_that_shall_run_is_not_helped_by_the_optional_mark() -> None:
    composition = release(gpu={L4T: ">=99", LINUX: ">=99"}, cam={TYPE: "x"})
    label = flips(composition, K, wanted="gpu")[0]
    assert [(change.service, change.after) for change in label.changes if change.key == OPTIONAL] == []
    assert "gpu" in decide(label.composition, label.facts).run
    assert len(label.changes) == 3


def test_a_partly_deployed_release_is_asked_to_run_as_a_whole() -> None:
    composition = release(gpu={LINUX: ">5.15.*", OPTIONAL: "1"}, web={})
    assert sentences(composition, K) == [
        "label: write `>=5.15` for `sw.linux` on `gpu`",
        "fact: bring the device to Linux kernel 5.16.0",
    ]


def test_a_misspelt_mark_is_written_anew() -> None:
    composition = release(gpu={L4T: "*", LINUX: "*", OPTIONAL: "yes"}, web={})
    change = flips(composition, replace(B, kernel=None))[0].changes[0]
    assert (change.key, change.before, change.after) == (OPTIONAL, "yes", "1")


def test_nothing_has_to_change_for_what_happens_already() -> None:
    assert flips(release(a={}), B) == ()
    assert flips(release(a={L4T: "*", OPTIONAL: "1"}, b={}), B, wanted="b") == ()
    assert flips(release(a={L4T: "*", OPTIONAL: "1"}, b={}), B, wanted="partial") == ()
    assert flips(release(a={L4T: "*"}), B, wanted="no-such-service") == ()


def test_no_fact_and_no_label_mends_an_unreadable_contract() -> None:
    assert flips(release(svc={}), B, contracts={"svc": {"requires": [{"type": "sw.zzz"}]}}) == ()


def test_labels_that_the_supervisor_is_too_old_for_must_go_or_the_supervisor_must() -> None:
    old = replace(B, supervisor=Fact(None, "16.1.0", "s"))
    composition = release(a={LINUX: ">=5", OPTIONAL: "1"}, b={OS: ">=6", SUPERVISOR: ">=14"})
    assert sentences(composition, old) == [
        "label: remove `sw.linux` from `a`, and remove `sw.balena-os` from `b`",
        "fact: bring the device to supervisor 17.4.0",
    ]


def test_a_balenaos_release_that_exists_is_preferred_to_a_version_that_may_not() -> None:
    later = replace(K, os=Fact("balena-os", "6.12.3", "o"), l4t=Fact(None, "36.4.4", "k"))
    releases = [("6.12.0", K), ("6.12.3", later), ("7.0.5", later)]
    found = flips(release(gpu={L4T: ">=36.4.3"}), K, releases=releases)
    assert [flip.sentence for flip in found if flip.kind == "fact"] == [
        "bring the device to balenaOS 6.12.3 (L4T 36.4.4)",
        "bring the device to L4T 36.4.3",
    ]
    assert found[2].facts == later


def test_a_contract_that_only_repeats_the_labels_changes_with_them() -> None:
    composition = release(svc={ARCH: "amd64"})
    found = flips(composition, B, contracts=asking({"type": "arch.sw", "slug": "amd64"}))
    assert found[0].sentence == "write `aarch64` for `arch.sw` on `svc`"


def test_a_choice_between_facts_is_met_with_as_few_new_facts_as_can_be() -> None:
    one = {"or": [{"type": "sw.l4t", "version": ">=32"}, {"type": "arch.sw", "slug": "amd64"}]}
    two = {"or": [{"type": "arch.sw", "slug": "amd64"}, {"type": "sw.os", "version": ">=7"}]}
    (flip,) = [each for each in flips(release(svc={}), B, contracts=asking(one, two)) if each.kind == "fact"]
    assert [(change.key, change.after) for change in flip.changes] == [("arch.sw", "amd64")]


VALUES = {
    # facts and labels of a world that is small enough to try everything
    "supervisor": [Fact(None, text, "") for text in ("16.0.0", "17.4.0", "18.0.0")],
    "arch": [Fact(text, None, "") for text in ("aarch64", "amd64")],
    "kernel": [None, *(Fact("linux", text, "") for text in ("5.15.9", "5.16.0", "6.1.0"))],
    "l4t": [None, *(Fact(None, text, "") for text in ("35.0.0", "36.4.0"))],
}
ASKED = {
    SUPERVISOR: (">=17", ">=18"),
    ARCH: ("aarch64", "amd64"),
    LINUX: (">5.15", ">=6", "<6"),
    L4T: (">=36", "35"),
}
WORLD = st.builds(
    Facts,
    **{name: st.sampled_from(values) for name, values in VALUES.items()},  # type: ignore[arg-type]
)
LABELLED = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) for key, values in ASKED.items()} | {OPTIONAL: st.just("1")}
)
RELEASES = st.builds(
    lambda bodies: release(**{f"s{index}": body for index, body in enumerate(bodies)}),
    st.lists(LABELLED, min_size=1, max_size=3),
)
AIMS = st.sampled_from(["partial", "deployed", "s0"])


def happens(decision: Decision, aim: str) -> bool:
    if aim == "s0":
        return "s0" in decision.run
    return decision.outcome == "deployed" or (aim == "partial" and decision.outcome == "partial")


def other_facts(facts: Facts, count: int) -> Iterator[Facts]:
    """Every device of the small world that differs in at most *count* facts."""
    for names in combinations(VALUES, count):
        for values in product(*(VALUES[name] for name in names)):
            yield replace(facts, **dict(zip(names, values, strict=True)))  # type: ignore[arg-type]


def other_labels(composition: Composition, facts: Facts, count: int) -> Iterator[Composition]:
    """Every release in which at most *count* labels differ: gone, written for this very device, or optional."""
    mine = {SUPERVISOR: facts.supervisor, ARCH: facts.arch, LINUX: facts.kernel, L4T: facts.l4t}
    places = [(service.name, key) for service in composition.services for key in (*dict(service.labels), OPTIONAL)]
    for chosen in combinations(dict.fromkeys(places), count):
        options = [
            ["1", None] if key == OPTIONAL else [None, *([fact.shown] if (fact := mine[key]) else [])]
            for _, key in chosen
        ]
        for values in product(*options):
            edits = dict(zip(chosen, values, strict=True))
            services = []
            for service in composition.services:
                labels: dict[str, str | None] = dict(service.labels)
                labels |= {key: value for (name, key), value in edits.items() if name == service.name}
                services.append(replace(service, labels=tuple((k, v) for k, v in labels.items() if v is not None)))
            yield Composition(services=tuple(services))


def smallest(found: tuple[Flip, ...], kind: str) -> int | None:
    sizes = {len(flip.changes) for flip in found if flip.kind == kind}
    assert len(sizes) <= 1, "all of one kind are equally small"
    return sizes.pop() if sizes else None


@given(RELEASES, WORLD, AIMS)
def test_no_smaller_change_of_facts_turns_the_decision(composition: Composition, facts: Facts, aim: str) -> None:
    now = decide(composition, facts)
    size = smallest(flips(composition, facts, wanted=aim), "fact")
    for count in range(len(VALUES) + 1 if size is None else size):
        turned = [other for other in other_facts(facts, count) if happens(decide(composition, other), aim)]
        assert happens(now, aim) or not turned, (count, turned[0])


@given(RELEASES, WORLD, AIMS)
def test_no_smaller_change_of_labels_turns_the_decision(composition: Composition, facts: Facts, aim: str) -> None:
    now = decide(composition, facts)
    size = smallest(flips(composition, facts, wanted=aim), "label")
    assert happens(now, aim) or size, "labels can always be changed so that it happens"
    for count in range(min(size or 0, 3)):
        turned = [other for other in other_labels(composition, facts, count) if happens(decide(other, facts), aim)]
        assert happens(now, aim) or not turned, (count, turned[0])


@given(RELEASES, WORLD, AIMS)
def test_every_flip_is_what_deciding_says(composition: Composition, facts: Facts, aim: str) -> None:
    for flip in flips(composition, facts, wanted=aim):
        decision = decide(flip.composition, flip.facts)
        assert happens(decision, aim)
        assert decision.outcome == flip.outcome
        assert flip.changes
        assert flip.kind == "fact" or flip.facts == facts
        assert flip.kind == "label" or flip.composition == composition


# ------------------------------------------------------------------------------------- whatever comes in

TEXT = st.text(max_size=8) | st.sampled_from(
    ["1", ">=5", ">5.15.*", "*", "", "latest", "aarch64", "6.4.0-rc1", "2024.11"]
)
FACTS = st.none() | st.builds(Fact, st.none() | TEXT, st.none() | TEXT, st.just("s"))
DEVICES = st.builds(Facts, supervisor=FACTS, device_type=FACTS, arch=FACTS, os=FACTS, kernel=FACTS, l4t=FACTS)
KEYS = st.sampled_from([*(label.key for label in LABELS), OPTIONAL, PREFIX + "sw.os", "x"]) | TEXT
SERVICES = st.lists(st.dictionaries(KEYS, TEXT, max_size=4), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "slug", "version", "requires", "or", "not", "data", "children"]) | TEXT,
            inner | st.sampled_from([label.type for label in LABELS]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(SERVICES, DEVICES, JSON)
def test_deciding_never_raises(labels: list[dict[str, str]], facts: Facts, contract: object) -> None:
    composition = release(**{f"s{index}": each for index, each in enumerate(labels)})
    for contracts in ({}, {"s0": contract}):
        decision = decide(composition, facts, contracts=contracts)
        assert decision.outcome in ("deployed", "partial", "rejected", "refused")
        assert set(decision.run) | set(decision.unmet) <= {service.name for service in composition.services}
        assert str(decision)
        json.dumps(decision.to_json())
        for flip in flips(composition, facts, contracts=contracts):
            assert happens(decide(flip.composition, flip.facts, contracts=contracts), "partial")
    for service in composition.services:
        list(label_findings(service))


@given(JSON)
def test_reading_a_contract_never_raises(raw: object) -> None:
    assert isinstance(read_contract(raw), Contract | Malformed)
    assert isinstance(read_contract({"requires": [raw]}), Contract | Malformed)
