"""Abuse 74-85: whatever the kernel says or does not say, the daemon answers and goes on."""

from __future__ import annotations

import base64

import pytest

from tests.abuse.attacks import PRELUDE, Attempt, prints, raises, stopped, table
from tests.support.sandbox_platforms import Session

PNG = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()

NONSENSE = stopped("protocol", lost=True)

PROTOCOL = [
    Attempt(74, "an oversized frame", "os.write(control(), b'\\xff' * 4); time.sleep(5)", NONSENSE),
    Attempt(75, "bad JSON", "frame(b'{'); time.sleep(5)", NONSENSE),
    Attempt(75, "JSON that is too deep", "frame(b'[' * 100_000); time.sleep(5)", NONSENSE),
    Attempt(75, "a frame that is no object", "frame(b'[]'); time.sleep(5)", NONSENSE),
    Attempt(75, "an unknown type", 'frame(b\'{"type": "x"}\'); time.sleep(5)', NONSENSE),
    Attempt(
        76, "a closed channel", "os.close(control()); time.sleep(5)", stopped("exited", lost=True)
    ),
    Attempt(
        77,
        "the end of another execution",
        'frame(b\'{"type": "done", "id": 999999, "error": null}\'); time.sleep(5)',
        NONSENSE,
    ),
    Attempt(
        77,
        "a second start",
        'frame(b\'{"type": "ready", "landlock": 7}\'); time.sleep(5)',
        NONSENSE,
    ),
    Attempt(
        79,
        "thousands of frames",
        'for _ in range(5000): frame(b\'{"type": "image", "mime": "", "data": ""}\')',
        NONSENSE,
    ),
    Attempt(80, "os._exit", "os._exit(0)", stopped("exited", lost=True)),
    Attempt(
        80,
        "os._exit next to a fork that goes on",
        "if os.fork(): os._exit(0)\ntime.sleep(30)",
        stopped("exited", lost=True),
        seconds=20,
    ),
    Attempt(81, "a segmentation fault", "ctypes.string_at(0)", stopped("exited", lost=True)),
    Attempt(82, "binary output", "os.write(1, bytes(range(256))); print('end')", prints("end")),
    Attempt(
        83,
        "a child that keeps the output open",
        "subprocess.Popen(['sleep', '30']); print('back')",
        prints("back"),
    ),
    Attempt(
        83,
        "closed output",
        "os.close(1); os.close(2); time.sleep(0.2); os._exit(0)",
        stopped("exited", lost=True),
    ),
    Attempt(85, "input()", "input()", raises("EOFError")),
]


@table(PROTOCOL)
def test_the_daemon_survives_what_the_kernel_says(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)


@pytest.mark.abuse(77)
def test_a_forged_end_of_its_own_execution_costs_the_kernel(sandbox: Session) -> None:
    forge = (
        "import inspect, json\n"
        "for caller in inspect.stack():\n"
        "    number = caller.frame.f_locals.get('execution', {}) or {}\n"
        "    if isinstance(number, dict) and 'id' in number: break\n"
        "frame(json.dumps({'type': 'done', 'id': number['id'], 'error': None}).encode())\n"
        "time.sleep(1)"
    )
    assert sandbox.run(PRELUDE + forge).ok
    after = sandbox.run("print('next')")
    assert (after.reason, after.lost) == ("protocol", True)
    assert sandbox.run("print('next')").logs == "next\n"


@pytest.mark.abuse(78)
@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("text/html", PNG),
        ("image/svg+xml", PNG),
        ("image/jpeg", PNG),
        ("image/png", base64.b64encode(b"<script>").decode()),
        ("image/png", PNG[:40]),
        ("image/png", "not base64!"),
        ("image/png", base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(1000)).decode()),
    ],
)
def test_only_whole_images_of_known_types_come_out(sandbox: Session, mime: str, data: str) -> None:
    image = {"type": "image", "mime": mime, "data": data}
    result = sandbox.run(f"{PRELUDE}\nimport json\nframe(json.dumps({image}).encode())")
    assert (result.ok, result.images, result.skipped) == (True, (), 1)


@pytest.mark.abuse(79)
def test_twenty_images_come_out_of_a_flood(sandbox: Session) -> None:
    flood = (
        "from IPython.display import display\n"
        "import base64\n"
        f"for _ in range(100): display({{'image/png': {PNG!r}}}, raw=True)"
    )
    result = sandbox.run(flood)
    assert (result.ok, len(result.images), result.skipped) == (True, 20, 80)
    assert all(image.data.startswith(b"\x89PNG") for image in result.images)


@pytest.mark.abuse(84)
def test_output_after_an_execution_belongs_to_the_next(sandbox: Session) -> None:
    later = "threading.Timer(0.2, lambda: print('late', flush=True)).start(); print('soon')"
    assert sandbox.run(PRELUDE + later).logs == "soon\n"
    assert "late" in sandbox.run("import time; time.sleep(0.4)").logs
