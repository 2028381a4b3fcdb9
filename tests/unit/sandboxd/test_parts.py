"""The daemon's small parts, each by itself."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.sandbox.sandboxd import channel, images, logs, messages, names, unnamed
from functions.sandbox.sandboxd.disk import DiskWatch
from functions.sandbox.sandboxd.identity import Identity
from functions.sandbox.sandboxd.lifetime import Lifetime
from functions.sandbox.sandboxd.messages import Done, KernelReady, Shown
from functions.sandbox.sandboxd.protection import Protection
from functions.sandbox.sandboxd.running_execution import RunningExecution, Step
from functions.sandbox.sandboxd.settings import DaemonSettings
from functions.sandbox.sandboxd.tree import scan
from functions.sandbox.sandboxd.workspace import Workspace


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), max_size=5), st.data())
def test_frames_survive_any_cut(sent: list[dict[str, object]], data: st.DataObject) -> None:
    stream = b"".join(channel.encode(message) for message in sent)
    reader, received = channel.FrameReader(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        received += list(reader.feed(stream[:cut]))
        stream = stream[cut:]
    assert received == sent


@given(st.binary(min_size=4, max_size=200))
def test_no_bytes_break_the_frame_reader(garbage: bytes) -> None:
    reader = channel.FrameReader()
    try:
        for frame in reader.feed(garbage):
            messages.parse(frame)
    except channel.ProtocolError:
        pass


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"type": "ready", "landlock": 4}, KernelReady(4)),
        ({"type": "image", "mime": "a", "data": 1}, Shown("a", 1)),
        ({"type": "done", "id": 1, "error": None}, Done(1, None)),
        ({"type": "done", "id": 1, "error": "Va\x1blueError"}, Done(1, "ValueError")),
        ({"type": "done", "id": 1, "error": "x" * 500}, Done(1, "x" * 100)),
    ],
)
def test_messages_are_typed(frame: channel.Frame, message: messages.Message) -> None:
    assert messages.parse(frame) == message


@pytest.mark.parametrize(
    "frame",
    [{}, {"type": "done"}, {"type": "done", "id": "1", "error": None}, {"type": ["done"]}],
)
def test_frames_of_no_known_type_are_refused(frame: channel.Frame) -> None:
    with pytest.raises(channel.ProtocolError):
        messages.parse(frame)


@given(st.lists(st.binary(max_size=100_000), max_size=4))
def test_logs_keep_beginning_and_end(pieces: list[bytes]) -> None:
    kept = logs.Logs()
    for piece in pieces:
        kept.write(piece)
    printed = b"".join(pieces)
    assert kept.total == len(printed)
    assert kept.truncated == (len(printed) > logs.MAX_KEPT_BYTES)
    if not kept.truncated:
        assert kept.text() == printed.decode(errors="replace")


def test_truncated_logs_say_how_much_is_missing() -> None:
    kept = logs.Logs()
    kept.write(b"begin" + b"x" * 200_000 + b"end")
    text = kept.text()
    assert text.startswith("beginx")
    assert text.endswith("xend")
    assert f"... [{200_008 - (64 << 10)} bytes left out] ..." in text


@given(st.text())
def test_valid_names_stay_below_the_directory(name: str) -> None:
    if names.is_valid(name):
        root = Path("/mnt/data")
        assert root in (root / name).parents
        assert name.isprintable()


def jpeg(size: int) -> str:
    return base64.b64encode(b"\xff\xd8\xff" + bytes(size) + b"\xff\xd9").decode()


def test_an_image_over_ten_mebibytes_is_refused() -> None:
    assert images.checked("image/jpeg", jpeg((10 << 20) - 5)) is not None
    assert images.checked("image/jpeg", jpeg(10 << 20)) is None


def test_the_images_of_an_execution_share_a_budget() -> None:
    gallery = images.Gallery()
    for _ in range(5):
        gallery.offer("image/jpeg", jpeg(9 << 20))
    assert (len(gallery.images), gallery.refused) == (3, 2)


def test_a_session_ends_after_an_hour_however_busy() -> None:
    clock = Clock()
    lifetime = Lifetime(3600, 1200, clock)
    for _ in range(6):
        clock.now += 599
        lifetime.use()
        assert lifetime.over is None
    clock.now += 7
    lifetime.use()
    assert lifetime.over == "ttl"
    assert lifetime.seconds_left == 0


def test_a_session_ends_after_twenty_minutes_without_use() -> None:
    clock = Clock()
    lifetime = Lifetime(3600, 1200, clock)
    clock.now += 1199
    assert lifetime.over is None
    clock.now += 1
    assert lifetime.over == "idle"


def test_an_execution_is_interrupted_once_and_killed_after_the_grace() -> None:
    execution, wish = RunningExecution(1, deadline=10, grace=3), threading.Event()
    assert execution.next_step(9, wish) is Step.WAIT
    assert execution.next_step(11, wish) is Step.INTERRUPT
    assert execution.next_step(13, wish) is Step.WAIT
    assert execution.next_step(15, wish) is Step.KILL
    assert execution.reason == "timeout"


def test_a_wish_to_cancel_interrupts_before_the_time_is_over() -> None:
    execution, wish = RunningExecution(1, deadline=10, grace=3), threading.Event()
    wish.set()
    assert execution.next_step(1, wish) is Step.INTERRUPT
    assert execution.reason == "cancelled"


def test_the_end_of_another_execution_is_a_breach_of_protocol() -> None:
    with pytest.raises(channel.ProtocolError):
        RunningExecution(2, deadline=10, grace=3).receive(Done(1, None))


def test_a_full_directory_is_not_held_against_the_next_kernel(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(bytes(3 << 20))
    watch = DiskWatch([tmp_path], limit_bytes=1 << 20, identity=Identity(None))
    assert not watch.exceeded()


@pytest.mark.parametrize(
    ("unnamed_bytes", "exceeded"),
    [(0, False), (5 << 20, True), (None, True)],
    ids=["others'", "the sandbox's", "unknown"],
)
def test_space_that_others_take_is_not_held_against_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unnamed_bytes: int | None, exceeded: bool
) -> None:
    free = iter([100 << 20, 90 << 20, 90 << 20])
    monkeypatch.setattr(DiskWatch, "_free", lambda _: next(free))
    monkeypatch.setattr(unnamed, "bytes_used", lambda: unnamed_bytes)
    watch = DiskWatch([tmp_path], limit_bytes=4 << 20, identity=Identity(None))
    assert watch.exceeded() is exceeded
    assert watch.exceeded() is exceeded


def test_a_file_that_vanishes_while_others_are_looked_at_hides_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        (tmp_path / f"{number}").write_bytes(b"x")
    listed = os.scandir

    @contextmanager
    def overtaken(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with listed(path) as entries:
            found = list(entries)
        Path(found[0]).unlink()
        yield iter(found)

    monkeypatch.setattr(os, "scandir", overtaken)
    seen = scan(tmp_path)
    assert (len(seen.files), seen.whole) == (8, True)


def test_a_deleted_file_is_found_while_it_is_open_or_mapped(tmp_path: Path) -> None:
    holder = """
