"""The confined process: reads one file and prints its text, or why it has none, as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from assistants.documents.formats import read
from assistants.documents.limits import Limits
from assistants.documents.system_calls import restrict
from assistants.domain.retrieval.document_text import (
    DocumentError,
    ExtractedText,
    ExtractionFailure,
)
from assistants.ports.parsing import encoded


def main(request: dict[str, Any]) -> None:
    Limits(**request["limits"]).apply()
    print("ready" if restrict() else "ready unfiltered", flush=True)
    answer = _outcome(Path(request["path"]), request["filename"])
    sys.stdout.buffer.write(encoded(answer))


def _outcome(path: Path, filename: str) -> ExtractedText | ExtractionFailure:
    """Read the file. Catch everything, because a parser given garbage may raise anything."""
    try:
        return read(path, filename)
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
