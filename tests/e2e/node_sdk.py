"""Programs that use OpenAI's Node SDK, run against the endpoint under test."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("node")


@dataclass(frozen=True)
class NodeSdk:
    """The SDK as it is installed in `node/`, with the endpoint and the key that it uses."""

    base_url: str
    api_key: str

    def run(self, program: str, *arguments: object) -> Any:
        """Run a program of `node/` and return the JSON that it prints."""
        assert (FOLDER / "node_modules").is_dir(), "the Node SDK is not installed: make test-e2e"
        ended = subprocess.run(
            ["node", program, *map(str, arguments)],
            cwd=FOLDER,
            env={**os.environ, "OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": self.api_key},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)
