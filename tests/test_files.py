"""The files of a composition (C-1, C-27, C-36 … C-40). Expected values were observed on the real engine."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.diagnostics import Severity
from kit.reader import Folder, Reading, Unreadable, normal_form, read
from kit.reader.files import BadLine, variables

PLAIN = {"image": "alpine", "command": None, "networks": {"default": None}}


def project(files: dict[str, str | bytes], env: dict[str, str] | None = None) -> Reading:
    return read(Path("docker-compose.yml"), files=files, env=env)


def services(files: dict[str, str | bytes], env: dict[str, str] | None = None) -> Any:
    reading = project(files, env)
    assert reading.ok, reading.findings
    return normal_form(reading)["services"]


def reported(files: dict[str, str | bytes], env: dict[str, str] | None = None) -> tuple[str, str, str]:
    reading = project(files, env)
    (found,) = [each for each in reading.findings if each.reported]
    assert found.error_class == "ParseError"
    return found.code, found.rule, str(found.span)


# ── files of variables (C-39) ──────────────────────────────────────────────────────────────────────

LINES: list[tuple[str, dict[str, str]]] = [
    ("A=1", {"A": "1"}), ("A: 1\nB:2\n", {"A": "1", "B": "2"}), ("A = 1 \n", {"A": "1"}), ("", {}), ("#only\n", {}),
    ("export A=1\n", {"A": "1"}), ("exportA=1\n", {"exportA": "1"}), ("export\n", {}), ("\n\n#c\n A=1\n", {"A": "1"}),
    ("A=1 #c\nB=1#c\nC=\"x\" #c\n", {"A": "1", "B": "1#c", "C": "x"}), ("A=\nB=   \n", {"A": "", "B": ""}),
    ("A='$SH'\nB=\"$SH\"\nC=$SH-x\nD=\"\\$SH $$SH\"\n", {"A": "$SH", "B": "s", "C": "s-x", "D": "$SH $SH"}),
    ("A=1\nB=$A${UN:-d}\n", {"A": "1", "B": "1d"}), ("A=\"l1\nl2\"\nB='m1\nm2'\n", {"A": "l1\nl2", "B": "m1\nm2"}),
    ("A=\"x\\ny\\tz\\\"q\\\\\"\nB=x\\ny\n", {"A": "x\ny\tz\"q\\", "B": "x\\ny"}), ("A='a\\'b'\n", {"A": "a'b"}),
    ("A=\"\\0061 \\061\\c\"\n", {"A": "1 \\61\\c"}), ("A=b=c\n", {"A": "b=c"}), ("A=x\"y\"\n", {"A": "x\"y\""}),
    ("SH\nUN\n", {"SH": "s"}), ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}), ("A=1\nA=2\n", {"A": "2"}),
    ("1A=1\na.b-c=1\n[x]=2\n", {"1A": "1", "a.b-c": "1", "[x]": "2"}), ("é=1\n", {"é": "1"}), ("=x\n", {"": "x"}),
    ("A=1\nB", {"A": "1", "": "B"}),
]  # fmt: skip
BROKEN = [
    ("A B=1\n", 1),
    ("X=1\nA!=1\n", 2),
    ('A=1\n\nB="open\n', 3),
    ("A=${\n", 1),
    ("A=${UN?no}\n", 1),
    ('A="x"y"\n', 1),
]


@pytest.mark.parametrize(("text", "found"), LINES)
def test_a_file_of_variables_is_read_as_the_engine_reads_it_c39(text: str, found: dict[str, str]) -> None:
    assert variables(text, {"SH": "s"}.get) == found


@pytest.mark.parametrize(("text", "line"), BROKEN)
def test_a_broken_line_is_named_by_its_number_c39(text: str, line: int) -> None:
    with pytest.raises(BadLine) as caught:
        variables(text, {}.get)
    assert caught.value.line == line


@given(st.text(alphabet="AB=:'\"\\$#{} \n\texport0", max_size=40))
def test_a_file_of_variables_fails_in_one_way_only_c39(text: str) -> None:
    with suppress(BadLine):
        assert all(isinstance(value, str) for value in variables(text, {"A": "1"}.get).values())


# ── env_file and label_file (C-38, C-40) ───────────────────────────────────────────────────────────

ONE = "services:\n  main:\n    image: alpine\n    {}\n"


@pytest.mark.parametrize(
    ("fields", "files", "env", "environment"),
    [
        ("env_file: a.env", {"a.env": "A=1\n"}, {}, {"A": "1"}),
        ("env_file: [a.env, b.env]\n    environment: {B: 9, C: }",
         {"a.env": "A=1\nB=1\nC=1\n", "b.env": "A=2\n"}, {}, {"A": "2", "B": "9", "C": ""}),
        ("env_file: a.env\n    environment: [C]", {"a.env": "C=1\n"}, {"C": "shell"}, {"C": "shell"}),
        ("env_file: [{path: a.env, required: false}, {path: b.env, required: 'no'}]", {"b.env": "A=2"}, {}, {"A": "2"}),
        ("env_file: [a.env, b.env]\n    environment: {B: 2}",
         {"a.env": "A=$B\n", "b.env": "C=$A$B\nB=7\n"}, {}, {"A": "2", "B": "2", "C": "22"}),
        ("env_file: a.env", {"a.env": "A=$SH\nSH\n"}, {"SH": "shell"}, {"A": "shell", "SH": "shell"}),
        ("env_file: a.env\n    environment: {A: 1e6, B: 010}", {"a.env": "X=$A$B\n"}, {},
         {"X": "1e+068", "A": "1e+06", "B": "8"}),
        ("env_file: ${F}", {"a.env": "A=1\n"}, {"F": "a.env"}, {"A": "1"}),
    ],
)  # fmt: skip
def test_variables_of_files_are_folded_in_c38(
    fields: str, files: dict[str, str | bytes], env: dict[str, str], environment: dict[str, str]
) -> None:
    found = services({"docker-compose.yml": ONE.format(fields), **files}, env)["main"]
    assert found == {**PLAIN, "environment": environment}


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ("label_file: [a, b]", {"A": "2", "C": "", "B": "7", "io.x-y": "1"}),
        ("label_file: a\n    labels: {B: 2}", {"A": "1", "C": "", "B": "2", "io.x-y": "1"}),
    ],
)
def test_labels_of_files_are_folded_in_without_the_environment_c40(fields: str, labels: dict[str, str]) -> None:
    files: dict[str, str | bytes] = {"a": "A=1\nC=$HOME\nB=7\nD\nio.x-y=1\n", "b": "A=2\n"}
    assert services({"docker-compose.yml": ONE.format(fields), **files}, {"HOME": "/me"})["main"]["labels"] == labels


def test_folding_is_said_because_nobody_else_says_it_c38_c40() -> None:
    reading = project({"docker-compose.yml": ONE.format("env_file: a\n    label_file: a"), "a": "A=1\nB=2\n"})
    said = [(each.rule, each.span.line, each.message) for each in reading.findings if each.code == "file-folded"]
    assert [each[:2] for each in said] == [("C-38", 4), ("C-40", 5)]
    assert "2 variables" in said[0][2]
    assert {change.rule for change in reading.changes} >= {"C-38", "C-40"}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("env_file: nope.env", ("missing-file", "C-38", "docker-compose.yml:4:15")),
        ("label_file: [nope]", ("missing-file", "C-40", "docker-compose.yml:4:18")),
        ("env_file: folder", ("missing-file", "C-38", "docker-compose.yml:4:15")),
        ("env_file: [{path: folder, required: false}]", ("missing-file", "C-38", "docker-compose.yml:4:23")),
        ("env_file: ../up.env", ("outside-project", "C-38", "docker-compose.yml:4:15")),
        ("env_file: /etc/passwd", ("outside-project", "C-38", "docker-compose.yml:4:15")),
        ("env_file: bad.env", ("unreadable-line", "C-39", "bad.env:2:1")),
        ("env_file: [{path: bad.env, format: raw}]", ("unknown-format", "C-38", "docker-compose.yml:4:40")),
        ("env_file: [{path: nope.env, format: raw}]", ("missing-file", "C-38", "docker-compose.yml:4:23")),
        ("env_file: [{path: folder/a, required: perhaps}]", ("not-a-boolean", "C-30", "docker-compose.yml:4:43")),
    ],
)
def test_a_file_of_variables_that_cannot_be_read_is_an_error_c38_c40(fields: str, found: tuple[str, str, str]) -> None:
    files: dict[str, str | bytes] = {"folder/a": "A=1", "bad.env": "A=1\nB C=2\n"}
    assert reported({"docker-compose.yml": ONE.format(fields), **files}) == found


# ── extends (C-36) ─────────────────────────────────────────────────────────────────────────────────

BASE = "services:\n  base: {image: alpine, environment: {A: 1, B: 2}, cap_add: [X], labels: [x=1]}\n"


def test_a_service_extends_another_which_stays_c36() -> None:
    found = services({"docker-compose.yml": BASE + "  main: {extends: base, environment: [A=9], cap_add: [Y]}\n"})
    assert found["main"] == {**PLAIN, "environment": {"A": "9", "B": "2"}, "cap_add": ["X", "Y"], "labels": {"x": "1"}}
    assert found["base"]["environment"] == {"A": "1", "B": "2"}


@pytest.mark.parametrize("link", ["!reset null", "!reset b"])
def test_a_link_that_is_reset_extends_nothing_c34(link: str) -> None:
    text = f"services: {{b: {{image: b, hostname: h}}, web: {{image: a, extends: {link}}}}}"
    assert "hostname" not in services({"docker-compose.yml": text})["web"]


def test_nothing_is_left_out_when_extending_c36() -> None:
    base = "{image: alpine, depends_on: [z], ports: ['1:1'], profiles: [pp]}"
    text = f"services:\n  z: {{image: z}}\n  base: {base}\n  main: {{extends: {{service: base, other: 1}}}}\n"
    found = services({"docker-compose.yml": text})
    assert found["main"] == found["base"]


def test_chains_and_other_files_work_and_paths_stay_theirs_c36() -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": "services:\n  main: {extends: {file: sub/c.yml, service: one}, hostname: h}\n",
        "sub/c.yml": "services:\n  one: {extends: {file: deep/d.yml, service: two}, env_file: a.env}\n  o: {image: o}",
        "sub/a.env": "A=1\n",
        "sub/deep/d.yml": "services:\n  two: {extends: three}\n  three: {build: {context: ../../up}}\n",
    }
    found = services(files)
    assert list(found) == ["main"]
    assert found["main"]["build"]["context"] == "up"
    assert (found["main"]["environment"], found["main"]["hostname"]) == ({"A": "1"}, "h")


def test_marks_reach_what_is_extended_c34_c36() -> None:
    text = BASE + "  main: {extends: base, cap_add: !override [Y], environment: {A: !reset }, labels: !reset }\n"
    assert services({"docker-compose.yml": text})["main"] == {**PLAIN, "cap_add": ["Y"], "environment": {"B": "2"}}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("  main: {extends: bse}", "unknown-base", "docker-compose.yml:3:19"),
        ("  main: {extends: main}", "endless-extends", "docker-compose.yml:3:19"),
        ("  a: {extends: b}\n  b: {extends: a}", "endless-extends", "docker-compose.yml:4:16"),
        ("  main: {image: x, extends: }", "unreadable-extends", "docker-compose.yml:3:20"),
        ("  main: {extends: {file: c.yml}}", "unreadable-extends", "docker-compose.yml:3:19"),
        ("  main: {extends: [base]}", "unreadable-extends", "docker-compose.yml:3:19"),
        ("  main: {extends: {file: no.yml, service: a}}", "missing-file", "docker-compose.yml:3:26"),
        ("  main: {extends: {file: ../c.yml, service: a}}", "outside-project", "docker-compose.yml:3:26"),
        ("  main: {extends: {file: c.yml, service: no}}", "unknown-base", "docker-compose.yml:3:42"),
        ("  main: {extends: {file: c.yml, service: loop}}", "endless-extends", "c.yml:3:42"),
    ],
)
def test_what_cannot_be_extended_is_an_error_c36(text: str, code: str, place: str) -> None:
    other = "services:\n  one: {image: x}\n  loop: {extends: {file: c.yml, service: loop}}\n"
    assert reported({"docker-compose.yml": BASE + text, "c.yml": other}) == (code, "C-36", place)


def test_an_unknown_base_is_guessed_c36() -> None:
    (found,) = [
        each for each in project({"docker-compose.yml": BASE + "  main: {extends: bse}"}).findings if each.reported
    ]
    assert found.help == "did you mean `base`?"


def test_a_cycle_is_shown_c36() -> None:
    text = "services:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: a}\n"
    (found,) = [each for each in project({"docker-compose.yml": text}).findings if each.reported]
    assert "a → b → c → a" in found.message


def test_only_the_service_comes_from_another_file_c36() -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": "services:\n  main:\n    extends: {file: c.yml, service: base}\n",
        "c.yml": "services:\n  base: {image: alpine, volumes: ['data:/d']}\nvolumes: {data: }\n",
    }
    reading = project(files)
    assert [
        (each.rule, "`data`" in each.message) for each in reading.findings if each.code == "extends-leaves-behind"
    ] == [("C-36", True)]
    assert reported(files)[0] == "undefined-volume"


def test_what_extended_services_stand_for_has_a_bound_c6() -> None:
    names = range(1, 1500)
    text = "services:\n  s0: {image: a}\n" + "".join(
        f"  s{n}: {{extends: s{n - 1}, group_add: [{n}]}}\n" for n in names
    )
    (found,) = [each for each in project({"docker-compose.yml": text}).findings if each.reported]
    assert (found.code, found.error_class) == ("too-many-extended", "TimeoutError")


# ── include (C-27, C-37) ───────────────────────────────────────────────────────────────────────────

MAIN = "services: {main: {image: alpine}}\n"


def test_an_included_file_brings_services_with_its_own_paths_and_variables_c37_c27() -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": "include: [sub/c.yml]\n" + MAIN,
        "sub/c.yml": "services:\n  q:\n    build: {dockerfile: D}\n    image: 'a:${TAG-n}'\n    env_file: e\n"
        "    environment: [TAG, HOME]\nvolumes: {v1: }",
        "sub/.env": "TAG=4\nHOME=no\n",
        "sub/e": "E=$TAG\n",
    }
    found = services(files, {"HOME": "/me"})
    assert found["main"] == PLAIN
    assert found["q"]["image"] == "a:4"
    assert found["q"]["build"]["context"] == "sub"
    assert found["q"]["environment"] == {"TAG": "4", "HOME": "/me", "E": "4"}
    assert any(each.code == "env-beside-include" and each.rule == "C-27" for each in project(files).findings)


@pytest.mark.parametrize(
    ("entry", "image"),
    [
        ("{path: [c.yml, d.yml]}", "d"),
        ("{path: c.yml, env_file: my.env}", "my"),
        ("{path: c.yml, env_file: [my.env, o.env]}", "my-o"),
        ("{path: c.yml, project_directory: pd}", "pd"),
        ("'${F}'", "n"),
        ("{path: nested/e.yml}", "n"),
    ],
)
def test_an_entry_of_include_has_options_c37(entry: str, image: str) -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": f"include: [{entry}]\n" + MAIN,
        "c.yml": "services: {q: {image: '${TAG-n}'}}", "d.yml": "services: {q: {image: d}}",
        "my.env": "TAG=my\n", "o.env": "TAG=$TAG-o\n", "pd/.env": "TAG=pd\n", "nested/e.yml": "include: [../c.yml]\n",
    }  # fmt: skip
    assert services(files, {"F": "c.yml"})["q"]["image"] == image


@pytest.mark.parametrize(
    ("included", "fine"),
    [
        ("services: {main: {image: alpine}}", True),
        ("services: {main: {image: other}}", False),
        ("networks: {n: }", True),
        ("networks: {n: {}}", False),
    ],
)
def test_equal_declarations_may_meet_and_others_not_c37(included: str, fine: bool) -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": f"include: [c.yml]\n{MAIN}networks: {{n: }}",
        "c.yml": included,
    }
    assert project(files).ok == fine
    if not fine:
        assert reported(files)[:2] == ("include-conflict", "C-37")


@pytest.mark.parametrize(
    ("include", "code"),
    [
        ("c.yml", "include-is-no-list"), ("{path: c.yml}", "include-is-no-list"), ("[5]", "unreadable-include"),
        ("['']", "unreadable-include"), ("[no.yml]", "missing-file"), ("['https://a/b.yml']", "missing-file"),
        ("[../c.yml]", "outside-project"), ("[docker-compose.yml]", "endless-include"), ("[a.yml]", "endless-include"),
        ("[{path: c.yml, env_file: no}]", "missing-file"), ("[folder]", "missing-file"),
    ],
)  # fmt: skip
def test_what_cannot_be_included_is_an_error_c37(include: str, code: str) -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": f"include: {include}\n{MAIN}", "c.yml": "services: {q: {image: x}}",
        "a.yml": "include: [b.yml]", "b.yml": "include: [a.yml]\nservices: {q: {image: x}}", "folder/x": "",
    }  # fmt: skip
    assert reported(files)[:2] == (code, "C-37")


def test_two_included_files_may_bring_the_same_declaration_c37() -> None:
    shared = "services: {s: {image: alpine, build: ./x, ports: ['80:80']}}"
    files: dict[str, str | bytes] = {
        "docker-compose.yml": "include: [a.yml, b.yml, ~]\nservices: {}",
        "a.yml": "include: [shared.yml]\nservices: {a: {image: alpine}}",
        "b.yml": "include: [shared.yml]\nservices: {b: {image: alpine}}",
        "shared.yml": shared,
    }
    assert sorted(services(files)) == ["a", "b", "s"]


def test_a_build_argument_without_value_takes_nothing_from_the_env_beside_c27_c31() -> None:
    files: dict[str, str | bytes] = {
        "docker-compose.yml": "include: [sub/inc.yml]\nservices: {}",
        "sub/inc.yml": "services: {i: {build: {args: [T]}, environment: [T]}}",
        "sub/.env": "T=9\n",
    }
    found = services(files)["i"]
    assert ("args" in found["build"], found["environment"]) == (False, {"T": "9"})


def test_the_format_of_a_file_that_may_be_missing_counts_only_when_it_is_there_c38() -> None:
    text = "services: {a: {image: alpine, env_file: [{path: e, required: false, format: raw}]}}"
    assert services({"docker-compose.yml": text})["a"] == PLAIN
    assert reported({"docker-compose.yml": text, "e": "A=1\n"})[:2] == ("unknown-format", "C-38")


def test_an_empty_include_brings_nothing_c37() -> None:
    assert services({"docker-compose.yml": "include: [c.yml]\n" + MAIN, "c.yml": "# nothing\n"}) == {"main": PLAIN}


def test_files_that_include_each_other_twice_end_c6() -> None:
    files: dict[str, str | bytes] = {f"{n}.yml": f"include: [{n + 1}.yml, {n + 1}.yml]" for n in range(30)}
    files |= {"docker-compose.yml": "include: [0.yml]\n" + MAIN, "30.yml": MAIN}
    assert not project(files).ok


# ── on disk ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "project"
    inside.mkdir()
    (tmp_path / "outside.yml").write_text("services: {base: {image: secret}}")
    return inside


def write(folder: Path, text: str, name: str = "docker-compose.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_is_read_by_its_compose_file_c1(folder: Path) -> None:
    write(folder, "services: {b: {image: x}}", "docker-compose.yaml")
    assert list(normal_form(read(folder))["services"]) == ["b"]
    write(folder, "services: {a: {image: x}}")
    write(folder, "services: {c: {image: x}}", "compose.yml")
    assert list(normal_form(read(folder))["services"]) == ["a"]


def test_a_folder_without_one_says_what_balena_would_do_c1(folder: Path) -> None:
    write(folder, "services: {c: {image: x}}", "compose.yml")
    write(folder, "FROM busybox", "Dockerfile")
    with pytest.raises(Unreadable, match=r"`compose.yml` is not looked at.*privileged"):
        read(folder)


@pytest.mark.parametrize("name", ["missing.yml", "missing/deep.yml", "x" * 300 + ".yml", "nul\0.yml"])
def test_a_file_that_the_caller_names_and_that_is_not_there_raises_one_line(folder: Path, name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(folder / name)
    assert "\n" not in str(caught.value)
    assert caught.value.reason


def test_names_in_findings_are_as_the_caller_wrote_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sub").mkdir()
    write(folder, "services: {main: {extends: {file: sub/c.yml, service: b}}}")
    write(folder / "sub", "services: {b: {imag: x}}", "c.yml")
    monkeypatch.chdir(folder.parent)
    reading = read(Path("project/docker-compose.yml"))
    assert sorted(reading.texts) == ["project/docker-compose.yml", "project/sub/c.yml"]
    assert {found.span.name for found in reading.findings if found.code == "unknown-key"} == {"project/sub/c.yml"}


def test_a_later_layer_may_lie_anywhere_when_the_caller_names_it(folder: Path) -> None:
    first, later = write(folder, MAIN), write(folder.parent, "services: {main: {hostname: h}}", "later.yml")
    assert normal_form(read([first, later]))["services"]["main"]["hostname"] == "h"


@pytest.mark.parametrize("link", ["../outside.yml", "link.yml", "links/outside.yml"])
def test_a_path_or_link_out_of_the_project_is_refused_unless_allowed(folder: Path, link: str) -> None:
    (folder / "link.yml").symlink_to(folder.parent / "outside.yml")
    (folder / "links").symlink_to(folder.parent, target_is_directory=True)
    path = write(folder, f"services: {{main: {{extends: {{file: {link}, service: base}}}}}}")
    (found,) = [each for each in read(path).findings if each.reported]
    assert (found.code, found.rule) == ("outside-project", "C-36")
    assert normal_form(read(path, outside=True))["services"]["main"]["image"] == "secret"


def test_a_link_out_of_the_project_says_nothing_of_what_is_there(folder: Path) -> None:
    (folder / "links").symlink_to(folder.parent, target_is_directory=True)
    path = write(folder, ONE.format("env_file: links/nowhere"))
    assert [found.code for found in read(path).findings if found.reported] == ["outside-project"]


def test_the_project_may_be_larger_than_the_folder_of_the_file(folder: Path) -> None:
    path = write(folder, "services: {main: {extends: {file: ../outside.yml, service: base}}}")
    reading = read(path, root=folder.parent)
    assert normal_form(reading)["services"]["main"]["image"] == "secret"
    assert any(name.endswith("outside.yml") for name in reading.texts)


def test_links_in_a_circle_pipes_and_devices_are_findings(folder: Path) -> None:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    os.mkfifo(folder / "pipe")
    for name in ("a", "pipe", "/dev/zero"):
        path = write(folder, ONE.format(f"env_file: {name}"))
        (found,) = [each for each in read(path, outside=True).findings if each.reported]
        assert (found.code, found.rule) == ("missing-file", "C-38")


def test_a_file_that_may_not_be_read_is_a_finding() -> None:
    class Guarded:
        def read(self, name: str) -> bytes:
            if name == "docker-compose.yml":
                return ONE.format("env_file: a.env").encode()
            raise PermissionError(errno.EACCES, "Permission denied")

    (found,) = [each for each in read(Path("docker-compose.yml"), files=Guarded()).findings if each.reported]
    assert (found.code, "permission denied" in found.message) == ("missing-file", True)


def test_bytes_that_are_no_text_are_a_finding_with_their_place_c22(folder: Path) -> None:
    path = folder / "docker-compose.yml"
    path.write_bytes(b"services:\n  main: {image: \xff\xfe\x00}\n")
    (found,) = [each for each in read(path).findings if each.reported]
    assert (found.code, found.rule, found.span.line) == ("unreadable-bytes", "C-22", 2)


def test_a_folder_is_a_folder_of_files(folder: Path) -> None:
    write(folder, "x", "a")
    assert Folder(folder).read("a") == b"x"
    for name in ("no", ".", "../outside.yml", "nul\0"):
        with pytest.raises(OSError):
            Folder(folder).read(name)


def test_C_39_lines_that_each_repeat_the_one_above_are_a_finding_and_fill_no_memory() -> None:
    lines = "A0=xxxxxxxxxx\n" + "".join(f"A{i + 1}=${{A{i}}}${{A{i}}}${{A{i}}}${{A{i}}}\n" for i in range(40))
    text = "services: {a: {image: x, env_file: e.env}}"
    (found,) = [each for each in read(text, files={"e.env": lines}).findings if each.severity is Severity.ERROR]
    assert (found.code, str(found.span), found.reported) == ("unreadable-line", "e.env:10:1", True)
    assert "1,000,000" in found.message
