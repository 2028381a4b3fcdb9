"""No worker outlives the local stack, even when that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import wait_until

PARENT = """
import sys, time
from pathlib import Path
from infra.local.processes import Processes
processes = Processes()
script = "import os, subprocess, sys, time; child = subprocess.Popen(['sleep', '600']);"
script += "print(os.getpid(), child.pid, flush=True); time.sleep(600)"
processes.start([sys.executable, "-c", script], {}, Path.cwd(), Path(sys.argv[1]))
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_parent_takes_its_workers_and_their_children_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log)])
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    pids = [int(pid) for pid in log.read_text().split()]
    assert all(map(is_alive, pids))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not any(map(is_alive, pids)))
