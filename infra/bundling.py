"""Build the contents of layers without Docker: wheels for the runtime, and its bytecode.

Lambda cannot keep bytecode that it compiles (its code folder is read-only), so every module of a
layer without bytecode is compiled at each cold start.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# botocore's models of the services that the functions use; the 430 others take 27 MB.
AWS_SERVICES = frozenset(
    {"bedrock-runtime", "dynamodb", "ecs", "lambda", "s3", "sqs", "ssm", "stepfunctions", "sts"}
)

UNUSED = (
    "bin",
    "*.dist-info",
    "**/*.pyi",
    "**/py.typed",
    "botocore/data/*/*/examples-1.json",
    "olefile/olefile2.py",  # for Python 2; Python 3 cannot compile it
)


@dataclass(frozen=True)
class Target:
    """The runtime of a layer: Python's minor version, and the platform as uv names it."""

    python: str
    platform: str


LAMBDA = Target(python="3.13", platform="aarch64-manylinux_2_28")


class InterpreterNotFoundError(Exception):
    """Raised when no interpreter of the runtime's minor version is there to compile bytecode."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Python {version} is needed to compile bytecode for Lambda: install it "
            f"(`.venv/bin/uv python install {version}` is one way), or deploy with slower cold "
            "starts by `-c bytecode=false`."
        )


def install_requirements(requirements: Path, python: Path, target: Target) -> None:
    """Unpack the wheels of `requirements`, whose hashes must match, into the folder `python`."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    command += ["--python-version", target.python, "--python-platform", target.platform]
    subprocess.run([*command, "--target", python, "--requirement", requirements], check=True)  # noqa: S603
    _prune(python)


def compile_bytecode(layer: Path, interpreter: Path) -> None:
    """Add bytecode for each module of `layer`, valid whatever timestamps its zip file has.

    It records the paths at which Lambda unpacks the modules, so it is the same on every machine.
    """
    command: list[str | Path] = [interpreter, "-m", "compileall", "-q", "-j", "0"]
    command += ["-s", layer, "-p", "/opt", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, layer], check=True)  # noqa: S603


def find_interpreter(version: str) -> Path:
    """Return a working interpreter of the minor `version`. Raises InterpreterNotFoundError."""
    for candidate in _candidates(version):
        if _version(candidate) == version:
            return candidate
    raise InterpreterNotFoundError(version)


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python")).expanduser()
    yield from uv.glob(f"cpython-{version}.*/bin/python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from pyenv.glob(f"versions/{version}.*/bin/python{version}")


def _version(interpreter: Path) -> str | None:
    """Return the minor version; None if it does not run, as pyenv's shim of an inactive one."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run(  # noqa: S603
        [interpreter, "-c", program], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else None


def _prune(python: Path) -> None:
    """Remove the files that no function reads."""
    for service in (python / "botocore/data").glob("*/"):
        if service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    for pattern in UNUSED:
        for path in list(python.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
