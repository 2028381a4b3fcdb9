"""File formats: their extensions and MIME types, and which tools take them.

The table follows OpenAI's guides (file search, code interpreter, vision) and adds more text formats
and tables for search. MIME types of files, checks of attachments and tool resources, and the set of
searchable files all come from it.
"""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from assistants.domain.errors import InvalidRequestError

Use = Literal["search", "code", "vision"]
UNKNOWN = "application/octet-stream"

_SEARCH: frozenset[Use] = frozenset({"search"})
_CODE: frozenset[Use] = frozenset({"code"})
_BOTH = _SEARCH | _CODE
_VISION: frozenset[Use] = frozenset({"vision"})
_OFFICE = "application/vnd.openxmlformats-officedocument"
# Code, configuration and prose that the guides do not name.
_MORE_TEXT = (
    "bash bat cc cfg clj cxx dart diff erl ex f90 gradle groovy h hpp hs ini jl jsonl jsx kt less "
    "lisp log lua m mjs ml mm pas pl pm properties proto ps1 r rs rst scala scss sql srt swift tcl "
    "toml tsx vb vtt vue yaml yml"
)


@dataclass(frozen=True, slots=True)
class Format:
    """One format; files are served with the first of its MIME types."""

    extensions: tuple[str, ...]
    mime_types: tuple[str, ...]
    uses: frozenset[Use]


FORMATS = (
    Format(("c",), ("text/x-c",), _BOTH),
    Format(("cpp",), ("text/x-c++",), _BOTH),
    Format(("cs",), ("text/x-csharp",), _BOTH),
    Format(("css",), ("text/css",), _BOTH),
    Format(("csv",), ("text/csv", "application/csv"), _BOTH),
    Format(("doc",), ("application/msword",), _BOTH),
    Format(("docx",), (f"{_OFFICE}.wordprocessingml.document",), _BOTH),
    Format(("gif",), ("image/gif",), _CODE | _VISION),
    Format(("go",), ("text/x-golang",), _SEARCH),
    Format(("htm",), ("text/html",), _SEARCH),
    Format(("html",), ("text/html",), _BOTH),
    Format(("java",), ("text/x-java",), _BOTH),
    Format(("jpg", "jpeg"), ("image/jpeg",), _CODE | _VISION),
    Format(("js",), ("text/javascript",), _BOTH),
    Format(("json",), ("application/json",), _BOTH),
    Format(("markdown",), ("text/markdown",), _SEARCH),
    Format(("md",), ("text/markdown",), _BOTH),
    Format(("pdf",), ("application/pdf",), _BOTH),
    Format(("php",), ("text/x-php",), _BOTH),
    Format(("pkl",), (UNKNOWN,), _CODE),
    Format(("png",), ("image/png",), _CODE | _VISION),
    Format(("pptx",), (f"{_OFFICE}.presentationml.presentation",), _BOTH),
    Format(("py",), ("text/x-python", "text/x-script.python"), _BOTH),
    Format(("rb",), ("text/x-ruby",), _BOTH),
    Format(("rtf",), ("application/rtf", "text/rtf"), _SEARCH),
    Format(("sh",), ("application/x-sh",), _BOTH),
    Format(("tar",), ("application/x-tar",), _CODE),
    Format(("tex",), ("text/x-tex",), _BOTH),
    Format(("ts",), ("application/typescript",), _BOTH),
    Format(("tsv",), ("text/tab-separated-values",), _SEARCH),
    Format(("txt",), ("text/plain",), _BOTH),
    Format(("webp",), ("image/webp",), _VISION),
    Format(("xlsx",), (f"{_OFFICE}.spreadsheetml.sheet",), _BOTH),
    Format(("xml",), ("application/xml", "text/xml"), _BOTH),
    Format(("zip",), ("application/zip",), _CODE),
    *(Format((extension,), ("text/plain",), _SEARCH) for extension in _MORE_TEXT.split()),
)
_BY_EXTENSION = {extension: format for format in FORMATS for extension in format.extensions}

_GUIDE = "https://platform.openai.com/docs/assistants/tools/file-search#supported-files"
_NAMES: dict[Use, str] = {
    "search": "retrieval",
    "code": "code_interpreter",
    "vision": "vision",
}


def extension_of(filename: str) -> str:
    """Return the extension in lower case and without the dot; empty if there is none."""
    return PurePath(filename).suffix.lower().lstrip(".")


def mime_type_of(filename: str) -> str:
    """Return the MIME type of a file whose sender declared none."""
    known = _BY_EXTENSION.get(extension_of(filename))
    return known.mime_types[0] if known else UNKNOWN


def objection(filename: str, use: Use) -> str | None:
    """Return OpenAI's message for a file that the tool does not take; None if it does."""
    extension = extension_of(filename)
    known = _BY_EXTENSION.get(extension)
    if known is not None and use in known.uses:
        return None
    shown = f".{extension}" if extension else "none"
    return f"Files with extensions [{shown}] are not supported for {_NAMES[use]}. See {_GUIDE}"


def require_use(filename: str, use: Use, param: str) -> None:
    """Raise `InvalidRequestError` (`unsupported_file`) unless files of this name have this use."""
    if (reason := objection(filename, use)) is not None:
        raise InvalidRequestError(reason, param=param, code="unsupported_file")
