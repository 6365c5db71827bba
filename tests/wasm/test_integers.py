from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmscope.errors import DecodeError
from wasmscope.wasm import writer
from wasmscope.wasm.reader import Reader

UNSIGNED = {32: Reader.u32, 64: Reader.u64}
SIGNED = {32: Reader.s32, 33: Reader.s33, 64: Reader.s64}


@pytest.mark.parametrize("bits", UNSIGNED)
@given(data=st.data())
def test_unsigned_round_trip(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, 2**bits - 1))
    encoding = writer.unsigned(value)
    reader = Reader(encoding + b"\xff")
    assert UNSIGNED[bits](reader) == value
    assert reader.offset == len(encoding) <= -(-bits // 7)


@pytest.mark.parametrize("bits", SIGNED)
@given(data=st.data())
def test_signed_round_trip(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    encoding = writer.signed(value)
    reader = Reader(encoding + b"\xff")
    assert SIGNED[bits](reader) == value
    assert reader.offset == len(encoding) <= -(-bits // 7)


@given(st.binary(max_size=12), st.sampled_from([*UNSIGNED.items()]))
def test_unsigned_reads_exactly_what_the_grammar_allows(encoding: bytes, how: tuple[int, object]) -> None:
    """The grammar of Wasm spec 5.2.2, written down as the sum it is."""
    bits, read = how
    size = next((n + 1 for n, byte in enumerate(encoding) if byte < 0x80), None)
    value = sum((byte & 0x7F) << 7 * n for n, byte in enumerate(encoding[:size]))
    reader = Reader(encoding)
    if size is None or size > -(-bits // 7) or value >= 2**bits:
        with pytest.raises(DecodeError):
            read(reader)  # type: ignore[operator]
    else:
        assert read(reader) == value  # type: ignore[operator]
        assert reader.offset == size


@pytest.mark.parametrize(
    ("encoding", "value"),
    [(b"\x80\x7f", -128), (b"\xff\xff\xff\xff\x7f", -1), (b"\x80\x80\x80\x80\x78", -(2**31)), (b"\xff\x00", 127)],
)
def test_signed_values(encoding: bytes, value: int) -> None:
    assert Reader(encoding).s32() == value


@pytest.mark.parametrize(
    "encoding",
    [
        b"\xff\xff\xff\xff\x0f",  # the unused bits do not repeat the sign
        b"\x80\x80\x80\x80\x70",
        b"\x80\x80\x80\x80\x80\x00",  # six bytes
        b"\x80",
        b"",
    ],
)
def test_signed_malformed(encoding: bytes) -> None:
    with pytest.raises(DecodeError):
        Reader(encoding).s32()


def test_errors_say_where() -> None:
    with pytest.raises(DecodeError, match=r"\(at offset 0x3\)") as caught:
        Reader(b"\0\0\0\xff\xff\xff\xff\xff\xff", 3).u32()
    assert caught.value.offset == 3


def test_a_reader_stays_in_its_range() -> None:
    reader = Reader(b"\x01\x02\x03", 0, 2)
    assert reader.bytes(2) == b"\x01\x02"
    with pytest.raises(DecodeError):
        reader.u8()
    with pytest.raises(DecodeError):
        Reader(b"\x01\x02\x03", 0, 2).skip(3)
