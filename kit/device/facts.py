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

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ..composition import Pairs
from ..contracts import ARCHITECTURES, Fact, Facts
from ..contracts.labels import meant
from ..diagnostics import Diagnostic, Severity, Span, beside, did_you_mean, said
from ..versions import version_of
from .tables import device_types, find_device_type, kernel_history, order_of, os_releases, supervisors

if TYPE_CHECKING:
    from ..source import Node

_WORDS: Final[dict[str, Any]] = beside(__file__)

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


# --------------------------------------------------------------------------------------------- device

Text = str | None
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
        release, given = self.kernel or "", self.l4t is not None
        uname, types = f"uname -r: {self.kernel}", "device-type.json: "
        l4t = _l4t(self.l4t or "") if given else l4t_version(release)
        kernel = kernel_version(release)
        system = self.os if self.os_id else None
        return Facts(
            supervisor=self._fact("supervisor", self.supervisor, None, f"the supervisor: {self.supervisor}"),
            device_type=self._fact("device_type", None, self.device_type, f"{types}{self.device_type}"),
            arch=self._fact("arch", None, self.arch, f"{types}{self.arch}"),
            os=self._fact("os", system, self.os_id, f"/etc/os-release: {self.os}") if system else None,
            kernel=self._fact("kernel", kernel, (self.kernel_name or "").lower(), uname) if kernel else None,
            l4t=self._fact("l4t" if given else "kernel", l4t, None, f"l4t: {self.l4t}" if given else uname),
            notes=self.notes,
        )

    def _fact(self, field: str, version: str | None, slug: str | None, source: str) -> Fact | None:
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
        cls, os_release: Text, uname_r: Text, uname_s: Text, device_type: Text, arch: Text, supervisor: Text
    ) -> Device:
        """The device behind the raw texts. A missing text is a missing fact, never an error (S-6)."""
        system = read_os_release(os_release or "")
        release, name = (text.strip() if text else None for text in (uname_r, uname_s))
        return cls(device_type, arch, supervisor, system.get("VERSION"), system.get("ID"), release, name)

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
        slug, arch = (kind.slug, kind.arch) if kind else (device_type, None)
        version = os_version.strip()
        plain = version.partition("+")[0]
        order = order_of(plain)
        history = reversed(kernel_history(slug))
        row = next((each for each in history if order[:1] <= order_of(each.version) <= order), None)
        own = row and row.version.partition("+")[0] == plain
        supervisor: str | None = supervisors().get(plain) or (row.supervisor if row and own else "")
        if version_of(supervisor) is None:
            supervisor = None
        sources = {"supervisor": f"os_releases.csv: balenaOS {plain}", "os": f"the chosen release: {version}"}
        sources |= dict.fromkeys(("device_type", "arch"), f"device_types.csv: {slug}")
        kernel = l4t = None
        if row:
            kernel = None if "x" in row.kernel else row.release or row.kernel
            l4t = row.l4t or None
            sources |= dict.fromkeys(("kernel", "l4t"), f"kernels.csv: {row.family}, balenaOS {row.version}")
        what = " and ".join(([f"Linux {row.kernel}"] if row and kernel else []) + ([f"L4T {l4t}"] if l4t else []))
        notes = {
            "unknown": kind is None, "alias": slug != device_type, "no supervisor": supervisor is None, "row": what,
            "no row": row is None, "no kernel": row and not kernel, "no l4t": row and row.l4t_bsp and not l4t,
        }  # fmt: skip
        words = {"name": device_type, "slug": slug, "os": plain, "row": row, "what": what}
        told = tuple(_WORDS["notes"][code].format_map(words) for code, holds in notes.items() if holds)
        return cls(
            slug, arch, supervisor, version or None, kernel=kernel, l4t=l4t, sources=tuple(sources.items()), notes=told
        )

    def upgrades(self) -> tuple[tuple[str, Facts], ...]:
        """The newer balenaOS releases that this device could run, oldest first, each with its facts."""
        if not self.os or self.os_id != "balena-os":
            return ()
        here, mine = order_of(self.os), self.facts
        releases = _presets(self.device_type or "")
        later = ((each, facts) for each, facts in releases if order_of(each) > here and order_of(each)[0] == here[0])
        return tuple((each, replace(facts, device_type=mine.device_type, arch=mine.arch)) for each, facts in later)


