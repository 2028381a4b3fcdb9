"""Synthesize the application, once for each state of its inputs."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.assembly import Assembly
from infra.repository import REPOSITORY

CACHE = REPOSITORY / ".cache" / "synth"
HTTP = "layers/assistants/python/assistants/http"
INPUTS = (
    "cdk.json",
    "requirements.lock",
    "infra/*.py",
    "infra/constructs/*.py",
    "infra/stacks/*.py",
    "statemachines/*",
    "layers/assistants/python/assistants/settings.py",
    f"{HTTP}/route.py",
    f"{HTTP}/routes.py",
)
QUIET = {
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
}
PROGRAM = """
import sys
from pathlib import Path
from infra.app import synthesize
synthesize(Path(sys.argv[1]), bundle=False)
"""


class SynthesisError(Exception):
    """Raised when the application cannot be synthesized."""


def cached_assembly() -> Assembly:
    """Return the assembly, synthesized if its inputs changed. Raises `SynthesisError`."""
    folder = CACHE / _digest()
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as temporary:
            synthesized = Path(temporary) / "cdk.out"
            _synthesize(synthesized)
            if not folder.exists():  # another process may have been faster
                synthesized.rename(folder)
    return Assembly(folder)


def _digest() -> str:
    digest = hashlib.sha256()
    for path in _inputs():
        digest.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    for pattern in INPUTS:
        yield from sorted(path for path in REPOSITORY.glob(pattern) if path.is_file())


def _synthesize(folder: Path) -> None:
    if shutil.which("node") is None:
        raise SynthesisError("Node.js is needed (the CDK runs on it), and there is no `node`.")
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        reason = result.stderr.strip().rpartition("\n")[2]
        raise SynthesisError(f"The CDK application fails (`make synth` shows where): {reason}")
