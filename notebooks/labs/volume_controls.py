"""The volume lab: write lines, then restart, recreate, rename, move; and see which of them are still there.

from labs import volume_lab
volume_lab("write", "write", "recreate")
"""

from __future__ import annotations

from . import volume_model as model
from .frame import Form, columns, line, panel, press, section

_ON = ("write", "crash", "reboot", "recreate", "purge")
_RELEASES = ("update", "rename", "drop", "mount", "label", "fleet")


CONTROLS = (
    columns(
        section("On the device", line(*(press(name, model.DEEDS[name].button, model.doing(name)) for name in _ON))),
        section(
            "From the cloud", line(*(press(name, model.DEEDS[name].button, model.doing(name)) for name in _RELEASES))
        ),
    ),
    line(press("back", "Take the last one back", model.back), press("anew", "Begin anew", model.anew)),
    panel("life"),
    columns(panel("line", "mc-half"), panel("text", "mc-half")),
)


class VolumeLab(Form[model.Inputs]):
    """Deeds, and what they leave of the data."""


def volume_lab(*deeds: str) -> VolumeLab:
    """See which data survives: what is in a named volume, and what is in the container's own layer.

    Args:
        deeds: What is done already, by the names in `volume_model.DEEDS`: `write`, `crash`, `recreate` …
    """
    return VolumeLab(model.Inputs(deeds=deeds), model.view, *CONTROLS)
