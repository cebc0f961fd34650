"""The short forms: one parser for each, from text to plain values.

Each parser takes text and gives plain values, or raises `Unreadable` with the rule it breaks; the stage that
called it turns that into a finding. None of them knows about files, lines or services.
"""

from __future__ import annotations

import math
import posixpath
import re
import struct
from decimal import Decimal
from ipaddress import ip_address
from typing import Final, NamedTuple

from ..source import Node

SPACES: Final = " \t\r\n"
OPERATORS: Final = ";&|<>"
BLOCKED_BY: Final = {'"': "'(", "'": '"(', "`": "'\"(", "(": "'\"`", ")": "'\"`"}
"""A quote or parenthesis is a letter like any other while one of these is open (C-48)."""
PROTOCOLS: Final = ("tcp", "udp", "sctp")
UNITS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9,
    "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9, "w": 604800 * 10**9,
}  # fmt: skip
SIZE: Final = re.compile(r"([+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?(?:b|([kmgtp])(?:i?b)?)?", re.ASCII)
DURATION: Final = re.compile(r"(\d*)\.?(\d*)([^.\d]*)", re.ASCII)


class Unreadable(ValueError):  # noqa: N818 (it names the text, not the failure)
    """A text that is no short form. `rule` is the rule it breaks; `help` says what to write."""

    def __init__(self, rule: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.rule, self.help = rule, help


def expect(fits: object, rule: str, message: str, help: str = "") -> None:
    """Raise `Unreadable` unless a text fits."""
    if not fits:
        raise Unreadable(rule, message, help)


# ── numbers and text (C-11) ─────────────────────────────────────────────────────────────────────────────────


def number_text(value: bool | int | float) -> str:
    """A number or boolean as the text it becomes inside a mapping of texts (C-11).

    >>> [number_text(v) for v in (True, 31, 1.1, 1.0, 1000000.0, 0.00001, float("inf"))]
    ['true', '31', '1.1', '1', '1e+06', '1e-05', '+Inf']
    """
    if isinstance(value, int):
        return str(value).lower()
    if math.isinf(value) or math.isnan(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = Decimal(repr(value)).normalize()
    if -4 <= digits.adjusted() < 6:
        return f"{digits:f}"
    fraction, exponent = f"{digits:e}".split("e")  # of the digits, not of the number: that would round once more
    return f"{fraction}e{int(exponent):+03}"


def scalar_text(node: Node | None) -> str:
    """A scalar as text; null is empty, and so is what is no scalar, or not there."""
    value = node.value if node else ""
    return value if isinstance(value, str) else number_text(value) if isinstance(value, (int, float)) else ""


def single(value: float) -> float:
    """The shortest number that a 32-bit float cannot tell from *value* (C-64).

    >>> single(0.1), single(1.23456789)
    (0.1, 1.2345679)
    """
    (exact,) = struct.unpack("f", wanted := struct.pack("f", value))
    shorter = (float(f"{exact:.{digits}g}") for digits in range(1, 10))
    return next((near for near in shorter if struct.pack("f", near) == wanted), exact)


# ── sizes and durations (C-62, C-63) ────────────────────────────────────────────────────────────────────────


def parse_size(text: str) -> int:
    """A size in bytes (C-62): a number, a space if you like, and a unit b k m g t p with `b` or `ib` behind it.

    >>> parse_size("64m"), parse_size("1.5 GiB"), parse_size("1e9")
    (67108864, 1610612736, 1000000000)
    """
    found = SIZE.fullmatch(text.lower())
    number, unit = found.groups() if found else ("-1", "")
    size = float(number) * 1024.0 ** "bkmgtp".index(unit or "b")
    fits = 0 <= float(number) < math.inf
    expect(fits, "C-62", f"`{text}` is not a size", "write a number and a unit, for example `64m`")
    return int(size) if size < 2**63 else -(2**63)


def parse_duration(text: str) -> int:
    """A duration in nanoseconds (C-63).

    >>> parse_duration("1m30s"), parse_duration("1.5s")
    (90000000000, 1500000000)
    """
    sign, rest = -1 if text[:1] == "-" else 1, text[text[:1] in ("-", "+") :]
    if rest == "0":
        return 0
    total = 0
    for whole, fraction, unit in DURATION.findall(rest)[:-1] or [("", "", "")]:  # the last match is the empty end
        expect(whole or fraction, "C-63", f"`{text}` is not a duration", "write a number and a unit, for example `90s`")
        expect(unit, "C-63", f"`{text}` has no unit", f"did you mean `{text}s`?")
        if len(whole) <= 19:
            expect(unit in UNITS, "C-63", f"`{text}` has an unknown unit `{unit}`", "use ns, us, ms, s, m, h, d or w")
        size, digits = UNITS.get(unit, 0), fraction[:18]
        total += int(whole[:20] or 0) * size + int(float(digits or 0) * (size / 10 ** len(digits)))
        expect(len(whole) <= 19 and total < 2**63, "C-63", f"`{text}` is too long")
    return sign * total


def duration_text(span: int) -> str:
    """Nanoseconds in the form that balena keeps (C-63).

    >>> [duration_text(parse_duration(t)) for t in ("90s", "1d", "1500ms", "500ms", "0s", "2w")]
    ['1m30s', '24h0m0s', '1.5s', '500ms', '0s', '336h0m0s']
    """
    if span == 0:
        return "0s"
    sign, span = ("-", -span) if span < 0 else ("", span)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if span < size * 1000:
            return f"{sign}{Decimal(span) / size:f}{unit}"
    minutes, rest = divmod(span, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{front}{Decimal(rest) / UNITS['s']:f}s"


# ── commands (C-48) ─────────────────────────────────────────────────────────────────────────────────────────


class Command(NamedTuple):
    """A command split into words. `lost` is what stood behind an unquoted operator."""

    words: tuple[str, ...]
    lost: str = ""


def split_command(text: str) -> Command:
    """Split a command as balena does (C-48): the first unquoted operator ends it.

    >>> split_command("sh -c 'a && b'").words
    ('sh', '-c', 'a && b')
    >>> split_command("a && b")
    Command(words=('a',), lost='&& b')
    """
    words: list[str] = []
    word = lost = ""
    escaped = have = False  # `have`: there is a word, though it may be empty
    opened: set[str] = set()  # quotes, and the parenthesis of a `$(`
    for at, letter in enumerate(text):
        free = opened.isdisjoint(BLOCKED_BY.get(letter, ""))
        if escaped:
            word, escaped, have = word + letter, False, True
        elif letter == "\\" and "'" not in opened:
            escaped = True
        elif letter in SPACES and not opened:
            words += [word] if have else []
            word, have = "", False
        elif letter in "\"'" and free:
            have, opened = have or letter in opened, opened ^ {letter}
        elif letter == "(" and free:
            alone = "(" in opened or not word.endswith("$")
            expect(not alone, "C-48", f"`{text}` has a parenthesis outside quotes", "put quotes around it")
            word, opened = word + letter, opened | {letter}
        elif letter in OPERATORS and not opened:
            number = letter == ">" and word[:1] in tuple("0123456789")
            have, lost = have and not number, (word if number else "") + text[at:]
            break
        else:
            opened ^= {letter.replace(")", "(")} if letter in "`)" and free else set()
            word, have = word + letter, have or letter not in SPACES
    expect(not (escaped or opened), "C-48", f"`{text}` has a quote or parenthesis that is never closed", "close it")
    return Command((*words, word) if have else tuple(words), lost)


# ── ports (C-49) ────────────────────────────────────────────────────────────────────────────────────────────


class PortSpec(NamedTuple):
    """One port of the long form: `None` means that the key is absent."""

    target: int | None
    published: str = ""
    host_ip: str | None = None
    protocol: str | None = None
    mode: str | None = None
    numeric: bool = False
    name: str = ""
    app_protocol: str = ""

    @property
    def identity(self) -> tuple[str, str, int | None, str]:
        """Two ports with the same identity are one; 80 published as a number is not "80" (C-35)."""
        host = "0.0.0.0" if self.host_ip is None else self.host_ip  # noqa: S104 (a key, not a bind)
        return host, self.published + "#" * self.numeric, self.target, "tcp" if self.protocol is None else self.protocol

    def __str__(self) -> str:
        front = "".join(f"{part}:" for part in (self.host_ip, self.published) if part)
        protocol = "tcp" if self.protocol is None else self.protocol or "undefined"
        return f"{front}{self.target or 'undefined'}{'' if protocol == 'tcp' else '/' + protocol}"


def parse_ports(text: str) -> list[PortSpec]:
    """A short port as its long forms (C-49): `[[address:]published:]target[/protocol]`, with ranges.

    >>> [str(port) for port in parse_ports("9-11:9-11")]
    ['10:10', '11:11', '9:9']
    >>> [str(port) for port in parse_ports("53:53/UDP") + parse_ports("8000-8002:80") + parse_ports(":80")]
    ['53:53/udp', '8000-8002:80', '80']
    """
    front, _, target = text.rpartition(":")
    address, _, published = front.rpartition(":")
    target, _, protocol = target.partition("/")
    protocol = (protocol.partition("/")[0] or "tcp").lower()
    address = _address(address, text)
    first, last = _port_range(target, text)
    host_first, host_last = _port_range(published, text) if published else (0, 0)
    equal = not published or last == first or last - first == host_last - host_first
    expect(equal, "C-49", f"`{text}` has ranges of unequal length")
    unknown = f"`{text}` names no protocol that balena knows: `{protocol}`"
    expect(protocol in PROTOCOLS, "C-49", unknown, "use tcp, udp or sctp")
    hosts = [str(host_first + step) if published else "" for step in range(last - first + 1)]
    if first == last and host_first != host_last:
        hosts = [f"{host_first}-{host_last}"]
    specs = [PortSpec(first + step, host, address or None, protocol, "ingress") for step, host in enumerate(hosts)]
    return sorted(specs, key=lambda spec: f"{spec.target}/{spec.protocol}")


def is_address(text: str) -> bool:
    """True for an IPv4 or IPv6 address without a zone."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _address(text: str, whole: str) -> str:
    bare = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    fits = not bare or (is_address(bare) and (":" not in bare or bare is not text))
    hint = "write an IPv4 address, or an IPv6 address in [ and ]"
    expect(fits, "C-49", f"`{whole}` has no address that balena reads: `{text}`", hint)
    return bare


def _port_range(text: str, whole: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    last = last.partition("-")[0] if dash else first
    fit = all(re.fullmatch(r"\d{1,18}", part, re.ASCII) and int(part) < 65536 for part in (first, last))
    expect(fit, "C-49", f"`{whole}` is not a port", 'write "host:container", for example "80:8080"')
    expect(int(first) <= int(last), "C-49", f"`{whole}` has a range that runs backwards")
    return int(first), int(last)


# ── mounts and devices (C-51, C-58) ─────────────────────────────────────────────────────────────────────────


class MountSpec(NamedTuple):
    """One mount of the long form. `options` are settings that no short form can say; `lost` are dropped words."""

    type: str
    source: str = ""
    target: str = ""
    read_only: bool = False
    options: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def parse_mount(text: str) -> MountSpec:
    """A short mount (C-51): `source:target[:mode]`; a letter before a colon is read as a drive.

    >>> parse_mount("data:/a/../b/:ro").target, parse_mount("d:/data").source
    ('/b', '')
    """
    expect(text, "C-51", "an empty text is not a mount", "write `name:/path`")
    parts: list[str] = []
    for part in text.split(":") if len(text) > 2 else [text]:
        if parts and len(parts[-1]) == 1 and parts[-1].isalpha():
            parts[-1] += f":{part}"
        else:
            parts.append(part)
    expect(all(parts), "C-51", f"`{text}` has nothing between two colons", "write `name:/path`")
    expect(len(parts) <= 3, "C-51", f"`{text}` has too many colons", "write `name:/path` or `name:/path:ro`")
    if len(parts) == 1:
        return MountSpec(type="volume", target=clean_path(parts[0]))
    words = tuple(parts[2].split(",")) if len(parts) > 2 else ()
    mode = [word for word in words if word in ("ro", "rw")]
    return MountSpec(
        type="bind" if is_host_path(parts[0]) else "volume", source=parts[0], target=clean_path(parts[1]),
        read_only=mode[-1:] == ["ro"], options=("nocopy",) if "nocopy" in words else (),
        lost=tuple(word for word in words if word not in ("ro", "rw", "nocopy")),
    )  # fmt: skip


def is_host_path(source: str) -> bool:
    """True when a short mount's source is a path of the host and not a volume (C-51)."""
    return source.startswith((".", "/", "~", "\\\\")) or (source[:1].isalpha() and source[1:2] == ":")


def clean_path(path: str) -> str:
    """The shortest path that means the same.

    >>> clean_path("/a/../b/"), clean_path("//x"), clean_path("")
    ('/b', '/x', '')
    """
    return "/" + posixpath.normpath(path).lstrip("/") if path[:1] == "/" else path and posixpath.normpath(path)


class DeviceSpec(NamedTuple):
    """A host device inside a container. Without permissions balena writes the word `undefined` (C-58)."""

    source: str
    target: str
    permissions: str = ""

    def __str__(self) -> str:
        return ":".join(part or "undefined" for part in (self.source, self.target, self.permissions))


def parse_device(text: str) -> DeviceSpec:
    """A short device (C-58): `source[:target[:permissions]]`.

    >>> str(parse_device("/dev/i2c-1"))
    '/dev/i2c-1:/dev/i2c-1:rwm'
    """
    parts = text.split(":")
    expect(len(parts) <= 3, "C-58", f"`{text}` has four parts; a device has at most three", "use the long form")
    return DeviceSpec(parts[0], parts[1] if parts[1:2] > [""] else parts[0], parts[2] if len(parts) > 2 else "rwm")


# ── hosts (C-67) ────────────────────────────────────────────────────────────────────────────────────────────


def parse_host(text: str) -> tuple[str, list[str]]:
    """`host=address` or `host:address`, with addresses in a row after commas (C-67).

    >>> parse_host("db=1.1.1.1,2.2.2.2"), parse_host("six:[::1]")
    (('db', ['1.1.1.1', '2.2.2.2']), ('six', ['::1']))
    """
    for mark in "=:":
        host, found, addresses = text.partition(mark)
        if found:
            return host_entry(host, addresses.split(","))
    raise Unreadable("C-67", f"`{text}` has no address", "write `host:address`")


def host_entry(host: str, addresses: list[str]) -> tuple[str, list[str]]:
    """One host with its addresses, brackets removed."""
    expect(re.fullmatch("[^:=]+", host), "C-67", f"`{host}` is not a host name")
    return host, [a[1:-1] if len(a) > 2 and a[0] == "[" and a[-1] == "]" else a for a in addresses]
