"""The command line: `kit decide`, `kit check`, `kit graph`, `kit lab` and their neighbours.

Exit codes: 0 yes, 1 no (rejected, refused, errors found), 2 misuse. One line says what is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import yaml

from .. import __version__, rules
from ..diagnostics import Diagnostic, Severity, as_github, as_json, beside, render_all
from ..reader import Reading, Unreadable, read, variables
from ..reader.files import BadLine
from . import PACKAGES

if TYPE_CHECKING:
    from ..device import Device

NO, MISUSE = 1, 2
TABLES: Final[dict[str, Any]] = beside(__file__)
ROOM_OF: Final = {name: room for room, names in TABLES["rooms"].items() for name in names.split()}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Misuse is one line on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        result = kit.main(args=given, prog_name="kit", standalone_mode=False)
    except (click.ClickException, Unreadable, rules.UnknownRule, ModuleNotFoundError) as error:
        told = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"kit: {_lacking(error) if isinstance(error, ModuleNotFoundError) else told}", err=True)
        return MISUSE
    except click.exceptions.Abort:
        click.echo("kit: stopped", err=True)
        return 130
    except BrokenPipeError:  # `kit … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def _lacking(error: ModuleNotFoundError) -> str:
    """Which extra brings a package that is not here. A module that nobody brings is a mistake of ours."""
    name = (error.name or "").partition(".")[0]
    if name not in PACKAGES:
        raise error
    return f"this needs `{name}`: pip install 'multicontainer-kit[{PACKAGES[name][1]}]'"


def misuse(sentence: str) -> NoReturn:
    """End the command with one clear line and exit code 2."""
    raise click.ClickException(sentence)


_env = click.option("--env", multiple=True, metavar="K=V", help="A variable of the machine that builds.")
_env_file = click.option("--env-file", metavar="FILE", help="A file of such variables.")
_set = click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Another value for a fact: os=6.4.0.")
for_programs = click.option("--json", "as_data", is_flag=True, help="As JSON.")


def opened(room: str) -> ModuleType | None:
    """The module of a room. What belongs to the course lies with the notebooks: the kit carries them, or a checkout."""
    if not room.startswith("."):
        places = (Path(__file__).resolve().parents[up] / "notebooks" for up in (1, 2))
        if (home := next((str(place) for place in places if (place / "course").is_dir()), None)) is None:
            return None
        sys.path[:0] = [home] if home not in sys.path else []
    return import_module(room, __package__)


class Commands(click.Group):
    """The commands below, and those of other rooms, which are opened when they are first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROOM_OF})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ROOM_OF and cmd_name not in self.commands and (room := opened(ROOM_OF[cmd_name])):
            self.add_command(getattr(room, cmd_name.replace("-", "_")))
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kit")
def kit() -> None:
    """Multi-container releases on balena devices: what is deployed, why, and in which order."""


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", required=True, metavar="FILE", help="The device's facts (YAML).")
@_set
@for_programs
def decide(compose: str, device_file: str, changes: tuple[str, ...], as_data: bool) -> int:
    """Decide whether a device deploys a release, and why."""
    from .. import contracts

    device = device_of(device_file, changes)
    reading, findings, written = with_contracts(compose)
    errors = errors_of(findings)
    if reading.composition is None or errors:
        count = f"No release: balena would not build this ({len(errors)} error{'s' * (len(errors) != 1)})."
        told = {"outcome": None, "findings": [*map(as_json, findings)]}
        return answer(as_data, told, f"{render_all(findings, reading.texts)}\n\n{count}", ok=False)
    decision = contracts.decide(reading.composition, device.facts, contracts=written)
    said = [str(decision)]
    if decision.outcome != "deployed" and not as_data:
        ways = contracts.flips(reading.composition, device.facts, contracts=written, releases=device.upgrades())
        said += ["", "What changes the answer:" if ways else "No small change makes every service run here."]
        said += [f"  - {way.sentence}" for way in ways]
    aside(() if as_data else findings, reading.texts)
    return answer(as_data, decision.to_json(), "\n".join(said), ok=decision.outcome in ("deployed", "partial"))


@kit.command()
@click.argument("compose")
@click.option("--device", "device_file", metavar="FILE", help="Show what runs on this device.")
@_set
@click.option("-o", "--output", metavar="FILE", help="Write .svg, .png or .pdf; without it: print as text.")
def graph(compose: str, device_file: str | None, changes: tuple[str, ...], output: str | None) -> int:
    """Draw the services in the order in which they start."""
    from .. import contracts, graphs

    kind = Path(output or "").suffix.lower()
    if output and kind not in (".svg", ".png", ".pdf"):
        misuse(f"cannot draw `{output}`: the name must end in .svg, .png or .pdf")
    if changes and not device_file:
        misuse("--set changes a fact of a device: name its file with --device")
    facts = device_of(device_file, changes).facts if device_file else None
    reading, findings, written = with_contracts(compose)
    aside(findings, reading.texts)
    if reading.composition is None:
        return NO
    decision = contracts.decide(reading.composition, facts, contracts=written) if facts else None
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
@for_programs
@click.option("--github", "as_notes", is_flag=True, help="The findings as annotations of a GitHub workflow.")
@_env
@_env_file
def check(compose: tuple[str, ...], as_data: bool, as_notes: bool, **build: Any) -> int:
    """List what balena and the device drop, change or refuse.

    Several files are put one over the other, as the real parser does.
    """
    if as_data and as_notes:
        misuse("choose one of --json and --github")
    reading, findings = composed(*compose, env=variables_of(**build))
    bad = [found for found in findings if found.severity in (Severity.ERROR, Severity.REFUSED)]
    places = {(found.code, found.span, found.message): found.severity for found in findings}
    sums = Counter(severity for (code, *_rest), severity in places.items() if code != "errors-unsaid")
    said = ", ".join(f"{sums[each]} {TABLES['severities'][each]}" for each in Severity if sums[each])
    said = f"{said}." if said else "Nothing to say: what is written is what runs."
    if as_notes:
        said = "\n".join(map(as_github, findings))
    elif findings and not as_data:
        said = f"{render_all(findings, reading.texts)}\n\n{said}"
    return answer(as_data, {"ok": not bad, "findings": [*map(as_json, findings)]}, said, ok=not bad)


