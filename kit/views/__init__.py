"""The faces of the kit: its command line, its pictures, and the packages that these and the notebooks need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

PACKAGES: Final[dict[str, list[Any]]] = json.loads(Path(__file__).with_name("packages.json").read_text("utf-8"))
"""Name to: what it is for, the extra that brings it, whether it is needed, and the versions that will do."""
