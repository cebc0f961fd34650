"""The faces of the kit: its command line, its pictures, and the packages that these and the notebooks need."""

from typing import Any, Final

from ..diagnostics import beside

PACKAGES: Final[dict[str, list[Any]]] = beside(__file__, "packages.json")
"""Name to: what it is for, the extra that brings it, whether it is needed, and the versions that will do."""
