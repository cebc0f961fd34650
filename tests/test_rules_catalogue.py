"""The catalogue of rules: complete, plain, and true to itself."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

CATALOGUE = Path(__file__).parents[1] / "data" / "rules.json"
RULES: list[dict[str, Any]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
EXPECTED = [f"C-{n}" for n in range(1, 116)] + [f"S-{n}" for n in range(1, 151)]
FIELDS = {"id", "title", "says", "why", "docs", "example", "severity", "trap"}
SEVERITIES = {"error", "refused", "warning", "changed", "ignored", ""}

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule["id"] for rule in RULES])


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])\s+(?=[A-Za-z$-])", text) if part]


def test_every_rule_is_there_once_and_in_order() -> None:
    assert [rule["id"] for rule in RULES] == EXPECTED


def test_titles_tell_the_rules_apart() -> None:
    titles = [rule["title"] for rule in RULES]
    assert len(set(titles)) == len(titles)


def test_the_surprising_rules_are_marked() -> None:
    traps = {rule["id"] for rule in RULES if rule["trap"]}
    assert {"C-48", "C-106", "C-91", "C-46", "C-66", "C-88", "C-52", "S-46", "S-44", "S-55", "S-90"} <= traps
    assert len(traps) < len(RULES) / 2


@each_rule
def test_a_rule_is_complete(rule: dict[str, Any]) -> None:
    assert set(rule) == FIELDS
    assert rule["title"]
    assert rule["says"]
    assert rule["why"]
    assert rule["severity"] in SEVERITIES
    assert isinstance(rule["trap"], bool)


@each_rule
def test_a_rule_is_written_in_plain_short_sentences(rule: dict[str, Any]) -> None:
    for field in ("title", "says", "why", "docs", "example"):
        assert rule[field].isascii(), f"{field} has a character that a keyboard has not"
        assert rule[field] == rule[field].strip("\n")
        assert "\t" not in rule[field]
    assert len(rule["title"]) <= 72
    assert not rule["title"].endswith(".")
    assert len(sentences(rule["says"])) <= 4
    assert len(sentences(rule["why"])) == 1
    for sentence in sentences(rule["says"]) + sentences(rule["why"]):
        assert sentence.endswith((".", "?")), sentence
        assert len(sentence.split()) <= 34, sentence
    assert all(len(line) <= 88 for line in rule["example"].splitlines())


@each_rule
def test_a_rule_names_only_rules_that_exist(rule: dict[str, Any]) -> None:
    text = " ".join(str(rule[field]) for field in ("title", "says", "why", "docs", "example"))
    named = set(re.findall(r"\b[CS]-\d{1,3}\b", text)) - {rule["id"]}
    assert named <= set(EXPECTED)


@each_rule
def test_an_example_that_looks_like_a_composition_is_yaml(rule: dict[str, Any]) -> None:
    if re.match(r"(services|networks|volumes|environment|labels|build|ports|healthcheck):", rule["example"]):
        for part in rule["example"].split("\n\n"):
            assert list(yaml.compose_all(part, Loader=yaml.SafeLoader)), part
