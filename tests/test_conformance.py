"""The case files, and the script that runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import conformance

CASES = Path(__file__).parent / "cases"
CONTRACTS: list[dict[str, Any]] = json.loads((CASES / "contract_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("answer", list(conformance.contracts(CONTRACTS)), ids=lambda answer: answer.id)
def test_a_contract_case_is_decided_as_the_real_supervisor_decides_it(answer: conformance.Answer) -> None:
    assert answer.got == answer.expected


B = CONTRACTS[0]["device"] | {"version": "6.3.0+rev4"}
J = B | {"uname_r": "5.10.104-l4t-r35.2.1-1012.207+gabc123", "type": "jetson-orin-nano-devkit-nvme"}
UNMET = {"accepted": False, "unmet": {"svc"}, "dropped": set(), "run": set()}
MET = {"accepted": True, "unmet": set(), "dropped": set(), "run": {"svc"}}
MALFORMED = {"parse_error": True, "message_gist": "malformed contract"}
UNKNOWN = {"parse_error": True, "message_gist": "unknown requirement type"}


def labels(**values: str) -> dict[str, object]:
    """A service with requirement labels; `__` in a name stands for a dot, `_` for a hyphen."""
    names = {name: name.replace("__", ".").replace("_", "-") for name in values}
    return {"labels": {f"io.balena.features.requires.{names[name]}": value for name, value in values.items()}}


def contract(*requires: object, **more: object) -> dict[str, object]:
    return {"contract": {"type": "sw.container", "slug": "x", "requires": list(requires), **more}}


RULES = [
    # a sentence of the rules, the device, the service, what follows
    ("S-44 an exact build is the version", B, labels(sw__balena_os="=6.3.0+rev1"), MET),
    ("S-45 one number is a window", B, labels(sw__supervisor="19"), MET),
    ("S-45 a minimum", B, labels(sw__supervisor=">=14"), MET),
    ("S-45 tilde", B, labels(sw__linux="~5.15"), MET),
    ("S-45 caret", B, labels(sw__linux="^5.10.3"), MET),
    (
        "S-48 a prerelease bound of another release",
        B | {"version": "6.4.0-rc1"},
        labels(sw__balena_os=">=6.3.0-0"),
        UNMET,
    ),
    ("S-48 a star", B | {"version": "6.4.0-rc1"}, labels(sw__balena_os="*"), UNMET),
    ("S-41 a dated version", B | {"version": "2024.11"}, labels(sw__balena_os=">=2024"), UNMET),
    ("S-5 no ID", B | {"id": None}, labels(sw__balena_os=""), UNMET),
    ("S-5 no VERSION", B | {"version": ""}, labels(sw__balena_os="*"), UNMET),
    ("S-7 two numbers are no kernel", B | {"uname_r": "5.15-custom"}, labels(sw__linux=""), UNMET),
    ("S-7 the kernel's name in lower case", B | {"uname_s": "LINUX"}, labels(sw__linux=">=5"), MET),
    ("S-7 another kernel", B | {"uname_s": "Darwin"}, labels(sw__linux=">=5"), UNMET),
    ("S-8 two numbers get a zero", B | {"uname_r": "4.9.1-l4t-r32.2+g3"}, labels(sw__l4t="=32.2.0"), MET),
    ("S-8 a fourth number goes", B | {"uname_r": "4.9.1-l4t-r32.2.1.9"}, labels(sw__l4t="=32.2.1"), MET),
    ("S-10 no fact, empty range", B, labels(sw__l4t=""), UNMET),
    ("S-14 an unknown suffix", B, labels(sw__python=">=99"), MET),
    ("S-18 an empty device type", B, labels(hw__device_type=""), MET),
    ("S-20 all must hold", J, labels(sw__l4t=">=35", sw__linux=">=5.10", arch__sw="amd64"), UNMET),
    ("S-26 no contract", B, {"contract": None}, MET),
    ("S-26 a contract that is no object", B, {"contract": "x"}, MALFORMED),
    ("S-26 a contract that is a list", B, {"contract": []}, MALFORMED),
    ("S-27 any type of contract", B, {"contract": {"type": "zzz", "requires": []}}, MET),
    ("S-28 other keys are removed", B, contract({"type": "arch.sw", "slug": "aarch64", "name": 7}), MET),
    ("S-29 a type wins over an or", B, contract({"type": "arch.sw", "slug": "aarch64", "or": [{"type": "zzz"}]}), MET),
    ("S-30 a not group", B, contract({"not": [{"type": "sw.l4t"}]}), MALFORMED),
    ("S-30 an or inside an or", B, contract({"or": [{"or": [{"type": "sw.os"}]}]}), MALFORMED),
    ("S-30 requires is no list", B, {"contract": {"requires": {"type": "sw.os"}}}, MALFORMED),
    ("S-31 null is not given", B, contract({"type": "arch.sw", "slug": None, "version": None}), MET),
    ("S-34 an inner type", B, contract({"type": "sw.application", "slug": "balena-supervisor"}), UNKNOWN),
    ("S-37 a slug on L4T", J, contract({"type": "sw.l4t", "slug": "l4t"}), UNMET),
    ("S-38 data that is empty", B, contract({"type": "hw.device-type", "data": {}}), UNMET),
    ("S-40 a version for a slug", B, contract({"type": "arch.sw", "slug": "aarch64", "version": "*"}), UNMET),
    ("S-40 texts that are the same", B | {"version": "x"}, contract({"type": "sw.os", "version": "x"}), MET),
    ("S-42 one member is enough", B, contract({"or": [{"type": "sw.l4t"}, {"type": "sw.os", "version": "6"}]}), MET),
    ("S-42 no entries", B, contract(), MET),
]


@pytest.mark.parametrize(("title", "device", "service", "expected"), RULES, ids=lambda value: str(value)[:44])
def test_a_sentence_of_the_rules_holds(
    title: str, device: dict[str, Any], service: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert conformance.contract_answer({"device": device, "services": {"svc": service}}) == expected


Write = Callable[[object], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Put some JSON into a file, and give its name."""

    def put(content: object) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return put


def test_the_script_counts_what_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main([str(CASES / "contract_cases.json")]) == 0
    assert capsys.readouterr().out == f"{len(CONTRACTS)} passed, 0 failed\n"


def test_the_script_names_what_fails_with_expected_and_got(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = CONTRACTS[1] | {"id": "X-1", "expect": CONTRACTS[0]["expect"]}
    broken = CONTRACTS[0] | {"id": "X-2", "device": {"uname_r": 5}}
    assert conformance.main([write([CONTRACTS[0], wrong, broken])]) == 1
    out = capsys.readouterr().out
    assert "X-1 rev suffix does not make a version smaller\n    expected {'accepted': False" in out
    assert "got      {'accepted': True" in out
    assert "TypeError" in out
    assert out.endswith("1 passed, 2 failed\n")


def test_the_script_compares_names_as_sets(write: Write) -> None:
    case = next(case for case in CONTRACTS if case["id"] == "C-44")
    expect = case["expect"] | {"run": ["gpu", "core"]}
    assert conformance.main([write([case | {"expect": expect}])]) == 0


@pytest.mark.parametrize("content", [{}, [], [1], [{"id": "x"}], "text", None, {"cases": []}])
def test_a_kind_that_is_not_known_is_said_and_fails(
    content: object, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conformance.main([write(content)]) == 1
    assert "not covered" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_one_line_and_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\x00\xff\xfe")
    for name in ("missing.json", "bytes.json", "."):
        assert conformance.main([str(tmp_path / name)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert conformance.main([]) == 2
    assert capsys.readouterr().err.startswith("usage")
