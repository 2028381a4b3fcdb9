"""Landlock: limit the paths that a process can open, where Linux (5.13 and newer) offers it."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

from . import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on x86-64 and arm64
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1, 2, 4, 8
_FIRST_RIGHTS = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIRECTORY
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_TCP = 3  # bind, connect
_SCOPES = 3  # abstract sockets and signals stay inside


def version() -> int:
    """Return the kernel's Landlock ABI, 0 if there is none."""
    if not linux.ON_LINUX:
        return 0
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def _file_rights(abi: int) -> int:
    newer = ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEVICE))
    return _FIRST_RIGHTS | sum(right for since, right in newer if abi >= since)


def _ruleset(abi: int, rights: int) -> int:
    attributes = [rights] + [_TCP] * (abi >= 4) + [_SCOPES] * (abi >= 6)
    packed = struct.pack(f"{len(attributes)}Q", *attributes)
    return linux.syscall(_CREATE_RULESET, packed, len(packed), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return
    try:
        if not Path(path).is_dir():
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, descriptor)
        linux.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Confine the calling process to these paths; return the ABI used, 0 if there is none.

    From ABI 4 on TCP is refused, from ABI 6 on signals to processes outside. Raises OSError if the
    kernel has Landlock and refuses the rules.
    """
    abi = version()
    if abi == 0:
        return 0
    rights = _file_rights(abi)
    ruleset = _ruleset(abi, rights)
    for path in readable:
        _allow(ruleset, path, _READ & rights)
    for path in writable:
        _allow(ruleset, path, rights)
    linux.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return abi
