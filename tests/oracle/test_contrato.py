"""`kit.device` and `kit.contracts` beside npm's @balena/contrato 0.13.0, device by device.

The script `contrato.cjs` reads facts, labels and contracts on its own, by the specification, and leaves the
matching to the package; what the supervisor makes of met and unmet services is compared too.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from random_devices import questions

from kit.composition import Composition, Service
from kit.contracts import decide, label_findings
from kit.device import Device
from kit.diagnostics import Severity

if TYPE_CHECKING:
    from conftest import Ask

DEVICES = 5_000

pytestmark = pytest.mark.oracle

GISTS = {"S-34": "unknown requirement type", "S-71": "too old"}


def opinion(question: dict[str, Any]) -> dict[str, Any]:
    """What we say, in the shape of the script's answer."""
    given = question["device"]
    device = Device.from_texts(
        *(given[key] for key in ("os_release", "uname_r", "uname_s", "type", "arch", "supervisor"))
    )
    services = [Service(name=each["name"], labels=tuple(each["labels"].items())) for each in question["services"]]
    contracts = {each["name"]: each["contract"] for each in question["services"] if "contract" in each}
    decision = decide(Composition(services=tuple(services)), device.facts, contracts=contracts)
    findings = [finding for service in services for finding in label_findings(service)]
    facts = {type: fact for type in TYPES if (fact := device.facts.get(type))}
    return {
        "facts": {type: [fact.slug, fact.version] for type, fact in facts.items()},
        "invalid": [finding.path[-1] for finding in findings if finding.severity is Severity.ERROR],
        "outcome": decision.outcome,
        "refused_by": decision.refused_by and [decision.refused_by[0], GISTS.get(decision.rule, "malformed contract")],
        "unmet": list(decision.unmet),
        "dropped": list(decision.dropped),
        "run": list(decision.run),
    }


TYPES = ("sw.supervisor", "hw.device-type", "arch.sw", "sw.os", "sw.kernel", "sw.l4t")


def reference(answer: dict[str, Any]) -> dict[str, Any]:
    """The script's answer, less what only one side has."""
    facts = {fact["type"]: [fact.get("slug"), fact.get("version")] for fact in answer["facts"]}
    del facts["sw.application"]  # no requirement may name it (S-2)
    return answer | {"facts": facts, "invalid": [key for key, _ in answer["invalid"]]}


def test_the_script_decides_the_known_cases_as_they_were_measured(ask: Ask) -> None:
    cases = json.loads((Path(__file__).parent.parent / "cases" / "contract_cases.json").read_text(encoding="utf-8"))
    answers = ask("contrato.cjs", [question_of(case) for case in cases])
    assert len(cases) >= 45
    for case, answer in zip(cases, answers, strict=True):
        expected = case["expect"]
        if expected.get("parse_error"):
            assert answer["refused_by"][1] == expected["message_gist"], case["id"]
        else:
            assert (answer["outcome"] in ("deployed", "partial")) is expected["accepted"], case["id"]
            for key in ("unmet", "dropped", "run"):
                assert set(answer[key]) == set(expected[key]), case["id"]


def question_of(case: dict[str, Any]) -> dict[str, Any]:
    """A case of the case file in the shape of a question."""
    given = case["device"]
    services = [{"name": name, "labels": {}, **(body or {})} for name, body in case["services"].items()]
    device = {
        "os_release": f'ID={given["id"]}\nVERSION="{given["version"]}"' if given.get("version") else None,
        "type": given["type"],
        "arch": given["arch"],
        "supervisor": given["sv"],
    }
    return {"device": device | {key: given.get(key) for key in ("uname_r", "uname_s")}, "services": services}


def test_devices_decide_as_they_do_with_contrato(ask: Ask, seed: int) -> None:
    asked = list(questions(seed, DEVICES))
    theirs = [reference(answer) for answer in ask("contrato.cjs", asked)]
    ours = [opinion(question) for question in asked]

    outcomes = Counter(answer["outcome"] for answer in theirs)
    # A generator that knows only one answer would compare nothing.
    assert all(outcomes[outcome] > DEVICES * 0.03 for outcome in ("deployed", "partial", "rejected", "refused"))
    assert sum(len(answer["run"]) for answer in theirs) > DEVICES * 0.25

    different = []
    for question, our, their in zip(asked, ours, theirs, strict=True):
        if their["refused_by"] == ["", "too old"]:  # if a contract cannot be read either, both are reasons to refuse
            their["refused_by"] = our["refused_by"]
        if our != their:
            told = {key: (our[key], their[key]) for key in our if our[key] != their[key]}
            different.append((len(json.dumps(question)), question, told))
    report = "\n".join(
        f"{json.dumps(question)}\n  (kit, npm) {told}"
        for _, question, told in sorted(different, key=lambda row: row[0])[:6]
    )
    assert not different, f"{len(different)} of {DEVICES} differ (KIT_SEED={seed}); the shortest:\n{report}"
