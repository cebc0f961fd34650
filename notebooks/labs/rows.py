"""Rows of controls with heads above them: what the labs share in which services come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHEET: Final = Path(__file__).with_suffix(".css").read_text("utf-8")
"""Their style sheet."""


def heads(words: tuple[str, ...]) -> str:
    """The heads of the columns, seen above controls only; each control has a name of its own for who hears them.

    >>> heads(("service", "ports"))
    '<div class="mc-heads" style="display:none" aria-hidden="true"><span>service</span><span>ports</span></div>'
    """
    spans = "".join(f"<span>{word}</span>" for word in words)
    return f'<div class="mc-heads" style="display:none" aria-hidden="true">{spans}</div>'
