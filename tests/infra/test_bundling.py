"""Layers are built without Docker; here for the interpreter and platform that run the tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bundling
from infra.bundling import AWS_SERVICES, InterpreterNotFoundError, Target
from infra.repository import REPOSITORY

HERE = Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", platform="linux")


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dependency layer."""
    return installed("dependencies", tmp_path_factory)


@pytest.fixture(scope="module")
def retrieval(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer that reads and searches files."""
    return installed("retrieval", tmp_path_factory)


def installed(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install a layer from uv's cache, which has its wheels: the tests run on the same ones."""
    layer = tmp_path_factory.mktemp(name)
    requirements = REPOSITORY / "layers" / name / "requirements.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_OFFLINE", "1")
        bundling.install_requirements(requirements, layer / "python", HERE)
    return layer


def run(layer: Path, program: str, *others: Path) -> str:
    """Run `program` where only layers and the standard library are found; return its output."""
    folders = [str(each / "python") for each in (layer, *others)]
    path = f"import sys; sys.path[:0] = {folders!r}; "
    command = [sys.executable, "-I", "-S", "-c", path + program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_layer_holds_all_that_the_functions_import(layer: Path) -> None:
    modules = "aws_lambda_powertools, boto3, mangum, pydantic, pynamodb.models, starlette, urllib3"
    assert run(layer, f"import {modules}; print(boto3.__file__)").startswith(str(layer))


def test_the_retrieval_layer_adds_all_that_reads_and_searches(layer: Path, retrieval: Path) -> None:
    modules = "opensearchpy, opensearchpy.helpers, pypdfium2, selectolax, olefile, openpyxl"
    program = (
        f"import {modules}, defusedxml, striprtf, charset_normalizer; print('grpc' in sys.modules)"
    )
    assert run(layer, program, retrieval) == "False"


def test_a_function_with_every_layer_is_far_below_lambdas_limit(
    layer: Path, retrieval: Path
) -> None:
    files = (path for each in (layer, retrieval) for path in each.rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) < 100e6  # of 250 MB, with bytecode and ours


def test_clients_of_the_services_in_use_can_be_made_from_the_layer(layer: Path) -> None:
    program = (
        "import boto3; session = boto3.Session(region_name='eu-central-1'); "
        f"[session.client(name) for name in {sorted(AWS_SERVICES)}]; "
        "print(*session.get_available_services())"
    )
    assert set(run(layer, program).split()) == AWS_SERVICES


def test_the_layer_keeps_the_service_models_of_every_client_in_the_code() -> None:
    package = REPOSITORY / "layers/assistants/python/assistants"
    sources = {*package.glob("**/*.py"), *REPOSITORY.glob("functions/*/handler.py")}
    sources -= {*package.glob("cli/*.py")}  # run where the operator is, on all of boto3
    made = re.compile(r"\bclient\(\s*\"([a-z0-9-]+)\"")
    named = {name for source in sources for name in made.findall(source.read_text())}
    assert {"s3", "ssm", "stepfunctions"} <= named <= AWS_SERVICES


def test_the_layer_leaves_out_what_no_function_reads(layer: Path) -> None:
    superfluous = ("**/*.pyi", "**/*.dist-info", "**/examples-1.json", "python/bin")
    assert [path for pattern in superfluous for path in layer.glob(pattern)] == []


def test_a_package_whose_hash_differs_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    pinned = (REPOSITORY / "layers/dependencies/requirements.txt").read_text()
    (six,) = re.findall(r"^six==\S+", pinned, re.MULTILINE)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{six} --hash=sha256:{'0' * 64}\n")
    with pytest.raises(subprocess.CalledProcessError):
        bundling.install_requirements(requirements, tmp_path / "python", HERE)
    assert "hash" in capfd.readouterr().err.lower()


def module_in(layer: Path) -> Path:
    module = layer / "python" / "answer.py"
    module.parent.mkdir(parents=True)
    module.write_text("value = 42\n")
    bundling.compile_bytecode(layer, Path(sys.executable))
    return module


def test_bytecode_is_used_whatever_the_time_stamps_say(tmp_path: Path) -> None:
    module = module_in(tmp_path)
    module.write_text("raise RuntimeError('compiled again')\n")
    assert run(tmp_path, "import answer; print(answer.value)") == "42"


def test_bytecode_is_the_same_wherever_it_is_compiled(tmp_path: Path) -> None:
    compiled = [module_in(tmp_path / name).parent.glob("__pycache__/*") for name in ("a", "b")]
    (first,), (second,) = map(list, compiled)
    assert first.read_bytes() == second.read_bytes()


def test_a_module_that_does_not_compile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def broken(:\n")
    with pytest.raises(subprocess.CalledProcessError):
        bundling.compile_bytecode(tmp_path, Path(sys.executable))


def test_every_module_of_every_layer_compiles(layer: Path, retrieval: Path) -> None:
    for each in (layer, retrieval):
        bundling.compile_bytecode(each, Path(sys.executable))
        modules = list(each.rglob("*.py"))
        assert len(modules) > 100
        assert len(list(each.rglob("*.pyc"))) == len(modules)


def test_the_interpreter_that_runs_is_found_for_its_own_version() -> None:
    assert bundling.find_interpreter(HERE.python) == Path(sys.executable)


def test_an_interpreter_on_the_path_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "bin" / "python3.99"
    real = tmp_path / "uv" / "cpython-3.99.1-linux" / "bin" / "python3.99"
    for path, script in ((shim, "exit 127"), (real, "echo 3.99")):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=":")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    assert bundling.find_interpreter("3.99") == real


def test_a_missing_interpreter_is_one_sentence_that_says_what_to_do() -> None:
    with pytest.raises(InterpreterNotFoundError) as missing:
        bundling.find_interpreter("3.99")
    assert "Python 3.99" in str(missing.value)
    assert "-c bytecode=false" in str(missing.value)
    assert "\n" not in str(missing.value)
