"""Run case files and say which cases differ: `python tests/conformance.py FILE…`.

The kind of a file is told from its content. To add a kind, write one function that takes the content
and yields one `Answer` per case, and give it a row in `KINDS`.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":  # so that a checkout works without an installed package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import planner_cases
from kit.composition import Composition, Service
from kit.container import Place, container
from kit.contracts import Decision, decide
from kit.device import Device
from kit.diagnostics import Severity
from kit.reader import normal_form, read
from kit.rules import check


class Answer(NamedTuple):
    """One case: what is expected, and what the kit says. They are compared with `==`."""

    id: str
    title: str
    expected: object
    got: object

    @property
    def passed(self) -> bool:
        return self.expected == self.got


class Kind(NamedTuple):
    """A kind of case file: how to tell it, and what runs it."""

    name: str
    recognises: Callable[[Any], bool]
    answers: Callable[[Any], Iterator[Answer]] | None


def attempted(ask: Callable[[], object]) -> object:
    """What the kit says, or how it failed."""
    try:
        return ask()
    except Exception:
        return traceback.format_exc(limit=-3)


# ---------------------------------------------------------------------------------------------- contracts


def device_of(case: Mapping[str, Any]) -> Device:
    """The device of a contract case: raw texts as the supervisor reads them."""
    given = case["device"]
    return Device(
        device_type=given.get("type"),
        arch=given.get("arch"),
        supervisor=given.get("sv"),
        os=given.get("version"),
        os_id=given.get("id"),
        kernel=given.get("uname_r"),
        kernel_name=given.get("uname_s"),
    )


def decide_case(case: Mapping[str, Any]) -> Decision:
    """A contract case, decided. A `contract` on a service replaces what its labels would give."""
    services = {name: body or {} for name, body in case["services"].items()}
    labels = {name: tuple((body.get("labels") or {}).items()) for name, body in services.items()}
    composition = Composition(services=tuple(Service(name=name, labels=labels[name]) for name in services))
    contracts = {name: body["contract"] for name, body in services.items() if "contract" in body}
    return decide(composition, device_of(case).facts, contracts=contracts)


GISTS = {"S-34": "unknown requirement type", "S-71": "supervisor too old"}


def contract_answer(case: Mapping[str, Any]) -> dict[str, object]:
    """The decision in the words of the case file (`spec/supervisor.md`, section 8)."""
    decision = decide_case(case)
    if decision.outcome == "refused":
        return {"parse_error": True, "message_gist": GISTS.get(decision.rule, "malformed contract")}
    lists = {"unmet": decision.unmet, "dropped": decision.dropped, "run": decision.run}
    accepted = decision.outcome in ("deployed", "partial")
    return {"accepted": accepted, **{key: set(names) for key, names in lists.items()}}


def contracts(cases: list[Mapping[str, Any]]) -> Iterator[Answer]:
    for case in cases:
        expected = {key: set(value) if isinstance(value, list) else value for key, value in case["expect"].items()}
        yield Answer(case["id"], case["title"], expected, attempted(lambda case=case: contract_answer(case)))


# ------------------------------------------------------------------------------------------------ planner


def planner(cases: list[Mapping[str, Any]]) -> Iterator[Answer]:
    for case in cases:
        expected = planner_cases.expected(case)
        yield Answer(case["id"], case["title"], expected, attempted(lambda case=case: planner_cases.found(case)))


# -------------------------------------------------------------------------------------------- compositions

BUILD_MACHINE = {"PATH": "/usr/bin", "HOME": "/root"}
PLACE = Place(app_id=1234, app_uuid="deadbeef", device_uuid="devuuid", hostname="hosty")


def release_answer(case: Mapping[str, Any]) -> dict[str, object]:
    """What the reader says of a release case, in the words of the case file (`spec/composition.md`, section 11)."""
    reading = read([Path(name) for name in case["parse"]], files=case["files"], env=BUILD_MACHINE | case["env"])
    findings = check(reading, false_alarms=True)
    got: dict[str, object] = {"result": "ok" if reading.ok else "error"}
    if not reading.ok:
        reported = next(found for found in findings if found.reported)
        got["error_class"] = reported.error_class
        if "error_service" in case:
            got["error_service"] = reported.path[1] if len(reported.path) > 1 else None
    else:
        got["composition"] = normal_form(reading)
    if case["severity"] != "ok":
        cited = {found.rule for found in findings} & set(case["rules"].split(", "))
        got["rules"] = sorted(cited) or f"none of {case['rules']}"
    if "warnings_contain" in case:
        warned = {field_of(found.path) for found in findings if found.severity is Severity.WARNING}
        got["warnings_contain"] = sorted(warned & set(case["warnings_contain"]))
    if "contract_requires" in case:
        got["contract_requires"] = [entry for contract in reading.contracts.values() for entry in contract["requires"]]
    return got


def field_of(path: tuple[str | int, ...]) -> str:
    """A path as the cases write it: `service.ports.mode` for `services.web.ports.0.mode`."""
    steps = [step for step in path if isinstance(step, str)]
    return ".".join(["service", *steps[2:]] if steps[:1] == ["services"] else steps)


def release_expected(case: Mapping[str, Any], got: object) -> dict[str, object]:
    """The expected side of `release_answer`: of the cited rules, one is enough."""
    keys = {"result", "error_class", "error_service", "contract_requires", "composition"}
    expected = {key: value for key, value in case.items() if key in keys}
    if case["severity"] != "ok":
        cited = got.get("rules") if isinstance(got, dict) else None
        expected["rules"] = cited if isinstance(cited, list) else case["rules"].split(", ")
    if "warnings_contain" in case:
        expected["warnings_contain"] = sorted(case["warnings_contain"])
    return expected


def device_answer(case: Mapping[str, Any]) -> dict[str, object]:
    """What the device makes of the service of a device case."""
    request = container(case["service"], name="main", place=PLACE, image=case.get("image_config", {}))
    if "throws" in case:
        cited = {found.rule for found in request.findings if found.severity is Severity.REFUSED}
        return {"throws": bool(cited & set(case["rules"].split(", ")))}
    got: dict[str, object] = {path: looked_up(request.body, path) for path in case.get("expect", {})}
    environment = request.body.get("Env", [])
    got["env_has"] = [entry for entry in case.get("env_has", []) if entry in environment]
    got["env_lacks"] = [entry for entry in case.get("env_lacks", []) if entry not in environment]
    return got


def device_expected(case: Mapping[str, Any]) -> dict[str, object]:
    if "throws" in case:
        return {"throws": True}
    return {**case.get("expect", {}), "env_has": case.get("env_has", []), "env_lacks": case.get("env_lacks", [])}


def looked_up(value: Any, path: str) -> object:
    """The value at a path: of a mapping the longest key that fits, of a list an index, or its `length`."""
    if not path:
        return value
    if isinstance(value, dict):
        fitting = [key for key in value if path == key or path.startswith(f"{key}.")]
        if not fitting:
            return f"nothing at {path}"
        key = max(fitting, key=len)
        return looked_up(value[key], path[len(key) + 1 :])
    first, _, rest = path.partition(".")
    if isinstance(value, list):
        if first == "length":
            return len(value)
        return looked_up(value[int(first)], rest) if int(first) < len(value) else f"nothing at {path}"
    return f"nothing at {path}"


def compositions(content: Mapping[str, Any]) -> Iterator[Answer]:
    for case in content.get("release", []):
        got = attempted(lambda case=case: release_answer(case))
        yield Answer(case["id"], case["title"], release_expected(case, got), got)
    for case in content.get("device", []):
        got = attempted(lambda case=case: device_answer(case))
        yield Answer(case["id"], case["title"], device_expected(case), got)


# -------------------------------------------------------------------------------------------------- kinds


def is_list_with(*keys: str) -> Callable[[Any], bool]:
    """Whether a content is a list of cases that all have these keys."""

    def recognises(content: Any) -> bool:
        cases = isinstance(content, list) and content
        return bool(cases) and all(isinstance(case, dict) and set(keys) <= set(case) for case in content)

    return recognises


def is_composition(content: Any) -> bool:
    return isinstance(content, dict) and ("release" in content or "device" in content)


KINDS = (
    Kind("contract", is_list_with("device", "services", "expect"), contracts),
    Kind("composition", is_composition, compositions),
    Kind("planner", is_list_with("start", "to"), planner),
)


def main(arguments: list[str]) -> int:
    """Run the files, name what differs, count. 0: all passed. 1: something differs. 2: a file cannot be read."""
    if not arguments:
        print("usage: python tests/conformance.py FILE…", file=sys.stderr)
        return 2
    passed = failed = not_covered = 0
    for name in arguments:
        try:
            content = json.loads(Path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            print(f"{name}: cannot be read as JSON: {error}", file=sys.stderr)
            return 2
        kind = next((kind for kind in KINDS if kind.recognises(content)), None)
        if kind is None or kind.answers is None:
            print(f"{name}: {f'{kind.name} cases are' if kind else 'this kind of case is'} not covered yet")
            not_covered += 1
            continue
        for answer in kind.answers(content):
            passed += answer.passed
            failed += not answer.passed
            if not answer.passed:
                print(f"{answer.id} {answer.title}\n    expected {answer.expected}\n    got      {answer.got}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not_covered else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
