"""A real OpenSearch node as a process, of the parts that `make test-opensearch` gathers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
PARTS = HERE / "target"


@contextmanager
def running() -> Iterator[str]:
    """Start a node without an index, which needs Java 17 or newer; yield its URL."""
    classes = f"{PARTS}/jars/*:{PARTS}/knn/*"
    with TemporaryDirectory() as home, (Path(home) / "log").open("wb") as log:
        node = subprocess.Popen(
            ["java", "-Xms512m", "-Xmx512m", "-cp", classes, HERE / "Node.java", home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        with node:
            assert node.stdin is not None
            assert node.stdout is not None
            announced = node.stdout.readline().split()
            assert announced[:1] == [b"listening"], (Path(home) / "log").read_text()
            try:
                yield f"http://127.0.0.1:{int(announced[1])}"
            finally:
                node.stdin.close()  # the node ends with its input
                node.wait(timeout=30)
