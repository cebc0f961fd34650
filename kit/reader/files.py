"""The files that one composition is made of (C-1, C-21, C-27, C-36 … C-40).

`Project` loads layers: files given by the caller, the documents inside them, what they include and what they
extend. It reads through `Files`, so that a test, a notebook and a browser can bring their own. Whatever cannot be
read inside a project is a finding; only a file that the caller names himself raises `Unreadable`.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as Disk
from types import MappingProxyType
from typing import Final, Protocol

from ..diagnostics import Path, Span
from ..source import LONGEST, Node, decode, parse
from .decode import Desk, switch
from .fields import check_schema
from .forms import scalar_text
from .interpolate import Ask, Malformed, Missing, Shell, interpolate, substitute
from .layers import merge, settle, unique
from .notes import Notes

NAMES: Final = ("docker-compose.yml", "docker-compose.yaml")
OTHER_NAMES: Final = ("compose.yml", "compose.yaml")
MOST_FILES: Final = 500
CHECKED_LAYERS: Final = 50
EXTENDED: Final = 50_000
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


class Folder:
    """The files of a folder on disk. A name, or a link, that leads out of it is refused unless *outside*."""

    def __init__(self, root: Disk, outside: bool = False) -> None:
        self.root, self.outside = root, outside

    def read(self, name: str) -> bytes:
        """The bytes of a regular file; a device or a pipe is not read."""
        try:
            place = (self.root / name).resolve()
            if not self.outside and not place.is_relative_to(self.root.resolve()):
                raise OSError(errno.EXDEV, name)
            found = place.stat()
        except (RuntimeError, ValueError) as error:  # links in a circle, before Python 3.13; a NUL in the name
            raise OSError(errno.ELOOP if isinstance(error, RuntimeError) else errno.ENOENT, name) from error
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EACCES, name)
        if found.st_size > LONGEST:
            raise OSError(errno.EFBIG, name)
        return place.read_bytes()


class Texts:
    """Files that exist only as texts, by their names."""

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        self.texts = texts

    def read(self, name: str) -> bytes:
        """The bytes of one of the texts."""
        if (text := self.texts.get(name)) is not None:
            return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if name.startswith(("../", "/")):
            raise OSError(errno.EXDEV, name)
        folder = "" if name == "." else f"{name}/"
        raise OSError(errno.EISDIR if any(other.startswith(folder) for other in self.texts) else errno.ENOENT, name)


def compose_file(path: Disk) -> Disk:
    """The file that balena reads in a folder; any other path as it is (C-1). Raises Unreadable."""
    if not os.path.isdir(path):  # what keeps us from looking, reading it will say
        return path
    found = next((path / name for name in NAMES if (path / name).is_file()), None)
    if found is None:
        unseen = next((f" (`{name}` is not looked at)" for name in OTHER_NAMES if (path / name).exists()), "")
        alone = ": balena makes one privileged container of it" if (path / "Dockerfile").exists() else ""
        raise Unreadable(str(path), f"it is a folder without {NAMES[0]}{unseen}{alone}")
    return found


def reason(error: OSError) -> str:
    """Why a file cannot be read, in words."""
    text = os.strerror(error.errno) if error.errno else error.strerror or "it cannot be opened"
    return "it lies outside the project" if error.errno == errno.EXDEV else text.lower()


# ── files of variables (C-39) ──────────────────────────────────────────────────────────────────────

_BLANK = r"\t\v\f\r \x85\xa0"
_NAME = re.compile(rf"(?:\s+|#[^\n]*)*+(?:export\s+)?[{_BLANK}]*([\w.\-\[\]{_BLANK}]*)(?:([=:])[{_BLANK}]*)?")
_QUOTED = {quote: re.compile(rf"(?:[^{quote}\\]|\\.)*+{quote}", re.DOTALL) for quote in "'\""}
_ESCAPE = re.compile(r"\\(?:([abfnrtv\"\\$])|0(\d{0,3}))")
_ESCAPES: Final[dict[str, str]] = dict(zip('abfnrtv"\\$', [*'\a\b\f\n\r\t\v"\\', "$$"], strict=True))


MOST_FILLED_IN: Final = 1_000_000  # a few lines, each of which repeats the one above, would fill any memory


class BadLine(ValueError):  # noqa: N818 - a finding names it
    """A line of a file of variables that cannot be read."""

    def __init__(self, text: str, at: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = text.count("\n", 0, at) + 1, problem


def variables(text: str, ask: Ask, known: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The variables of an `env_file` or `.env`. A value may use what *ask* gives, those above it, and those *known*.

    Raises BadLine.

    >>> variables("A=1\\nexport B='$A'  # note\\nC: \\"x\\\\t$A\\"\\nD=$A#x #y", {}.get)
    {'A': '1', 'B': '$A', 'C': 'x\\t1', 'D': '1#x'}
    """
    text = text.removeprefix("\ufeff")
    found: dict[str, str] = {}
    at, room = 0, MOST_FILLED_IN

    def look(name: str) -> str | None:
        nonlocal room
        value = found.get(name, known.get(name)) if (given := ask(name)) is None else given
        if (room := room - len(value or "")) < 0:
            raise BadLine(text, at, "the variables up to here stand for more than 1,000,000 characters")
        return value

    while (name := _NAME.match(text, at)) and (start := name.start(1)) < len(text):
        at, key = name.end(), name[1].rstrip()
        mark = name[2] or text[at : at + 1]
        if mark not in ("", "=", ":", "\n"):
            raise BadLine(text, at, f"`{mark}` cannot stand in the name of a variable")
        if mark and " " in key:
            raise BadLine(text, start, f"the name `{key}` has a space in it")
        if mark == "\n":
            found |= {} if (value := ask(key)) is None else {key: value}
        else:  # without a line break at its end the engine takes the last word for a value
            key, at = (key, at) if mark else ("", start)
            found[key], at = _value(text, at, look)
    return found


