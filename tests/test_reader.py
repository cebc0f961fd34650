"""`read` from end to end: values, places, findings, bounds. Never an exception from a text (C-2, C-3, C-6, C-7)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import conformance
from kit.composition import Composition, Mount, Port, Service
from kit.diagnostics import Severity
from kit.reader import Reading, Unreadable, normal_form, read
from kit.reader.notes import path_text
from kit.rules import check

CASES = json.loads((Path(__file__).parent / "cases" / "composition_cases.json").read_text(encoding="utf-8"))
COMPOSITIONS = sorted((Path(__file__).parents[1] / "data" / "compositions").glob("*.yml"))


@pytest.mark.parametrize("answer", list(conformance.compositions(CASES)), ids=lambda answer: answer.id)
def test_a_composition_case_comes_out_as_on_the_real_parser_and_device(answer: conformance.Answer) -> None:
    assert answer.got == answer.expected


def errors(text: str) -> list[tuple[str, str]]:
    return [(found.code, found.rule) for found in read(text).findings if found.severity is Severity.ERROR]


# ── values ─────────────────────────────────────────────────────────────────────────────────────────

SHORT = """
services:
  web:
    build: ./web
    depends_on: [db]
    ports: ["80:8080", 443]
    expose: [90]
    restart: on-failure
    privileged: yes
    cap_add: [SYS_RAWIO]
    devices: [/dev/i2c-1]
    networks: [front]
    volumes: ["data:/data:ro"]
    ulimits: {core: -1}
    labels: ["io.balena.features.dbus=1"]
    environment: [A=1]
    command: run --fast
  db: {image: "db:1", network_mode: host}
networks: {front: }
volumes: {data: }
"""
LONG = """
services:
  web:
    build: {context: ./web}
    depends_on: {db: {condition: service_started}}
    ports: [{target: 8080, published: 80}, {target: 443}]
    expose: ["90"]
    restart: on-failure
    privileged: true
    cap_add: [SYS_RAWIO]
    devices: [{source: /dev/i2c-1, target: /dev/i2c-1, permissions: rwm}]
    networks: {front: }
    volumes: [{type: volume, source: data, target: /data, read_only: true}]
    ulimits: {core: "-1"}
    labels: {io.balena.features.dbus: 1}
    environment: {A: "1"}
    command: [run, --fast]
  db: {image: "db:1", network_mode: host}