@kit.command()
@click.argument("compose", nargs=-1, required=True)
@for_programs
@click.option("--yaml", "as_text", is_flag=True, help="As YAML (the default).")
@click.option("--lost", is_flag=True, help="Instead: what was written and is gone or different.")
@click.option("--stage", type=click.Choice(["written", "release", "device"]), default="release", show_default=True)
@_env
@_env_file
def normalise(compose: tuple[str, ...], as_data: bool, as_text: bool, lost: bool, stage: str, **build: Any) -> int:
    """Show a composition as the release keeps it.

    Or, with --stage, as it was written (its layers merged), or as the device runs it.
    """
    from .. import container, vanishing

    if as_data and as_text:
        misuse("choose one of --json and --yaml")
    reading, findings = composed(*compose, env=variables_of(**build))
    if lost:
        rows = vanishing.vanishing(reading)
        return answer(as_data, vanishing.as_json(rows), vanishing.as_text(rows), ok=reading.ok)
    shown: Any = reading.tree and reading.tree.plain() if stage == "written" else reading.normal
    if shown is None:
        aside(errors_of(findings), reading.texts)
        return NO
    if stage == "device":
        services = (shown.get("services") or {}).items()
        shown = {name: container.container(service, name=name).body for name, service in services}
    text = json.dumps(shown, indent=2, default=str)
    click.echo(text if as_data else yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True).rstrip("\n"))
    return 0


@kit.command()
@click.argument("number", required=False)
@click.option("--list", "all_of_them", is_flag=True, help="The title of every rule.")
def rule(number: str | None, all_of_them: bool) -> None:
    """Say what a rule says, why, and an example.

    A rule has a number, such as C-52 or S-44; without one, all are listed.
    """
    listed = (f"{each.id:<6} {'TRAP' if each.trap else '':<5}{each.title}" for each in rules.rules())
    click.echo("\n".join(listed) if all_of_them or number is None else str(rules.rule(number)))


# ---------------------------------------------------------------- what the commands share


def composed(*compose: str, env: Mapping[str, str] | None = None) -> tuple[Reading, list[Diagnostic]]:
    """Read the composition that the command line names, with every finding about it."""
    reading = read([Path(name) for name in compose], env=env)
    return reading, list(rules.check(reading))


def with_contracts(compose: str) -> tuple[Reading, list[Diagnostic], dict[str, object]]:
    """The same, and the `contract.yml` of each build folder (S-24), with what is wrong with them (C-77)."""
    from ..contracts import contract_file

    reading, findings = composed(compose)
    found: dict[str, object] = {}
    for service in reading.composition.services if reading.composition else ():
        folder = Path(compose).parent / service.build.context if service.build else None
        paths = [folder / name for name in ("contract.yml", "contract.yaml")] if folder else []
        for path in [path for path in paths if path.is_file()][:1]:
            contract, more = contract_file(service, text_of(str(path)), str(path))
            findings += more
            found |= {} if contract is None else {service.name: contract}
    return reading, findings, found


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
    from ..device.facts import KEYS, read_device

    text = text_of(name)
    reading = read_device(text, name)
    aside(reading.findings, {name: text})
    if reading.device is None:
        misuse(f"`{name}` describes no device")
    fields: dict[str, Any] = {}
    for change in changes:
        fact, equals, value = (part.strip() for part in change.partition("="))
        if not equals or fact not in KEYS:
            misuse(f"--set {change}: write FACT=VALUE, where FACT is one of {', '.join(KEYS)}")
        if not value and fact in KEYS[:3]:
            misuse(f"--set {change}: every device has a value for {fact}")
        fields[fact.replace("-", "_")] = value or None
    return reading.device.changed(**fields)


def errors_of(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [found for found in findings if found.severity is Severity.ERROR]


def aside(findings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
    """Findings beside an answer go to standard error."""
    if findings:
        click.echo(render_all(findings, texts) + "\n", err=True)


def answer(as_data: bool, value: object, text: str, *, ok: bool = True, plain: Callable[[Any], object] = str) -> int:
    """Print an answer, for programs or for people; with which code the command ends. Only a text may be empty."""
    click.echo(json.dumps(value, indent=2, default=plain) if as_data else text, nl=as_data or bool(text))
    return 0 if ok else NO


def text_of(name: str) -> str:
    """The text of a file that the command line names."""
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        because = getattr(error, "strerror", "")
        misuse(TABLES["unreadable"].get(type(error).__name__, "`{}` cannot be read: {}").format(name, because))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a failed write leaves the old file."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        misuse(f"`{path}` cannot be written: {error.strerror}")
