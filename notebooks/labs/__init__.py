"""The labs of the notebooks: controls and pictures, and what they think.

Each lab is a pair: a *model*, which is a pure function from inputs to what is shown, and a thin *lab*, which makes
the controls once, hears them, asks the model and shows what comes back. Everything they know is the kit's.

    frame        what all labs share: keys, status line, re-running a cell, and `Form`, a lab made of a table
    decisions    decisions as HTML        findings    findings, the vanishing list and host access as HTML
    maps         the answers over two facts of a device, as a map
    fleets       what a release does to a fleet, as HTML
    reachability_model and network_lines       who reaches whom, and the lines of networks

A name opens its module when it is first used: `from labs import decision_lab`.
"""

from importlib import import_module
from typing import Any, Final

_HOMES: Final = {
    # name that a notebook types: the module that has it
    "decision_lab": "decision_controls",
    "decision_map": "maps",
    "engine_lab": "engine_controls",
    "explain": "decisions",
    "explore": "exploring",
    "fleet_lab": "fleet_controls",
    "network_card": "reachability_model",
    "order_lab": "order_controls",
    "reachability": "reachability_model",
    "reachability_lab": "reachability_controls",
    "release_lab": "release_controls",
    "restart_lab": "restart_controls",
    "update_lab": "update_controls",
    "volume_lab": "volume_controls",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Open the module of a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'labs' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value
