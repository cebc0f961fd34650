"""Where there is no engine to use: one clear line with what to do, and the simulated engine instead."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from course.bench import is_free, release_of
from kit.engines.docker import ALLOW, NoEngine, connect
from kit.engines.images import NoImage, busybox, is_static, reference
from kit.reader import read
from kit.views.terminal import run

COMPOSITIONS = Path(__file__).parents[1] / "data" / "compositions"
FILE = str(COMPOSITIONS / "getting-started.yml")
Capture = pytest.CaptureFixture[str]


@contextmanager
def answering(path: Path, status: str, answer: object) -> Iterator[None]:
    """A socket that gives the same answer to everything."""
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def serve() -> None:
        while True:
            try:
                other, _ = line.accept()
            except OSError:
                return
            with other:
                other.settimeout(5)
                if other.recv(65536):
                    other.sendall(head + body)

    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(path))
        line.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            line.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def refusal(monkeypatch: pytest.MonkeyPatch, where: str) -> NoEngine:
    monkeypatch.setenv("DOCKER_HOST", where)
    with pytest.raises(NoEngine) as raised:
        connect(patience=2)
    assert raised.value.help
    return raised.value


def test_without_a_socket_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "no engine listens at" in str(refusal(monkeypatch, f"unix://{tmp_path}/none.sock"))


def test_a_socket_that_one_may_not_use_names_the_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    assert "group `docker`" in refusal(monkeypatch, f"unix://{tmp_path}/a.sock").help


@pytest.mark.parametrize("where", ["tcp://10.0.0.9:2375", "ssh://me@there"])
def test_an_engine_elsewhere_is_not_used(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(refusal(monkeypatch, where)) == f"the engine at {where} is not on this machine"


def test_an_engine_whose_api_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with answering(tmp_path / "old.sock", "200 OK", {"Version": "1.12.6", "ApiVersion": "1.24"}):
        assert "is too old" in str(refusal(monkeypatch, f"unix://{tmp_path}/old.sock"))


def test_an_engine_that_speaks_newer_apis_only_is_spoken_to_in_the_oldest_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = {"Version": "29.1.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44", "Components": None}
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/new.sock")
    with answering(tmp_path / "new.sock", "200 OK", said):
        client = connect(patience=2)
        assert client.api.api_version == "1.44"
        client.close()


@pytest.mark.parametrize("said", [[1, 2], {}, {"Components": [None]}, {"ApiVersion": None}, {"ApiVersion": "new"}])
def test_whoever_else_answers_at_a_socket_is_no_engine(
    said: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering(tmp_path / "x.sock", "200 OK", said):
        assert "nobody answers" in str(refusal(monkeypatch, f"unix://{tmp_path}/x.sock"))


def test_a_context_that_is_named_counts_before_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "far-away")
    assert str(refusal(monkeypatch, "")) == "the engine at far-away is not on this machine"


def test_an_engine_that_falls_silent_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    from requests.exceptions import ConnectionError
    from urllib3.exceptions import ProtocolError

    errors, closed = [ConnectionError("aborted"), ProtocolError("aborted")], list[bool]()

    class Silent:
        def __init__(self, *_: object, **__: object) -> None:
            raise errors[len(closed)]

        @staticmethod
        def close() -> None:
            closed.append(True)

    monkeypatch.setattr("course.local.connect", lambda: Silent)
    monkeypatch.setattr("course.local.Docker", Silent)
    for command in (["ps"], ["down"]):
        assert run(command) == 2
        sentence = "the engine does not answer any more; once it answers, `kit down` takes away what is left"
        assert capsys.readouterr().err == f"kit: {sentence}\n"
    assert closed == [True, True]


def test_podman_s_socket_is_recognised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
    with answering(tmp_path / "p.sock", "200 OK", said):
        assert "Podman" in str(refusal(monkeypatch, f"unix://{tmp_path}/p.sock"))


def test_up_shows_what_a_device_would_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert run(["up", FILE]) == 1
    said = capsys.readouterr().out
    assert said.startswith("no engine listens at")
    assert "start proxy" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["ps"],
        ["logs"],
        ["crash", "web"],
        ["exec", "web", "true"],
        ["down"],
        ["images", "list"],
        [
            "compare",
            str(COMPOSITIONS.parent / "events/releases/notebook.yml"),
            "--events",
            str(COMPOSITIONS.parent / "events/back.yml"),
        ],
        ["up", FILE, "--allow", "everything"],
        ["up", FILE, "--port", "80"],
        ["up", "nowhere.yml"],
    ],
    ids=lambda arguments: " ".join(Path(word).name for word in arguments),
)
def test_misuse_and_no_engine_are_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert run(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("kit: ")


def test_what_allow_opens_is_said_in_the_help(capsys: Capture) -> None:
    assert run(["up", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for word in ALLOW:
        assert word in said


def test_equal_files_make_an_equal_release_and_a_changed_file_another_image(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM kit/busybox\n")
    reading = read("services: {web: {build: ./web, ports: ['80:8080', '127.0.0.1:90:90/udp']}, db: {image: db}}")
    one, again = (release_of(reading, tmp_path) for _ in range(2))
    assert (one.commit, one.form) == (again.commit, again.form)
    (tmp_path / "web" / "page.html").write_text("new")
    other = release_of(reading, tmp_path, ports={"80": "8081"})
    images = [{each.name: each.image for each in release.services} for release in (one, other)]
    assert images[0]["web"] != images[1]["web"]
    assert images[0]["db"] == images[1]["db"] == "db"
    assert other.form["services"]["web"]["ports"] == ["8081:8080", "127.0.0.1:90:90/udp"]  # type: ignore[index]


def test_images_that_the_kit_builds_have_names_that_nobody_else_gives() -> None:
    assert reference("web:r1", 1) != reference("web:r1", 2) != reference("web-r1", 2)
    assert reference("localhost:5000/Über/web:1", 1).startswith("multicontainer-kit:localhost-5000-ber-web-1-")


def test_a_dynamic_program_is_no_base_and_a_folder_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(b"\x7fELF" + b"\0" * 600 + b"/lib64/ld-linux-x86-64.so.2")
    assert not is_static(tmp_path / "busybox")
    with pytest.raises(NoImage, match="no static busybox in"):
        busybox(tmp_path)
    (tmp_path / "busybox").write_bytes(b"\x7fELF" + b"\0" * 600)
    assert busybox(tmp_path).startswith(b"\x7fELF")


def test_a_port_at_which_somebody_listens_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        assert not is_free(busy.getsockname()[1])
    with socket.socket(type=socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 0))
        assert not is_free(busy.getsockname()[1], "udp")
