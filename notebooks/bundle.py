"""The kit on a stick: wheels, notebooks and static pages, for a room without a network.

python notebooks/bundle.py               into out/bundle/
python notebooks/bundle.py --into FOLDER

wheels/    the kit and everything that it needs, for this system and this Python
pages/     every notebook as a page, run from top to bottom, for a browser without anything
READ-ME.txt
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
READ_ME: Final = """\
The multi-container kit, for a room without a network.

1. Python {python} on {system} is needed. In this folder:

       python3 -m venv kit
       kit/bin/pip install --no-index --find-links wheels 'multicontainer-kit[all]'
       kit/bin/kit doctor
       kit/bin/kit lab

   On Windows write kit\\Scripts\\pip and kit\\Scripts\\kit.
   `kit lab` copies the notebooks into a folder of yours, multicontainer-notebooks.

2. No Python? Open pages/index.html in any browser: every notebook, as it looks when it has run. Nothing moves there.
"""


def run(*command: str | Path) -> None:
    """Run a command; what it says is shown only if it fails."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, command[:4]))} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


def wheels(into: Path, extra: str) -> None:
    """The kit's wheel, and those of everything that it needs."""
    with tempfile.TemporaryDirectory() as place:
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ".")
        (made,) = Path(place).glob("*.whl")
        wanted = f"{made}[{extra}]" if extra else str(made)
        pins = ("-c", str(ROOT / "constraints.txt"))
        run(sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", *pins, "-d", into, wanted)


def pages(into: Path) -> None:
    """Every notebook as a page that asks for nothing, and a list of them."""
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter
    from nbformat import read

    urls = ("mathjax_url", "require_js_url", "jupyter_widgets_base_url", "mermaid_js_url", "mermaid_layout_elk_js_url")
    exporter = HTMLExporter()
    for url in urls:  # not all of them can be configured
        setattr(exporter, url, "")
    into.mkdir(parents=True)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / "notebooks"
        shutil.copytree(HERE, work, ignore=shutil.ignore_patterns("src", "*.py[co]", "progress*.json", ".*"))
        for path in sorted(work.glob("[0-9][0-9]-*.ipynb")):
            notebook = read(path, as_version=4)
            client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(work)}})
            client.execute()
            notebook.metadata.pop("widgets", None)  # controls without a kernel do nothing: the still pictures stay
            html, _resources = exporter.from_notebook_node(notebook)
            (into / f"{path.stem}.html").write_text(html, encoding="utf-8")
            title = notebook.cells[0].source.partition("\n# ")[2].partition("\n")[0]
            rows.append(f'<li><a href="{path.stem}.html">{path.stem[:2]} {title}</a></li>')
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Multi-container releases</title>'
    style = "<style>body{font:16px/1.6 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}</style>"
    body = f"<h1>Multi-container releases on balena devices</h1><ol start=0>{''.join(rows)}</ol>"
    (into / "index.html").write_text(head + style + body + "</html>\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Make the bundle."""
    parser = argparse.ArgumentParser(description="Put the kit on a stick.")
    parser.add_argument("--into", type=Path, default=ROOT / "out" / "bundle", help="the folder to make")
    parser.add_argument("--extra", default="all", help="which extra of the kit to take along")
    parser.add_argument("--no-pages", action="store_true", help="wheels only")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.into, ignore_errors=True)
    options.into.mkdir(parents=True)
    wheels(options.into / "wheels", options.extra)
    if not options.no_pages:
        pages(options.into / "pages")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    text = READ_ME.format(python=python, system=sys.platform)
    (options.into / "READ-ME.txt").write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in options.into.rglob("*") if path.is_file())
    print(f"{options.into}: {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
