"""Learn and try out multi-container releases on balena devices.

The street, in reading order: a text becomes a tree (`source`), the tree a composition (`reader`),
its labels a contract (`contracts`), a device's facts (`device`) answer it, and the planner moves the
device there (`planner`). Nothing heavy is loaded by `import kit`: a room opens when its first name
is used.

>>> import kit
>>> kit.valid_range(">5.15.*")
'>=5.16.0'
"""

from importlib import import_module
from typing import Any, Final

__version__ = "0.1.0"

_ROOMS: Final = {
    # room: the names that a notebook types
    "diagnostics": "Diagnostic Severity Span",
    "versions": "InvalidRange InvalidVersion Range Version satisfies valid_range",
    "composition": "Build Composition Mount Network Port Service Volume",
    "reader": "Reading normal_form read",
    "contracts": "Decision Facts decide decide_offer flips",
    "rules": "check rule",
    "device": "Device State read_device",
    "planner": "Plan Release installed next_steps plan what_changed",
    "engines.base": "settle",
    "engines.script": "follow read_events",
    "engines.simulated": "Simulated",
}
_ROOM_OF: Final = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted(_ROOM_OF)


def __getattr__(name: str) -> Any:
    """Open the room of a name when it is first used, and keep the name."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_ROOM_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
