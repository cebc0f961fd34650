"""From texts to a composition: `read`, `Reading`, `normal_form`.

    text ─ source.parse ─▶ trees ─ files, interpolate, layers ─▶ one tree ─ fields, release ─▶ Reading

A text written by a person never raises. What is wrong with it is in `Reading.findings`, and what balena drops or
changes without a word is in `Reading.changes`. Only a file that the caller names and that cannot be read raises
`Unreadable`. The environment of this process is never looked at: what a build machine would have comes in as `env`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from os.path import relpath
from pathlib import Path as Disk
from typing import Any, Final

from ..composition import Composition
from ..diagnostics import Diagnostic, Path, Severity, Span
from ..source import Node
from .files import Files, Folder, Layer, Project, Texts, Unreadable, compose_file, reason, variables
from .interpolate import Shell
from .notes import Change, Notes
from .release import release

__all__ = ["Change", "Files", "Folder", "Reading", "Texts", "Unreadable", "normal_form", "read", "variables"]

Source = str | PathLike[str]
NAME: Final = "docker-compose.yml"


@dataclass(frozen=True, eq=False)
class Reading:
    """What was understood of a composition, what was found, and where everything stands.

    `composition` is there as far as it was understood, also with errors: pictures show what is wrong. `ok` says
    whether balena would make a release. `normal` is the form that balena keeps, None without a release, and
    `contracts` has the contract of each service that got one. `tree` is what was written, layers merged and
    variables filled in; `folded` has what its files of variables and labels say, too. `texts` has every text that
    was read, by name.
    """

    composition: Composition | None
    findings: tuple[Diagnostic, ...] = ()
    changes: tuple[Change, ...] = ()
    normal: dict[str, Any] | None = None
    contracts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tree: Node | None = None
    folded: Node | None = None

    @property
    def ok(self) -> bool:
        """Whether balena would make a release of this."""
        return self.composition is not None and not any(found.severity is Severity.ERROR for found in self.findings)

    @property
    def text(self) -> str:
        """The first text that was read."""
        return next(iter(self.texts.values()), "")

    @cached_property
    def where(self) -> Mapping[Path, Span]:
        """Where each value stands, by its path in the composition as written.

        >>> read("services: {web: {image: nginx}}", name="In[3]").where["services", "web", "image"]
        Span(name='In[3]', line=1, column=25, width=5)
        """
        return {path: node.span for path, node in self.tree.walk()} if self.tree else {}

    @cached_property
    def keys(self) -> Mapping[Path, Span]:
        """Where each key stands, by the path of its value."""
        nodes = self.tree.walk() if self.tree else ()
        return {(*path, key): at for path, node in nodes for key, at in node.keys.items() if node.get(key)}

    def place(self, path: Path) -> Span | None:
        """Where *path* stands, or the nearest thing above it; `K=V` in a list is found by its name."""
        if path not in self._places and self.folded and (node := self.folded.at(path)):
            return node.span  # a variable or a label stands where its file is named
        while path and path not in self._places:
            path = path[:-1]
        return (self.tree and self.tree.seen(path)) or self._places.get(path)

    @cached_property
    def _places(self) -> Mapping[Path, Span]:
        """`where`, and what lists have as `NAME=value` or `NAME` by its name."""
        nodes = self.tree.walk() if self.tree else ()
        texts = ((path, node) for path, node in nodes if node.kind == "str" and path and isinstance(path[-1], int))
        return {(*path[:-1], node.value.partition("=")[0]): node.span for path, node in texts} | {**self.where}


def read(
    source: Source | Sequence[Source], *, name: str = NAME, env: Mapping[str, str] | None = None,
    files: Files | Mapping[str, str | bytes] | None = None, root: PathLike[str] | None = None, outside: bool = False,
) -> Reading:  # fmt: skip
    """Read a composition, or several that are put one over the other.

    Args:
        source: A text, a path, or a sequence of them; later ones go over earlier ones (C-32). In a folder it is
            `docker-compose.yml`, or else `docker-compose.yaml` (C-1).
        name: What to call a text in findings.
        env: The environment of the machine that builds the release; nothing is taken from this process (C-27).
        files: The files of the project, as `Files` or as texts by name. Without it they come from disk: from
            *root*, or from the folder of the first path; a text alone has no other files.
        root: The top of the project on disk, when it is not the folder of the first path.
        outside: Allow files that lie outside the project.

    Raises:
        Unreadable: A path given here cannot be read: it is missing, a folder, or not allowed.

    >>> reading = read("services: {web: {image: nginx, ports: [22:22]}}")
    >>> reading.ok, reading.composition.services[0].ports
    (True, (Port(target='22', published='22', protocol='tcp', address=''),))
    >>> [str(found) for found in read("services: {web: {image: a, image: b}}").findings]
    ['docker-compose.yml:1:28: error[repeated-key] `image` is written twice, first in line 1']
    """
    sources: list[Source] = [source] if isinstance(source, (str, PathLike)) else list(source)
    if files is None:
        sources = [item if isinstance(item, str) else compose_file(Disk(item)) for item in sources]
    first = next((Disk(item) for item in sources if not isinstance(item, str)), None)
    top = Disk(root) if root is not None else first.parent if first is not None and files is None else None
    if files is None:
        files = Folder(top, outside) if top is not None else Texts({})
    elif isinstance(files, Mapping):
        files = Texts(files)
    folder = posixpath.dirname(_place(first, top)) if first is not None else ""
    project = Project(Notes(), files, Shell(env or {}), folder, prefix=top.as_posix() if top else "")
    named = Folder(top, True) if isinstance(files, Folder) and top is not None else files
    layers = []
    for number, item in enumerate(sources, 1):
        if isinstance(item, str):
            shown = name if number == 1 else f"{name}#{number}"
            project.texts[shown] = item
            layers.append((posixpath.join(folder, shown), item, shown))
            continue
        try:
            layers.append(project.layer(_place(Disk(item), top), named))
        except OSError as error:
            raise Unreadable(str(item), reason(error)) from None
    return _finish(project, layers)


def _place(path: Disk, top: Disk | None) -> str:
    """A path as seen from the top of the project."""
    return posixpath.normpath(path.as_posix()) if top is None else Disk(relpath(path, top)).as_posix()


def _finish(project: Project, layers: list[Layer]) -> Reading:
    """The stages after the files: what is folded, decoded and checked."""
    note = project.note
    tree = project.load(layers, project.folder, project.shell)
    if not layers:
        note.say("no-file", Span(NAME, 1, 1))
    elif (tree is None or not tree.value) and not note.failed:
        note.say("empty-composition", tree or Span(layers[0][2], 1, 1))
    if tree is None:
        return Reading(None, note.results(), texts=project.texts)
    if project.shell.missed:
        project.unread_env()
    kept = release(folded := project.fold(tree), note, env=project.shell.values)
    form, contracts = (None, {}) if note.failed else (kept.form, kept.contracts)
    return Reading(kept.composition, note.results(), tuple(note.changes), form, contracts, project.texts, tree, folded)


def normal_form(reading: Reading) -> dict[str, Any]:
    """What balena keeps of a composition; empty when it makes no release of it.

    >>> normal_form(read("services: {web: {image: nginx}}"))["services"]
    {'web': {'image': 'nginx', 'networks': {'default': None}, 'command': None}}
    """
    return reading.normal or {}