def _value(text: str, at: int, look: Ask) -> tuple[str, int]:
    """The value that begins at *at*, and where it ends."""
    quote = text[at : at + 1]
    if quote in _QUOTED:
        closed = _QUOTED[quote].match(text, at + 1)
        if not closed:
            raise BadLine(text, at, f"this quote is never closed: end it with {quote}")
        value, end = closed[0][:-1], closed.end()
        if quote == "'":
            return re.sub(r"\\(\\|')", lambda m: "'" if m[1] == "'" else m[0], value), end
        value = _ESCAPE.sub(_unescape, value)
    else:
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline
        value = text[at:end].partition(" #")[0].rstrip()
    try:
        return substitute(value, look), end
    except (Malformed, Missing):
        raise BadLine(text, at, f"`{value}` has a variable that cannot be filled in") from None


def _unescape(found: re.Match[str]) -> str:
    letter, digits = found.groups()
    if letter:
        return _ESCAPES[letter]
    return chr(int(digits, 8)) if re.fullmatch("[0-3][0-7][0-7]", digits) else f"\\{digits}"


# ── layers (C-2, C-21, C-32) ───────────────────────────────────────────────────────────────────────


class _File:
    """A loaded file that services can be taken from: its services, and those already extended."""

    def __init__(self, path: str, model: Node) -> None:
        self.path, self.model, self.services = path, model, model.entries("services")
        self.done: dict[str, Node] = {}


