"""Programs that use OpenAI's Node SDK, and the endpoint that they call."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("node")


def run_node(program: str, *arguments: object, **environment: str) -> Any:
    """Run a program of `node/` and return the JSON that it prints."""
    assert (FOLDER / "node_modules").is_dir(), "the Node SDK is not installed: make test-e2e"
    ended = subprocess.run(
        ["node", program, *map(str, arguments)],
        cwd=FOLDER,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@dataclass(frozen=True)
class NodeSdk:
    """The SDK with the endpoint and the key that it uses."""

    base_url: str
    api_key: str

    def run(self, program: str, *arguments: object) -> Any:
        return run_node(
            program, *arguments, OPENAI_BASE_URL=self.base_url, OPENAI_API_KEY=self.api_key
        )
