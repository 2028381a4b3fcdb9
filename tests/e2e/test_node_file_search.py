"""File search through the official Node SDK, whose AssistantStream is the strictest reader."""

from pathlib import Path

from tests.e2e.manuals import DOCX, PAGE, PDF
from tests.e2e.node_sdk import NodeSdk


def test_a_streamed_answer_quotes_the_files_that_were_uploaded(
    node: NodeSdk, tmp_path: Path
) -> None:
    page = tmp_path / PAGE[0]
    page.write_bytes(PAGE[1])
    question = "What is the cat of the lighthouse keeper called?"
    seen = node.run("manuals.mjs", "demo", question, PDF, DOCX, page)
    assert (seen["counts"]["completed"], seen["counts"]["total"]) == (3, 3)
    assert seen["text"] == seen["value"]
    assert "Ahab 🐈" in seen["value"]
    assert seen["citations"][0]["filename"] == seen["best"] == "lighthouse.html"
    for citation in seen["citations"]:
        assert citation["type"] == "file_citation"
        assert citation["placed"]
        assert citation["quoted"]
    assert seen["deleted"]
