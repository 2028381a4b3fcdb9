"""Synthesis makes the same templates every time, and without a warning."""

import json
from pathlib import Path

from infra.app import synthesize

STACKS = ("AssistantsData", "AssistantsService")


def test_the_cdk_warns_of_nothing(assembly: Path) -> None:
    for stack in STACKS:
        constructs = json.loads((assembly / f"{stack}.metadata.json").read_text())
        notes = [note for of_construct in constructs.values() for note in of_construct]
        assert [
            note for note in notes if note["type"] in {"aws:cdk:warning", "aws:cdk:error"}
        ] == []


def test_the_same_sources_make_the_same_templates(tmp_path: Path) -> None:
    # Assets are named by their content, so equal templates speak of equal code, too.
    first, second = tmp_path / "first", tmp_path / "second"
    for outdir in (first, second):
        synthesize(outdir, bundle=False)
    for stack in STACKS:
        name = f"{stack}.template.json"
        assert (first / name).read_bytes() == (second / name).read_bytes()
