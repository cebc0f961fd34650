"""The files that one composition is made of (C-1, C-21, C-27, C-36 … C-40).

`Project` loads layers: files given by the caller, the documents inside them, what they include and what they
extend. It reads through `Files`, so that a test, a notebook and a browser can bring their own. Whatever cannot be
read inside a project is a finding; only a file that the caller names himself raises `Unreadable`.
"""

from __future__ import annotations

import errno
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as Disk
from typing import Final, Protocol

from ..diagnostics import Path, Severity, Span
from ..source import LONGEST, Node, decode, key_places, mapping, parse
from .fields import cast, check_schema
from .forms import scalar_text
from .interpolate import Ask, Malformed, Missing, Shell, interpolate, substitute
from .layers import merge, settle, unique
from .notes import Notes

NAMES: Final = ("docker-compose.yml", "docker-compose.yaml")
OTHER_NAMES: Final = ("compose.yml", "compose.yaml")
MOST_FILES: Final = 500
REASONS: Final = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "reading it is not allowed",
    errno.EPERM: "reading it is not allowed",
    errno.ELOOP: "its links go round in a circle",
    errno.EFBIG: "it is too long",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EXDEV: "it lies outside the project",
}


Layer = tuple[str, str, str]
"""A text to read: its place in the project, the text, and its name in findings."""


class Unreadable(OSError):  # noqa: N818 - one line for the caller
    """A file that the caller named cannot be read. `name` and `reason` say which and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read: {reason}")
        self.name, self.reason = name, reason


class Files(Protocol):
    """Where files come from. Names are relative to the top of the project, with `/` between the steps."""

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises OSError; EXDEV for one that lies outside the project."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder on disk. A name, or a link, that leads out of it is refused unless *outside*."""

    root: Disk
    outside: bool = False

    def read(self, name: str) -> bytes:
        """The bytes of a regular file; a device or a pipe is not read."""
        try:
            place = (self.root / name).resolve()
            within = place.is_relative_to(self.root.resolve())
            mode = place.stat().st_mode
        except (RuntimeError, ValueError) as error:  # links in a circle, before Python 3.13; a NUL in the name
            raise OSError(errno.ELOOP if isinstance(error, RuntimeError) else errno.ENOENT, name) from error
        except OSError:
            if not self.outside and posixpath.normpath(name).startswith(("../", "/")):
                raise OSError(errno.EXDEV, name) from None
            raise
        if not within and not self.outside:
            raise OSError(errno.EXDEV, name)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EACCES, name)
        if place.stat().st_size > LONGEST:
            raise OSError(errno.EFBIG, name)
        return place.read_bytes()


@dataclass(frozen=True, slots=True)
class Texts:
    """Files that exist only as texts, by their names."""

    texts: Mapping[str, str | bytes]

    def read(self, name: str) -> bytes:
        """The bytes of one of the texts."""
        if (text := self.texts.get(name)) is not None:
            return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if name.startswith(("../", "/")):
            raise OSError(errno.EXDEV, name)
        folder = "" if name == "." else f"{name}/"
        raise OSError(errno.EISDIR if any(other.startswith(folder) for other in self.texts) else errno.ENOENT, name)


def reason(error: OSError) -> str:
    """Why a file cannot be read, in words."""
    return REASONS.get(error.errno or 0, (error.strerror or "it cannot be opened").lower())


# ── files of variables (C-39) ──────────────────────────────────────────────────────────────────────

_GAP = re.compile(r"(?:\s+|#[^\n]*)*")
_EXPORT = re.compile(r"export\s+")
_BLANK = re.compile("[\t\v\f\r \x85\xa0]*")
_KEY = re.compile("[\\w.\\-\\[\\]\t\v\f\r \x85\xa0]*")
_QUOTED = {quote: re.compile(f"(?:[^{quote}]|(?<=\\\\){quote})*{quote}") for quote in "'\""}
_ESCAPE = re.compile(r"\\(?:([abfnrtv\"\\])|([$])|0(\d{0,3})|c)")
_ESCAPES = dict(zip('abfnrtv"\\', '\a\b\f\n\r\t\v"\\', strict=True))


