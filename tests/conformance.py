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
from kit.contracts import Decision, decide
from kit.device import Device


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
    Kind("composition", is_composition, None),
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
