"""Images without a registry: what is here first, then what can be built, then what a registry has.

The base of every example is `kit/busybox`: one static busybox of this machine, 2 MB, built in seconds.

Our exceptions:

* NoImage(RuntimeError)     an image is not here, cannot be built, or no registry has it
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..device.tables import data_folder
from ..planner.target import mapping

LABEL: Final = "multicontainer-kit"  # what the kit made carries it; its value is the session
BASE: Final = "kit/busybox"
_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")


class NoImage(RuntimeError):  # noqa: N818
    """An image is not here, cannot be built, or no registry has it. The text says why."""


class Progress(NamedTuple):
    """How far something is: `done` of `total`; `doing` says with what."""

    what: str
    done: int
    total: int
    doing: str = ""


Tell = Callable[[Progress], None]


def quiet(_progress: Progress) -> None:
    """Tell nobody."""


def reference(image: str, app: int) -> str:
    """What an image that the kit builds is called on the engine; foreign images cannot have this name.

    >>> reference("web:r1", 1)
    'multicontainer-kit:web-r1-cd5d4f1e'
    """
    digest = hashlib.sha256(f"{app} {image}".encode()).hexdigest()[:8]
    return f"{LABEL}:{re.sub(r'[^A-Za-z0-9_]+', '-', image)[-80:].strip('-')}-{digest}"


def has(api: Any, image: str) -> Any:
    """What the engine says of an image, or None if it has none of that name."""
    from docker.errors import ImageNotFound

    try:
        return api.inspect_image(image)
    except ImageNotFound:
        return None


def archive(files: Mapping[str, bytes], *, owner: int = 0, at: float | None = None) -> bytes:
    """A tar archive of these files, by path, made now or at that time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid = len(content), 0o755, owner
            entry.mtime = time.time() if at is None else at
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


# ------------------------------------------------------------------------------------- the base image


def is_static(program: Path) -> bool:
    """Whether a program needs no other file to run: a dynamic one names its loader in its first page."""
    with program.open("rb") as file:
        head = file.read(4096)
    return head.startswith(b"\x7fELF") and b"/ld-" not in head


def busybox(folder: Path | None = None) -> bytes:
    """A static busybox: from a folder that the user names, else of this machine, else out of Debian's package."""
    here = (Path(shutil.which("busybox") or "/bin/busybox"), Path("/bin/busybox.static"))
    for program in [folder / "busybox"] if folder else here:
        if program.is_file() and is_static(program):
            return program.read_bytes()
    if folder is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        with tempfile.TemporaryDirectory() as place:
            for command in ("apt-get download busybox-static", "dpkg-deb -x busybox-static*.deb ."):
                subprocess.run(["sh", "-c", command], cwd=place, capture_output=True, check=False)  # noqa: S603, S607
            for program in Path(place).glob("**/bin/busybox"):
                return program.read_bytes()
    where = f"in `{folder}`" if folder else "on this machine"
    raise NoImage(f"no static busybox {where}: `apt-get install busybox-static`, or name a folder that has one")


def prepare(api: Any, folder: Path | None = None, tell: Tell = quiet) -> None:
    """Build the base image."""
    source = data_folder() / "compositions" / "busybox"
    files = {each.name: each.read_bytes() for each in source.iterdir()} | {"busybox": busybox(folder)}
    _build(api, BASE, BASE, tell, fileobj=io.BytesIO(archive(files)), custom_context=True)


# --------------------------------------------------------------------------------------- build and get


def _build(api: Any, tag: str, image: str, tell: Tell, **how: Any) -> None:
    for line in api.build(tag=tag, rm=True, forcerm=True, decode=True, **how):
        if step := _STEP.match(line.get("stream", "")):
            tell(Progress(f"build {image}", int(step[1]) - 1, int(step[2]), step[3]))
        if "error" in line:
            raise NoImage(f"`{image}` cannot be built: {line['error'].strip()}")
    tell(Progress(f"build {image}", 1, 1))


def build(api: Any, tag: str, image: str, body: Any, root: Path, labels: Mapping[str, str], tell: Tell) -> None:
    """Build an image from what a composition says under `build`; its folder lies below *root*.

    Without a `build`, the image only waits: for a service of which nothing but the name is known.
    """
    said = {"context": body} if isinstance(body, str) else mapping(body)
    file, folder = str(said.get("dockerfile") or "Dockerfile"), root / str(said.get("context", "."))
    recipe = folder / file
    if body and not recipe.is_file():
        raise NoImage(f"`{image}` cannot be built: there is no `{recipe}`")
    text = recipe.read_text(encoding="utf-8", errors="replace") if body else f"FROM {BASE}"
    if BASE in text and not has(api, BASE):
        prepare(api, tell=tell)
    how: dict[str, Any] = {"path": str(folder), "dockerfile": file} if body else {"fileobj": io.BytesIO(text.encode())}
    how["buildargs"] = {key: str(value) for key, value in mapping(said.get("args")).items() if value is not None}
    how["labels"] = {key: str(value) for key, value in mapping(said.get("labels")).items()} | dict(labels)
    _build(api, tag, image, tell, target=said.get("target"), **how)


def get(api: Any, image: str, tell: Tell) -> None:
    """An image that is here, or else from its registry, if one answers."""
    if image == BASE and not has(api, BASE):
        prepare(api, tell=tell)
    if has(api, image):
        return
    from docker.errors import APIError

    layers: dict[str, tuple[int, int]] = {}
    try:
        for line in api.pull(image, stream=True, decode=True):
            if "error" in line:
                raise NoImage(f"it is not here, and no registry gives it: {line['error']}")
            if (at := line.get("progressDetail")) and at.get("total"):
                layers[line["id"]] = (at["current"], at["total"])
                done, total = map(sum, zip(*layers.values(), strict=True))
                tell(Progress(f"pull {image}", done, total, line["status"]))
    except APIError as error:
        raise NoImage(f"it is not here, and no registry gives it: {error.explanation}") from error