class BadLine(ValueError):  # noqa: N818 - a finding names it
    """A line of a file of variables that cannot be read."""

    def __init__(self, line: int, message: str, help: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.help = line, message, help


def variables(text: str, ask: Ask) -> dict[str, str]:
    """The variables of an `env_file` or `.env`. Raises BadLine.

    >>> variables("A=1\\nexport B='$A'  # note\\nC: \\"x\\\\t$A\\"\\nD=$A#x #y", {}.get)
    {'A': '1', 'B': '$A', 'C': 'x\\t1', 'D': '1#x'}
    """
    text = text.removeprefix("\ufeff")
    found: dict[str, str] = {}

    def look(name: str) -> str | None:
        value = ask(name)
        return found.get(name) if value is None else value

    def filled(value: str, at: int) -> str:
        try:
            return substitute(value, look)
        except (Malformed, Missing):
            raise BadLine(text.count("\n", 0, at) + 1, f"`{value}` has a variable that cannot be filled in") from None

    at = _match(_GAP, text, 0)
    while at < len(text):
        start = at = _match(_BLANK, text, _match(_EXPORT, text, at))
        end = _match(_KEY, text, at)
        if end == len(text):
            key, bare = "", False  # without a line break at its end the engine takes the last word for a value
        elif text[end] in "=:\n":
            key, bare, at = text[at:end].rstrip(), text[end] == "\n", end + 1
        else:
            raise BadLine(text.count("\n", 0, end) + 1, f"`{text[end]}` cannot stand in the name of a variable",
                          "write NAME=value")  # fmt: skip
        if " " in key:
            raise BadLine(text.count("\n", 0, start) + 1, f"the name `{key}` has a space in it", "write NAME=value")
        if bare:
            if (value := ask(key)) is not None:
                found[key] = value
        else:
            at = _match(_BLANK, text, at)
            quote = text[at : at + 1]
            if quote in _QUOTED:
                closed = _QUOTED[quote].match(text, at + 1)
                if not closed:
                    raise BadLine(text.count("\n", 0, at) + 1, "this quote is never closed", f"end it with {quote}")
                value = closed[0][:-1]
                found[key] = filled(_ESCAPE.sub(_unescape, value), at) if quote == '"' else value
                at = closed.end()
            else:
                end = text.find("\n", at)
                end = len(text) if end < 0 else end
                found[key] = filled(text[at:end].partition(" #")[0].rstrip(), at)
                at = end
        at = _match(_GAP, text, at)
    return found


def _match(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _unescape(found: re.Match[str]) -> str:
    plain, dollar, digits = found.groups()
    if plain or dollar:
        return _ESCAPES[plain] if plain else "$$"
    if digits and len(digits) == 3 and digits.isascii() and set(digits) <= set("01234567") and int(digits, 8) < 256:
        return chr(int(digits, 8))
    return f"\\{digits}" if digits is not None else found[0]


# ── layers (C-2, C-21, C-32) ───────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _File:
    """A loaded file that services can be taken from: its services, and those already extended."""

    path: str
    services: dict[str, Node]
    done: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True)
class Project:
    """Everything that one reading reads. `folder` is the folder of the first file: paths resolve against it."""

    note: Notes
    files: Files
    shell: Shell
    folder: str = ""
    prefix: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    extended: dict[str, _File | None] = field(default_factory=dict)
    count: int = 0

    # ── reading ────────────────────────────────────────────────────────────────────────────────────

    def shown(self, path: str) -> str:
        """A path as people see it: as the caller would write it."""
        return posixpath.normpath(posixpath.join(self.prefix, path))

    def text(self, path: str, files: Files | None = None) -> str:
        """The text of a file, with a finding when it is not text. Raises OSError."""
        self.count += 1
        if self.count > MOST_FILES:
            raise OSError(errno.EMFILE, f"more than {MOST_FILES} files are read")
        name = self.shown(path)
        text, problem = decode((files or self.files).read(path), name)
        self.texts[name] = text
        if problem is not None:
            self.note.error(problem.code, problem.rule, problem.message, problem.span, help=problem.help, stage=1)
        return text

    def fetch(self, written: str, folder: str, at: Node, path: Path, rule: str, code: str) -> Layer | None:
        """A file that a composition names, or None and an error."""
        place = posixpath.normpath(posixpath.join(folder, written)) if written else "."
        try:
            return place, self.text(place), self.shown(place)
        except OSError as error:
            outside = error.errno == errno.EXDEV
            self.note.error(
                "outside-project" if outside else code, rule, f"`{written}` cannot be read: {reason(error)}", at, path,
                "copy it into the project, or allow files from outside" if outside else "",
            )  # fmt: skip
            return None

    # ── layers ─────────────────────────────────────────────────────────────────────────────────────

    def load(self, layers: list[Layer], folder: str, shell: Shell, chain: tuple[str, ...] = ()) -> Node | None:
        """Every document of every file, one over the other, checked each time (C-2)."""
        model: Node | None = None
        for place, text, name in layers:
            for document in self._documents(text, name):
                layer = self._layer(document, place, folder, shell, (*chain, place))
                model = merge(model, layer, self._clash) if model else layer
                model = unique(settle(model), self._gone)
                self._check(model)
                if "version" in model.value:
                    model = mapping(model, {key: value for key, value in model.value.items() if key != "version"})
        if (model is None or not model.value) and not self.note.failed:
            at = model or Span(layers[0][2] if layers else "", 1, 1)
            self.note.error("empty-composition", "C-7", "there is no service in this text", at, (),
                            "write `services:`", stage=1)  # fmt: skip
        return model

    def _stage(self, number: int) -> None:
        self.note.stage = number

    def _documents(self, text: str, name: str) -> Iterator[Node]:
        parsed = parse(text, name)
        for found, (_document, stage) in zip(parsed.findings, parsed.order, strict=True):
            self.note.error(found.code, found.rule, found.message, found.span, found.path, found.help,
                            found.error_class, stage=stage)  # fmt: skip
        for number, document in enumerate(parsed.documents):
            if document.kind != "map":
                empty = document.kind == "null"
                self.note.error("empty-document" if empty else "no-mapping", "C-21" if empty and number else "C-7",
                                "this document is empty" if empty else "a composition is a mapping of names to values",
                                document, (), "remove the `---`" if empty and number else "write `services:`",
                                stage=1)  # fmt: skip
                continue
            if number:
                self.note.change((), None, None, "C-21", Severity.CHANGED, document, code="second-document",
                                 message="this document after `---` is put over the one before it",
                                 help="write one document")  # fmt: skip
            yield document

    def _layer(self, document: Node, place: str, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node:
        self._stage(3)
        layer = interpolate(document, shell, self.note)
        self._stage(4)
        services = layer.get("services")
        if services is not None and services.kind == "map":
            file = _File(place, services.value)
            entries = {name: self._extend(file, name, folder, shell) for name in services.value}
            layer = mapping(layer, {**layer.value, "services": mapping(services, entries)})
        self._stage(6)
        return self._include(layer, folder, shell, chain)

    def _check(self, model: Node) -> None:
        self._stage(9)
        check_schema(model, self.note)

    def _clash(self, node: Node, path: Path) -> None:
        self.note.error("cannot-override", "C-32", f"`{path[-1] if path else 'this'}` here cannot be put over the other form"
                        " in an earlier layer", node, path, "write it in the same form", stage=7)  # fmt: skip

    def _gone(self, node: Node, path: Path) -> None:
        self.note.change(path, node.plain(), None, "C-35", Severity.CHANGED, node, code="repeated-entry",
                         message=f"`{scalar_text(node) if node.kind == 'str' else path[-2]}` is replaced by a later entry"
                         " of the same list", help="remove one of the two")  # fmt: skip

    # ── extends (C-36) ─────────────────────────────────────────────────────────────────────────────

    def _extend(self, file: _File, name: str, folder: str, shell: Shell) -> Node:
        """A service put over what it extends, from the far end of the chain."""
        chain: list[tuple[_File, str, str, Node]] = []
        here, at, where = file, name, folder
        base: Node | None = None
        while True:
            if at in here.done:
                base = here.done[at]
                break
            chain.append((here, at, where, here.services[at]))
            target = self._target(chain, shell)
            if target is None:
                break
            here, at, where = target
        below = where
        for owner, service, at_folder, node in reversed(chain):
            if base is not None and base.kind == "map" and node.kind == "map" and not node.mark:
                lower = rebase(settle(base), posixpath.relpath(below or ".", at_folder or "."))
                node = merge(lower, node, self._clash, ("services", service))
            if node.kind == "map" and "extends" in node.value:
                node = mapping(node, {key: value for key, value in node.value.items() if key != "extends"})
            owner.done[service] = base = node
            below = at_folder
        assert base is not None
        return base

    def _target(self, chain: list[tuple[_File, str, str, Node]], shell: Shell) -> tuple[_File, str, str] | None:
        """What the last service of *chain* extends: file, service and folder; None when nothing, or nothing that is."""
        here, name, folder, node = chain[-1]
        link = node.get("extends")
        if link is None or link.kind == "null" or node.mark == "reset":
            return None
        path: Path = ("services", name, "extends")
        wanted, file = (link.get("service"), link.get("file")) if link.kind == "map" else (link, None)
        if wanted is None or wanted.kind != "str" or (file is not None and file.kind != "str"):
            self.note.error("unreadable-extends", "C-36", f"`extends` of `{name}` names no service", link, path,
                            "write `extends: {service: name}`")  # fmt: skip
            return None
        target: _File | None = here
        if file is not None:
            target = self._other(file, folder, shell, (*path, "file"))
            if target is None:
                return None
            folder = posixpath.dirname(target.path)
        assert target is not None
        if wanted.value not in target.services:
            self.note.error("unknown-base", "C-36", f"`{name}` extends `{wanted.value}`, which is no service in"
                            f" {self.shown(target.path)}", wanted, path)  # fmt: skip
            return None
        if any(link[0].services is target.services and link[1] == wanted.value for link in chain):
            names = " → ".join([link[1] for link in chain] + [wanted.value])
            self.note.error("endless-extends", "C-36", f"`{name}` extends itself: {names}", wanted, path,
                            "break the circle")  # fmt: skip
            return None
        return target, wanted.value, folder

    def _other(self, file: Node, folder: str, shell: Shell, path: Path) -> _File | None:
        """Another file that services are taken from, loaded once."""
        place = posixpath.normpath(posixpath.join(folder, file.value))
        if place not in self.extended:
            self.extended[place] = None
            found = self.fetch(file.value, folder, file, path, "C-36", "missing-file")
            if found is not None:
                services: dict[str, Node] = {}
                for document in self._documents(found[1], found[2]):
                    self._stage(4)
                    layer = settle(interpolate(document, shell, self.note)).get("services")
                    services |= layer.value if layer is not None and layer.kind == "map" else {}
                self.extended[place] = _File(place, services)
        elif self.extended[place] is None:
            self.note.error("missing-file", "C-36", f"`{file.value}` cannot be read", file, path)
        return self.extended[place]

    # ── include (C-37) ─────────────────────────────────────────────────────────────────────────────

    def _include(self, layer: Node, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node:
        listed = layer.get("include")
        if listed is None:
            return layer
        layer = mapping(layer, {key: value for key, value in layer.value.items() if key != "include"})
        if listed.kind != "list":
            if listed.kind != "null":
                self.note.error("include-is-no-list", "C-37", "`include` must be a list", listed, ("include",),
                                "put a `- ` in front of the path")  # fmt: skip
            return layer
        for index, entry in enumerate(listed.value):
            imported = self._imported(entry, ("include", index), folder, shell, chain)
            if imported is not None:
                layer = self._import(imported, layer)
        return layer

    def _imported(self, entry: Node, path: Path, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node | None:
        paths = _texts(entry.get("path") if entry.kind == "map" else entry)
        if not paths or (entry.kind == "map" and not entry.value.keys() <= {"path", "project_directory", "env_file"}):
            self.note.error("unreadable-include", "C-37", "this entry of `include` names no file", entry, path,
                            "write a path, or a mapping with `path`")  # fmt: skip
            return None
        main = posixpath.normpath(posixpath.join(folder, paths[0].value))
        if main in chain:
            names = " → ".join(self.shown(place) for place in (*chain[chain.index(main) :], main))
            self.note.error("endless-include", "C-37", f"`{paths[0].value}` includes itself: {names}", entry, path,
                            "break the circle")  # fmt: skip
            return None
        sources = [self.fetch(item.value, folder, item, path, "C-37", "missing-file") for item in paths]
        directory = entry.get("project_directory") if entry.kind == "map" else None
        inner = posixpath.dirname(main)
        if directory is not None and directory.kind == "str" and directory.value:
            inner = posixpath.normpath(posixpath.join(folder, directory.value))
        values = self._beside(entry, path, folder, inner, shell)
        found = [source for source in sources if source is not None]
        if len(found) < len(paths):
            return None
        own = Shell(shell.values, values, shell.missed)
        kept, self.extended = self.extended, {}
        model = self.load(found, inner, own, chain)
        self.extended = kept
        services = model.get("services") if model else None
        if model is None or services is None or services.kind != "map":
            return model
        prefix = posixpath.relpath(inner or ".", folder or ".")
        entries = {name: rebase(own_values(node, own), prefix, True) for name, node in services.value.items()}
        return mapping(model, {**model.value, "services": mapping(services, entries)})

    def _beside(self, entry: Node, path: Path, folder: str, inner: str, shell: Shell) -> dict[str, str]:
        """The variables of the `.env` beside an included file, or of the files that its entry names (C-27)."""
        listed = _texts(entry.get("env_file") if entry.kind == "map" else None)
        values = dict(shell.apart)
        texts: list[tuple[Node, str, str]] = []
        for item in listed:
            found = self.fetch(item.value, folder, item, path, "C-37", "missing-file")
            texts += [(item, *found[:2])] if found else []
        if not listed:
            place = posixpath.join(inner, ".env")
            try:
                texts.append((entry, place, self.text(place)))
            except OSError:
                return values
            self.note.change(path, entry.plain(), entry.plain(), "C-27", Severity.CHANGED, entry, code="env-beside-include",
                             message=f"{self.shown(place)} is read for this included file, and for it alone")  # fmt: skip
        own: dict[str, str] = {}

        def ask(name: str) -> str | None:
            value = shell.values.get(name, values.get(name))
            return own.get(name) if value is None else value

        for _item, place, text in texts:
            own |= self._variables(text, place, path, ask)
        return {**own, **values}

    def _variables(self, text: str, place: str, path: Path, ask: Ask) -> dict[str, str]:
        try:
            return variables(text, ask)
        except BadLine as bad:
            self.note.error("unreadable-line", "C-39", bad.message, Span(self.shown(place), bad.line, 1), path,
                            bad.help)  # fmt: skip
            return {}

    def unread_env(self) -> None:
        """Tell of variables that only the project's `.env` has: balena does not read it (C-27)."""
        try:
            values = variables(
                decode(self.files.read(posixpath.join(self.folder, ".env")), ".env")[0], lambda _name: None
            )
        except (OSError, BadLine):
            return
        for name, span in self.shell.missed.items():
            if name in values:
                self.note.add(Severity.CHANGED, "env-not-read", "C-27", f"`{name}` stands in `.env`, which balena does not"
                              " read", span, (), "set it in the environment, or write the value")  # fmt: skip

    def _import(self, imported: Node, layer: Node) -> Node:
        """Add what an included file declares; what both declare must be equal (C-37)."""
        for kind in ("services", "volumes", "networks", "secrets", "configs"):
            theirs, ours = imported.get(kind), layer.get(kind)
            if theirs is None or theirs.kind != "map":
                continue
            if ours is None or ours.kind != "map":
                layer = mapping(layer, {**layer.value, kind: theirs}, {kind: theirs.span} if ours is None else None)
                continue
            for name in theirs.value.keys() & ours.value.keys():
                if not _equal(theirs.value[name], ours.value[name]):
                    self.note.error("include-conflict", "C-37", f"`{name}` stands here and, otherwise, in"
                                    f" {theirs.value[name].span.name}", ours.value[name], (kind, name),
                                    "rename one of the two")  # fmt: skip
            merged = mapping(ours, {**theirs.value, **ours.value}, {**key_places(theirs), **key_places(ours)})
            layer = mapping(layer, {**layer.value, kind: merged})
        return layer

    # ── env_file and label_file (C-38, C-40) ───────────────────────────────────────────────────────

    def fold(self, root: Node) -> Node:
        """Every service with the variables and labels of its files, and without the names of the files."""
        self._stage(20)
        services = root.get("services")
        if services is None or services.kind != "map":
            return root
        entries = {name: self._folded(node, ("services", name)) for name, node in services.value.items()}
        if all(entries[name] is node for name, node in services.value.items()):
            return root
        return mapping(root, {**root.value, "services": mapping(services, entries)})

    def _folded(self, service: Node, path: Path) -> Node:
        for key, target in (("env_file", "environment"), ("label_file", "labels")):
            listed = service.get(key)
            if listed is None:
                continue
            written = service.get(target)
            own = merge(Node("map", {}, listed.span), written, self._clash, (*path, target)) if written else None
            values = self._from_files(listed, (*path, key), own if key == "env_file" else None, key)
            entries = {name: Node("str", value, at.span, True) for name, (value, at) in values.items()}
            keys = {name: at.span for name, (_value, at) in values.items()}
            if own is not None and own.kind == "map":
                entries, keys = {**entries, **own.value}, {**keys, **key_places(own)}
            left = {name: value for name, value in service.value.items() if name != key}
            folded = Node("map", entries, written.span if written else listed.span, keys=keys)
            service = mapping(service, {**left, target: folded} if entries else left)
        return service

    def _from_files(self, listed: Node, path: Path, own: Node | None, key: str) -> dict[str, tuple[str, Node]]:
        rule = "C-38" if key == "env_file" else "C-40"
        found: dict[str, tuple[str, Node]] = {}
        own_values = {k: scalar_text(v) for k, v in own.value.items() if v.kind != "null"} if own else {}

        def ask(name: str) -> str | None:
            if key == "label_file":
                return None
            value = self.shell.values.get(name)
            return own_values.get(name) if value is None else value

        for item in listed.value if listed.kind == "list" else [listed]:
            name, needed, form = (
                (item.get("path"), item.get("required"), item.get("format"))
                if item.kind == "map"
                else (item, None, None)
            )
            if name is None or name.kind != "str":
                continue  # the schema has already said so
            if form is not None and form.value:
                self.note.error("unknown-format", rule, f"`{scalar_text(form)}` is no format that balena knows", form, path,
                                "remove `format`")  # fmt: skip
                continue
            optional = needed is not None and (
                needed.value is False or (needed.kind == "str" and cast(needed.value, "bool") is False)
            )
            place = posixpath.normpath(posixpath.join(self.folder, name.value))
            try:
                text = self.text(place)
            except OSError as error:
                if not (optional and error.errno in (errno.ENOENT, errno.ENOTDIR)):
                    self.fetch(name.value, self.folder, name, path, rule, "missing-file")
                continue
            values = self._variables(text, place, path, ask)
            found |= {variable: (value, name) for variable, value in values.items()}
            self.note.change(path, name.value, sorted(values), rule, Severity.CHANGED, name, code="file-folded",
                             message=f"`{name.value}` becomes part of the release, in clear: {_count(values, key)}")  # fmt: skip
        return found


def _count(values: dict[str, str], key: str) -> str:
    word = "variable" if key == "env_file" else "label"
    return f"{len(values)} {word}{'' if len(values) == 1 else 's'}"


def _texts(node: Node | None) -> list[Node]:
    """A text or a list of texts, as a list."""
    items = [] if node is None else node.value if node.kind == "list" else [node]
    return [item for item in items if item.kind == "str" and item.value]


# ── paths of services that come from another folder (C-36, C-37) ───────────────────────────────────

_REMOTE: Final = re.compile(r"[^/]*://|/|~|service:|git@|github\.com/")


def rebase(service: Node, prefix: str, complete: bool = False) -> Node:
    """A service of another folder, seen from this one. With *complete*, a build gets its context (C-2, stage 13)."""
    if service.kind != "map" or prefix == ".":
        return service
    entries = dict(service.value)
    for key in ("env_file", "label_file"):
        if key in entries:
            entries[key] = _each(entries[key], prefix)
    build = entries.get("build")
    if build is not None and build.kind == "str":
        entries["build"] = _moved(build, prefix)
    elif build is not None and build.kind == "map" and ("context" in build.value or complete):
        context = build.value.get("context") or Node("str", ".", build.span)
        entries["build"] = mapping(build, {**build.value, "context": _moved(context, prefix)})
    return mapping(service, entries)


def _each(node: Node, prefix: str) -> Node:
    if node.kind == "list":
        return node.like("list", [_each(item, prefix) for item in node.value])
    if node.kind == "map":
        return mapping(node, {k: _moved(v, prefix) if k == "path" else v for k, v in node.value.items()})
    return _moved(node, prefix)


def _moved(node: Node, prefix: str) -> Node:
    if node.kind != "str" or _REMOTE.match(node.value):
        return node
    return node.like("str", posixpath.normpath(posixpath.join(prefix, node.value)))


def own_values(service: Node, shell: Shell) -> Node:
    """A service with the values that only its own file can give to value-less variables (C-27, C-31)."""
    if service.kind != "map" or not shell.apart:
        return service
    entries = dict(service.value)
    if "environment" in entries:
        entries["environment"] = _given(entries["environment"], shell)
    build = entries.get("build")
    if build is not None and (args := build.get("args")) is not None:
        entries["build"] = mapping(build, {**build.value, "args": _given(args, shell)})
    return mapping(service, entries)


def _given(node: Node, shell: Shell) -> Node:
    if node.kind == "map":
        values = {
            key: value.like("str", shell.ask(key)) if value.kind == "null" and shell.ask(key) is not None else value
            for key, value in node.value.items()
        }
        return mapping(node, values)
    if node.kind == "list":
        items = []
        for item in node.value:
            value = shell.ask(item.value) if item.kind == "str" and "=" not in item.value else None
            items.append(item if value is None else item.like("str", f"{item.value}={value}"))
        return node.like("list", items)
    return node


_REWRITTEN: Final = ("ports", "volumes", "build", "env_file", "label_file", "depends_on", "networks", "devices",
                     "secrets", "configs", "gpus", "models", "dns", "ulimits")  # fmt: skip


def _equal(theirs: Node, ours: Node) -> bool:
    """Whether two declarations are equal; an included one already has its long forms, the other has not."""
    return theirs.plain() == ours.plain() and not any(theirs.get(key) for key in _REWRITTEN)
