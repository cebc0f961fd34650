"""`python -m kit` and the command `kit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; without click, say which package is missing."""
    try:
        from .views.terminal import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit("kit: the command line needs one more package: pip install click")
    sys.exit(run())


if __name__ == "__main__":
    main()
