"""Code in a session: results, plots, files, state, and an end in time."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistants.ports.sandbox import SandboxLostError, SandboxRefusedError
from functions.sandbox.sandboxd.protection import Protection
from infra.local.process_sandbox import (
    ProcessSandbox,
    ProcessSession,
    SandboxLaunchError,
)
from tests.support.sandbox_platforms import DAEMON, Session, session

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_prints_results_errors_and_the_last_value_come_in_their_order(sandbox: Session) -> None:
    code = "import sys\nprint('one')\nprint('two', file=sys.stderr)\n!echo three\n'four'"
    assert sandbox.run(code).logs == "one\ntwo\nthree\n'four'\n"


def test_an_exception_is_shown_with_its_traceback(sandbox: Session) -> None:
    result = sandbox.run("def half(x):\n    return x / 0\nhalf(1)")
    assert (result.ok, result.error) == (False, "ZeroDivisionError")
    assert "return x / 0" in result.logs
    assert "\x1b" not in result.logs


def test_a_syntax_error_is_shown(sandbox: Session) -> None:
    result = sandbox.run("for")
    assert (result.ok, result.error) == (False, "SyntaxError")
    assert "invalid syntax" in result.logs


def test_variables_are_kept_between_executions(sandbox: Session) -> None:
    sandbox.run("import math\nnumber = 6")
    assert sandbox.run("number * math.factorial(3)").logs == "36\n"


def test_sys_exit_and_exit_leave_the_session_alive(sandbox: Session) -> None:
    sandbox.run("here = 1")
    for code in ("exit()", "quit()", "import sys; sys.exit(3)"):
        assert not sandbox.run(code).lost
    assert sandbox.run("print(here)").logs == "1\n"


def test_a_lost_kernel_is_said_once_and_counted(sandbox: Session) -> None:
    sandbox.run("here = 1")
    lost = sandbox.run("import os; os._exit(1)")
    after = sandbox.run("here")
    assert (lost.lost, lost.reason) == (True, "exited")
    assert (after.lost, after.error) == (False, "NameError")
    assert after.generation == lost.generation + 1


def test_a_kernel_that_dies_between_two_executions_is_noticed(sandbox: Session) -> None:
    sandbox.run("import os, threading; threading.Timer(0.1, os._exit, [1]).start()")
    time.sleep(1)
    after = sandbox.run("print('new')")
    assert (after.ok, after.lost, after.logs) == (True, True, "new\n")


def test_plots_come_out_as_images(sandbox: Session) -> None:
    result = sandbox.run("import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()", 60)
    assert result.ok, result.logs
    assert [image.mime for image in result.images] == ["image/png"]
    assert result.images[0].data.startswith(b"\x89PNG")
    assert result.files == ()


def test_a_displayed_jpeg_comes_out(sandbox: Session) -> None:
    code = (
        "import io\nfrom PIL import Image\nfrom IPython.display import display, Image as Shown\n"
        "buffer = io.BytesIO(); Image.new('RGB', (9, 9)).save(buffer, 'JPEG')\n"
        "display(Shown(buffer.getvalue(), format='jpeg'))"
    )
    assert [image.mime for image in sandbox.run(code, 60).images] == ["image/jpeg"]


def test_tables_are_shown_as_text(sandbox: Session) -> None:
    result = sandbox.run("import pandas as pd\npd.DataFrame({'a': [1, 2]})", 60)
    assert result.logs == "   a\n0  1\n1  2\n"


def test_new_and_changed_files_are_reported_with_their_hash(sandbox: Session) -> None:
    made = sandbox.run(
        "import os; os.makedirs('out', exist_ok=True)\nopen('out/a.csv', 'w').write('1')"
    )
    assert [(file.path, file.size, file.sha256) for file in made.files] == [
        ("out/a.csv", 1, hashlib.sha256(b"1").hexdigest())
    ]
    assert sandbox.run("open('out/a.csv').read()").files == ()
    changed = sandbox.run("open('/mnt/data/out/a.csv', 'w').write('2')")
    assert [file.path for file in changed.files] == ["out/a.csv"]


def test_files_go_in_and_out_unchanged(sandbox: Session) -> None:
    body = os.urandom(3_000_001)
    sandbox.client.store("Übung 1.bin", io.BytesIO(body), len(body))
    seen = sandbox.run("import os; print(os.path.getsize('/mnt/data/Übung 1.bin'))")
    assert seen.logs == "3000001\n"
    assert seen.files == ()
    with sandbox.client.fetch("Übung 1.bin") as chunks:
        assert b"".join(chunks) == body


def test_a_stored_file_belongs_to_the_code(sandbox: Session) -> None:
    sandbox.client.store("mine.txt", b"old", 3)
    assert sandbox.run("open('mine.txt', 'a').write('er')").ok
    with sandbox.client.fetch("mine.txt") as chunks:
        assert b"".join(chunks) == b"older"


def test_an_empty_file_can_be_stored_and_fetched(sandbox: Session) -> None:
    sandbox.client.store("empty", b"", 0)
    with sandbox.client.fetch("empty") as chunks:
        assert b"".join(chunks) == b""


def test_a_missing_file_is_refused(sandbox: Session) -> None:
    with pytest.raises(SandboxRefusedError, match="no_such_file"), sandbox.client.fetch("none"):
        pass


def test_health_reports_the_state_and_the_protection(sandbox: Session) -> None:
    health = sandbox.client.health()
    assert health["ready"]
    assert 0 < health["seconds_left"] <= 3600
    protection = health["protection"]
    assert protection["system_call_filter"]
    assert protection["warnings"] == []
    assert protection["private_view"] is (sandbox.kind != "fargate")
    assert protection["own_user"] is (sandbox.kind != "user")


def test_multiprocessing_works_without_sockets(sandbox: Session) -> None:
    code = (
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(abs, [-1, -2]))"
    )
    assert sandbox.run(code, 30).logs == "[1, 2]\n"


def test_a_forked_child_can_reach_the_end_of_its_code(sandbox: Session) -> None:
    sandbox.run("import os\nkept = 1")
    forked = sandbox.run(
        "child = os.fork()\nif not child: raise SystemExit(3)\nprint(os.wait()[0] == child)"
    )
    assert (forked.reason, forked.lost) == (None, False)
    assert "True" in forked.logs
    assert sandbox.run("print(kept)").logs == "1\n"


def test_asyncio_works_without_sockets(sandbox: Session) -> None:
    assert (
        sandbox.run("import asyncio\nawait asyncio.sleep(0.01)\nprint('slept')").logs == "slept\n"
    )


@pytest.mark.parametrize("kind", ["root", "user"])
@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"TTL_SECONDS": "0.5"}, "ttl"), ({"IDLE_SECONDS": "0.5"}, "idle")],
)
def test_the_daemon_ends_itself(kind: str, settings: dict[str, str], reason: str) -> None:
    with session(kind, **settings) as running:
        assert running.process.wait(10) == 0
        assert running.process.stdout is not None
        assert f'"reason": "{reason}"' in running.process.stdout.read().decode()
        with pytest.raises(SandboxLostError):
            running.client.health()


def test_a_session_that_runs_code_is_not_idle() -> None:
    with session("user", IDLE_SECONDS="1.5") as running:
        assert running.run("import time; time.sleep(2.5); print('done')").logs == "done\n"


@pytest.mark.parametrize("kind", ["root", "fargate", "user"])
def test_a_session_can_be_asked_to_end(kind: str) -> None:
    with session(kind) as running:
        running.run("import subprocess; subprocess.Popen(['sleep', '77.5'])")
        running.client.end()
        assert running.process.wait(10) == 0


@pytest.mark.parametrize("kind", ["root", "user"])
def test_a_killed_daemon_takes_everything_with_it(kind: str) -> None:
    marker = f"5{os.getpid()}.5"
    with session(kind) as running:
        running.run(f"import subprocess; subprocess.Popen(['setsid', 'sleep', '{marker}'])")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(10)
        deadline = time.monotonic() + 5
        while marker.encode() in b"".join(commands()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert marker.encode() not in b"".join(commands())


def commands() -> Iterator[bytes]:
    for process in Path("/proc").iterdir():
        try:
            yield (process / "cmdline").read_bytes()
        except OSError:
            continue


@ROOT_ONLY
def test_without_landlock_and_namespaces_the_daemon_says_what_is_missing() -> None:
    with session("bare") as running:
        running.run("1")
        assert len(running.client.health()["protection"]["warnings"]) == 2


@ROOT_ONLY
def test_without_namespaces_code_still_finds_its_files_at_mnt_data() -> None:
    with session("bare") as running:
        running.client.store("a.txt", b"text", 4)
        assert running.run("print(open('/mnt/data/a.txt').read())").logs == "text\n"
        listed = running.run("import os; print(os.path.abspath('a.txt'))")
        assert listed.logs == "/mnt/data/a.txt\n"


def test_the_process_launcher_starts_and_ends_a_session() -> None:
    launched = ProcessSandbox(DAEMON, {"PRELOAD": ""}).launch()
    try:
        assert launched.client().run("one", "6 * 7").logs == "42\n"
        assert launched.token not in Path(f"/proc/{launched.process.pid}/cmdline").read_text()
    finally:
        launched.end()
    assert launched.process.returncode == 0
    assert not launched.directory.exists()


def test_the_daemons_log_has_what_is_preloaded_to_say_and_nothing_of_the_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    preload = "import os; print('preloaded with', os.listdir('/mnt/data'))"
    launched = ProcessSandbox(DAEMON, {"PRELOAD": preload}).launch()
    try:
        plant = "open('forged', 'w').close(); import os; os._exit(0)"
        assert launched.client().run("one", plant).reason == "exited"
        assert launched.client().run("two", "1").generation == 2
    finally:
        launched.end()
    assert capfd.readouterr().err == "preloaded with []\n"


def test_a_launched_session_ends_with_its_launcher() -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from infra.local.process_sandbox import ProcessSandbox\n"
        f"launched = ProcessSandbox(Path({str(DAEMON)!r}), {{'PRELOAD': ''}}).launch()\n"
        "launched.client().run('one', 'open(\"left\", \"w\").close()')\n"
        "print(launched.process.pid, launched.directory, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    launcher = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    pid, directory = launcher.stdout.split()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    assert list((Path(directory) / "data").iterdir()) == []
    subprocess.run(["rm", "-rf", directory], check=True)


@contextmanager
def somebody() -> Iterator[None]:
    """Root may remove anything; this is anybody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_files_that_code_has_locked_away_are_removed_with_its_session() -> None:
    with somebody():
        directory = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
        locked = directory / "data" / "locked"
        (locked / "inside").mkdir(parents=True)
        locked.chmod(0)
        process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        ProcessSession("", "token", process, directory).end()
    assert not directory.exists()


