"""The commands around the lessons: `kit lab`, `doctor`, `reset`, `roster` and `summary`.

In a checkout the notebooks are those of `notebooks/`. An installed kit carries them, and `kit lab` copies them into a
folder of the user: notebooks that are there stay as they are, what they import is renewed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Final

import click

import kit
from kit.views.terminal import NO, answer, misuse, write

from . import progress

FIRST: Final = "00-start-here.ipynb"
COPY: Final = "multicontainer-notebooks"
HIDDEN: Final = ["src", "build.py", "bundle.py", "course", "labs", "lessons", "__pycache__", "*.pyc"]
CARRIED: Final = Path(kit.__file__).parent / "notebooks"
CHECKOUT: Final = Path(kit.__file__).parents[1]


@click.command()
@click.argument("folder", default="", required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=8888, show_default=True, help="The first port to try.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab(folder: str, port: int, no_browser: bool) -> int:
    """Open the notebooks in JupyterLab.

    On this machine only, and with a token.
    """
    try:
        from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        misuse("JupyterLab is not installed: pip install 'multicontainer-kit[lab]'")
    root = Path(folder) if folder else notebooks()
    if not folder and root.name == COPY:
        copied(root)
    if not root.is_dir():
        misuse(f"`{root}` is not a folder")
    arguments = [
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={root.resolve()}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ContentsManager.hide_globs={json.dumps(HIDDEN)}",
        *(["--no-browser"] if no_browser else []),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    if (root / FIRST).is_file():
        arguments.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    LabApp.launch_instance(arguments)
    return 0


@click.command()
@click.option("--json", "as_data", is_flag=True, help="The answers as JSON.")
@click.option("--binder", is_flag=True, help="Ask only what Binder can answer.")
def doctor(as_data: bool, binder: bool) -> int:
    """Say what is missing here, and how to mend it."""
    from .doctor import examine

    report = examine(Path.cwd(), binder=binder)
    click.echo(report.to_json() if as_data else str(report))
    return 0 if report.healthy else NO


@click.command()
@click.option("--notebook", metavar="NN", help="A notebook as it was at first. Yours is kept aside.")
@click.option("--docker", "containers", is_flag=True, help="Remove what this kit left in the Docker engine.")
@click.option("--progress", "records", is_flag=True, help="Begin anew. The old file is kept aside.")
def reset(notebook: str | None, containers: bool, records: bool) -> int:
    """Put things back: a notebook, the engine, or your progress. Nothing of yours is thrown away."""
    if not (notebook or containers or records):
        misuse("say what: --notebook NN, --docker or --progress")
    if notebook:
        path, fresh = original(notebook)
        kept = aside(path)
        write(path, fresh)
        click.echo(f"`{path.name}` is as it was at first." + (f" Yours is `{kept.name}` now." if kept else ""))
    if records:
        kept = aside(notebooks() / progress.FILE)
        click.echo(
            f"Your progress begins anew. The old file is `{kept.name}`." if kept else "There is no progress yet."
        )
        click.echo("A notebook that is open remembers until its kernel is restarted.")
    if containers:
        engine = import_module("kit.engines.docker")
        try:
            with closing(engine.connect()) as client:
                gone = engine.remove_all(client)
        except RuntimeError as error:  # no engine, or one that refuses
            misuse(str(error))
        click.echo("\n".join(gone) or "Nothing of this kit is in the Docker engine.")
    return 0


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--json", "as_data", is_flag=True, help="The table as JSON.")
def roster(files: tuple[str, ...], as_data: bool) -> int:
    """How a group fared, from its progress files, with no names."""
    from .chapters import Roster

    known = []
    for name in files:
        try:
            known.append(progress.records(Path(name).read_text("utf-8")))
        except (OSError, ValueError) as error:
            click.echo(f"kit: `{name}` is left out: {getattr(error, 'strerror', None) or error}", err=True)
    if not known:
        misuse("none of these is a progress file")
    rows = Roster(known)
    return answer(as_data, rows.to_json(), str(rows))


@click.command()
@click.option("-o", "--output", required=True, metavar="FILE", help="The page to write, as HTML.")
@click.option("--name", default="", help="A name for the page. It stands nowhere else.")
def summary(output: str, name: str) -> int:
    """A page that says what you have done. It is self-issued, and nothing is sent anywhere."""
    from .chapters import summary_page

    write(Path(output), summary_page(notebooks(), name).encode())
    click.echo(f"The page is `{output}`.")
    return 0


def notebooks() -> Path:
    """The folder of the notebooks: here, in a checkout, or a copy of those that the kit carries."""
    here = Path.cwd()
    for folder in (here, here / "notebooks", CHECKOUT / "notebooks", here / COPY):
        if (folder / FIRST).is_file():
            return folder
    if not CARRIED.is_dir():
        misuse("no notebooks here: name their folder, as in `kit lab notebooks`")
    return here / COPY


def copied(folder: Path) -> None:
    """Put the notebooks that the kit carries into *folder*, and renew what they import."""
    try:
        for path in CARRIED.rglob("*"):
            to = folder / path.relative_to(CARRIED)
            if path.is_file() and path.suffix != ".pyc" and (path.suffix != ".ipynb" or not to.exists()):
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
    except OSError as error:
        misuse(f"`{folder}` cannot be written: {error.strerror}")


def original(number: str) -> tuple[Path, bytes]:
    """A notebook's place, and its bytes as they were at first: carried by the kit, or from the history."""
    folder = notebooks()
    there = (path.name for place in (CARRIED, folder) for path in sorted(place.glob("[0-9][0-9]-*.ipynb")))
    name = next((each for each in there if each.split("-")[0] == number and ".old" not in each), "")
    if not name:
        misuse(f"there is no notebook `{number}`: write its two digits, as in `kit reset --notebook 04`")
    if (CARRIED / name).is_file():
        return folder / name, (CARRIED / name).read_bytes()
    command = ["git", "-C", str(CHECKOUT), "show", f"HEAD:notebooks/{name}"]
    try:
        return folder / name, subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        misuse(f"there is no history here to take `{name}` from: run `make notebooks`")


def aside(path: Path) -> Path | None:
    """Keep a file under another name; None if there is none."""
    try:
        return progress.set_aside(path, "old") if path.exists() else None
    except OSError as error:
        misuse(f"`{path}` cannot be moved: {error.strerror}")
