"""File search through the official Node SDK, whose AssistantStream is the strictest reader."""

import json
import os
import subprocess
from pathlib import Path

from tests.e2e.library import DOCX, PAGE, PDF

NODE = Path(__file__).parent / "node"


def test_a_streamed_answer_quotes_the_files_that_were_uploaded(
    base_url: str, api_key: str, tmp_path: Path
) -> None:
    assert (NODE / "node_modules").is_dir(), "the Node SDK is not installed: make test-e2e"
    page = tmp_path / PAGE[0]
    page.write_bytes(PAGE[1])
    question = "What is the cat of the lighthouse keeper called?"
    ended = subprocess.run(
        ["node", "library.mjs", "demo", question, *map(str, (PDF, DOCX, page))],
        cwd=NODE,
        env={**os.environ, "OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": api_key},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen["counts"]["completed"], seen["counts"]["total"]) == (3, 3)
    assert seen["text"] == seen["value"]
    assert "Ahab 🐈" in seen["value"]
    assert seen["citations"][0]["filename"] == seen["best"] == "lighthouse.html"
    for citation in seen["citations"]:
        assert citation["type"] == "file_citation"
        assert citation["stands"]
        assert citation["quoted"]
    assert seen["deleted"]