@lru_cache(maxsize=16)
def _presets(slug: str) -> tuple[tuple[str, Facts], ...]:
    """Facts of every release for a device type, oldest first in both lines."""
    versions = {release.version for release in os_releases() if release.supervisor}
    versions |= {row.version.partition("+")[0] for row in kernel_history(slug) if order_of(row.version)[0]}
    return tuple((version, Device.preset(slug, version).facts) for version in sorted(versions, key=order_of))


# ---------------------------------------------------------------------------------------- device file

KEYS: Final = ("device-type", "arch", "supervisor", "os", "os-id", "kernel", "l4t")  # the first three are needed


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
    from ..source import parse  # it loads PyYAML, and only a device file needs that

    parsed, findings = parse(text, name), list[Diagnostic]()
    for each in parsed.findings:
        severity = Severity.WARNING if each.code in _WORDS["help"] else each.severity
        hint = _WORDS["help"].get(each.code, each.help or _WORDS["help"]["any"])
        findings.append(replace(each, error_class="", severity=severity, help=hint))

    def find(code: str, span: Span, **words: str) -> None:
        findings.append(said(_WORDS["findings"], code, span, words={"keys": ", ".join(KEYS), **words}))

    def broken() -> bool:
        return any(each.severity is Severity.ERROR for each in findings)

    start, *more = parsed.documents or [None]
    if start is None or start.kind != "map" or more:
        if not broken():
            find("empty" if start is None else "no-mapping", (*more, start)[0].span if start else Span(name, 1, 1))
        return DeviceReading(None, tuple(findings))
    spans = {key: start.key_span(key) if node.kind == "null" else node.span for key, node in start.value.items()}
    values: dict[str, str] = {}
    for key, node in start.value.items():
        if key not in KEYS and start.key_span(key) not in [each.span for each in findings]:
            find("unknown-key", start.key_span(key), key=key, hint=did_you_mean(key, KEYS))
        elif node.kind in ("list", "map") and key in KEYS:
            find("bad-value", node.span, key=key)
        elif node.kind != "null" and key in KEYS:
            values[key] = _literal(text, node)
    for key in KEYS[:3]:
        if not values.get(key) and (key in values or key not in start.value or start.value[key].kind == "null"):
            find("missing-key", spans.get(key, Span(name, 1, 1)), key=key)
    for key, value in values.items():
        for code, hint in _doubts(key, value, values):
            find(code, spans[key], value=value, hint=hint, type=values.get("device-type", ""))
    fields: dict[str, Any] = {key.replace("-", "_"): value for key, value in values.items()}
    sources = [(key.replace("-", "_"), f"{name}, line {spans[key].line}: {values[key]}") for key in values]
    return DeviceReading(None if broken() else Device(**fields, sources=tuple(sources)), tuple(findings))


def _literal(text: str, node: Node) -> str:
    """A value as it is written, whatever YAML makes of it."""
    if node.kind in ("str", "time"):
        return str(node.value)
    line = re.split("\r\n|[\n\r\x85\u2028\u2029]", text.removeprefix("\ufeff"))[node.span.line - 1]
    return line[node.span.column - 1 :][: node.span.width]


def _doubts(key: str, value: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is odd about a value that can be used all the same: code and hint."""
    kind = find_device_type(values.get("device-type", ""))
    if key == "device-type" and (kind is None or kind.slug != value):
        close = [kind.slug] if kind else get_close_matches(value, [each.slug for each in device_types()], n=1)
        hint = f"did you mean `{close[0]}`?" if close else "`kit.device.device_types()` lists them"
        yield "unknown-device-type", hint
    elif key == "arch" and value not in (*ARCHITECTURES, "i386-nlp"):
        yield "unknown-architecture", meant(value, ARCHITECTURES)
    elif key == "arch" and kind and kind.arch != value:
        yield "other-architecture", kind.arch
    elif key in ("supervisor", "os") and version_of(value) is None:
        yield "not-a-version", ""
    elif key == "kernel" and kernel_version(value) is None:
        yield "no-kernel", ""
    elif key == "l4t" and value and _l4t(value) is None:
        yield "no-l4t", ""
