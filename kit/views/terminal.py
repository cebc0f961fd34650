"""The command line: `kit decide`, `kit check`, `kit graph`, `kit lab` and their neighbours.

Exit codes: 0 yes, 1 no (rejected, refused, errors found), 2 misuse. One line says what is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import yaml

from .. import __version__, rules
from ..composition import Composition
from ..diagnostics import Diagnostic, Severity, as_github, as_json, render_all
from ..reader import Reading, Unreadable, read, variables
from ..reader.files import BadLine

if TYPE_CHECKING:
    from ..device import Device

NO, MISUSE = 1, 2
WORDS: Final = dict(
    zip(
        Severity,
        ("refused at release", "refused on the device", "warned of", "changed without a word", "ignored on the device"),
        strict=True,
    )
)
ROOMS: Final[dict[str, str]] = {
    # room: the commands that it has
    "course": "doctor lab",
}
ROOM_OF: Final = {name: room for room, names in ROOMS.items() for name in names.split()}
FACTS: Final = ("device-type", "arch", "supervisor", "os", "os-id", "kernel", "l4t")  # what --set takes


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


def environment(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say which variables the machine that builds would have (C-27)."""
    one = click.option("--env", multiple=True, metavar="K=V", help="A variable of the machine that builds.")
    many = click.option("--env-file", metavar="FILE", help="A file of such variables.")
    return one(many(command))