def test_a_daemon_that_ends_leaves_no_file_of_its_code() -> None:
    launched = ProcessSandbox(DAEMON, {"PRELOAD": ""}).launch()
    lock = "import os\nos.makedirs('locked/inside'); os.symlink('x', 'link'); os.chmod('locked', 0)"
    try:
        assert launched.client().run("one", lock).ok
        launched.client().end()
        assert launched.process.wait(10) == 0
        assert list((launched.directory / "data").iterdir()) == []
    finally:
        launched.end()


def test_what_the_machine_cannot_protect_is_said_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A daemon as it speaks on a machine that confines nothing."""
    caplog.set_level("WARNING")
    package = tmp_path / "sandboxd"
    package.mkdir()
    sentence = Protection(
        own_user=False, private_view=False, landlock=0, system_call_filter=False
    ).warnings()
    (package / "__main__.py").write_text(
        "import json, sys\n"
        "print(json.dumps({'event': 'listening', 'port': 1}), flush=True)\n"
        f"print(json.dumps({{'event': 'ready', 'protection': {{'warnings': {sentence}}}}}))\n"
        "sys.stdout.flush(); sys.stdin.read()"
    )
    launched = ProcessSandbox(tmp_path).launch()
    deadline = time.monotonic() + 10
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.01)
    launched.end()
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == (
        "WARNING",
        f"Code interpreter: {sentence[0]}",
    )


def test_a_daemon_that_cannot_start_is_an_error_of_the_launch() -> None:
    with pytest.raises(SandboxLaunchError, match="exit code 1"):
        ProcessSandbox(DAEMON, {"MEMORY_MB": "much"}).launch()
