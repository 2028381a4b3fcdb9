"""Abuse 28-40: no way to more rights than the sandbox's user has."""

from tests.abuse.attacks import Attempt, fails, prints, raises, table
from tests.support.sandbox_platforms import Session

EPERM = raises("PermissionError", "Operation not permitted")
NEW_USER = 0x10000000

PRIVILEGE = [
    Attempt(28, "setuid(0)", "os.setuid(0); escaped()", EPERM),
    Attempt(
        29,
        "a set-user-id program",
        "done = subprocess.run(['su', '-c', 'id -u'], capture_output=True, text=True)\n"
        "escaped() if done.stdout.strip() == '0' else print('refused')",
        prints("refused"),
    ),
    Attempt(
        29,
        "no_new_privs is on",
        "print(*[line for line in open('/proc/self/status') if 'NoNewPrivs' in line])",
        prints("NoNewPrivs:\t1"),
    ),
    Attempt(
        28,
        "no capability is left",
        "print({line.split()[1] for line in open('/proc/self/status')"
        " if line.startswith(('CapEff', 'CapPrm', 'CapAmb', 'CapInh'))})",
        prints("{'0000000000000000'}"),
    ),
    Attempt(30, "unshare", f"call('unshare', {NEW_USER}); escaped()", EPERM),
    Attempt(31, "clone into namespaces", f"call('clone', {NEW_USER} | 17, 0, 0, 0, 0)", EPERM),
    Attempt(
        32,
        "clone3 into namespaces",
        f"call('clone3', struct.pack('11Q', {NEW_USER}, *[0] * 3, 17, *[0] * 6), 88)",
        raises("OSError", "Function not implemented"),
    ),
    Attempt(33, "mount", "call('mount', b'none', b'/mnt', b'tmpfs', 0, 0)", EPERM),
    Attempt(33, "the new mount calls", "call('fsopen', b'tmpfs', 0)", EPERM),
    Attempt(33, "chroot", "os.chroot('/mnt/data')", EPERM),
    Attempt(34, "bpf", "call('bpf', 0, 0, 0)", EPERM),
    Attempt(35, "keyctl", "call('keyctl', 0, -3, 0)", EPERM),
    Attempt(36, "userfaultfd", "call('userfaultfd', 0)", EPERM),
    Attempt(37, "mknod", "os.mknod('/mnt/data/disk', 0o660 | 0o060000, os.makedev(8, 0))", EPERM),
    Attempt(
        38,
        "typing into the terminal",
        "import fcntl\nfcntl.ioctl(1, 0x5412, b'x')",
        EPERM,
    ),
    Attempt(
        38,
        "typing with high bits in the request",
        "call('ioctl', 1, 0x1_0000_5412, b'x')",
        EPERM,
    ),
    Attempt(
        39,
        "raising limits",
        "resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6)); escaped()",
        fails,
    ),
    Attempt(40, "loading a module", "call('init_module', 0, 0, b'')", EPERM),
    Attempt(40, "perf_event_open", "call('perf_event_open', bytes(120), 0, -1, -1, 0)", EPERM),
]


@table(PRIVILEGE)
def test_code_gains_no_rights(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)
