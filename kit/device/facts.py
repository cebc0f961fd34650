r"""What a device knows about itself, from whatever describes it (S-1 to S-12).

Four ways lead to a `Device`: keyword arguments, a YAML file, the raw texts that a device gives, and a
pick of device type and balenaOS release out of the tables in `data/`. A `Device` keeps the texts as they
were given; `facts` is what the supervisor makes of them.

    os-release   ID and VERSION, both there or no fact (S-5, S-6)
    uname -r     three numbers at the start are the kernel (S-7); `-l4t-r` and two or three numbers
                 are the L4T, and without that marker there is none (S-8, S-9)

>>> Device("jetson-nano", "aarch64", "17.6.3", kernel="5.15.148-l4t-r36.4-1012.12").facts.l4t
Fact(slug=None, version='36.4.0', source='uname -r: 5.15.148-l4t-r36.4-1012.12')
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..composition import Pairs
from ..contracts import ARCHITECTURES, Fact, Facts
from ..diagnostics import Diagnostic, Severity, Span, did_you_mean
from ..versions import InvalidVersion, Version

# ------------------------------------------------------------------------------------------ raw texts


def read_os_release(text: str) -> dict[str, str]:
    """The values of an os-release file, as the supervisor reads it (S-6).

    >>> read_os_release('ID="balena-os"\\nVERSION="6.3.0+rev4"\\nNAME=\\'x\\'')
    {'ID': 'balena-os', 'VERSION': '6.3.0+rev4', 'NAME': "'x'"}
    """
    found = {}
    for line in text.split("\n"):
        key, _, value = line.partition("=")  # without a `=`, the line gives its key an empty value
        value = value.strip()
        quoted = len(value) > 2 and value[0] == value[-1] == '"'
        found[key.strip()] = value[1:-1] if quoted else value
    return found


def kernel_version(release: str) -> str | None:
    """The kernel version in `uname -r`: three numbers at its start, or nothing (S-7).

    >>> kernel_version("5.10.104-tegra"), kernel_version("5.15-custom")
    ('5.10.104', None)
    """
    match = re.match(r"[0-9]+\.[0-9]+\.[0-9]+", release)
    return match[0] if match else None


def l4t_version(release: str) -> str | None:
    """The L4T version in `uname -r`, behind the last `-l4t-r` that has one (S-8, S-9).

    >>> l4t_version("4.9.140-l4t-r32.2+g3dc"), l4t_version("5.15.136-tegra"), l4t_version("4.9.337-L4T-R32.7.4")
    ('32.2.0', None, None)
    """
    found = re.findall(r"-l4t-r([0-9]+\.[0-9]+)(\.[0-9]+)?", release)
    return found[-1][0] + (found[-1][1] or ".0") if found else None


def _l4t(text: str) -> str | None:
    """The same for a text that may be only the version: `36.4`, `r36.4.3`."""
    return l4t_version(text) if "-l4t-r" in text else l4t_version(f"-l4t-r{text.strip().removeprefix('r')}")


# --------------------------------------------------------------------------------------------- tables


class DeviceType(NamedTuple):
    """A row of `device_types.csv`."""

    slug: str
    name: str
    arch: str
    family: str
    l4t: bool
    state: str
    aliases: tuple[str, ...]


class OsRelease(NamedTuple):
    """A row of `os_releases.csv`: a balenaOS release and the supervisor that it carries."""

    version: str
    supervisor: str
    date: str


class KernelRow(NamedTuple):
    """A row of `kernels.csv`: what a family of devices runs from a balenaOS release on."""

    family: str
    version: str
    date: str
    kernel: str
    l4t_bsp: str
    l4t: str
    release: str  # how `uname -r` begins
    supervisor: str


def data_folder() -> Path:
    """Where the tables and examples lie: inside the package when it is installed, else beside it."""
    inside = Path(__file__).parent.parent / "data"
    return inside if inside.is_dir() else inside.parent.parent / "data"


def _rows(name: str) -> Iterator[list[str]]:
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


@lru_cache(maxsize=1)
def device_types() -> tuple[DeviceType, ...]:
    """Every device type that is known, by slug."""
    return tuple(
        DeviceType(slug, name, arch, family, l4t == "yes", state, tuple(aliases.split()))
        for slug, name, arch, family, l4t, state, aliases in _rows("device_types.csv")
    )


@lru_cache(maxsize=1)
def os_releases() -> tuple[OsRelease, ...]:
    """Every balenaOS release that is known, the newest first. Extended-support releases are in `kernel_rows`."""
    return tuple(OsRelease(*row) for row in _rows("os_releases.csv"))


@lru_cache(maxsize=1)
def kernel_rows() -> tuple[KernelRow, ...]:
    """From which release on a family of devices runs which kernel."""
    return tuple(KernelRow(*row) for row in _rows("kernels.csv"))


@lru_cache(maxsize=1)
def families() -> Mapping[str, tuple[str, ...]]:
    """The families of `kernels.csv` that a device type belongs to, by slug."""
    found: dict[str, tuple[str, ...]] = {}
    for slug, family in _rows("families.csv"):
        found[slug] = (*found.get(slug, ()), family)
    return found


def find_device_type(name: str) -> DeviceType | None:
    """The device type of that slug, or else the one with that alias."""
    types = device_types()
    return next((each for each in types if each.slug == name), None) or next(
        (each for each in types if name in each.aliases), None
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _order(version: str) -> tuple[bool, int, int, int, bool, tuple[tuple[int, str], ...]]:
    """What sorts balenaOS versions: the line first (extended support or not), then the numbers; `+rev` never does."""
    plain, _, prerelease = version.partition("+")[0].partition("-")
    major, minor, patch = [*map(_number, plain.split(".")), 0, 0, 0][:3]
    names = tuple((_number(name), name) for name in re.findall(r"[0-9]+|[^0-9.]+", prerelease))
    return major >= 2019, major, minor, patch, not prerelease, names


@lru_cache(maxsize=256)
def _kernel_history(slug: str) -> tuple[KernelRow, ...]:
    """The kernel rows of a device type, oldest first, in both lines."""
    mine = families().get(slug, ())
    rows = [
        (_order(row.version), row.date, index, row) for index, row in enumerate(kernel_rows()) if row.family in mine
    ]
    return tuple(row for *_, row in sorted(rows))


@lru_cache(maxsize=1)
def _supervisors() -> Mapping[str, str]:
    return {release.version: release.supervisor for release in os_releases()}


# --------------------------------------------------------------------------------------------- device

_shared: Final = lru_cache(maxsize=1 << 14)(Fact)  # devices with an equal fact hold the same one


@dataclass(frozen=True, slots=True)
class Device:
    """A device, as it describes itself. `kernel` is the text of `uname -r`, `kernel_name` that of `uname -s`.

    Without `l4t`, the L4T is read from `kernel`. `sources` says where a field was written, by its name.
    """

    device_type: str | None = None
    arch: str | None = None
    supervisor: str | None = None
    os: str | None = None
    os_id: str | None = "balena-os"
    kernel: str | None = None
    kernel_name: str | None = "Linux"
    l4t: str | None = None
    sources: Pairs = ()
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> Facts:
        """What the supervisor knows. An empty text is as good as none (S-5, S-10)."""
        uname = f"uname -r: {self.kernel}"
        kernel = kernel_version(self.kernel or "")
        l4t = l4t_version(self.kernel or "") if self.l4t is None else _l4t(self.l4t)
        return Facts(
            supervisor=self._fact("supervisor", None, self.supervisor, f"the supervisor: {self.supervisor}"),
            device_type=self._fact("device_type", self.device_type, None, f"device-type.json: {self.device_type}"),
            arch=self._fact("arch", self.arch, None, f"device-type.json: {self.arch}"),
            os=self._fact("os", self.os_id, self.os, f"/etc/os-release: {self.os}") if self.os_id and self.os else None,
            kernel=self._fact("kernel", (self.kernel_name or "").lower(), kernel, uname) if kernel else None,
            l4t=self._fact(
                *(("kernel", None, l4t, uname) if self.l4t is None else ("l4t", None, l4t, f"l4t: {self.l4t}"))
            ),
            notes=self.notes,
        )

    def _fact(self, field: str, slug: str | None, version: str | None, source: str) -> Fact | None:
        where = dict(self.sources).get(field, source)
        return _shared(slug or None, version or None, where) if slug or version else None

    def changed(self, **changes: str | None) -> Device:
        """The same device with other texts; their old sources go.

        >>> Device("a", "rpi", "14.0.0").changed(os="6.4.0").os
        '6.4.0'
        """
        changed: dict[str, Any] = {**changes, "sources": tuple(each for each in self.sources if each[0] not in changes)}
        return replace(self, **changed)

    @classmethod
    def from_texts(
        cls,
        os_release: str | None,
        uname_r: str | None,
        uname_s: str | None,
        device_type: str | None,
        arch: str | None,
        supervisor: str | None,
    ) -> Device:
        """The device behind the raw texts. A missing text is a missing fact, never an error (S-6)."""
        values = read_os_release(os_release or "")
        return cls(
            device_type, arch, supervisor, os=values.get("VERSION"), os_id=values.get("ID"),
            kernel=uname_r.strip() if uname_r else None, kernel_name=uname_s.strip() if uname_s else None,
        )  # fmt: skip

    @classmethod
    def preset(cls, device_type: str, os_version: str) -> Device:
        """A device of a known type with a known balenaOS release. What the tables do not know is left out, and noted.

        The kernel is that of the newest row that is not younger than the release, in the same family and line
        (extended support or not); `+rev` does not count.

        >>> device = Device.preset("jetson-agx-orin-devkit", "6.4.2")
        >>> device.kernel, device.l4t, device.supervisor
        ('5.15.148-l4t-r36.4-1012.12', '36.4.0', '16.12.7')
        """
        kind = find_device_type(device_type)
        slug = kind.slug if kind else device_type
        notes = []
        if kind is None:
            notes.append(f"`{device_type}` is not a device type of the table; its architecture is left out.")
        elif slug != device_type:
            notes.append(f"`{device_type}` is another name of `{slug}`.")
        plain = os_version.strip().partition("+")[0]
        order = _order(plain)
        history = _kernel_history(slug)
        row = next(
            (each for each in reversed(history) if order[0] == (o := _order(each.version))[0] and o <= order), None
        )
        supervisor = _supervisors().get(plain) or (
            row.supervisor if row and row.version.partition("+")[0] == plain else ""
        )
        if not _is_version(supervisor):
            notes.append(f"The supervisor of balenaOS {plain} is not known; it is left out.")
            supervisor = ""
        kernel = (row.release or row.kernel) if row and "x" not in row.kernel else ""
        notes += _kernel_notes(slug, plain, row, kernel)
        return cls(
            slug,
            kind.arch if kind else None,
            supervisor or None,
            os=os_version.strip() or None,
            kernel=kernel or None,
            l4t=(row.l4t or None) if row else None,
            sources=(
                ("supervisor", f"os_releases.csv: balenaOS {plain}"),
                ("device_type", f"device_types.csv: {slug}"),
                ("arch", f"device_types.csv: {slug}"),
                ("os", f"the chosen release: {os_version.strip()}"),
                *((each, f"kernels.csv: {row.family}, balenaOS {row.version}") for each in ("kernel", "l4t") if row),
            ),
            notes=tuple(notes),
        )

    def upgrades(self) -> tuple[tuple[str, Facts], ...]:
        """The newer balenaOS releases that this device could run, oldest first, each with its facts."""
        if not self.os or self.os_id != "balena-os":
            return ()
        here = _order(self.os)
        mine = self.facts
        later = (each for each in _presets(self.device_type or "") if (o := _order(each[0]))[0] == here[0] and o > here)
        return tuple(
            (version, replace(facts, device_type=mine.device_type, arch=mine.arch)) for version, facts in later
        )


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except InvalidVersion:
        return False
    return True


def _kernel_notes(slug: str, plain: str, row: KernelRow | None, kernel: str) -> Iterator[str]:
    """What a preset says about its kernel and L4T."""
    if row is None:
        yield f"The tables know no kernel of `{slug}` with balenaOS {plain}; kernel and L4T are left out."
        return
    what = " and ".join(
        part for part in (f"Linux {row.kernel}" if kernel else "", f"L4T {row.l4t}" if row.l4t else "") if part
    )
    if what:
        newest = f"the newest one of {row.family} up to {plain}"
        yield f"{what}: from the row of balenaOS {row.version}, {newest}."
    if not kernel:
        yield f"The full kernel version of balenaOS {row.version} is not known ({row.kernel}); it is left out."
    if row.l4t_bsp and not row.l4t:
        yield f"What `uname -r` says about L4T {row.l4t_bsp} is not known; it is left out."


@lru_cache(maxsize=16)
def _presets(slug: str) -> tuple[tuple[str, Facts], ...]:
    """Facts of every release for a device type, oldest first in both lines."""
    versions = {release.version for release in os_releases() if release.supervisor}
    versions |= {row.version.partition("+")[0] for row in _kernel_history(slug) if _order(row.version)[0]}
    return tuple((version, Device.preset(slug, version).facts) for version in sorted(versions, key=_order))


# ---------------------------------------------------------------------------------------- device file

_KEYS: Final = {
    # key of a device file → field of Device
    "device-type": "device_type",
    "arch": "arch",
    "supervisor": "supervisor",
    "os": "os",
    "os-id": "os_id",
    "kernel": "kernel",
    "l4t": "l4t",
}
_REQUIRED: Final = ("device-type", "arch", "supervisor")
_LONGEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """A device file, read to its end: the device, unless a finding is an error, and all findings."""

    device: Device | None
    findings: tuple[Diagnostic, ...] = ()


def read_device(text: str, name: str = "device.yml") -> DeviceReading:
    """Read a device file. Values are kept letter by letter: `os: 6.10` is the text `6.10`, and a finding says so.

    >>> read_device("device-type: raspberrypi4-64\\narch: arm64\\nsupervisor: 17.4.2").findings[0].help
    'did you mean `aarch64`?'
    """
    import yaml  # 25 ms, and only a device file needs it

    findings: list[Diagnostic] = []

    def find(code: str, message: str, span: Span, help_: str = "", severity: Severity = Severity.WARNING) -> None:
        findings.append(Diagnostic(code=code, severity=severity, message=message, span=span, help=help_, rule="S-2"))

    def at(mark: Any, end: Any = None) -> Span:
        width = end.column - mark.column if end and end.line == mark.line else 1
        return Span(name, mark.line + 1, mark.column + 1, max(1, width))

    def unreadable(message: str, span: Span) -> DeviceReading:
        keys = ", ".join(_KEYS)
        find(
            "unreadable-device",
            message,
            span,
            f"write one `key: value` on each line; the keys are {keys}",
            Severity.ERROR,
        )
        return DeviceReading(None, tuple(findings))

    start = Span(name, 1, 1)
    if len(text) > _LONGEST:
        return unreadable(f"the file has more than {_LONGEST:,} characters", start)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return unreadable(f"this is no YAML: {error.problem or error.context}", at(mark) if mark else start)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Span(name, before.count("\n") + 1, error.position - before.rfind("\n"))
        return unreadable("a character here may not stand in YAML", place)
    except (ValueError, OverflowError, RecursionError):
        return unreadable("this is no YAML that can be read", start)
    if not isinstance(root, yaml.MappingNode):
        what = "the file is empty" if root is None else "the file is not a list of `key: value` lines"
        return unreadable(what, at(root.start_mark) if root else start)

    values: dict[str, str] = {}
    spans: dict[str, Span] = {}
    for key, value in root.value:
        place = at(key.start_mark, key.end_mark)
        written = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
        if written not in _KEYS:
            find(
                "unknown-key",
                f"`{written}` is not a key of a device file; it counts for nothing",
                place,
                did_you_mean(written, tuple(_KEYS)),
            )
            continue
        if written in values:
            find("repeated-key", f"`{written}` is written twice; the last one counts", place)
        if not isinstance(value, yaml.ScalarNode):
            find(
                "bad-value",
                f"`{written}` holds a list or a mapping; it takes one text",
                at(value.start_mark),
                severity=Severity.ERROR,
            )
            values[written] = ""
        elif value.style is None and value.tag == "tag:yaml.org,2002:null":
            values.pop(written, None)
            spans[written] = place
        else:
            values[written] = value.value
            spans[written] = at(value.start_mark, value.end_mark)
    for key in _REQUIRED:
        if not values.get(key) and not any(
            each.code == "bad-value" and f"`{key}`" in each.message for each in findings
        ):
            find(
                "missing-key",
                f"the device has no `{key}`",
                spans.get(key, start),
                f"add a line `{key}: …`",
                Severity.ERROR,
            )
    for key, value in values.items():
        for code, message, help_ in _doubts(key, value, values):
            find(code, message, spans.get(key, start), help_)
    if any(each.severity is Severity.ERROR for each in findings):
        return DeviceReading(None, tuple(findings))
    fields: dict[str, Any] = {_KEYS[key]: value for key, value in values.items()}
    sources = tuple(
        (_KEYS[key], f"{name}, line {span.line}: {values[key]}") for key, span in spans.items() if key in values
    )
    return DeviceReading(Device(**fields, sources=sources), tuple(findings))


def _doubts(key: str, value: str, values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What is odd about a value that can be used all the same: code, sentence, help."""
    if not value:
        return
    kind = find_device_type(values.get("device-type", ""))
    if key == "device-type" and (kind is None or kind.slug != value):
        slugs = tuple(each.slug for each in device_types())
        close = get_close_matches(value, slugs, n=1)
        hint = (
            f"did you mean `{kind.slug if kind else close[0]}`?"
            if kind or close
            else "`kit.device.device_types()` lists them"
        )
        yield "unknown-device-type", f"`{value}` is no device type that is known here", hint
    elif key == "arch" and value not in (*ARCHITECTURES, "i386-nlp"):
        hint = "did you mean `aarch64`?" if value == "arm64" else did_you_mean(value, ARCHITECTURES)
        yield "unknown-architecture", f"`{value}` is no architecture that a device reports", hint
    elif key == "arch" and kind and kind.arch != value:
        yield "other-architecture", f"`{kind.slug}` is {kind.arch}, not {value}", f"write `arch: {kind.arch}`"
    elif key in ("supervisor", "os") and not _is_version(value):
        message = f"`{value}` is not a full version: no range holds for it, only the very same text (S-41)"
        yield "not-a-version", message, "write three numbers, such as 6.3.0+rev4"
    elif key == "kernel" and kernel_version(value) is None:
        message = f"`{value}` does not begin with three numbers: the device reports no kernel (S-7)"
        yield "no-kernel", message, "write what `uname -r` says, such as 5.15.92-v8"
    elif key == "l4t" and _l4t(value) is None:
        yield (
            "no-l4t",
            f"`{value}` holds no L4T version: the device reports none (S-8)",
            "write two or three numbers, such as 36.4.3",
        )
