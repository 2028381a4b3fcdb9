"""The daemon: `python -m sandboxd`, with its settings in SANDBOX_* variables."""

import os

from .session import Session
from .settings import Settings

if __name__ == "__main__":
    Session(Settings.from_environment(os.environ)).serve()
