"""The command line: `kit decide`, `kit graph`, `kit lab`, `kit doctor`.

Exit codes: 0 yes, 1 no (rejected, refused, errors found), 2 misuse. One line says what is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from .. import __version__
from ..composition import Composition
from ..device import Device, read_device
from ..diagnostics import Diagnostic, Severity, as_json, render_all
from ..reader import Reading, read

if TYPE_CHECKING:
    from ..contracts import Decision

NO, MISUSE = 1, 2
# option of --set: the field of a Device
FACTS: Final = {
    "device-type": "device_type",
    "arch": "arch",
    "supervisor": "supervisor",
    "os": "os",
    "os-id": "os_id",
    "kernel": "kernel",
    "l4t": "l4t",
}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Misuse is one line on standard error."""
    try:
        result = kit.main(args=arguments, prog_name="kit", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"kit: {error.format_message()}", err=True)
        return MISUSE
    except click.exceptions.Abort:
        click.echo("kit: stopped", err=True)
        return 130
    except BrokenPipeError:  # `kit … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def misuse(sentence: str) -> NoReturn:
    """End the command with one clear line and exit code 2."""
    raise click.ClickException(sentence)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kit")
def kit() -> None:
    """Multi-container releases on balena devices: what is deployed, why, and in which order."""


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", required=True, metavar="FILE", help="The device's facts (YAML).")
@click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Another value for one fact, e.g. os=6.4.0.")
@click.option("--json", "as_data", is_flag=True, help="The decision as JSON.")
def decide(compose: str, device_file: str, changes: tuple[str, ...], as_data: bool) -> int:
    """Would this release be deployed on that device, and why?"""
    from ..contracts import decide as decided
    from ..contracts import flips

    reading, findings = composed(compose)
    device = _device(device_file, changes)
    contracts, more = contract_files(reading.composition, Path(compose).parent)
    findings += more
    errors = [found for found in findings if found.severity is Severity.ERROR]
    if errors or reading.composition is None:
        if as_data:
            click.echo(json.dumps({"outcome": None, "findings": [as_json(found) for found in findings]}, indent=2))
        else:
            click.echo(render_all(findings, reading.texts))
            click.echo(f"\nNo release: balena would not build this ({_count(errors, 'error')}).")
        return NO
    decision = decided(reading.composition, device.facts, contracts=contracts)
    if as_data:
        click.echo(json.dumps(decision.to_json(), indent=2))
    else:
        if findings:
            click.echo(render_all(findings, reading.texts) + "\n", err=True)
        click.echo(str(decision))
        if decision.outcome != "deployed":
            ways = flips(reading.composition, device.facts, contracts=contracts)
            for way in ways:
                click.echo(f"  - {way.sentence}")
    return 0 if decision.outcome in ("deployed", "partial") else NO


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", metavar="FILE", help="Show what runs on this device.")
@click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Another value for one fact.")
@click.option("-o", "--output", metavar="FILE", help="Write .svg, .png or .pdf; without it the graph is printed as text.")
def graph(compose: str, device_file: str | None, changes: tuple[str, ...], output: str | None) -> int:
    """Draw the services in the order in which they start."""
    from .. import graphs

    kind = Path(output).suffix.lower() if output else ""
    if output and kind not in (".svg", ".png", ".pdf"):
        misuse(f"cannot draw `{output}`: the name must end in .svg, .png or .pdf")
    reading, findings = composed(compose)
    if findings:
        click.echo(render_all(findings, reading.texts) + "\n", err=True)
    if reading.composition is None:
        return NO
    decision = _decision(reading.composition, _device(device_file, changes)) if device_file else None
    drawn = graphs.of_composition(reading.composition, decision, name=Path(compose).name)
    if not output:
        click.echo(graphs.to_text(drawn))
    elif kind == ".svg":
        write(Path(output), graphs.to_svg(drawn, standalone=True).encode())
    else:
        from .pictures import picture

        write(Path(output), picture(drawn, kind.removeprefix(".")))
    return NO if any(found.severity is Severity.ERROR for found in findings) else 0