import mmap, os, sys
kept = []
for number, mapped in enumerate((False, True)):
    file = open(f"{sys.argv[1]}/{number}", "w+b")
    os.unlink(file.name)
    file.write(bytes(1 << 20)); file.flush()
    kept.append(mmap.mmap(file.fileno(), 0) if mapped else file)
    mapped and file.close()
print("held", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", holder, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        used = unnamed.bytes_used()
        assert used is not None
        assert 2 << 20 <= used < 3 << 20


def test_settings_have_defaults_and_take_the_hash_away() -> None:
    environment = {"SANDBOX_TOKEN_SHA256": "ab", "SANDBOX_UID": "7", "SANDBOX_MEMORY_MB": "3"}
    settings = DaemonSettings.from_environment(environment)
    assert (settings.uid, settings.memory_bytes, settings.ttl_seconds) == (7, 3 << 20, 3600)
    assert "SANDBOX_TOKEN_SHA256" not in environment
    with pytest.raises(KeyError):
        DaemonSettings.from_environment(environment)


@pytest.mark.parametrize(
    ("protection", "words"),
    [
        (Protection(own_user=True, private_view=False, landlock=0), []),
        (Protection(own_user=False, private_view=True, landlock=7), []),
        (Protection(own_user=False, private_view=True, landlock=0), ["can read the files"]),
        (Protection(own_user=False, private_view=False, landlock=4), ["send signals"]),
        (
            Protection(own_user=False, private_view=False, landlock=0),
            ["can read and change the files", "send signals"],
        ),
        (
            Protection(own_user=False, private_view=False, landlock=0, system_call_filter=False),
            ["network included"],
        ),
    ],
)
def test_missing_protection_is_said_aloud(protection: Protection, words: list[str]) -> None:
    warnings = protection.warnings()
    assert len(warnings) == len(words)
    for warning, word in zip(warnings, words, strict=True):
        assert word in warning


def test_the_data_directory_has_one_name_on_every_platform() -> None:
    elsewhere = Workspace(Path("/x/data"), Path("/x/scratch"), shared_memory=False)
    assert elsewhere.inward("open('/mnt/data/a')") == "open('/x/data/a')"
    assert elsewhere.outward("/x/data/a: not found") == "/mnt/data/a: not found"
    there = Workspace(Path("/mnt/data"), Path("/tmp"), shared_memory=True)
    assert there.inward("open('/mnt/data/a')") == "open('/mnt/data/a')"
