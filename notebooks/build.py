"""Make the notebooks from their sources.

    python notebooks/build.py                  learners' notebooks, beside this file
    python notebooks/build.py --check          exit 1 if one of them differs from its source
    python notebooks/build.py --facilitator    notebooks with solutions and notes, in out/facilitator/

The sources are `notebooks/src/NN-name.py` in percent format: the only place where anything is written.
Tags of a cell say who gets it:

    start       learners only: the answer that an exercise begins with
    solution    facilitators only: an answer that passes
    notes       facilitators only: what to say, and which wrong answers to expect

The same source gives the same bytes: no outputs, no times, and cell ids that are made from the name of
the notebook and the number of the cell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import jupytext

HERE: Final = Path(__file__).resolve().parent
LEFT_OUT: Final = {"learner": {"solution", "notes"}, "facilitator": {"start"}}
KERNEL: Final = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources() -> list[Path]:
    """The sources, in the order of the lessons."""
    return sorted((HERE / "src").glob("*.py"))


def notebook(source: Path, variant: str) -> dict[str, Any]:
    """One source as a notebook without outputs."""
    cells = []
    for cell in jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells:
        tags = cell.metadata.get("tags", [])
        if LEFT_OUT[variant] & set(tags):
            continue
        made: dict[str, Any] = {
            "cell_type": cell.cell_type,
            "id": hashlib.sha256(f"{source.stem} {len(cells)}".encode()).hexdigest()[:8],
            "metadata": {"tags": tags} if tags else {},
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.cell_type == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    return {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}


def written(source: Path, variant: str) -> str:
    """The bytes of a notebook, as text."""
    return json.dumps(notebook(source, variant), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the notebooks, or compare them with their sources."""
    parser = argparse.ArgumentParser(description="Make the notebooks from notebooks/src/*.py.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a notebook differs")
    parser.add_argument("--facilitator", action="store_true", help="with solutions and notes, into out/facilitator/")
    parser.add_argument("--into", type=Path, help="another folder")
    options = parser.parse_args(arguments)
    variant = "facilitator" if options.facilitator else "learner"
    folder = options.into or (HERE.parent / "out" / "facilitator" if options.facilitator else HERE)
    differ = []
    for source in sources():
        path, text = folder / f"{source.stem}.ipynb", written(source, variant)
        if options.check:
            same = path.is_file() and path.read_text(encoding="utf-8") == text
            differ += [] if same else [path.name]
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    known = {f"{source.stem}.ipynb" for source in sources()}
    if options.check and variant == "learner":
        strangers = [
            path for path in sorted(folder.glob("*.ipynb")) if path.name not in known and ".old" not in path.name
        ]
        differ += [f"{path.name} (it has no source)" for path in strangers]  # `.old` is what `kit reset` keeps
    for name in differ:
        print(f"{name} differs from its source: run `make notebooks`", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