class Commands(click.Group):
    """The commands below, and those of other rooms, which are opened when they are first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROOM_OF})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ROOM_OF and cmd_name not in self.commands:
            room = import_module(f".{ROOM_OF[cmd_name]}", __package__)
            self.add_command(getattr(room, cmd_name.replace("-", "_")))
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kit")
def kit() -> None:
    """Multi-container releases on balena devices: what is deployed, why, and in which order."""


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", required=True, metavar="FILE", help="The device's facts (YAML).")
@click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Another value for a fact: os=6.4.0.")
@click.option("--json", "as_data", is_flag=True, help="The decision as JSON.")
def decide(compose: str, device_file: str, changes: tuple[str, ...], as_data: bool) -> int:
    """Would this release be deployed on that device, and why?"""
    from .. import contracts

    reading, findings = composed(compose)
    device = device_of(device_file, changes)
    written, more = contract_files(reading.composition, Path(compose).parent)
    findings += more
    if reading.composition is None or errors_of(findings):
        if as_data:
            data({"outcome": None, "findings": [as_json(found) for found in findings]})
        else:
            number = len(errors_of(findings))
            click.echo(render_all(findings, reading.texts))
            click.echo(f"\nNo release: balena would not build this ({number} error{'' if number == 1 else 's'}).")
        return NO
    decision = contracts.decide(reading.composition, device.facts, contracts=written)
    if as_data:
        data(decision.to_json())
    else:
        aside(findings, reading.texts)
        click.echo(str(decision))
        if decision.outcome != "deployed":
            ways = contracts.flips(reading.composition, device.facts, contracts=written, releases=device.upgrades())
            click.echo("\nWhat changes the answer:" if ways else "\nNo small change makes every service run here.")
            for way in ways:
                click.echo(f"  - {way.sentence}")
    return 0 if decision.outcome in ("deployed", "partial") else NO


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", metavar="FILE", help="Show what runs on this device.")
@click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Another value for one fact.")
@click.option("-o", "--output", metavar="FILE", help="Write .svg, .png or .pdf; without it: print as text.")
def graph(compose: str, device_file: str | None, changes: tuple[str, ...], output: str | None) -> int:
    """Draw the services in the order in which they start."""
    from .. import contracts, graphs

    kind = Path(output).suffix.lower() if output else ""
    if output and kind not in (".svg", ".png", ".pdf"):
        misuse(f"cannot draw `{output}`: the name must end in .svg, .png or .pdf")
    reading, findings = composed(compose)
    aside(findings, reading.texts)
    if reading.composition is None:
        return NO
    facts = device_of(device_file, changes).facts if device_file else None
    decision = contracts.decide(reading.composition, facts) if facts else None
    drawn = graphs.of_composition(reading.composition, decision, name=Path(compose).name)
    if not output:
        click.echo(graphs.to_text(drawn))
    elif kind == ".svg":
        write(Path(output), graphs.to_svg(drawn, standalone=True).encode())
    else:
        from .pictures import picture

        write(Path(output), picture(drawn, kind=kind.removeprefix(".")))
    return NO if errors_of(findings) else 0


@kit.command()
@click.argument("compose", nargs=-1, required=True)
@click.option("--json", "as_data", is_flag=True, help="The findings as JSON.")
@click.option("--github", "as_notes", is_flag=True, help="The findings as annotations of a GitHub workflow.")
@environment
def check(compose: tuple[str, ...], as_data: bool, as_notes: bool, **build: Any) -> int:
    """What balena and the device make of a composition: errors, and everything dropped, changed or ignored.

    Several files are put one over the other, as the real parser does.
    """
    reading, findings = composed(*compose, env=variables_of(**build))
    bad = [found for found in findings if found.severity in (Severity.ERROR, Severity.REFUSED)]
    if as_data:
        data({"ok": not bad, "findings": [as_json(found) for found in findings]})
    elif as_notes:
        for found in findings:
            click.echo(as_github(found))
    else:
        if findings:
            click.echo(render_all(findings, reading.texts) + "\n")
        sums = Counter(found.severity for found in findings)
        said = ", ".join(f"{sums[each]} {WORDS[each]}" for each in Severity if sums[each])
        click.echo(f"{said}." if said else "Nothing to say: what is written is what runs.")
    return NO if bad else 0


@kit.command()
@click.argument("compose", nargs=-1, required=True)
@click.option("--json", "as_data", is_flag=True, help="JSON.")
@click.option("--yaml", "as_text", is_flag=True, help="YAML (the default).")
@click.option("--lost", is_flag=True, help="Instead: what was written and is gone or different.")
@click.option("--stage", type=click.Choice(["written", "release", "device"]), default="release", show_default=True)
@environment
def normalise(compose: tuple[str, ...], as_data: bool, as_text: bool, lost: bool, stage: str, **build: Any) -> int:
    """The composition as written (layers merged), as the release keeps it, or as the device runs it."""
    from .. import container, vanishing

    if as_data and as_text:
        misuse("choose one of --json and --yaml")
    reading, findings = composed(*compose, env=variables_of(**build))
    if lost:
        rows = vanishing.vanishing(reading)
        click.echo(json.dumps(vanishing.as_json(rows), indent=2) if as_data else vanishing.as_text(rows))
        return 0 if reading.ok else NO
    shown = reading.normal
    if stage == "written":
        shown = reading.tree.plain() if reading.tree else None
    elif stage == "device" and shown is not None:
        services = (shown.get("services") or {}).items()
        shown = {name: container.container(service, name=name).body for name, service in services}
    if shown is None:
        aside(errors_of(findings), reading.texts)
        return NO
    if as_data:
        data(shown)
    else:
        plain = json.loads(json.dumps(shown, default=str))
        click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), nl=False)
    return 0


@kit.command()
@click.argument("number", required=False)
@click.option("--list", "all_of_them", is_flag=True, help="The title of every rule.")
def rule(number: str | None, all_of_them: bool) -> int:
    """What a rule says, why, and an example: `kit rule C-52`, `kit rule S-44`."""
    if all_of_them or number is None:
        for each in rules.rules():
            click.echo(f"{each.id:<6} {'TRAP' if each.trap else '':<5}{each.title}")
        return 0
    try:
        click.echo(str(rules.rule(number)))
    except rules.UnknownRule as error:
        misuse(str(error))
    return 0


# ---------------------------------------------------------------- what the commands share


def composed(*compose: str, env: Mapping[str, str] | None = None) -> tuple[Reading, list[Diagnostic]]:
    """Read the composition that the command line names, with every finding about it."""
    try:
        reading = read([Path(name) for name in compose], env=env)
    except Unreadable as error:
        misuse(str(error))
    return reading, list(rules.check(reading))


def variables_of(env: Iterable[str] = (), env_file: str | None = None) -> dict[str, str]:
    """The variables of `--env-file`, and over them those of `--env`. Nothing is taken from this process."""
    found: dict[str, str] = {}
    if env_file:
        try:
            found = variables(text_of(env_file), lambda _name: None)
        except BadLine as error:
            misuse(f"`{env_file}`, line {error.line}: {error}")
    for pair in env:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            misuse(f"--env {pair}: write NAME=VALUE")
        found[name] = value
    return found


def device_of(name: str, changes: Iterable[str] = ()) -> Device:
    """The device of a file, with the facts that `--set` changes."""

    from ..device import read_device

    text = text_of(name)
    reading = read_device(text, name)
    aside(reading.findings, {name: text})
    if reading.device is None:
        misuse(f"`{name}` describes no device")
    fields: dict[str, Any] = {}
    for change in changes:
        fact, equals, value = (part.strip() for part in change.partition("="))
        if not equals or fact not in FACTS:
            misuse(f"--set {change}: write FACT=VALUE, where FACT is one of {', '.join(FACTS)}")
        if not value and fact in FACTS[:3]:
            misuse(f"--set {change}: every device has a value for {fact}")
        fields[fact.replace("-", "_")] = value or None
    return reading.device.changed(**fields)


def errors_of(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [found for found in findings if found.severity is Severity.ERROR]


def aside(findings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
    """Findings beside an answer go to standard error."""
    if findings:
        click.echo(render_all(findings, texts) + "\n", err=True)


def data(value: object) -> None:
    click.echo(json.dumps(value, indent=2, default=str))


def text_of(name: str) -> str:
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


def contract_files(composition: Composition | None, root: Path) -> tuple[Mapping[str, object], list[Diagnostic]]:
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
