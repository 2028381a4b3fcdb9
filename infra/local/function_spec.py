"""The configuration of a function, and the command and environment of its processes."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
NO_FILE = os.devnull  # keeps the user's credentials and profile from functions


@dataclass(frozen=True)
class LocalFunctionSpec:
    """One function as deployed; `code` and `layers` are the folders of its sources.

    A `recursive` one may invoke itself by a queue, however often.
    """

    logical_id: str
    name: str
    arn: str
    handler: str
    timeout: float
    memory_mb: int
    environment: Mapping[str, str]
    code: Path
    layers: tuple[Path, ...] = ()
    concurrency: int | None = None
    recursive: bool = False

    def command(self) -> list[str]:
        """Return the command of AWS's runtime client, after the exec wrapper if there is one."""
        runtime = [sys.executable, "-m", "awslambdaric", self.handler]
        wrapper = self.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
        return [self._in_layers(wrapper), *runtime] if wrapper else runtime

    def process_environment(self, runtime_port: int, aws: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that Lambda defines, and the function's own."""
        folders = [self.code, *(layer / "python" for layer in self.layers)]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "_HANDLER": self.handler,
            "LAMBDA_TASK_ROOT": str(self.code),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": NO_FILE,
            "AWS_SHARED_CREDENTIALS_FILE": NO_FILE,
            "AWS_EC2_METADATA_DISABLED": "true",
            "OPENBLAS_NUM_THREADS": "1",  # more slow MiniLM down by half an order of magnitude
            **aws,
            **self.environment,
        }

    def _in_layers(self, path: str) -> str:
        """Return the file that Lambda mounts at `path`. Raises FileNotFoundError."""
        relative = path.removeprefix("/opt/")
        for layer in reversed(self.layers):  # a later layer hides an earlier one
            if (layer / relative).exists():
                return str(layer / relative)
        raise FileNotFoundError(f"{self.logical_id}: no layer holds {path}")
