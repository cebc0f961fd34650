"""Learn and try out multi-container releases on balena devices.

The street, in reading order: a text becomes a tree (`source`), the tree a composition (`reader`),
its labels a contract (`contracts`), a device's facts (`device`) answer it, and the planner moves the
device there (`planner`). Nothing heavy is loaded by `import kit`: a room opens when its first name
is used.

>>> import kit
>>> kit.valid_range(">5.15.*")
'>=5.16.0'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .composition import Build, Composition, Mount, Network, Port, Service, Volume
    from .contracts import Decision, Facts, decide, decide_offer, flips
    from .device import Device, read_device
    from .diagnostics import Diagnostic, Severity, Span
    from .reader import Reading, normal_form, read
    from .rules import check
    from .versions import InvalidRange, InvalidVersion, Range, Version, satisfies, valid_range

__version__ = "0.1.0"

_ROOMS: Final[dict[str, tuple[str, ...]]] = {
    # room: the names that a notebook types
    "diagnostics": ("Diagnostic", "Severity", "Span"),
    "versions": ("InvalidRange", "InvalidVersion", "Range", "Version", "satisfies", "valid_range"),
    "composition": ("Build", "Composition", "Mount", "Network", "Port", "Service", "Volume"),
    "reader": ("Reading", "normal_form", "read"),
    "contracts": ("Decision", "Facts", "decide", "decide_offer", "flips"),
    "rules": ("check",),
    "device": ("Device", "read_device"),
}
_ROOM_OF: Final = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Build",
    "Composition",
    "Decision",
    "Device",
    "Diagnostic",
    "Facts",
    "InvalidRange",
    "InvalidVersion",
    "Mount",
    "Network",
    "Port",
    "Range",
    "Reading",
    "Service",
    "Severity",
    "Span",
    "Version",
    "Volume",
    "check",
    "decide",
    "decide_offer",
    "flips",
    "normal_form",
    "read",
    "read_device",
    "satisfies",
    "valid_range",
]


def __getattr__(name: str) -> Any:
    """Open the room of a name when it is first used, and keep the name."""
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    value = getattr(import_module(f".{room}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
