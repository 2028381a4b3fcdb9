"""Run the daemon: `python -m sandboxd`, with its settings in SANDBOX_* variables."""

import os

from .daemon import Daemon
from .settings import DaemonSettings

if __name__ == "__main__":
    Daemon(DaemonSettings.from_environment(os.environ)).serve()
