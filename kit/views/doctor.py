"""Is this place ready? One probe per question, one sentence per answer, one fix per problem.

No probe waits longer than two seconds, and none changes anything.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, NamedTuple

Status = Literal["ok", "note", "problem"]
PATIENCE: Final = 1.5  # seconds that a probe may wait for somebody else
MEMORY: Final = 700  # MiB free that a kernel and a browser tab want

_TABLES: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
PACKAGES: Final = _TABLES["packages"]  # name: what it is for, the extra that brings it, whether it is needed


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

    def to_json(self) -> str:
        """The same answers for a program."""
        return json.dumps({"healthy": self.healthy, "probes": [probe._asdict() for probe in self.probes]}, indent=2)

    def _repr_html_(self) -> str:
        from ..looks import escaped, glyph, style

        state = {"ok": "run", "note": "out", "problem": "no"}
        rows = "".join(
            f'<tr><td>{glyph(state[probe.status], 16)} {probe.status}</td><th scope="row">{escaped(probe.subject)}</th>'
            f"<td>{escaped(probe.sentence)}{' <b>' + escaped(probe.fix) + '</b>' if probe.fix else ''}</td></tr>"
            for probe in self.probes
        )
        head = '<tr><th scope="col">State</th><th scope="col">What</th><th scope="col">Answer</th></tr>'
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        return f'{style()}<figure class="mc"><h3>{escaped(self.answer)}</h3>{table}</figure>'


def examine(folder: Path | str = ".", *, binder: bool = False) -> Report:
    """Ask every probe about this Python and about *folder*. On Binder no engine is looked for."""
    probes: list[Callable[[], Probe]] = [_python, *(partial(_package, name) for name in PACKAGES), _widgets_pair]
    probes += [_kernel, _tables, partial(_writable, Path(folder)), _memory, _host]
    probes += [] if binder or os.environ.get("KIT_HOST") == "binder" else [_engine]
    return Report(tuple(_asked(probe) for probe in probes))


def _asked(probe: Callable[[], Probe]) -> Probe:
    """The answer of one probe. A probe that fails is an answer too."""
    try:
        return probe()
    except Exception as error:
        return Probe(
            getattr(probe, "__name__", "probe").strip("_"),
            "note",
            f"could not be asked ({type(error).__name__}: {error})",
        )


def _python() -> Probe:
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} on {sys.platform}"
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Probe("Python", "ok", here)
    return Probe("Python", "problem", f"{here}; the kit is tested on 3.11 to 3.14", "install Python 3.12")


def _package(name: str) -> Probe:
    purpose, extra, needed = PACKAGES[name]
    try:
        return Probe(name, "ok", f"{metadata.version(name)}: {purpose}")
    except metadata.PackageNotFoundError:
        fix = f"pip install '{f'multicontainer-kit[{extra}]' if extra else name}'"
        return Probe(name, "problem" if needed else "note", f"is not installed; with it, {purpose}", fix)


def _widgets_pair() -> Probe:
    """ipywidgets in the kernel and jupyterlab_widgets in the browser must be of one generation."""
    try:
        kernel, page = metadata.version("ipywidgets"), metadata.version("jupyterlab_widgets")
    except metadata.PackageNotFoundError as error:
        return Probe("widgets", "note", f"{error.name} is not installed here; the browser's side may have it")
    pair = f"ipywidgets {kernel} with jupyterlab_widgets {page}"
    if (kernel.split(".")[0], page.split(".")[0]) == ("8", "3"):
        return Probe("widgets", "ok", pair)
    return Probe("widgets", "problem", f"{pair} do not belong together", "pip install -U ipywidgets jupyterlab_widgets")


def _kernel() -> Probe:
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        return Probe("kernel", "problem", "ipykernel is not installed", "pip install ipykernel")
    from jupyter_client.kernelspec import KernelSpecManager

    if "python3" in KernelSpecManager().find_kernel_specs():
        return Probe("kernel", "ok", "the kernel `python3` is known")
    return Probe("kernel", "problem", "no kernel `python3`", "python -m ipykernel install --sys-prefix --name python3")


def _tables() -> Probe:
    from ..device import data_folder, device_types, os_releases

    types, releases = len(device_types()), len(os_releases())
    if types and releases:
        return Probe("tables", "ok", f"{types} device types, {releases} balenaOS releases")
    return Probe("tables", "problem", f"no tables in {data_folder()}", "install the kit again")


def _writable(folder: Path) -> Probe:
    if not folder.is_dir():
        return Probe("folder", "problem", f"{folder} is not a folder", "start in the folder of the notebooks")
    if not os.access(folder, os.W_OK):
        return Probe("folder", "problem", f"{folder} cannot be written", "copy the notebooks to a folder of yours")
    free = shutil.disk_usage(folder).free // 2**20
    if free < 200:
        return Probe("folder", "problem", f"only {free:,} MiB are free", "free 200 MiB of disk")
    return Probe("folder", "ok", f"can be written, {free:,} MiB are free")


def _memory() -> Probe:
    table = Path("/proc/meminfo")
    if not table.is_file():
        return Probe("memory", "note", "this system does not tell how much is free")
    rows = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines() if ":" in line)
    free = int(rows["MemAvailable"].split()[0]) // 1024
    if free < MEMORY:
        return Probe("memory", "note", f"only {free:,} MiB are free", "close other notebooks: Kernel, Shut Down All")
    return Probe("memory", "ok", f"{free:,} MiB are free")


def _host() -> Probe:
    found = "a browser" if sys.platform == "emscripten" else "this machine"
    found = next((where for key, where in _TABLES["hosts"].items() if os.environ.get(key)), found)
    return Probe("host", "ok", f"the kit runs on {found}")


def _engine() -> Probe:
    """A Docker engine is a bonus: without one, the simulated engine serves."""
    if find_spec("docker") is None:
        return Probe("engine", "note", "no Docker client here", _TABLES["silent"]["FileNotFoundError"][1])
    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if where.startswith("unix://"):
        path = where.removeprefix("unix://")
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            try:
                line.connect(path)
            except OSError as error:
                silent = _TABLES["silent"]
                sentence, fix = silent.get(type(error).__name__, silent["OSError"])
                return Probe("engine", "note", sentence.format(path), fix)
    import docker

    with closing(docker.DockerClient(base_url=where, timeout=PATIENCE)) as client:  # type: ignore[arg-type]
        about = client.version()
    return Probe("engine", "ok", f"Docker {about.get('Version', '?')}, API {about.get('ApiVersion', '?')}")