@kit.command()
@click.argument("folder", default="", required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=8888, show_default=True, help="The first port to try.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab(folder: str, port: int, no_browser: bool) -> int:
    """Open the notebooks in JupyterLab, on this machine only, with a token."""
    try:
        from jupyterlab.labapp import LabApp
    except ModuleNotFoundError:
        misuse("JupyterLab is not installed: pip install 'multicontainer-kit[lab]'")
    root = Path(folder) if folder else _notebooks()
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


@kit.command()
@click.option("--json", "as_data", is_flag=True, help="The answers as JSON.")
@click.option("--binder", is_flag=True, help="Ask only what Binder can answer.")
def doctor(as_data: bool, binder: bool) -> int:
    """Is everything here that the kit needs? One fix for each problem."""
    from .doctor import examine

    report = examine(Path.cwd(), binder=binder)
    click.echo(report.to_json() if as_data else str(report))
    return 0 if report.healthy else NO


# ---------------------------------------------------------------- what the commands share


def composed(compose: str) -> tuple[Reading, list[Diagnostic]]:
    """Read a composition named on the command line, with every finding about it."""
    from ..reader import Unreadable
    from ..rules import check

    try:
        reading = read(Path(compose))
    except Unreadable as error:
        misuse(str(error))
    return reading, list(check(reading))


def _device(name: str, changes: Iterable[str] = ()) -> Device:
    """The device of a file, with the facts that `--set` changes."""
    reading = read_device(_text(name), name)
    if reading.device is None:
        click.echo(render_all(reading.findings, {name: _text(name)}), err=True)
        misuse(f"`{name}` describes no device")
    if reading.findings:
        click.echo(render_all(reading.findings, {name: _text(name)}) + "\n", err=True)
    fields: dict[str, Any] = {}
    for change in changes:
        fact, equals, value = change.partition("=")
        if not equals or fact.strip() not in FACTS:
            misuse(f"--set {change}: write FACT=VALUE, where FACT is one of {', '.join(FACTS)}")
        fields[FACTS[fact.strip()]] = value.strip() or None
    for needed in ("device_type", "arch", "supervisor"):
        if needed in fields and fields[needed] is None:
            misuse(f"--set {needed.replace('_', '-')}= is empty; every device has one")
    return replace(reading.device, **fields)


def _text(name: str) -> str:
    """The text of a file that the command line names."""
    path = Path(name)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        misuse(f"there is no file `{name}`")
    except IsADirectoryError:
        misuse(f"`{name}` is a folder, not a file")
    except UnicodeDecodeError:
        misuse(f"`{name}` is not a text (UTF-8)")
    except OSError as error:
        misuse(f"`{name}` cannot be read: {error.strerror}")


def _decision(composition: Composition, device: Device) -> Decision:
    from ..contracts import decide as decided

    return decided(composition, device.facts)


def contract_files(
    composition: Composition | None, root: Path
) -> tuple[Mapping[str, object], list[Diagnostic]]:
    """`contract.yml` of each build folder (S-24), and what is wrong with them (C-77)."""
    from ..contracts import contract_file

    found: dict[str, object] = {}
    findings: list[Diagnostic] = []
    for service in composition.services if composition else ():
        if service.build is None:
            continue
        for name in ("contract.yml", "contract.yaml"):
            path = root / service.build.context / name
            if path.is_file():
                contract, more = contract_file(service, path.read_text(encoding="utf-8", errors="replace"), str(path))
                findings += more
                if contract is not None:
                    found[service.name] = contract
                break
    return found, findings


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a failed write leaves the old file."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        misuse(f"`{path}` cannot be written: {error.strerror}")


def _notebooks() -> Path:
    """The folder of the notebooks: here, or beside the package in a checkout."""
    for folder in (Path.cwd() / "notebooks", Path(__file__).parents[2] / "notebooks"):
        if folder.is_dir():
            return folder
    misuse("no notebooks here: name their folder, as in `kit lab notebooks`")


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
