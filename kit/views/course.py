"""The commands around the lessons: `kit lab` and `kit doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .terminal import NO, misuse


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
    if not root.is_dir():
        misuse(f"`{root}` is not a folder")
    arguments = [
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={root.resolve()}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        '--ContentsManager.hide_globs=["src", "build.py", "__pycache__", "*.pyc"]',
        *(["--no-browser"] if no_browser else []),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    first = root / "00-start-here.ipynb"
    if first.is_file():
        arguments.append(f"--LabApp.default_url=/lab/tree/{first.name}")
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


def notebooks() -> Path:
    """The folder of the notebooks: here, or beside the package in a checkout."""
    for folder in (Path.cwd() / "notebooks", Path(__file__).parents[2] / "notebooks"):
        if folder.is_dir():
            return folder
    return misuse("no notebooks here: name their folder, as in `kit lab notebooks`")
