"""How long a PDF takes from the upload until it can be searched, through the whole local stack."""

import io
import time
from pathlib import Path
from typing import Any

import pypdfium2
from openai import OpenAI

from infra.local import LocalStack

PART_BYTES = 4_000_000
LONGEST_SECONDS = 3600


def measure(pdf: Path, pages: int) -> dict[str, Any]:
    """Measure the first `pages` pages of a PDF, with warm functions and nothing else to do."""
    content, pages = _beginning(pdf, pages)
    with (
        LocalStack() as stack,
        OpenAI(base_url=stack.base_url, api_key="sk-bench", max_retries=0) as client,
    ):
        store = client.vector_stores.create()
        _ingest(client, store.id, "warm.txt", b"Warm.")
        started = time.perf_counter()
        upload = client.uploads.upload_file_chunked(
            file=content,
            filename=pdf.name,
            bytes=len(content),
            mime_type="application/pdf",
            purpose="assistants",
            part_size=PART_BYTES,
        )
        uploaded = time.perf_counter()
        assert upload.file is not None
        _wait(client, store.id, upload.file.id)
        searchable = time.perf_counter()
        client.vector_stores.search(store.id, query="How do I read a file?")
        answered = time.perf_counter()
        (text,) = client.vector_stores.files.content(upload.file.id, vector_store_id=store.id)
        busy = {name: stack.functions[name].busy_seconds for name in ("IndexFile", "ParseFile")}
    return {
        "pages": pages,
        "megabytes": round(len(content) / 1e6, 2),
        "characters": len(text.text or ""),
        "upload_seconds": round(uploaded - started, 2),
        "searchable_seconds": round(searchable - uploaded, 1),
        "of_which_parsing": round(busy["ParseFile"], 2),
        "search_seconds": round(answered - searchable, 2),
    }


def _beginning(pdf: Path, pages: int) -> tuple[bytes, int]:
    whole = pypdfium2.PdfDocument(pdf)
    pages = min(pages, len(whole))
    part, out = pypdfium2.PdfDocument.new(), io.BytesIO()
    part.import_pages(whole, list(range(pages)))
    part.save(out)
    return out.getvalue(), pages


def _ingest(client: OpenAI, store_id: str, name: str, content: bytes) -> None:
    file = client.vector_stores.files.upload(vector_store_id=store_id, file=(name, content))
    _wait(client, store_id, file.id)


def _wait(client: OpenAI, store_id: str, file_id: str) -> None:
    """Wait for the end; raise `RuntimeError` if it is a failure or does not come in time."""
    until = time.perf_counter() + LONGEST_SECONDS
    client.vector_stores.files.create(store_id, file_id=file_id)
    while (
        file := client.vector_stores.files.retrieve(file_id, vector_store_id=store_id)
    ).status != "completed":
        if file.status != "in_progress" or time.perf_counter() > until:
            raise RuntimeError(f"{file_id} is {file.status}: {file.last_error}")
        time.sleep(0.1)
