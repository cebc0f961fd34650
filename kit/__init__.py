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

with open(f"{__file__.rpartition('.')[0]}.pyi", encoding="utf-8") as names:
    # `from .room import name as name`: what type checkers read is what a notebook may type
    _ROOM_OF: Final = {line.split()[-1]: line.split()[1] for line in names if line.startswith("from .")}
__all__ = sorted(_ROOM_OF)


def __getattr__(name: str) -> Any:
    """Open the room of a name when it is first used, and keep the name."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_ROOM_OF[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
