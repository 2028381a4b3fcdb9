"""Office Open XML packages: a zip of XML parts, read as a stream of events with hard budgets."""

import zipfile
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import BinaryIO, Literal, NamedTuple
from xml.parsers import expat

from assistants.domain.retrieval.document_text import DocumentError

MAX_MEMBERS = 5_000
MAX_BYTES = 300 * 2**20  # unpacked, of all members together
MAX_RATIO = 200
RATIO_FROM = 10 * 2**20  # smaller parts may be repetitive
MAX_DEPTH = 500
BLOCK = 2**16


class XmlEvent(NamedTuple):
    """An event. `name` is the element without its namespace, or the text itself."""

    kind: Literal["start", "end", "text"]
    name: str
    attributes: dict[str, str] = {}

    def get(self, attribute: str) -> str | None:
        """Return the value of an attribute in any namespace."""
        for name, value in self.attributes.items():
            if name.rpartition("}")[2] == attribute:
                return value
        return None


class Package:
    """The zip of a document. Raises `DocumentError` if damaged, encrypted or a zip bomb."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise DocumentError("invalid_file", "The file is damaged.") from error
        _check_size(self._zip.infolist())
        self._names = set(self._zip.namelist())

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def events(self, name: str) -> Iterator[XmlEvent]:
        """Yield the elements and texts of a part. zipfile enforces the declared size."""
        if name not in self._names:
            raise DocumentError("invalid_file", f"The file is damaged: it has no {name}.")
        parser = _Parser()
        with self._zip.open(name) as stream:
            while block := stream.read(BLOCK):
                yield from parser.feed(block)
        yield from parser.feed(b"", last=True)

    def relations(self, name: str) -> dict[str, str]:
        """Return the names of the parts that a part refers to, by relation id."""
        folder = dirname(name)
        part = join(folder, "_rels", name.removeprefix(f"{folder}/") + ".rels")
        found = {}
        for event in self.events(part) if part in self else ():
            identifier, target = event.get("Id"), event.get("Target")
            if event.name == "Relationship" and identifier and target:
                found[identifier] = normpath(join("/", folder, target)).lstrip("/")
        return found


class _Parser:
    """Expat without namespaces, without document types and with limited depth."""

    def __init__(self) -> None:
        self._events: list[XmlEvent] = []
        self._depth = 0
        self._expat = expat.ParserCreate(namespace_separator="}")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text
        self._expat.StartDoctypeDeclHandler = self._doctype

    def feed(self, block: bytes, *, last: bool = False) -> list[XmlEvent]:
        try:
            self._expat.Parse(block, last)
        except expat.ExpatError as error:
            raise DocumentError("invalid_file", f"The file is damaged: {error}.") from error
        events, self._events = self._events, []
        return events

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DocumentError("invalid_file", "The file is nested too deeply.")
        self._events.append(XmlEvent("start", name.rpartition("}")[2], attributes))

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._events.append(XmlEvent("end", name.rpartition("}")[2]))

    def _text(self, text: str) -> None:
        self._events.append(XmlEvent("text", text))

    def _doctype(self, *_: object) -> None:
        raise DocumentError("invalid_file", "The file has a document type, which is not allowed.")


def _check_size(members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & 1 for member in members):
        raise DocumentError("invalid_file", "The file is protected by a password.")
    total = sum(member.file_size for member in members)
    packed = [(member.file_size, max(1, member.compress_size)) for member in members]
    bomb = any(size > RATIO_FROM and size / small > MAX_RATIO for size, small in packed)
    if len(members) > MAX_MEMBERS or total > MAX_BYTES or bomb:
        raise DocumentError("invalid_file", "The file unfolds to more than can be read.")
