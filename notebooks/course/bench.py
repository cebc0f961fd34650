"""What lies on the bench beside a Docker engine: from files to a release, the plan before the go, and what is seen."""

from __future__ import annotations

import hashlib
import json
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from kit.device.state import Container, State
from kit.diagnostics import beside
from kit.engines.docker import ALLOW, Docker, foreign_errors, needs, opened
from kit.engines.images import LABEL
from kit.planner import AppTarget, Release, plan
from kit.reader import Reading

TABLES: Final[dict[str, Any]] = beside(__file__)


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def release_of(reading: Reading, root: Path, app: int = 1, ports: Mapping[str, str] = {}) -> Release:
    """The release of a composition on disk: equal files give equal images, and equal images an equal commit.

    Args:
        reading: A composition that makes a release.
        root: The folder in which its build folders lie.
        app: The app (fleet) on the engine.
        ports: Host ports to publish in place of others.
    """
    form = json.loads(json.dumps(reading.normal, default=str))
    for name, service in form["services"].items():
        if build := service.get("build"):
            folder = root / build.get("context", ".")
            files = sorted(each for each in folder.rglob("*") if each.is_file())
            parts = [part for each in files for part in (str(each.relative_to(folder)).encode(), each.read_bytes())]
            service["image"] = f"{name}:{_digest([json.dumps(build).encode(), platform.machine().encode(), *parts])}"
        if "ports" in service:
            service["ports"] = [_moved(str(text), ports) for text in service["ports"]]
    return Release(_digest([json.dumps(form, sort_keys=True).encode()])[:7], form, app=app)


def _moved(text: str, ports: Mapping[str, str]) -> str:
    """A port of a composition, published at another host port if one is given for it."""
    front, _, inside = text.rpartition(":")
    address, more, outside = front.rpartition(":")
    published = outside or inside.partition("/")[0]
    return f"{address}{more}{ports[published]}:{inside}" if published in ports else text


def survey(engine: Docker, release: Release) -> tuple[list[str], list[str]]:
    """What bringing a release up would do, to be shown before; and what stands against it, with the way out."""
    words, observed, target = TABLES["survey"], engine.observe(), release.target
    about = engine.client.version()
    said = [words["head"].format(app=target.app, commit=target.commit, version=about["Version"]), ""]
    said += [str(plan(observed, release)), "", words["limits"]]
    refused = list[str]()
    asked = [(each.name, needs(engine.body(each), each)) for each in target.services]
    for name, found in asked + [(each.name, opened(each)) for each in (*target.volumes, *target.networks)]:
        for word, things in found.items():
            told, is_open = {"service": name, "things": ", ".join(things), "word": word}, word in engine.allow
            sentence = words["open" if is_open else "closed"].format(**told, opens=ALLOW[word])
            (said if is_open else refused).append(sentence)
    ports = taken_ports(target, observed).items()
    return said, [*refused, *(words["port"].format(port=port, other=other) for port, other in ports)]


def taken_ports(target: AppTarget, observed: State) -> dict[str, str]:
    """Host ports that an app publishes and that others hold, each with a free one in its place."""
    ours = {port for each in observed.containers if each.up for port in each.wanted.ports}
    asked = [port.partition("/")[::2] for each in target.services for port in each.ports if port not in ours]
    used, found = {number for number, _ in asked}, dict[str, str]()
    for port, kind in ((number, kind) for number, kind in asked if not is_free(int(number), kind)):
        others = map(str, (*range(int(port) + (8000 if int(port) < 1024 else 1), 65536), *range(1024, int(port))))
        found[port] = next(each for each in others if each not in used | {*found.values()} and is_free(int(each), kind))
    return found


def is_free(port: int, kind: str = "tcp") -> bool:
    """Whether nobody on this machine listens at a port; below 1024 only the engine may ask more than who answers."""
    with socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind != "udp")
        try:
            line.bind(("", port))
        except PermissionError:
            with socket.socket() as other:
                return other.connect_ex(("127.0.0.1", port)) != 0
        except OSError:
            return False
    return True


WORDS: Final = {"Running": "runs", "Installed": "was created and never started", "Stopping": "is being stopped"}


def standing(one: Container) -> str:
    """How a container stands, in words.

    >>> from kit.device.state import Wanted
    >>> standing(Container(id=1, wanted=Wanted(app=1, name="w", commit="a", image="i"), commit="a"))
    'runs'
    """
    return f"ended with {one.exit_code}" if one.status == "exited" else WORDS.get(one.status, one.status)


class Sight(NamedTuple):
    """Something that happened to a container, as the engine tells it; `at` counts seconds since 1970."""

    at: float
    service: str
    what: str
    code: int | None = None


def events(client: Any, app: int | None = None) -> Any:
    """The stream of what happens to the kit's containers, for `sights`; its `close` ends it, from any thread."""
    label = LABEL if app is None else f"{LABEL}.app={app}"
    return client.api.events(decode=True, filters={"type": "container", "label": label})


def sights(stream: Any) -> Iterator[Sight]:
    """What happens, as it happens, until the stream is closed."""
    with suppress(*foreign_errors(), ValueError, OSError, AttributeError):  # how a closed stream ends
        for event in stream:
            about, what = event["Actor"]["Attributes"], event["Action"].partition(":")[0]
            code = int(about["exitCode"]) if "exitCode" in about else None
            if what in TABLES["sights"] and (name := about.get(f"{LABEL}.service")):
                yield Sight(event["timeNano"] / 1e9, name, what, code)