networks: {front: {}}
volumes: {data: {}}
"""


def test_short_and_long_forms_are_the_same_composition() -> None:
    short, long = read(SHORT), read(LONG)
    assert short.ok, short.findings
    assert normal_form(short) == normal_form(long)
    assert short.composition == long.composition


def test_a_composition_is_made_of_typed_values() -> None:
    composition = read(SHORT).composition
    assert isinstance(composition, Composition)
    web, db = composition.services
    assert isinstance(web, Service)
    assert (web.name, db.name, db.network_mode, db.image) == ("web", "db", "host", "db:1")
    assert web.ports == (Port(target="8080", published="80"), Port(target="443"))
    assert web.volumes == (Mount(volume="data", target="/data", read_only=True),)
    assert (web.depends_on, web.restart, web.privileged) == (("db",), "on-failure", True)
    assert (web.expose, web.cap_add, web.networks) == (("90",), ("SYS_RAWIO",), ("front",))
    assert web.label("io.balena.features.dbus") == "1"
    assert web.build is not None
    assert web.build.context == "web"


def test_what_is_wrong_can_still_be_drawn() -> None:
    reading = read("services: {a: {image: x, depends_on: [b, c]}, b: {image: x, depends_on: [a]}}")
    assert not reading.ok
    assert (reading.normal, normal_form(reading)) == (None, {})
    assert reading.composition is not None
    assert [service.depends_on for service in reading.composition.services] == [("b", "c"), ("a",)]


def test_a_text_that_is_no_composition_has_none() -> None:
    for text in ("", "# x", "[", "5", "[a]", "a: *b", "\0"):
        reading = read(text)
        assert (reading.composition, reading.ok, normal_form(reading)) == (None, False, {})
        assert sum(found.reported for found in reading.findings) == 1


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.stem)
def test_the_compositions_that_come_along_are_fine(path: Path) -> None:
    assert read(path).ok


def test_read_takes_a_text_a_path_or_several(tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text("services: {a: {image: x}}")
    assert read(path).composition == read("services: {a: {image: x}}").composition
    assert read([path, "services: {a: {hostname: h}}"]).ok
    assert list(read(["services: {a: {image: x}}", "services: {b: {image: y}}"], name="In[1]").texts) == [
        "In[1]",
        "In[1]#2",
    ]
    with pytest.raises(Unreadable):
        read(tmp_path / "none.yml")


def test_reading_nothing_is_the_callers_mistake_c2() -> None:
    assert [found.error_class for found in read([]).findings] == ["ArgumentError"]


# ── shape (C-7) and order (C-2, C-3) ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("services: {}", True), ("x-a: 1", True), ("name: a", True), ("networks: {n: }", True),
        ("services:", False), ("networks:", False), ("version: '2'", False), ("{}", False),
        ("services: [a]", False), ("services: a", False), ("services: {main: }", False),
        ("services: {main: [a]}", False),
    ],
)  # fmt: skip
def test_the_shape_of_a_document_c7(text: str, ok: bool) -> None:
    assert read(text).ok == ok


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: '2.4'\n", "{}", "\ufeff"])
def test_an_empty_composition_is_an_error_c7(text: str) -> None:
    assert errors(text) == [("empty-composition", "C-7")]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("  a: {image: '${'}", "  b: {imag: x}"),  # stage 3 before 9
        ("  a: {extends: no}", "  b: {imag: x}"),  # stage 4 before 9
        ("  a: {image: x, scal: 1}", "  b: {image: x, depends_on: [c]}"),  # stage 9 before 19
        ("  b: {image: x, depends_on: [c]}", "  a: {image: x, scale: 1}"),  # stage 19 before 24
    ],
)
def test_the_error_of_the_earliest_stage_is_the_one_reported_c3(first: str, later: str) -> None:
    for text in (f"services:\n{first}\n{later}", f"services:\n{later}\n{first}"):
        (found,) = [each for each in read(text).findings if each.reported]
        assert path_text(found.path).split(".")[1] == first.strip()[0]


def test_all_errors_are_found_not_only_the_first() -> None:
    text = "services:\n  a: {image: x, scale: 1, depends_on: [b], ports: ['x']}\n  c: {hostname: 5}\n"
    assert {"C-44", "C-55", "C-49", "C-43", "C-10"} <= {rule for _code, rule in errors(text)}


# ── places ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_path_has_its_place() -> None:
    reading = read(
        "services:\n  web:\n    image: nginx\n    environment: [A=1, B]\n    labels:\n      a: 1\n", name="In[3]"
    )
    assert str(reading.where["services", "web", "image"]) == "In[3]:3:12"
    assert str(reading.where["services", "web", "environment", 1]) == "In[3]:4:24"
    assert str(reading.keys["services", "web", "labels"]) == "In[3]:5:5"
    assert str(reading.keys["services", "web", "labels", "a"]) == "In[3]:6:7"


def test_the_place_of_something_that_is_not_there_is_the_nearest_thing_above() -> None:
    reading = read("services:\n  web:\n    image: nginx\n    environment: [A=1, B]\n")
    assert reading.place(("services", "web", "environment", "B")) == reading.where["services", "web", "environment", 1]
    assert reading.place(("services", "web", "tty", "x")) == reading.keys["services", "web"]
    assert reading.place(("nothing",)) == reading.where[()]
    assert read("").place(("a",)) is None


def test_every_finding_points_into_a_text_that_was_read() -> None:
    for case in CASES["release"]:
        reading = read([Path(name) for name in case["parse"]], files=case["files"], env=case["env"])
        for found in check(reading):
            lines = reading.texts[found.span.name].split("\n")
            assert 1 <= found.span.line <= len(lines), (case["id"], found)
            assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 1, (case["id"], found)


def test_every_text_that_was_read_is_kept() -> None:
    files = {"docker-compose.yml": "include: [a.yml]", "a.yml": "services: {a: {image: x, env_file: e}}", "e": "A=1"}
    reading = read(Path("docker-compose.yml"), files=files)
    assert dict(reading.texts) == files
    assert reading.text == files["docker-compose.yml"]


# ── nothing raises, nothing hangs (C-6) ────────────────────────────────────────────────────────────

WORDS = [
    "a",
    "80:80",
    "1",
    "",
    "~",
    "yes",
    "${A}",
    "${A",
    "service:b",
    "/sys:/sys",
    "x:/y:ro",
    "2024-01-02",
    "1e9",
    "-1",
]
scalars = st.sampled_from(WORDS) | st.text(max_size=8)
plain = st.recursive(
    scalars | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted(
    json.loads((Path(conformance.__file__).parents[1] / "kit" / "reader" / "fields.json").read_text())["forms"]
)
a_service = st.dictionaries(st.sampled_from([*FIELDS, "extends", "x-a", "unknown"]), plain, max_size=4) | plain
a_tree = st.fixed_dictionaries(
    {"services": st.dictionaries(st.sampled_from(["a", "b", "c.d", " "]), a_service, max_size=3) | plain},
    optional=dict.fromkeys(("networks", "volumes", "include", "version", "name", "secrets", "x-b"), plain),
)


def survives(text: str) -> Reading:
    reading = read(text, env={"A": "b"}, files={"a": "A=1\n", "b": "services: {a: {image: x}}"})
    findings = check(reading)
    assert reading.ok == (not any(found.severity is Severity.ERROR for found in findings))
    assert sum(found.reported for found in findings) == (not reading.ok)
    assert bool(normal_form(reading)) == reading.ok or reading.composition == Composition()
    json.dumps(normal_form(reading))
    return reading


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(a_tree)
def test_no_tree_makes_anything_raise(tree: Any) -> None:
    survives(json.dumps(tree))


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_no_text_makes_anything_raise(text: str) -> None:
    survives(text)


@settings(max_examples=200)
@given(st.sampled_from([case["files"][case["parse"][0]] for case in CASES["release"]]), st.data())
def test_no_mutation_of_a_real_text_makes_anything_raise(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 6)))
    survives(text[:start] + data.draw(st.text(alphabet=" \n:-[]{}&*!|>'\"#$%@`,?\tab1=~", max_size=4)) + text[end:])


K = 100_000
S = "services:\n"
HOSTILE = {
    "deep lists": "x: " + "[" * K,
    "deep mappings": "{a: " * (K // 4),
    "many aliases": "x: &a {k: 1}\ny: [" + ",".join(["*a"] * 30_000) + "]",
    "aliases of ports": "x-l: &l [" + ",".join(f'"{n}:{n}"' for n in range(1, 99)) + "]\n" + S
    + "".join(f"  s{n}: {{image: a, ports: *l}}\n" for n in range(1900)),
    "ranges of ports": S + "  a: {image: x, ports: [" + ",".join(['"1-65535:1-65535"'] * 4000) + "]}",
    "a chain of merges": "x-0: &x0 {a: 1}\n"
    + "".join(f"x-{n}: &x{n} {{<<: *x{n - 1}, k{n}: 1}}\n" for n in range(1, 2500)),
    "a chain of extends": S + "  s0: {image: a}\n"
    + "".join(f"  s{n}: {{extends: s{n - 1}}}\n" for n in range(1, 3500)),
    "growing extends": S + "  s0: {image: a}\n"
    + "".join(f"  s{n}: {{extends: s{n - 1}, group_add: [{n}]}}\n" for n in range(1, 2500)),
    "a chain of dependencies": S + "  s0: {image: a}\n"
    + "".join(f"  s{n}: {{image: a, depends_on: [s{n - 1}]}}\n" for n in range(1, 2500)),
    "growing documents": "".join(f"---\nservices: {{a{n}: {{image: x}}}}\n" for n in range(3000)),
    "unknown keys": S + "  a: {" + ",".join(f"k{n}: 1" for n in range(9000)) + "}",
    "repeated keys": "a: 1\n" * 20_000,
    "dollars": 'services: {a: {image: "' + "${A}" * 25_000 + '"}}',
    "defaults": 'services: {a: {image: "' + "${A:-" * 15_000 + "}" * 15_000 + '"}}',
    "one target": S + "  a: {image: x, volumes: [" + ",".join(f'"vv{n}:/x"' for n in range(7000)) + "]}",
    "a long number": "services: {a: {image: x, cpu_shares: " + "9" * K + "}}",
    "a long command": 'services: {a: {image: x, command: "' + "a " * (K // 2) + '"}}',
    "quotes": '"' * K, "newlines": "\n" * K, "dashes": "-\n" * (K // 2), "tags": "!a " * (K // 3),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends_and_makes_nothing_raise_c6(name: str) -> None:
    """How soon it ends is measured in `benchmarks/read.py`."""
    survives(HOSTILE[name])


def test_ten_thousand_services_and_ten_megabytes_are_read() -> None:
    text = S + "".join(f"  s{n}: {{image: a, labels: {{a: '{n:0900}'}}}}\n" for n in range(10_000))
    assert len(normal_form(read(text))["services"]) == 10_000
    assert not read("x: " + "y" * 33_000_000).ok
