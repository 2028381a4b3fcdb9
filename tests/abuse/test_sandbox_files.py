"""Abuse 41-56: other files, hostile names, full disks, and links that lead elsewhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from assistants.ports.sandbox import SandboxRefusedError
from tests.abuse.attacks import PRELUDE, Attempt, fails, prints, raises, stopped, table
from tests.support.sandbox_platforms import Session

EACCES = raises("PermissionError", "Permission denied")

FILES = [
    Attempt(41, "/etc/shadow", "escaped(open('/etc/shadow').read())", EACCES),
    Attempt(42, "writing /usr", "open('/usr/x', 'w'); escaped()", fails),
    Attempt(42, "writing /etc", "open('/etc/x', 'w'); escaped()", fails),
    Attempt(42, "writing /var/tmp", "open('/var/tmp/x', 'w'); escaped()", fails),
    Attempt(
        43,
        "patching an installed package",
        "import IPython\nopen(IPython.__file__, 'a'); escaped()",
        fails,
    ),
    Attempt(43, "patching the daemon", "import sandboxd\nopen(sandboxd.__file__, 'a')", fails),
    Attempt(
        51,
        "directories deeper than a path can say",
        "for _ in range(300): os.mkdir('deep' * 5); os.chdir('deep' * 5)\n"
        "os.chdir('/mnt/data')\nprint('made')",
        prints("made"),
    ),
    Attempt(
        52,
        "a sparse file of 1 TB",
        "!rm -rf deep*\nopen('sparse', 'wb').truncate(1 << 40); escaped()",
        raises("OSError", "File too large"),
    ),
    Attempt(
        53,
        "a file over the limit",
        "with open('large', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
        raises("OSError", "File too large"),
    ),
    Attempt(
        54,
        "filling the disk with files",
        "for n in range(100): open(f'/tmp/{n}', 'wb').write(bytes(50 << 20))\nescaped()",
        stopped("disk", lost=True),
        seconds=30,
    ),
    Attempt(
        54,
        "filling the disk below where files are reported",
        "!rm -f /tmp/[0-9]*\n"
        "deep = '/tmp/' + 'd/' * 20; os.makedirs(deep)\n"
        "for n in range(100): open(f'{deep}/{n}', 'wb').write(bytes(50 << 20))\nescaped()",
        stopped("disk", lost=True),
        seconds=30,
    ),
    Attempt(
        54,
        "filling the disk where nobody may look",
        "!rm -rf /tmp/d\n"
        "os.mkdir('/tmp/dark'); os.chmod('/tmp/dark', 0o300)\n"
        "for n in range(100): open(f'/tmp/dark/{n}', 'wb').write(bytes(50 << 20))\nescaped()",
        stopped("disk", lost=True),
        seconds=30,
    ),
    Attempt(
        54,
        "filling the disk with more files than the daemon counts",
        "!chmod 700 /tmp/dark; rm -rf /tmp/dark\n"
        "os.mkdir('/tmp/crowd')\n"
        "for n in range(20_000): open(f'/tmp/crowd/{n}', 'w').close()\n"
        "os.mkdir('/tmp/after')\n"
        "for n in range(100): open(f'/tmp/after/{n}', 'wb').write(bytes(50 << 20))\nescaped()",
        stopped("disk", lost=True),
        seconds=30,
    ),
    Attempt(
        54,
        "filling the disk with deleted files that are mapped and closed",
        "!rm -rf /tmp/crowd /tmp/after\n"
        "import mmap\nkeep = []\n"
        "for n in range(100):\n"
        "    file = open('deleted', 'w+b'); os.unlink('deleted'); file.truncate(50 << 20)\n"
        "    keep.append(mmap.mmap(file.fileno(), 0)); file.close()\n"
        "    for page in range(0, 50 << 20, 4096): keep[-1][page] = 1\nescaped()",
        stopped("disk", "memory", lost=True),
        seconds=30,
    ),
    Attempt(
        54,
        "filling the disk with deleted files",
        "!rm -f /tmp/[0-9]*\n"
        "keep = []\n"
        "for n in range(100):\n"
        "    keep.append(open('deleted', 'wb')); os.unlink('deleted')\n"
        "    keep[-1].write(bytes(50 << 20))\nescaped()",
        stopped("disk", lost=True),
        seconds=30,
    ),
]


@table(FILES)
def test_code_keeps_to_its_directories(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)


@pytest.mark.abuse(44)
def test_files_of_others_cannot_be_read(sandbox: Session, other_peoples_file: Path) -> None:
    if sandbox.kind == "fargate":
        pytest.skip("without Landlock code can read what an image lets all users read")
    result = sandbox.run(f"print(open({str(other_peoples_file)!r}).read())")
    assert result.error == "PermissionError"


@pytest.mark.abuse(44)
def test_homes_are_out_of_sight(sandbox: Session) -> None:
    with tempfile.NamedTemporaryFile(dir=Path.home()) as file:
        result = sandbox.run(f"import os; print(os.path.exists({file.name!r}))")
    assert result.logs == "False\n"


def refusal(sandbox: Session, name: str) -> str:
    """Return how the daemon refuses to give out a file."""
    with pytest.raises(SandboxRefusedError) as refused, sandbox.client.fetch(name) as chunks:
        list(chunks)
    return refused.value.code


@pytest.mark.abuse(45)
def test_links_to_a_secret_cannot_be_downloaded(sandbox: Session, other_peoples_file: Path) -> None:
    made = sandbox.run(
        f"import os\nos.symlink({str(other_peoples_file)!r}, 'link')\n"
        f"os.symlink({str(other_peoples_file.parent)!r}, 'directory')\n"
    )
    assert made.ok
    assert made.files == ()
    assert refusal(sandbox, "link") == "no_such_file"
    assert refusal(sandbox, f"directory/{other_peoples_file.name}") == "no_such_file"


@pytest.mark.abuse(45)
def test_an_upload_replaces_a_link_and_not_its_target(
    sandbox: Session, other_peoples_file: Path
) -> None:
    sandbox.run(
        f"import os\nos.path.lexists('report') or os.symlink({str(other_peoples_file)!r}, 'report')"
    )
    sandbox.client.store("report", b"mine", 4)
    assert other_peoples_file.read_text() == "ESCAPED"
    assert sandbox.run("print(open('report').read())").logs == "mine\n"


@pytest.mark.abuse(46)
def test_hard_links_cannot_be_downloaded(sandbox: Session, other_peoples_file: Path) -> None:
    foreign = sandbox.run(f"import os; os.link({str(other_peoples_file)!r}, 'stolen')")
    assert not foreign.ok
    own = sandbox.run("import os; open('one', 'w').write('x'); os.link('one', 'two')")
    assert (own.ok, own.files, own.skipped) == (True, (), 2)
    assert refusal(sandbox, "two") == "not_a_regular_file"


@pytest.mark.abuse(47)
def test_a_fifo_does_not_hold_up_the_daemon(sandbox: Session) -> None:
    assert sandbox.run("import os; os.mkfifo('fifo')").files == ()
    assert refusal(sandbox, "fifo") == "not_a_regular_file"


@pytest.mark.abuse(48)
@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "..%2fx", "a//b", "./a", "", "a%00b", "%ff"]
)
def test_names_that_leave_the_directory_are_refused(sandbox: Session, name: str) -> None:
    status, body = sandbox.http("GET", f"/v1/files/{name}")
    assert (status, body["error"]["code"]) == (400, "invalid_name")
    status, body = sandbox.http("PUT", f"/v1/files/{name}", b"x")
    assert (status, body["error"]["code"]) == (400, "invalid_name")


@pytest.mark.abuse(49)
def test_names_that_cannot_be_printed_are_not_reported(sandbox: Session) -> None:
    names = [b"line\nbreak", b"\xe2\x80\xaefdp.exe", b"not-utf8-\xff", b"esc\x1b[2J"]
    result = sandbox.run(f"for name in {names!r}: open(name, 'w').write('x')")
    assert (result.ok, result.files, result.skipped) == (True, (), 4)
    plain = sandbox.run("open('Größe 表.csv', 'w').write('x')")
    assert [file.path for file in plain.files] == ["Größe 表.csv"]


@pytest.mark.abuse(50)
def test_thirty_thousand_files_are_counted_and_not_listed(sandbox: Session) -> None:
    many = sandbox.run(
        "import os; os.mkdir('many')\nfor n in range(30_000): open(f'many/{n}', 'w').close()", 30
    )
    assert many.ok
    assert len(many.files) == 100
    assert many.skipped > 10_000
    sandbox.run("!rm -rf many", 30)


@pytest.mark.abuse(55)
def test_a_file_swapped_for_a_link_while_it_is_read_leaks_nothing(
    sandbox: Session, other_peoples_file: Path
) -> None:
    swap = (
        "def swap():\n"
        "    for n in range(20_000):\n"
        "        open('calm', 'w').write('innocent')\n"
        "        os.rename('calm', 'swapped')\n"
        f"        os.symlink({str(other_peoples_file)!r}, 'calm')\n"
        "        os.rename('calm', 'swapped')\n"
        "worker = threading.Thread(target=swap, daemon=True); worker.start()"
    )
    assert sandbox.run(PRELUDE + swap).ok
    seen = set()
    for _ in range(200):
        try:
            with sandbox.client.fetch("swapped") as chunks:
                seen.add(b"".join(chunks))
        except SandboxRefusedError as refused:
            seen.add(refused.code.encode())
    # A file has no name for a moment while it is replaced.
    assert seen <= {b"innocent", b"", b"no_such_file", b"not_a_regular_file"}
    assert {b"innocent", b"no_such_file"} & seen


@pytest.mark.abuse(56)
def test_nothing_planted_runs_in_the_next_kernel(sandbox: Session) -> None:
    plant = """
evil = "open('/mnt/data/planted', 'a').write('ran')"
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
site = Path.home() / ".local/lib" / version / "site-packages"
site.mkdir(parents=True, exist_ok=True)
(site / "usercustomize.py").write_text(evil)
(site / "sitecustomize.py").write_text(evil)
(site / "evil.pth").write_text("import os; " + evil)
startup = Path.home() / ".ipython/profile_default/startup"
startup.mkdir(parents=True, exist_ok=True)
(startup / "00.py").write_text(evil)
for name in ("sitecustomize", "usercustomize", "IPython", "traitlets", "json"):
    Path(f"/mnt/data/{name}.py").write_text(evil)
os._exit(0)
"""
    assert sandbox.run(PRELUDE + plant).reason == "exited"
    result = sandbox.run("import os; print(os.path.exists('/mnt/data/planted'))")
    assert result.logs == "False\n"
    sandbox.run("!rm -rf ~/.local ~/.ipython /mnt/data/*.py")
