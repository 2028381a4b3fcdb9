"""Abuse 1-15: no way to any network."""

from tests.abuse.attacks import Attempt, anything, fails, prints, raises, stopped, table
from tests.support.sandbox_platforms import Session

NO_FAMILY = raises("OSError", "Address family not supported")

# Machine code: socket(AF_INET, SOCK_STREAM, 0) by int 0x80, the 32-bit door of x86-64.
INT_80 = """
import mmap
code = bytes.fromhex("53" "b867010000" "bb02000000" "b901000000" "31d2" "cd80" "5b" "c3")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
escaped() if result >= 0 else print(f"refused {result}")
"""

# A 32-bit program: exit(socketcall(SYS_SOCKET, {AF_INET, SOCK_STREAM, 0}) >= 0).
ELF_32 = """
base = 0x08048000
code = bytes.fromhex("b866000000" "bb01000000" "b9") + struct.pack("<I", base + 0xA0)
code += bytes.fromhex("cd80" "31db" "85c0" "0f99c3" "b801000000" "cd80")
header = b"\\x7fELF\\x01\\x01\\x01" + bytes(9)
header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
segment = struct.pack("<IIIIIIII", 1, 0, base, base, 0xAC, 0xAC, 5, 4096)
program = (header + segment + code).ljust(0xA0, b"\\0") + struct.pack("<III", 2, 1, 0)
path = Path("/mnt/data/program"); path.write_bytes(program); path.chmod(0o700)
try:
    status = subprocess.run([path]).returncode
except OSError as error:
    status = error
path.unlink()
escaped() if status == 1 else print(f"refused {status}")
"""

NETWORK = [
    Attempt(1, "AF_INET", "socket.socket(socket.AF_INET)", NO_FAMILY),
    Attempt(2, "AF_INET6", "socket.socket(socket.AF_INET6)", NO_FAMILY),
    Attempt(3, "AF_NETLINK", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", NO_FAMILY),
    Attempt(4, "AF_PACKET", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", NO_FAMILY),
    Attempt(5, "AF_UNIX", "socket.socket(socket.AF_UNIX).connect('/run/x')", NO_FAMILY),
    Attempt(6, "AF_VSOCK", "socket.socket(socket.AF_VSOCK)", NO_FAMILY),
    Attempt(7, "AF_ALG", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)", NO_FAMILY),
    Attempt(
        8,
        "the metadata endpoint",
        "import urllib.request\n"
        "escaped(urllib.request.urlopen('http://169.254.170.2/v2/metadata', timeout=2))",
        raises("URLError", "Address family not supported"),
    ),
    Attempt(9, "DNS", "escaped(socket.getaddrinfo('example.com', 80))", fails),
    Attempt(
        10,
        "a socket in the x32 ABI",
        "call_number(0x40000000 | 41, 2, 1, 0)\nescaped()",
        raises("OSError", "Function not implemented"),
        only_x86=True,
    ),
    Attempt(11, "a socket by int 0x80", INT_80, prints("refused"), only_x86=True),
    Attempt(
        12,
        "io_uring",
        "call('io_uring_setup', 8, bytes(256))\nescaped()",
        raises("OSError", "Function not implemented"),
    ),
    Attempt(13, "pip install", "%pip install --target /mnt/data tabulate", prints("ERROR"), 20),
    Attempt(14, "socketcall in a 32-bit program", ELF_32, prints("refused"), only_x86=True),
    Attempt(
        15,
        "descriptors through the inherited socket",
        "inherited = socket.socket(fileno=control())\n"
        "rights = struct.pack('i', os.open('/etc/passwd', os.O_RDONLY))\n"
        "inherited.sendmsg([b'\\0\\0\\0\\2{}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])\n"
        "time.sleep(5)",
        stopped("protocol", lost=True),
    ),
    Attempt(
        15,
        "datagrams to named sockets from a socket pair",
        "pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "pair[0].sendto(b'x', '/run/systemd/notify'); escaped()",
        NO_FAMILY,
    ),
    Attempt(
        15,
        "connecting the inherited socket",
        "socket.socket(fileno=os.dup(control())).connect(('169.254.170.2', 80)); escaped()",
        anything,
    ),
]


@table(NETWORK)
def test_code_reaches_no_network(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)
