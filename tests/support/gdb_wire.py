"""A client of the gdb remote protocol as Wasm debuggers speak it: what LLDB would send, without LLDB.

Facts of the wire (gdb manual, appendix E; LLDB's `lldb-gdb-remote.txt` for the `qWasm` packets): numbers are hex;
values of registers, locals, operands, globals and the call stack are bytes, little-endian; an address is 64 bits,
`kind << 62 | module or memory << 32 | offset`, where kind 1 is the image of a module, whose offset 0 is `\\0asm`.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CODE = 1 << 62
"""What an address in the image of the first module begins with."""

_OFFSET = (1 << 32) - 1


class WireError(Exception):
    """The stub refused a request, or said what is no packet."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop reply.

    `kind` is its first letter: "T" stopped, "W" exited, "X" killed; `number` the signal or exit code; `fields` what
    follows, in order (`reason`, `thread`, `watch`, ...).
    """

    kind: str
    number: int
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def is_end(self) -> bool:
        """Whether the guest is gone."""
        return self.kind in "WX"

    @property
    def reason(self) -> str:
        """Why it stopped: trace, breakpoint, watchpoint, signal, exception; "" where it does not say."""
        return self.fields.get("reason", "")


def checksum(payload: bytes) -> bytes:
    """The two hex digits behind a packet."""
    return b"%02x" % (sum(payload) & 0xFF)


def escape(payload: bytes) -> bytes:
    """The payload with the bytes that frame packets escaped."""
    return b"".join(b"}" + bytes([each ^ 0x20]) if each in b"#$}*" else bytes([each]) for each in payload)


def unescape(payload: bytes) -> bytes:
    """The payload as it was: escapes undone and run-length encoding expanded (gdb manual, "Overview")."""
    out = bytearray()
    position = 0
    while position < len(payload):
        byte = payload[position]
        if byte in b"}*" and position + 1 == len(payload):
            raise WireError(f"a packet ends in {chr(byte)!r}: {payload!r}")
        if byte == ord("}"):
            out.append(payload[position + 1] ^ 0x20)
            position += 2
        elif byte == ord("*"):
            if not out:
                raise WireError(f"a packet begins with a repetition: {payload!r}")
            out += out[-1:] * (payload[position + 1] - 29)
            position += 2
        else:
            out.append(byte)
            position += 1
    return bytes(out)


def parse_stop(reply: bytes) -> Stop:
    """Read a stop reply (gdb manual, "Stop Reply Packets")."""
    kind = chr(reply[0]) if reply else ""
    if kind not in ("S", "T", "W", "X"):
        raise WireError(f"no stop reply: {reply!r}")
    fields = {}
    for part in reply[3:].decode().split(";"):
        name, colon, value = part.partition(":")
        if colon:
            fields[name] = value
    return Stop("T" if kind == "S" else kind, int(reply[1:3], 16), fields)


class GdbWire:
    """A session with a stub; every request waits for its reply."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = bytearray()
        self._acknowledging = True

    # -- session ---------------------------------------------------------------------------------------------------

    def start(self) -> dict[str, str]:
        """Begin as LLDB does, without acknowledgements from here on; what the stub says that it supports."""
        self._socket.sendall(b"+")
        if self.request("QStartNoAckMode") == b"OK":
            self._acknowledging = False
        offered = self.request("qSupported:vContSupported+").decode()
        parts = (part for part in offered.split(";") if part)
        return {part.partition("=")[0].rstrip("+-"): part.partition("=")[2] or part[-1] for part in parts}

    def stop(self) -> Stop:
        """Where it stands: the answer to `?`."""
        return parse_stop(self.request("?"))

    def close(self) -> None:
        """Kill the guest, if the stub is there still, and hang up."""
        try:
            self._send(b"k")
        except OSError:
            pass
        finally:
            self._socket.close()

    # -- state -----------------------------------------------------------------------------------------------------

    def pc(self) -> int:
        """The address of the instruction that is next (register 0); of the thread that stopped."""
        return int.from_bytes(self._hex("p0"), "little")

    def call_stack(self, thread: int = 1) -> list[int]:
        """The address of the instruction that is next, and behind each call that waits, innermost first.

        Empty before the guest's first instruction, where stubs answer with nothing.
        """
        data = bytes.fromhex(self.request(f"qWasmCallStack:{thread:x}").decode())
        return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]

    def local(self, frame: int, index: int) -> bytes:
        """A local; frame 0 is the innermost. Raises `WireError` where the frame or local is not there."""
        return self._hex(f"qWasmLocal:{frame};{index}")

    def operand(self, frame: int, index: int) -> bytes:
        """An operand, 0 at the bottom; raises `WireError` where there is none."""
        return self._hex(f"qWasmStackValue:{frame};{index}")

    def values(self, frame: int, locals: int, operands: int) -> tuple[list[bytes], list[bytes]]:
        """All locals and operands of a frame, asked for at once; `WireError` where it has not exactly so many."""
        asked = [f"qWasmLocal:{frame};{index}" for index in range(locals + 1)]
        asked += [f"qWasmStackValue:{frame};{index}" for index in range(operands + 1)]
        self._send(*(payload.encode() for payload in asked))
        replies = [self._receive() for _ in asked]
        beyond = (locals, len(asked) - 1)
        for number, (payload, reply) in enumerate(zip(asked, replies, strict=True)):
            if is_refused(reply) != (number in beyond):
                raise WireError(f"{payload}: {reply.decode() or 'there is none'}")
        read = [bytes.fromhex(reply.decode("ascii")) for reply in replies if not is_refused(reply)]
        return read[:locals], read[locals:]

    def global_(self, frame: int, index: int) -> bytes:
        """A global of the frame's instance."""
        return self._hex(f"qWasmGlobal:{frame};{index}")

    def read_memory(self, address: int, length: int) -> bytes:
        """Bytes from an address on; the stub may give fewer."""
        return self._hex(f"m{address:x},{length:x}")

    def write_memory(self, address: int, data: bytes) -> None:
        """Put bytes into the guest's memory."""
        self._expect_ok(f"M{address:x},{len(data):x}:{data.hex()}")

    def libraries(self) -> str:
        """The modules and their addresses, as XML."""
        text, at = b"", 0
        while True:
            part = self.request(f"qXfer:libraries:read::{at:x},1000")
            if part[:1] not in (b"m", b"l"):
                raise WireError(f"qXfer:libraries: {part!r}")
            text += part[1:]
            at += len(part) - 1
            if part[:1] == b"l":
                return text.decode()

    # -- going on --------------------------------------------------------------------------------------------------

    def add_breakpoint(self, address: int) -> None:
        """Stop before the instruction at an address."""
        self._expect_ok(f"Z0,{address:x},1")

    def remove_breakpoint(self, address: int) -> None:
        """No longer stop there."""
        self._expect_ok(f"z0,{address:x},1")

    def add_watchpoint(self, address: int, length: int, access: str = "w") -> None:
        """Stop where bytes of memory are accessed: "r", "w" or "rw"."""
        self._expect_ok(f"Z{('w', 'r', 'rw').index(access) + 2},{address:x},{length:x}")

    def step(self, thread: int = 1) -> Stop:
        """Run one instruction."""
        return parse_stop(self.request(f"vCont;s:{thread:x}"))

    def continue_(self) -> Stop:
        """Run until something happens."""
        return parse_stop(self.request("c"))

    def interrupt(self) -> None:
        """Ask a running guest to stop; the stop reply is that of the request that made it run."""
        self._socket.sendall(b"\x03")

    # -- packets ---------------------------------------------------------------------------------------------------

    def request(self, payload: str) -> bytes:
        """Send a packet, return what the reply carries; "" where the stub does not know the request."""
        self._send(payload.encode())
        return self._receive()

    def _hex(self, payload: str) -> bytes:
        reply = self.request(payload)
        if is_refused(reply):
            raise WireError(f"{payload}: {reply.decode() or 'not supported'}")
        try:
            return bytes.fromhex(reply.decode("ascii"))
        except ValueError:
            raise WireError(f"{payload}: {reply!r} is no hex") from None

    def _expect_ok(self, payload: str) -> None:
        reply = self.request(payload)
        if reply != b"OK":
            raise WireError(f"{payload}: {reply.decode() or 'not supported'}")

    def _send(self, *payloads: bytes) -> None:
        packets = (b"$" + each + b"#" + checksum(each) for each in map(escape, payloads))
        self._socket.sendall(b"".join(packets))

    def _acknowledge_at_once(self) -> None:
        """Stubs that send small packets wait for TCP's acknowledgement of each, which comes 40 ms late otherwise."""
        if self._socket.family == socket.AF_INET and hasattr(socket, "TCP_QUICKACK"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _receive(self) -> bytes:
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start)
            if 0 <= start < end and len(self._received) >= end + 3:
                break
            self._acknowledge_at_once()
            more = self._socket.recv(1 << 16)
            if not more:
                raise WireError("the stub hung up")
            self._received += more
        payload, given = bytes(self._received[start + 1 : end]), bytes(self._received[end + 1 : end + 3])
        del self._received[: end + 3]
        if self._acknowledging:
            if given != checksum(payload):
                raise WireError(f"the checksum of {payload!r} is not {given!r}")
            self._socket.sendall(b"+")
        return unescape(payload)


def is_refused(reply: bytes) -> bool:
    """Whether a reply is an error, or empty: the request is not known."""
    return not reply or (reply[:1] == b"E" and len(reply) == 3)


def offset_of(address: int) -> int:
    """The offset that an address has in its module or memory."""
    return address & _OFFSET


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def connected(port: int, timeout: float = 60) -> Iterator[GdbWire]:
    """A session with the stub at a port; `timeout` is for its beginning to listen, and for each reply, in seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    connection.settimeout(timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire = GdbWire(connection)
    try:
        yield wire
    finally:
        wire.close()
