"""Is this place ready? One probe per question, one sentence per answer, one fix per problem.

No probe changes anything, and none is waited for longer than two seconds. What can be answered, and the
fix for it, stands in `doctor.json`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from kit.versions import satisfies
from kit.views import PACKAGES

if TYPE_CHECKING:
    import docker

Status = Literal["ok", "note", "problem"]
PATIENCE: Final = 1.5  # seconds that a probe may wait for somebody else
LONGEST: Final = 2.0  # seconds that a probe may take
MEMORY: Final = 700  # MiB free that a kernel and a browser tab want
DISK: Final = 200  # MiB free that the notebooks and the images of the lessons want

_TABLES: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


class Probe(NamedTuple):
    """One answer: what was asked, how it stands, and what mends it."""

    subject: str
    status: Status
    sentence: str
    fix: str = ""


class Report(NamedTuple):
    """All answers. It shows itself as text in a terminal and as a table in a notebook."""

    probes: tuple[Probe, ...]

    @property
    def healthy(self) -> bool:
        """True if nothing that is needed is missing."""
        return all(probe.status != "problem" for probe in self.probes)

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        problems = sum(probe.status == "problem" for probe in self.probes)
        return "Everything that is needed is here." if self.healthy else f"{problems} to mend before you start."

    def __str__(self) -> str:
        start = 11 + max(len(probe.subject) for probe in self.probes)
        lines = []
        for probe in self.probes:
            lines.append(f"{probe.status:<8} {probe.subject}".ljust(start) + probe.sentence)
            lines += [f"{'':{start}}-> {probe.fix}"] if probe.fix else []
        return "\n".join((*lines, "", self.answer))

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> str:
        """The same answers for a program."""
        return json.dumps({"healthy": self.healthy, "probes": [probe._asdict() for probe in self.probes]}, indent=2)

    def _repr_html_(self) -> str:
        from kit.looks import escaped, figure, state, table

        marks = {"ok": "run", "note": "out", "problem": "no"}
        rows: list[tuple[str, ...]] = []
        for subject, status, sentence, fix in self.probes:
            answer = escaped(sentence) + (f" <b>{escaped(fix)}</b>" if fix else "")
            rows.append((escaped(subject), state(marks[status], status), answer))
        head = ("What", "State", "Answer")
        notes = [row for row, probe in zip(rows, self.probes, strict=True) if probe.status != "ok"]
        every = f"<details><summary>All {len(rows)} answers</summary>{table(head, rows)}</details>"
        return figure(self.answer, pictures=(table(head, notes) if notes else "") + every)


def examine(folder: Path | str = ".", *, binder: bool = False) -> Report:
    """Ask every probe about this Python and about *folder*. On Binder no engine is looked for."""
    probes: Iterable[Callable[[], Probe | None]] = (
        _python, *(partial(_package, name) for name in PACKAGES), _kernel, _tables, partial(_writable, Path(folder)),
        _memory, _host, _engine, _leftovers,
    )  # fmt: skip
    alone = binder or os.environ.get("KIT_HOST") == "binder"
    asked = [probe for probe in probes if not (alone and probe in (_engine, _leftovers))]
    return Report(tuple(answer for probe in asked if (answer := _asked(probe))))


def _asked(probe: Callable[[], Probe | None]) -> Probe | None:
    """The answer of one probe. One that fails, or that takes too long, is an answer too."""
    subject = getattr(probe, "__name__", "probe").strip("_")
    answers: list[Probe | None] = []

    def ask() -> None:
        try:
            answers.append(probe())
        except Exception as error:
            answers.append(_said(subject, "failed", kind=type(error).__name__, error=error))

    if sys.platform == "emscripten":  # a browser's Python has no threads
        ask()
    else:
        thread = Thread(target=ask, daemon=True)
        thread.start()
        thread.join(LONGEST)
    return answers[0] if answers else _said(subject, "late")


def _said(subject: str, code: str, **words: object) -> Probe:
    """The answer with this code, its gaps filled."""
    status, sentence, *fix = _TABLES["answers"][code]
    return Probe(subject, status, sentence.format_map(words), "".join(fix).format_map(words))


def _python() -> Probe:
    here = f"{sys.version_info.major}.{sys.version_info.minor} on {sys.platform}"
    fits = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return _said("Python", "python" if fits else "other python", here=here)


def _package(name: str) -> Probe:
    purpose, extra, needed, wanted = PACKAGES[name]
    bring = {"purpose": purpose, "wanted": wanted, "package": f"multicontainer-kit[{extra}]" if extra else name}
    try:
        here = metadata.version(name)
    except metadata.PackageNotFoundError:
        return _said(name, "no package" if needed else "no extra", **bring)
    plain = ".".join([*re.findall("[0-9]+", here), "0", "0"][:3])
    return _said(name, "package" if satisfies(plain, wanted) else "other package", here=here, name=name, **bring)


def _kernel() -> Probe:
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        return _said("kernel", "no ipykernel")
    from jupyter_client.kernelspec import KernelSpecManager

    return _said("kernel", "kernel" if "python3" in KernelSpecManager().find_kernel_specs() else "no kernel")


def _tables() -> Probe:
    from kit.device import data_folder, device_types, os_releases

    types, releases = len(device_types()), len(os_releases())
    return _said("tables", "tables" if types and releases else "no tables", types=types, releases=releases,
                 folder=data_folder())  # fmt: skip


def _writable(folder: Path) -> Probe:
    free = shutil.disk_usage(folder).free // 2**20 if folder.is_dir() else 0
    code = "no folder" if not folder.is_dir() else "locked folder" if not os.access(folder, os.W_OK) else "folder"
    full = code == "folder" and free < DISK
    return _said("folder", "full folder" if full else code, folder=folder, free=f"{free:,}", least=DISK)


def _memory() -> Probe:
    table = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s*(\d+)", table.read_text(encoding="ascii")) if table.is_file() else None
    free = int(found[1]) // 1024 if found else 0
    return _said("memory", "memory" if free >= MEMORY else "little memory" if found else "no memory", free=f"{free:,}")


def _host() -> Probe:
    found = "a browser" if sys.platform == "emscripten" else "this machine"
    return _said("host", "host", where=next((it for key, it in _TABLES["hosts"].items() if os.environ.get(key)), found))


def _engine() -> Probe:
    """A Docker engine is a bonus: without one, the simulated engine serves."""
    if find_spec("docker") is None:
        return _said("engine", "no client")
    path = _address().removeprefix("unix://")
    try:
        if path != _address():  # the client leaves a socket open when nobody is there
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(PATIENCE)
                line.connect(path)
        with closing(_client()) as client:
            about = client.version()
    except Exception as error:
        cause: BaseException = error
        while cause.__context__:  # below the client's own errors lies that of the system
            cause = cause.__context__
        code = type(cause).__name__ if type(cause).__name__ in _TABLES["answers"] else "silent engine"
        return _said("engine", code, path=path)
    api = about.get("ApiVersion", "0")
    old = [int(part) for part in api.split(".")] < [1, 41]
    return _said("engine", "old engine" if old else "engine", number=about.get("Version", "?"), api=api)


def _address() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


def _client() -> docker.DockerClient:
    import docker

    return docker.DockerClient(base_url=_address(), timeout=PATIENCE)  # type: ignore[arg-type]


def _leftovers() -> Probe | None:
    """What earlier sessions left in the engine; nothing to say where no engine answers, which `_engine` has said."""
    if _engine().status != "ok":
        return None
    from kit.engines.images import LABEL

    mine: dict[str, Any] = {"label": LABEL}
    with closing(_client()) as client:
        found = {
            "container": len(client.containers.list(all=True, filters=mine)),
            "network": len(client.networks.list(filters=mine)),
            "volume": len(client.volumes.list(filters=mine)),
        }
    told = ", ".join(f"{many} {kind}{'' if many == 1 else 's'}" for kind, many in found.items() if many)
    return _said("leftovers", "leftovers" if told else "no leftovers", found=told)
