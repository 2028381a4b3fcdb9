"""The layers of protection in force on this machine, and warnings for those that are missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import linux

_SIGNALS_SCOPED = 6  # the Landlock ABI that keeps signals inside


@dataclass(frozen=True)
class Protection:
    """The layers in force. `own_user`: the code runs as another user than the daemon."""

    own_user: bool
    private_view: bool
    landlock: int
    system_call_filter: bool = linux.ON_LINUX

    def warnings(self) -> list[str]:
        """Return a warning for each missing layer; there is none in a container or as root."""
        if not self.system_call_filter:
            return [
                "This platform cannot confine code: the code interpreter runs it with all the "
                "rights of your user, network included. Run only what you would run yourself."
            ]
        if self.own_user:
            return []
        missing = []
        if not self.landlock:
            reach = "" if self.private_view else " and change"
            missing.append(
                f"This kernel has no Landlock: code can read{reach} the files that your user can."
            )
        if not self.private_view and self.landlock < _SIGNALS_SCOPED:
            missing.append(
                "User namespaces are not allowed here: code can send signals to the other "
                "processes of your user."
            )
        return missing

    def to_json(self) -> dict[str, Any]:
        """Return the layers and the warnings."""
        return {**asdict(self), "warnings": self.warnings()}
