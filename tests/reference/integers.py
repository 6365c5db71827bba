"""Integer operators on unsigned bit patterns of N bits (spec 4.3.2)."""

from __future__ import annotations

from collections.abc import Callable

from reference.errors import Trap

Operator = Callable[..., int]


def signed(value: int, bits: int) -> int:
    """The signed interpretation of a bit pattern."""
    return value - ((value >> (bits - 1)) << bits)


def divide(a: int, b: int) -> int:
    """Division that rounds toward zero, exact at any size."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def clamp(value: int, low: int, high: int) -> int:
    """The nearest value inside the bounds."""
    return min(max(value, low), high)


def integer_operators(bits: int) -> dict[str, Operator]:
    """The operators of iN by name; comparisons give 0 or 1."""
    mask = (1 << bits) - 1
    sign = 1 << (bits - 1)

    def s(value: int) -> int:
        return value - ((value & sign) << 1)

    def checked(divisor: int) -> None:
        if divisor == 0:
            raise Trap("INTEGER_DIVISION_BY_ZERO")

    def div_s(a: int, b: int) -> int:
        checked(b)
        quotient = divide(s(a), s(b))
        if quotient == sign:
            raise Trap("INTEGER_OVERFLOW")
        return quotient & mask

    def div_u(a: int, b: int) -> int:
        checked(b)
        return a // b

    def rem_s(a: int, b: int) -> int:
        checked(b)
        return (s(a) - s(b) * divide(s(a), s(b))) & mask

    def rem_u(a: int, b: int) -> int:
        checked(b)
        return a % b

    def rotl(a: int, b: int) -> int:
        b %= bits
        return (a << b | a >> (bits - b)) & mask

    def sat_s(value: int) -> int:
        return clamp(value, -sign, sign - 1) & mask

    return {
        "eqz": lambda a: int(a == 0),
        "eq": lambda a, b: int(a == b),
        "ne": lambda a, b: int(a != b),
        "lt_s": lambda a, b: int(s(a) < s(b)),
        "lt_u": lambda a, b: int(a < b),
        "gt_s": lambda a, b: int(s(a) > s(b)),
        "gt_u": lambda a, b: int(a > b),
        "le_s": lambda a, b: int(s(a) <= s(b)),
        "le_u": lambda a, b: int(a <= b),
        "ge_s": lambda a, b: int(s(a) >= s(b)),
        "ge_u": lambda a, b: int(a >= b),
        "clz": lambda a: bits - a.bit_length(),
        "ctz": lambda a: (a & -a).bit_length() - 1 if a else bits,
        "popcnt": lambda a: a.bit_count(),
        "add": lambda a, b: (a + b) & mask,
        "sub": lambda a, b: (a - b) & mask,
        "mul": lambda a, b: (a * b) & mask,
        "div_s": div_s,
        "div_u": div_u,
        "rem_s": rem_s,
        "rem_u": rem_u,
        "and": lambda a, b: a & b,
        "or": lambda a, b: a | b,
        "xor": lambda a, b: a ^ b,
        "shl": lambda a, b: (a << (b % bits)) & mask,
        "shr_s": lambda a, b: (s(a) >> (b % bits)) & mask,
        "shr_u": lambda a, b: a >> (b % bits),
        "rotl": rotl,
        "rotr": lambda a, b: rotl(a, -b),
        "abs": lambda a: abs(s(a)) & mask,
        "neg": lambda a: -a & mask,
        "min_s": lambda a, b: min(s(a), s(b)) & mask,
        "min_u": min,
        "max_s": lambda a, b: max(s(a), s(b)) & mask,
        "max_u": max,
        "avgr_u": lambda a, b: (a + b + 1) // 2,
        "add_sat_s": lambda a, b: sat_s(s(a) + s(b)),
        "add_sat_u": lambda a, b: min(a + b, mask),
        "sub_sat_s": lambda a, b: sat_s(s(a) - s(b)),
        "sub_sat_u": lambda a, b: max(a - b, 0),
        # Rounding fixed-point multiplication; only i16x8 has it.
        "q15mulr_sat_s": lambda a, b: sat_s((s(a) * s(b) + (1 << 14)) >> 15),
    }
