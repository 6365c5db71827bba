"""The client of the gdb remote protocol, against bytes and against `wasmtime run -g`."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stepping.on_wasmtime import WASMTIME_ABSENT, wasmtime_command
from support.gdb_wire import (
    CODE,
    GdbWire,
    Stop,
    WireError,
    checksum,
    connected,
    escape,
    free_port,
    offset_of,
    parse_stop,
    unescape,
)
from support.wasmtools import wat

GUEST = """(module (memory (export "memory") 1) (data (i32.const 16) "some bytes") (global (mut i64) (i64.const -2))
  (func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "main") (param i32) (result i32) (call $f (call $f (local.get 0)))))"""


def packet(payload: bytes) -> bytes:
    return b"$" + escape(payload) + b"#" + checksum(escape(payload))


@pytest.mark.parametrize("payload", [b"", b"plain", b"#$}*", bytes(range(256)), b"}}"])
def test_what_is_escaped_is_read_as_it_was(payload: bytes) -> None:
    assert unescape(escape(payload)) == payload
    assert not set(escape(payload).replace(b"}", b"")) & set(b"#$*")


def test_repetitions_are_expanded() -> None:
    assert unescape(b"0* ") == b"0000"
    assert unescape(b"ab*!c") == b"abbbbbc"


@pytest.mark.parametrize("payload", [b"*!", b"abc}", b"abc*"])
def test_what_is_no_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        unescape(payload)


def test_stop_replies_are_read() -> None:
    stop = parse_stop(b"T05thread:1;00:3600000000000040;reason:breakpoint;")
    assert stop == Stop("T", 5, {"thread": "1", "00": "3600000000000040", "reason": "breakpoint"})
    assert (stop.reason, stop.is_end) == ("breakpoint", False)
    assert parse_stop(b"W2a") == Stop("W", 42)
    assert parse_stop(b"X09").is_end
    assert parse_stop(b"S05") == Stop("T", 5)
    for reply in (b"", b"OK", b"E45"):
        with pytest.raises(WireError):
            parse_stop(reply)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_packets_are_read_however_they_are_cut(size: int) -> None:
    replies = b"+" + packet(b"OK") + b"+" + packet(b"a#}b") + b"+" + packet(b"0800")
    with _stub(replies, size) as wire:
        assert wire.request("first") == b"OK"
        assert wire.request("second") == b"a#}b"
        assert wire.local(0, 3) == b"\x08\x00"


def test_a_wrong_checksum_is_refused() -> None:
    with _stub(b"$OK#00", 10) as wire, pytest.raises(WireError, match="checksum"):
        wire.request("anything")


def test_a_refusal_says_what_was_asked() -> None:
    with _stub(packet(b"E45") + packet(b""), 100) as wire:
        with pytest.raises(WireError, match=r"qWasmLocal:0;9: E45"):
            wire.local(0, 9)
        with pytest.raises(WireError, match=r"M10,1:ff: not supported"):
            wire.write_memory(16, b"\xff")


def test_a_stub_that_hangs_up_is_told() -> None:
    with _stub(b"$O", 100) as wire, pytest.raises(WireError, match="hung up"):
        wire.request("?")


@contextmanager
def _stub(replies: bytes, size: int) -> Iterator[GdbWire]:
    """A stub that answers whatever it is asked with these bytes, cut into pieces of a size, and hangs up."""
    near, far = socket.socketpair()

    def answer() -> None:
        for at in range(0, len(replies), size):
            far.sendall(replies[at : at + size])
        far.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=answer)
    thread.start()
    wire = GdbWire(near)
    try:
        yield wire
    finally:
        thread.join()
        wire.close()
        far.close()


@pytest.mark.skipif(bool(WASMTIME_ABSENT), reason=WASMTIME_ABSENT)
def test_a_session_with_wasmtime(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(wat(GUEST))
    port = free_port()
    command = [wasmtime_command(), "run", "-g", str(port), "--invoke", "main", str(file), "5"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connected(port) as wire:
            assert "qXfer:libraries:read" in wire.start()
            assert wire.stop().number == 5
            assert 'address="4611686018427387904"' in wire.libraries()
            assert wire.call_stack() == []
            assert not wire.step().is_end
            assert wire.read_memory(CODE, 4) == b"\0asm"
            assert wire.read_memory(16, 10) == b"some bytes"
            assert wire.global_(0, 0) == (-2).to_bytes(8, "little", signed=True)
            function = file.read_bytes().index(bytes.fromhex("2000 4101 6a 0b"))
            wire.add_breakpoint(CODE | function)
            for argument in (5, 6):
                assert not wire.continue_().is_end
                assert offset_of(wire.pc()) == function
                assert wire.local(0, 0) == argument.to_bytes(4, "little")
                assert len(wire.call_stack()) == 2
                wire.step()
                assert wire.operand(0, 0) == argument.to_bytes(4, "little")
                assert wire.values(0, 1, 1) == ([argument.to_bytes(4, "little")], [argument.to_bytes(4, "little")])
                with pytest.raises(WireError):
                    wire.values(0, 1, 0)
            wire.remove_breakpoint(CODE | function)
            assert wire.continue_() == Stop("W", 0)
    finally:
        process.kill()
        process.wait()
