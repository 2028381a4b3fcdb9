"""The confined process: reads the file at its input and prints its text, or why it has none.

It imports whatever the file's kind takes before its limits apply: no module, and no other file,
can be opened after that. Nothing of the file is read before.
"""

import encodings
import json
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, BinaryIO

from assistants.documents.formats import load, read
from assistants.documents.limits import Limits
from assistants.documents.system_calls import restrict
from assistants.domain.retrieval.document_text import (
    DocumentError,
    ExtractedText,
    ExtractionFailure,
)
from assistants.ports.parsing import encoded

WINDOWS_ENCODINGS = {"mbcs", "oem"}


def main(request: dict[str, Any]) -> None:
    filename = request["filename"]
    load(filename)
    _load_encodings()
    Limits(**request["limits"]).apply()
    print("ready" if restrict() else "ready unfiltered", flush=True)
    sys.stdout.buffer.write(encoded(_outcome(sys.stdin.buffer, filename)))


def _load_encodings() -> None:
    """Import every encoding of text: a file may name any of them."""
    for module in iter_modules(encodings.__path__):
        if module.name not in WINDOWS_ENCODINGS:
            import_module(f"encodings.{module.name}")


def _outcome(file: BinaryIO, filename: str) -> ExtractedText | ExtractionFailure:
    """Read the file. Catch everything, because a parser given garbage may raise anything."""
    try:
        return read(file, filename)
    except DocumentError as error:
        return ExtractionFailure(error.code, error.message)
    except MemoryError:
        return ExtractionFailure("invalid_file", "Reading the file takes too much memory.")
    except ImportError as error:
        return ExtractionFailure(
            "server_error", f"The service lacks a part that reads it: {error}."
        )
    except Exception as error:
        reason = type(error).__name__
        return ExtractionFailure(
            "invalid_file", f"The file could not be read; it is damaged ({reason})."
        )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