class Project:
    """Everything that one reading reads. `folder` is the folder of the first file: paths resolve against it.

    `prefix` goes in front of a file's place in the project to make the name that people see.
    """

    def __init__(self, note: Notes, files: Files, shell: Shell, folder: str, prefix: str) -> None:
        self.note, self.files, self.shell, self.folder, self.prefix = note, files, shell, folder, prefix
        self.texts: dict[str, str] = {}
        self.others: dict[str, _File] = {}
        self.count = self.copied = 0  # files read, values that came by extending
        self.marked = False  # some text has a `!reset` or `!override`

    # ── reading ────────────────────────────────────────────────────────────────────────────────────

    def shown(self, place: str) -> str:
        """A place in the project as people see it."""
        return posixpath.normpath(posixpath.join(self.prefix, place))

    def layer(self, place: str, files: Files | None = None) -> Layer:
        """A file, with a finding when it is not text. Raises OSError."""
        self.count += 1
        if self.count > MOST_FILES:
            raise OSError(errno.EMFILE, f"a project has at most {MOST_FILES} files")
        name = self.shown(place)
        text, problem = decode((files or self.files).read(place), name)
        self.texts[name] = text
        if problem is not None:
            self.note.take(problem, 1)
        return place, text, name

    def fetch(self, named: Node, folder: str, path: Path, rule: str, stage: int, needed: bool = True) -> Layer | None:
        """A file that a composition names, or None and an error; no error when it is absent and not *needed*."""
        try:
            return self.layer(posixpath.normpath(posixpath.join(folder, named.value)))
        except OSError as error:
            if needed or error.errno not in (errno.ENOENT, errno.ENOTDIR):
                code = "outside-project" if error.errno == errno.EXDEV else "missing-file"
                self.note.say(code, named, path, rule=rule, stage=stage, file=named.value, reason=reason(error))
            return None

    def variables(self, layer: Layer, path: Path, stage: int, ask: Ask, known: Mapping[str, str]) -> dict[str, str]:
        """The variables of a file; a line that cannot be read is an error."""
        try:
            return variables(layer[1], ask, known)
        except BadLine as bad:
            self.note.say("unreadable-line", Span(layer[2], bad.line, 1), path, stage=stage, problem=bad.problem)
            return {}

    # ── layers ─────────────────────────────────────────────────────────────────────────────────────

    def load(self, layers: list[Layer], folder: str, shell: Shell, chain: tuple[str, ...] = ()) -> Node | None:
        """Every document of every file, one over the other, checked each time (C-2)."""
        model: Node | None = None
        documents = [(place, each) for place, text, name in layers for each in self._documents(text, name)]
        for number, (place, document) in enumerate(documents, 1):
            layer = self._layer(document, place, folder, shell, (*chain, place))
            model = merge(model, layer, self._tell) if model else layer
            if number < CHECKED_LAYERS or number == len(documents):
                model = unique(self._settled(model), self._tell)
                check_schema(model, self.note)
                model = self._folded_in(model, "version", "C-23")
        return model

    def _documents(self, text: str, name: str) -> Iterator[Node]:
        self.marked = self.marked or "!reset" in text or "!override" in text
        parsed = parse(text, name)
        for found, (_document, stage) in zip(parsed.findings, parsed.order, strict=True):
            self.note.take(found, stage)
        for number, document in enumerate(parsed.documents):
            if document.kind != "map":
                empty = document.kind == "null" and len(parsed.documents) > 1
                self.note.say("empty-document" if empty else "no-mapping", document, value=document.words)
                continue
            if number:
                self.note.say("second-document", document)
            yield document

    def _layer(self, document: Node, place: str, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node:
        layer = interpolate(document, shell, self.note)
        file = _File(place, layer)
        layer = _each_service(layer, lambda name, _service: self._extend(file, name, folder, shell))
        return self._include(layer, folder, shell, chain)

    def _settled(self, node: Node) -> Node:
        return settle(node) if self.marked else node

    def _tell(self, code: str, node: Node, path: Path) -> None:
        lost = (node.plain(), None) if code == "repeated-entry" else None
        value = node.value if lost and node.kind == "str" else path[-2] if lost else node.words
        self.note.say(code, node, path, change=lost, name=path[-1] if path else "", value=value)

    # ── extends (C-36) ─────────────────────────────────────────────────────────────────────────────

    def _extend(self, file: _File, name: str, folder: str, shell: Shell) -> Node:
        """A service put over what it extends, from the far end of the chain."""
        chain = [(file, name, folder)]
        base: Node | None = None
        while (target := self._target(chain, shell)) is not None:
            if target[1] in target[0].done:
                base, below = target[0].done[target[1]], target[2]
                break
            chain.append(target)
        for owner, service, here in reversed(chain):
            node = owner.services[service]
            if base is not None and base.kind == "map" and node.kind == "map" and self._within(base, node, service):
                lower = rebase(self._settled(base), posixpath.relpath(below or ".", here or "."))
                node = merge(lower, node, self._tell, ("services", service))
            owner.done[service] = base = self._folded_in(node, "extends", "C-36", ("services", service))
            below = here
        return file.done[name]

    def _within(self, base: Node, node: Node, name: str) -> bool:
        """Whether services still stand for a bounded number of values after this one (C-6)."""
        before = self.copied
        self.copied += sum(len(value.value) if value.kind in ("list", "map") else 1 for value in base.value.values())
        most = max(EXTENDED, sum(map(len, self.texts.values())) // 10)
        if before <= most < self.copied:
            self.note.say("too-many-extended", node, ("services", name), most=most)
        return self.copied <= most and node.mark != "reset"

    def _target(self, chain: list[tuple[_File, str, str]], shell: Shell) -> tuple[_File, str, str] | None:
        """What the last service of *chain* extends: file, service and folder; None when it is nothing."""
        here, name, folder = chain[-1]
        node = here.services[name]
        link = node.get("extends")
        if link is None or "reset" in (node.mark, link.mark):
            return None
        path: Path = ("services", name, "extends")
        wanted, file = (link.get("service"), link.get("file")) if link.kind == "map" else (link, None)
        if wanted is None or wanted.kind != "str" or (file is not None and file.kind != "str"):
            self.note.say("unreadable-extends", link, path, name=name)
            return None
        target = here if file is None else self._other(file, folder, shell, (*path, "file"))
        if target is None:
            return None
        if wanted.value not in target.services:
            self.note.say("unknown-base", wanted, path, name=name, base=wanted.value, file=self.shown(target.path),
                          help=self.note.hint(wanted.value, tuple(target.services)))  # fmt: skip
            return None
        if any(link[0].path == target.path and link[1] == wanted.value for link in chain):
            names = " → ".join([*(link[1] for link in chain), wanted.value])
            self.note.say("endless-extends", wanted, path, name=name, chain=names)
            return None
        if file is not None:
            self._left_behind(target, wanted, path)
        return target, wanted.value, folder if file is None else posixpath.dirname(target.path)

    def _left_behind(self, target: _File, wanted: Node, path: Path) -> None:
        """Only a service comes from another file; what it refers to does not."""
        for kind in ("volumes", "networks"):
            listed = target.services[wanted.value].get(kind)
            items = listed.items() if listed else []
            used = {key if isinstance(key, str) else str(item.plain()).partition(":")[0] for key, item in items}
            if left := ", ".join(f"`{name}`" for name in sorted(target.model.entries(kind).keys() & used)):
                self.note.say("extends-leaves-behind", wanted, path, base=wanted.value, kind=kind, names=left,
                              file=self.shown(target.path))  # fmt: skip

    def _other(self, file: Node, folder: str, shell: Shell, path: Path) -> _File | None:
        """Another file that services are taken from, loaded once."""
        place = posixpath.normpath(posixpath.join(folder, file.value))
        if place not in self.others:
            layer = self.fetch(file, folder, path, "C-36", 4)
            if layer is None:
                return None
            model = Node("map", {}, file.span)
            for document in self._documents(layer[1], layer[2]):
                model = self._settled(merge(model, interpolate(document, shell, self.note), self._tell))
            self.others[place] = _File(place, model)
        return self.others[place]

    # ── include (C-37) ─────────────────────────────────────────────────────────────────────────────

    def _include(self, layer: Node, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node:
        listed = layer.get("include")
        if listed is not None and listed.kind not in ("list", "null"):
            self.note.say("include-is-no-list", listed, ("include",))
        elif listed is not None:
            for index, entry in listed.items():
                imported = self._imported(entry, ("include", index), folder, shell, chain)
                layer = self._import(imported, layer) if imported is not None else layer
        return self._folded_in(layer, "include", "C-37")

    def _folded_in(self, node: Node, key: str, rule: str, path: Path = ()) -> Node:
        """A mapping without a key that has done its work."""
        if (gone := node.get(key)) is None:
            return node
        self.note.change((*path, key), gone.plain(), None, rule, gone)
        return node.without(key)

    def _imported(self, entry: Node, path: Path, folder: str, shell: Shell, chain: tuple[str, ...]) -> Node | None:
        named = entry.get("path") if entry.kind == "map" else entry
        paths = _texts(named)
        if not paths:
            if named is not None and named.kind != "null":
                self.note.say("unreadable-include", entry, path)
            return None
        main = posixpath.normpath(posixpath.join(folder, paths[0].value))
        if main in chain:
            names = " → ".join(self.shown(place) for place in (*chain[chain.index(main) :], main))
            self.note.say("endless-include", entry, path, file=paths[0].value, chain=names)
            return None
        directory = _texts(entry.get("project_directory"))
        inner = posixpath.normpath(posixpath.join(folder, directory[0].value)) if directory else posixpath.dirname(main)
        layers = [self.fetch(item, folder, path, "C-37", 6) for item in paths]
        own = Shell(shell.values, self._beside(entry, path, folder, inner, shell), shell.missed)
        found = [layer for layer in layers if layer is not None]
        kept, self.others = self.others, {}  # the values of another `.env` would not hold for those
        model = self.load(found, inner, own, chain) if len(found) == len(paths) else None
        self.others = kept
        if model is None:
            return None
        prefix = posixpath.relpath(inner or ".", folder or ".")
        return _each_service(model, lambda _name, service: rebase(own_values(service, own), prefix, True))

    def _beside(self, entry: Node, path: Path, folder: str, inner: str, shell: Shell) -> dict[str, str]:
        """The variables of the `.env` beside an included file, or of the files that its entry names (C-27)."""
        values, own = dict(shell.apart), dict[str, str]()
        listed = _texts(entry.get("env_file"))
        layers = [self.fetch(item, folder, path, "C-37", 6) for item in listed]
        if not listed:
            try:
                layers = [self.layer(posixpath.join(inner, ".env"))]
            except OSError:
                return values
            self.note.say("env-beside-include", entry, path, file=self.shown(posixpath.join(inner, ".env")))
        for layer in filter(None, layers):
            own |= self.variables(layer, path, 6, lambda name: shell.values.get(name, values.get(name)), own)
        return {**own, **values}

    def unread_env(self) -> None:
        """Tell of variables that only the project's `.env` has: balena does not read it (C-27)."""
        try:
            text, _problem = decode(self.files.read(posixpath.join(self.folder, ".env")), ".env")
            values = variables(text, lambda _name: None)
        except (OSError, BadLine):
            return
        for name, span in self.shell.missed.items():
            if name in values:
                self.note.say("env-not-read", span, name=name)

    def _import(self, imported: Node, layer: Node) -> Node:
        """Add what an included file declares; what both declare must be equal (C-37)."""
        for kind in ("services", "volumes", "networks", "secrets", "configs"):
            theirs, ours = imported.get(kind), layer.get(kind)
            if theirs is None or theirs.kind != "map":
                continue
            if ours is not None and ours.kind == "map":
                for name in sorted(theirs.value.keys() & ours.value.keys()):
                    if not _equal(theirs.value[name], ours.value[name], layer.span.name):
                        file = theirs.value[name].span.name
                        self.note.say("include-conflict", ours.value[name], (kind, name), name=name, file=file)
                theirs = ours.like("map", {**theirs.value, **ours.value}, {**theirs.keys, **ours.keys})
            layer = layer.put(kind, theirs)
        return layer

    # ── env_file and label_file (C-38, C-40) ───────────────────────────────────────────────────────

    def fold(self, root: Node) -> Node:
        """Every service with the variables and labels of its files, and without the names of the files."""
        return _each_service(root, lambda name, service: self._folded(service, ("services", name)))

    def _folded(self, service: Node, path: Path) -> Node:
        for key, target in (("env_file", "environment"), ("label_file", "labels")):
            listed, written = service.get(key), service.get(target)
            if listed is None:
                continue
            blank = Node("map", {}, written.span if written else listed.span)
            own = merge(blank, written, self._tell, (*path, target)) if written else blank
            entries = self._from_files(listed, own, (*path, key))
            service = service.without(key)
            if entries or written:
                keys = {name: value.span for name, value in entries.items()} | own.keys
                service = service.put(target, blank.like("map", {**entries, **own.value}, keys))
        return service

    def _from_files(self, listed: Node, own: Node, path: Path) -> dict[str, Node]:
        """What the files of `env_file` or `label_file` say; it stands where the file is named."""
        labels = path[-1] == "label_file"
        rule, word = ("C-40", "label") if labels else ("C-38", "variable")
        found: dict[str, Node] = {}
        values: dict[str, str] = {}
        set_here = {} if labels else {k: scalar_text(v) for k, v in own.value.items() if v.kind != "null"}

        def ask(name: str) -> str | None:
            return values.get(name) if labels else self.shell.values.get(name, set_here.get(name))

        for item in listed.value if listed.kind == "list" else [listed]:
            name = item.get("path") or item
            if name.kind != "str":
                continue  # the schema has said so
            needed = item.get("required") is None or switch(Desk(self.note), item.value["required"], path) is not False
            layer = self.fetch(name, self.folder, path, rule, 20, needed)
            if layer is not None and (form := item.get("format")) is not None and form.value:
                self.note.say("unknown-format", form, path, value=form.plain())
            elif layer is not None:
                fresh = self.variables(layer, path, 20, ask, {} if labels else values)
                values |= fresh
                found |= {variable: Node("str", value, name.span, True) for variable, value in fresh.items()}
                count = f"{len(fresh)} {word}{'' if len(fresh) == 1 else 's'}"
                change = (name.value, sorted(fresh))
                self.note.say("file-folded", name, path, rule=rule, change=change, file=name.value, count=count)
        return found


def _each_service(root: Node, change: Callable[[str, Node], Node]) -> Node:
    """A tree with every service changed."""
    services = root.get("services")
    return root.put("services", services.each(change)) if services is not None and services.kind == "map" else root


def _texts(node: Node | None) -> list[Node]:
    """A text or a list of texts, as a list."""
    items = [] if node is None else node.value if node.kind == "list" else [node]
    return [item for item in items if item.kind == "str" and item.value]


# ── services that come from another folder (C-36, C-37) ────────────────────────────────────────────

_REMOTE: Final = re.compile(r"[^/]*://|/|~|service:|git@|github\.com/")


def rebase(service: Node, prefix: str, complete: bool = False) -> Node:
    """A service of another folder, seen from this one. With *complete*, a build gets its context (C-2, stage 13)."""
    if service.kind != "map" or prefix == ".":
        return service
    build = service.get("build")
    if complete and build is not None and build.kind == "map" and "context" not in build.value:
        service = service.put("build", build.put("context", Node("str", ".", build.span)))
    return service.each(lambda key, value: _moved(value, prefix) if key in _PATHS else value)


_PATHS: Final = ("env_file", "label_file", "build", "path", "context")


def _moved(node: Node, prefix: str) -> Node:
    """The texts of a node, its items, and under the keys that have paths."""
    if node.kind == "list":
        return node.like("list", [_moved(item, prefix) for item in node.value])
    if node.kind == "map":
        return node.each(lambda key, value: _moved(value, prefix) if key in _PATHS else value)
    if node.kind != "str" or _REMOTE.match(node.value):
        return node
    return node.like("str", posixpath.normpath(posixpath.join(prefix, node.value)))


def own_values(service: Node, shell: Shell) -> Node:
    """A service with the values that only its own file can give to variables without one (C-27, C-31).

    The engine does so in the list form of `environment`; it forgets the mapping form, and build arguments.
    """
    node = service.get("environment")
    if node is None or node.kind != "list" or not shell.apart:
        return service
    bare = [shell.ask(item.value) if item.kind == "str" and "=" not in item.value else None for item in node.value]
    items = [i if v is None else i.like("str", f"{i.value}={v}") for i, v in zip(node.value, bare, strict=True)]
    return service.put("environment", node.like("list", items))


_REWRITTEN: Final = ("ports", "volumes", "build", "env_file", "label_file", "depends_on", "networks", "devices",
                     "secrets", "configs", "gpus", "models")  # fmt: skip


def _equal(theirs: Node, ours: Node, file: str) -> bool:
    """Whether two declarations are equal. An included one already has its long forms, one of *file* itself has not."""
    dns = theirs.get("dns")
    rewritten = any(theirs.get(key) for key in _REWRITTEN) or (dns is not None and dns.kind == "str")
    return bool(theirs.plain() == ours.plain()) and not (rewritten and ours.span.name == file)
