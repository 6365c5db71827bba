"""The opcode table: one row an instruction, all else derives from it (Wasm spec 5.4 and A.7, "Index of Instructions").

A row has the code, the mnemonic, the immediates in binary order, the operand types with the bottom first, and `traps`
where the instruction by itself may trap. Two spaces or more part the columns; `*` stands for types that depend on the
immediates or on the stack. Codes behind a prefix byte are `prefix << 16 | code`. `memarg4` is a memory argument whose
access is 4 bytes wide.

Instructions that differ in the code alone have a second word in their names here ("select t", "ref.test null").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType

from wasmscope.wasm.types import ANYREF, ARRAYREF, EQREF, EXNREF, EXTERNREF, F32, F64, I31REF, I32, I64, V128, ValType


class Feature(StrEnum):
    """A proposal, by the name of its repository; `MVP` is version 1.0 of the specification."""

    MVP = "mvp"
    SIGN_EXTENSION = "sign-extension-ops"
    SATURATING_CONVERSIONS = "nontrapping-float-to-int-conversions"
    BULK_MEMORY = "bulk-memory-operations"
    REFERENCE_TYPES = "reference-types"
    FUNCTION_REFERENCES = "function-references"
    TAIL_CALL = "tail-call"
    EXCEPTIONS = "exception-handling"
    GC = "gc"
    SIMD = "simd"
    RELAXED_SIMD = "relaxed-simd"
    THREADS = "threads"
    WIDE_ARITHMETIC = "wide-arithmetic"
    COMPONENT_MODEL = "component-model"
    CUSTOM_DESCRIPTORS = "custom-descriptors"
    LEGACY_EXCEPTIONS = "legacy-exception-handling"
    MEMORY_CONTROL = "memory-control"
    SHARED_EVERYTHING = "shared-everything-threads"
    STACK_SWITCHING = "stack-switching"


class Imm(Enum):
    """A kind of immediate (Wasm spec 5.4)."""

    # That of `Enum` is a function in Python, which shows where every instruction of a module is looked at.
    __hash__ = object.__hash__

    BLOCK_TYPE = auto()
    LABEL = auto()
    LABELS = auto()
    """A vector of labels, then the default."""
    FUNC = auto()
    TYPE = auto()
    TABLE = auto()
    MEMORY = auto()
    GLOBAL = auto()
    LOCAL = auto()
    TAG = auto()
    DATA = auto()
    ELEM = auto()
    MEMARG = auto()
    I32 = auto()
    I64 = auto()
    F32 = auto()
    F64 = auto()
    V128 = auto()
    LANE = auto()
    LANES16 = auto()
    HEAP_TYPE = auto()
    VAL_TYPES = auto()
    CATCHES = auto()
    FIELD = auto()
    U32 = auto()
    CAST_FLAGS = auto()
    """Flags, a label and two heap types: the whole of a cast that branches (Wasm spec 5.4.3)."""
    ORDERING = auto()


@dataclass(frozen=True, slots=True)
class Opcode:
    """An instruction without its immediates.

    `params` and `results` are `None` where they depend on immediates or on the stack; an instruction after which the
    stack is polymorphic has no `results` either. Addresses and sizes are given for 32-bit memories and tables. `traps`:
    may trap, or run out of the engine's heap, by itself (what a callee does counts for the callee). `memory_access` is
    the width in bytes of a memory access with a memory argument.
    """

    code: int
    name: str
    immediates: tuple[Imm, ...]
    params: tuple[ValType, ...] | None
    results: tuple[ValType, ...] | None
    feature: Feature
    traps: bool
    memory_access: int | None

    @property
    def mnemonic(self) -> str:
        """The name in the text format: one word."""
        return self.name.partition(" ")[0]


_TABLE: Mapping[Feature, str] = {
    Feature.MVP: """
        00  unreachable               -               -> *                      traps
        01  nop                       -               ->
        02  block                     block_type      *
        03  loop                      block_type      *
        04  if                        block_type      *
        05  else                      -               *
        0B  end                       -               *
        0C  br                        label           *
        0D  br_if                     label           *
        0E  br_table                  labels          *
        0F  return                    -               *
        10  call                      func            *
        11  call_indirect             type table      *
        1A  drop                      -               * ->
        1B  select                    -               *
        20  local.get                 local           -> *
        21  local.set                 local           * ->
        22  local.tee                 local           *
        23  global.get                global          -> *
        24  global.set                global          * ->
        28  i32.load                  memarg4         i32 -> i32                traps
        29  i64.load                  memarg8         i32 -> i64                traps
        2A  f32.load                  memarg4         i32 -> f32                traps
        2B  f64.load                  memarg8         i32 -> f64                traps
        2C  i32.load8_s               memarg1         i32 -> i32                traps
        2D  i32.load8_u               memarg1         i32 -> i32                traps
        2E  i32.load16_s              memarg2         i32 -> i32                traps
        2F  i32.load16_u              memarg2         i32 -> i32                traps
        30  i64.load8_s               memarg1         i32 -> i64                traps
        31  i64.load8_u               memarg1         i32 -> i64                traps
        32  i64.load16_s              memarg2         i32 -> i64                traps
        33  i64.load16_u              memarg2         i32 -> i64                traps
        34  i64.load32_s              memarg4         i32 -> i64                traps
        35  i64.load32_u              memarg4         i32 -> i64                traps
        36  i32.store                 memarg4         i32 i32 ->                traps
        37  i64.store                 memarg8         i32 i64 ->                traps
        38  f32.store                 memarg4         i32 f32 ->                traps
        39  f64.store                 memarg8         i32 f64 ->                traps
        3A  i32.store8                memarg1         i32 i32 ->                traps
        3B  i32.store16               memarg2         i32 i32 ->                traps
        3C  i64.store8                memarg1         i32 i64 ->                traps
        3D  i64.store16               memarg2         i32 i64 ->                traps
        3E  i64.store32               memarg4         i32 i64 ->                traps
        3F  memory.size               memory          -> i32
        40  memory.grow               memory          i32 -> i32
        41  i32.const                 i32             -> i32
        42  i64.const                 i64             -> i64
        43  f32.const                 f32             -> f32
        44  f64.const                 f64             -> f64
        45  i32.eqz                   -               i32 -> i32
        46  i32.eq                    -               i32 i32 -> i32
        47  i32.ne                    -               i32 i32 -> i32
        48  i32.lt_s                  -               i32 i32 -> i32
        49  i32.lt_u                  -               i32 i32 -> i32
        4A  i32.gt_s                  -               i32 i32 -> i32
        4B  i32.gt_u                  -               i32 i32 -> i32
        4C  i32.le_s                  -               i32 i32 -> i32
        4D  i32.le_u                  -               i32 i32 -> i32
        4E  i32.ge_s                  -               i32 i32 -> i32
        4F  i32.ge_u                  -               i32 i32 -> i32
        50  i64.eqz                   -               i64 -> i32
        51  i64.eq                    -               i64 i64 -> i32
        52  i64.ne                    -               i64 i64 -> i32
        53  i64.lt_s                  -               i64 i64 -> i32
        54  i64.lt_u                  -               i64 i64 -> i32
        55  i64.gt_s                  -               i64 i64 -> i32
        56  i64.gt_u                  -               i64 i64 -> i32
        57  i64.le_s                  -               i64 i64 -> i32
        58  i64.le_u                  -               i64 i64 -> i32
        59  i64.ge_s                  -               i64 i64 -> i32
        5A  i64.ge_u                  -               i64 i64 -> i32
        5B  f32.eq                    -               f32 f32 -> i32
        5C  f32.ne                    -               f32 f32 -> i32
        5D  f32.lt                    -               f32 f32 -> i32
        5E  f32.gt                    -               f32 f32 -> i32
        5F  f32.le                    -               f32 f32 -> i32
        60  f32.ge                    -               f32 f32 -> i32
        61  f64.eq                    -               f64 f64 -> i32
        62  f64.ne                    -               f64 f64 -> i32
        63  f64.lt                    -               f64 f64 -> i32
        64  f64.gt                    -               f64 f64 -> i32
        65  f64.le                    -               f64 f64 -> i32
        66  f64.ge                    -               f64 f64 -> i32
        67  i32.clz                   -               i32 -> i32
        68  i32.ctz                   -               i32 -> i32
        69  i32.popcnt                -               i32 -> i32
        6A  i32.add                   -               i32 i32 -> i32
        6B  i32.sub                   -               i32 i32 -> i32
        6C  i32.mul                   -               i32 i32 -> i32
        6D  i32.div_s                 -               i32 i32 -> i32            traps
        6E  i32.div_u                 -               i32 i32 -> i32            traps
        6F  i32.rem_s                 -               i32 i32 -> i32            traps
        70  i32.rem_u                 -               i32 i32 -> i32            traps
        71  i32.and                   -               i32 i32 -> i32
        72  i32.or                    -               i32 i32 -> i32
        73  i32.xor                   -               i32 i32 -> i32
        74  i32.shl                   -               i32 i32 -> i32
        75  i32.shr_s                 -               i32 i32 -> i32
        76  i32.shr_u                 -               i32 i32 -> i32
        77  i32.rotl                  -               i32 i32 -> i32
        78  i32.rotr                  -               i32 i32 -> i32
        79  i64.clz                   -               i64 -> i64
        7A  i64.ctz                   -               i64 -> i64
        7B  i64.popcnt                -               i64 -> i64
        7C  i64.add                   -               i64 i64 -> i64
        7D  i64.sub                   -               i64 i64 -> i64
        7E  i64.mul                   -               i64 i64 -> i64
        7F  i64.div_s                 -               i64 i64 -> i64            traps
        80  i64.div_u                 -               i64 i64 -> i64            traps
        81  i64.rem_s                 -               i64 i64 -> i64            traps
        82  i64.rem_u                 -               i64 i64 -> i64            traps
        83  i64.and                   -               i64 i64 -> i64
        84  i64.or                    -               i64 i64 -> i64
        85  i64.xor                   -               i64 i64 -> i64
        86  i64.shl                   -               i64 i64 -> i64
        87  i64.shr_s                 -               i64 i64 -> i64
        88  i64.shr_u                 -               i64 i64 -> i64
        89  i64.rotl                  -               i64 i64 -> i64
        8A  i64.rotr                  -               i64 i64 -> i64
        8B  f32.abs                   -               f32 -> f32
        8C  f32.neg                   -               f32 -> f32
        8D  f32.ceil                  -               f32 -> f32
        8E  f32.floor                 -               f32 -> f32
        8F  f32.trunc                 -               f32 -> f32
        90  f32.nearest               -               f32 -> f32
        91  f32.sqrt                  -               f32 -> f32
        92  f32.add                   -               f32 f32 -> f32
        93  f32.sub                   -               f32 f32 -> f32
        94  f32.mul                   -               f32 f32 -> f32
        95  f32.div                   -               f32 f32 -> f32
        96  f32.min                   -               f32 f32 -> f32
        97  f32.max                   -               f32 f32 -> f32
        98  f32.copysign              -               f32 f32 -> f32
        99  f64.abs                   -               f64 -> f64
        9A  f64.neg                   -               f64 -> f64
        9B  f64.ceil                  -               f64 -> f64
        9C  f64.floor                 -               f64 -> f64
        9D  f64.trunc                 -               f64 -> f64
        9E  f64.nearest               -               f64 -> f64
        9F  f64.sqrt                  -               f64 -> f64
        A0  f64.add                   -               f64 f64 -> f64
        A1  f64.sub                   -               f64 f64 -> f64
        A2  f64.mul                   -               f64 f64 -> f64
        A3  f64.div                   -               f64 f64 -> f64
        A4  f64.min                   -               f64 f64 -> f64
        A5  f64.max                   -               f64 f64 -> f64
        A6  f64.copysign              -               f64 f64 -> f64
        A7  i32.wrap_i64              -               i64 -> i32
        A8  i32.trunc_f32_s           -               f32 -> i32                traps
        A9  i32.trunc_f32_u           -               f32 -> i32                traps
        AA  i32.trunc_f64_s           -               f64 -> i32                traps
        AB  i32.trunc_f64_u           -               f64 -> i32                traps
        AC  i64.extend_i32_s          -               i32 -> i64
        AD  i64.extend_i32_u          -               i32 -> i64
        AE  i64.trunc_f32_s           -               f32 -> i64                traps
        AF  i64.trunc_f32_u           -               f32 -> i64                traps
        B0  i64.trunc_f64_s           -               f64 -> i64                traps
        B1  i64.trunc_f64_u           -               f64 -> i64                traps
        B2  f32.convert_i32_s         -               i32 -> f32
        B3  f32.convert_i32_u         -               i32 -> f32
        B4  f32.convert_i64_s         -               i64 -> f32
        B5  f32.convert_i64_u         -               i64 -> f32
        B6  f32.demote_f64            -               f64 -> f32
        B7  f64.convert_i32_s         -               i32 -> f64
        B8  f64.convert_i32_u         -               i32 -> f64
        B9  f64.convert_i64_s         -               i64 -> f64
        BA  f64.convert_i64_u         -               i64 -> f64
        BB  f64.promote_f32           -               f32 -> f64
        BC  i32.reinterpret_f32       -               f32 -> i32
        BD  i64.reinterpret_f64       -               f64 -> i64
        BE  f32.reinterpret_i32       -               i32 -> f32
        BF  f64.reinterpret_i64       -               i64 -> f64
    """,
    Feature.SIGN_EXTENSION: """
        C0  i32.extend8_s             -               i32 -> i32
        C1  i32.extend16_s            -               i32 -> i32
        C2  i64.extend8_s             -               i64 -> i64
        C3  i64.extend16_s            -               i64 -> i64
        C4  i64.extend32_s            -               i64 -> i64
    """,
    Feature.SATURATING_CONVERSIONS: """
        FC0000  i32.trunc_sat_f32_s       -               f32 -> i32
        FC0001  i32.trunc_sat_f32_u       -               f32 -> i32
        FC0002  i32.trunc_sat_f64_s       -               f64 -> i32
        FC0003  i32.trunc_sat_f64_u       -               f64 -> i32
        FC0004  i64.trunc_sat_f32_s       -               f32 -> i64
        FC0005  i64.trunc_sat_f32_u       -               f32 -> i64
        FC0006  i64.trunc_sat_f64_s       -               f64 -> i64
        FC0007  i64.trunc_sat_f64_u       -               f64 -> i64
    """,
    Feature.BULK_MEMORY: """
        FC0008  memory.init               data memory     i32 i32 i32 ->            traps
        FC0009  data.drop                 data            ->
        FC000A  memory.copy               memory memory   i32 i32 i32 ->            traps
        FC000B  memory.fill               memory          i32 i32 i32 ->            traps
        FC000C  table.init                elem table      i32 i32 i32 ->            traps
        FC000D  elem.drop                 elem            ->
        FC000E  table.copy                table table     i32 i32 i32 ->            traps
    """,
    Feature.REFERENCE_TYPES: """
        1C  select t                  val_types       *
        25  table.get                 table           i32 -> *                  traps
        26  table.set                 table           * ->                      traps
        D0  ref.null                  heap_type       -> *
        D1  ref.is_null               -               * -> i32
        D2  ref.func                  func            -> *
        FC000F  table.grow                table           *
        FC0010  table.size                table           -> *
        FC0011  table.fill                table           * ->                      traps
    """,
    Feature.FUNCTION_REFERENCES: """
        14  call_ref                  type            *
        15  return_call_ref           type            *
        D4  ref.as_non_null           -               *                         traps
        D5  br_on_null                label           *
        D6  br_on_non_null            label           *
    """,
    Feature.TAIL_CALL: """
        12  return_call               func            *
        13  return_call_indirect      type table      *
    """,
    Feature.EXCEPTIONS: """
        08  throw                     tag             *                         traps
        0A  throw_ref                 -               exnref -> *               traps
        1F  try_table                 block_type catches  *
    """,
    Feature.GC: """
        D3  ref.eq                    -               eqref eqref -> i32
        FB0000  struct.new                type            *                         traps
        FB0001  struct.new_default        type            -> *                      traps
        FB0002  struct.get                type field      *                         traps
        FB0003  struct.get_s              type field      * -> i32                  traps
        FB0004  struct.get_u              type field      * -> i32                  traps
        FB0005  struct.set                type field      * ->                      traps
        FB0006  array.new                 type            *                         traps
        FB0007  array.new_default         type            i32 -> *                  traps
        FB0008  array.new_fixed           type u32        *                         traps
        FB0009  array.new_data            type data       i32 i32 -> *              traps
        FB000A  array.new_elem            type elem       i32 i32 -> *              traps
        FB000B  array.get                 type            *                         traps
        FB000C  array.get_s               type            * -> i32                  traps
        FB000D  array.get_u               type            * -> i32                  traps
        FB000E  array.set                 type            * ->                      traps
        FB000F  array.len                 -               arrayref -> i32           traps
        FB0010  array.fill                type            * ->                      traps
        FB0011  array.copy                type type       * ->                      traps
        FB0012  array.init_data           type data       * ->                      traps
        FB0013  array.init_elem           type elem       * ->                      traps
        FB0014  ref.test                  heap_type       * -> i32
        FB0015  ref.test null             heap_type       * -> i32
        FB0016  ref.cast                  heap_type       *                         traps
        FB0017  ref.cast null             heap_type       *                         traps
        FB0018  br_on_cast                cast_flags      *
        FB0019  br_on_cast_fail           cast_flags      *
        FB001A  any.convert_extern        -               externref -> *
        FB001B  extern.convert_any        -               anyref -> *
        FB001C  ref.i31                   -               i32 -> *
        FB001D  i31.get_s                 -               i31ref -> i32             traps
        FB001E  i31.get_u                 -               i31ref -> i32             traps
    """,
    Feature.SIMD: """
        FD0000  v128.load                 memarg16        i32 -> v128               traps
        FD0001  v128.load8x8_s            memarg8         i32 -> v128               traps
        FD0002  v128.load8x8_u            memarg8         i32 -> v128               traps
        FD0003  v128.load16x4_s           memarg8         i32 -> v128               traps
        FD0004  v128.load16x4_u           memarg8         i32 -> v128               traps
        FD0005  v128.load32x2_s           memarg8         i32 -> v128               traps
        FD0006  v128.load32x2_u           memarg8         i32 -> v128               traps
        FD0007  v128.load8_splat          memarg1         i32 -> v128               traps
        FD0008  v128.load16_splat         memarg2         i32 -> v128               traps
        FD0009  v128.load32_splat         memarg4         i32 -> v128               traps
        FD000A  v128.load64_splat         memarg8         i32 -> v128               traps
        FD000B  v128.store                memarg16        i32 v128 ->               traps
        FD000C  v128.const                v128            -> v128
        FD000D  i8x16.shuffle             lanes16         v128 v128 -> v128
        FD000E  i8x16.swizzle             -               v128 v128 -> v128
        FD000F  i8x16.splat               -               i32 -> v128
        FD0010  i16x8.splat               -               i32 -> v128
        FD0011  i32x4.splat               -               i32 -> v128
        FD0012  i64x2.splat               -               i64 -> v128
        FD0013  f32x4.splat               -               f32 -> v128
        FD0014  f64x2.splat               -               f64 -> v128
        FD0015  i8x16.extract_lane_s      lane            v128 -> i32
        FD0016  i8x16.extract_lane_u      lane            v128 -> i32
        FD0017  i8x16.replace_lane        lane            v128 i32 -> v128
        FD0018  i16x8.extract_lane_s      lane            v128 -> i32
        FD0019  i16x8.extract_lane_u      lane            v128 -> i32
        FD001A  i16x8.replace_lane        lane            v128 i32 -> v128
        FD001B  i32x4.extract_lane        lane            v128 -> i32
        FD001C  i32x4.replace_lane        lane            v128 i32 -> v128
        FD001D  i64x2.extract_lane        lane            v128 -> i64
        FD001E  i64x2.replace_lane        lane            v128 i64 -> v128
        FD001F  f32x4.extract_lane        lane            v128 -> f32
        FD0020  f32x4.replace_lane        lane            v128 f32 -> v128
        FD0021  f64x2.extract_lane        lane            v128 -> f64
        FD0022  f64x2.replace_lane        lane            v128 f64 -> v128
        FD0023  i8x16.eq                  -               v128 v128 -> v128
        FD0024  i8x16.ne                  -               v128 v128 -> v128
        FD0025  i8x16.lt_s                -               v128 v128 -> v128
        FD0026  i8x16.lt_u                -               v128 v128 -> v128
        FD0027  i8x16.gt_s                -               v128 v128 -> v128
        FD0028  i8x16.gt_u                -               v128 v128 -> v128
        FD0029  i8x16.le_s                -               v128 v128 -> v128
        FD002A  i8x16.le_u                -               v128 v128 -> v128
        FD002B  i8x16.ge_s                -               v128 v128 -> v128
        FD002C  i8x16.ge_u                -               v128 v128 -> v128
        FD002D  i16x8.eq                  -               v128 v128 -> v128
        FD002E  i16x8.ne                  -               v128 v128 -> v128
        FD002F  i16x8.lt_s                -               v128 v128 -> v128
        FD0030  i16x8.lt_u                -               v128 v128 -> v128
        FD0031  i16x8.gt_s                -               v128 v128 -> v128
        FD0032  i16x8.gt_u                -               v128 v128 -> v128
        FD0033  i16x8.le_s                -               v128 v128 -> v128
        FD0034  i16x8.le_u                -               v128 v128 -> v128
        FD0035  i16x8.ge_s                -               v128 v128 -> v128
        FD0036  i16x8.ge_u                -               v128 v128 -> v128
        FD0037  i32x4.eq                  -               v128 v128 -> v128
        FD0038  i32x4.ne                  -               v128 v128 -> v128
        FD0039  i32x4.lt_s                -               v128 v128 -> v128
        FD003A  i32x4.lt_u                -               v128 v128 -> v128
        FD003B  i32x4.gt_s                -               v128 v128 -> v128
        FD003C  i32x4.gt_u                -               v128 v128 -> v128
        FD003D  i32x4.le_s                -               v128 v128 -> v128
        FD003E  i32x4.le_u                -               v128 v128 -> v128
        FD003F  i32x4.ge_s                -               v128 v128 -> v128
        FD0040  i32x4.ge_u                -               v128 v128 -> v128
        FD0041  f32x4.eq                  -               v128 v128 -> v128
        FD0042  f32x4.ne                  -               v128 v128 -> v128
        FD0043  f32x4.lt                  -               v128 v128 -> v128
        FD0044  f32x4.gt                  -               v128 v128 -> v128
        FD0045  f32x4.le                  -               v128 v128 -> v128
        FD0046  f32x4.ge                  -               v128 v128 -> v128
        FD0047  f64x2.eq                  -               v128 v128 -> v128
        FD0048  f64x2.ne                  -               v128 v128 -> v128
        FD0049  f64x2.lt                  -               v128 v128 -> v128
        FD004A  f64x2.gt                  -               v128 v128 -> v128
        FD004B  f64x2.le                  -               v128 v128 -> v128
        FD004C  f64x2.ge                  -               v128 v128 -> v128
        FD004D  v128.not                  -               v128 -> v128
        FD004E  v128.and                  -               v128 v128 -> v128
        FD004F  v128.andnot               -               v128 v128 -> v128
        FD0050  v128.or                   -               v128 v128 -> v128
        FD0051  v128.xor                  -               v128 v128 -> v128
        FD0052  v128.bitselect            -               v128 v128 v128 -> v128
        FD0053  v128.any_true             -               v128 -> i32
        FD0054  v128.load8_lane           memarg1 lane    i32 v128 -> v128          traps
        FD0055  v128.load16_lane          memarg2 lane    i32 v128 -> v128          traps
        FD0056  v128.load32_lane          memarg4 lane    i32 v128 -> v128          traps
        FD0057  v128.load64_lane          memarg8 lane    i32 v128 -> v128          traps
        FD0058  v128.store8_lane          memarg1 lane    i32 v128 ->               traps
        FD0059  v128.store16_lane         memarg2 lane    i32 v128 ->               traps
        FD005A  v128.store32_lane         memarg4 lane    i32 v128 ->               traps
        FD005B  v128.store64_lane         memarg8 lane    i32 v128 ->               traps
        FD005C  v128.load32_zero          memarg4         i32 -> v128               traps
        FD005D  v128.load64_zero          memarg8         i32 -> v128               traps
        FD005E  f32x4.demote_f64x2_zero   -               v128 -> v128
        FD005F  f64x2.promote_low_f32x4   -               v128 -> v128
        FD0060  i8x16.abs                 -               v128 -> v128
        FD0061  i8x16.neg                 -               v128 -> v128
        FD0062  i8x16.popcnt              -               v128 -> v128
        FD0063  i8x16.all_true            -               v128 -> i32
        FD0064  i8x16.bitmask             -               v128 -> i32
        FD0065  i8x16.narrow_i16x8_s      -               v128 v128 -> v128
        FD0066  i8x16.narrow_i16x8_u      -               v128 v128 -> v128
        FD0067  f32x4.ceil                -               v128 -> v128
        FD0068  f32x4.floor               -               v128 -> v128
        FD0069  f32x4.trunc               -               v128 -> v128
        FD006A  f32x4.nearest             -               v128 -> v128
        FD006B  i8x16.shl                 -               v128 i32 -> v128
        FD006C  i8x16.shr_s               -               v128 i32 -> v128
        FD006D  i8x16.shr_u               -               v128 i32 -> v128
        FD006E  i8x16.add                 -               v128 v128 -> v128
        FD006F  i8x16.add_sat_s           -               v128 v128 -> v128
        FD0070  i8x16.add_sat_u           -               v128 v128 -> v128
        FD0071  i8x16.sub                 -               v128 v128 -> v128
        FD0072  i8x16.sub_sat_s           -               v128 v128 -> v128
        FD0073  i8x16.sub_sat_u           -               v128 v128 -> v128
        FD0074  f64x2.ceil                -               v128 -> v128
        FD0075  f64x2.floor               -               v128 -> v128
        FD0076  i8x16.min_s               -               v128 v128 -> v128
        FD0077  i8x16.min_u               -               v128 v128 -> v128
        FD0078  i8x16.max_s               -               v128 v128 -> v128
        FD0079  i8x16.max_u               -               v128 v128 -> v128
        FD007A  f64x2.trunc               -               v128 -> v128
        FD007B  i8x16.avgr_u              -               v128 v128 -> v128
        FD007C  i16x8.extadd_pairwise_i8x16_s  -               v128 -> v128
        FD007D  i16x8.extadd_pairwise_i8x16_u  -               v128 -> v128
        FD007E  i32x4.extadd_pairwise_i16x8_s  -               v128 -> v128
        FD007F  i32x4.extadd_pairwise_i16x8_u  -               v128 -> v128
        FD0080  i16x8.abs                 -               v128 -> v128
        FD0081  i16x8.neg                 -               v128 -> v128
        FD0082  i16x8.q15mulr_sat_s       -               v128 v128 -> v128
        FD0083  i16x8.all_true            -               v128 -> i32
        FD0084  i16x8.bitmask             -               v128 -> i32
        FD0085  i16x8.narrow_i32x4_s      -               v128 v128 -> v128
        FD0086  i16x8.narrow_i32x4_u      -               v128 v128 -> v128
        FD0087  i16x8.extend_low_i8x16_s  -               v128 -> v128
        FD0088  i16x8.extend_high_i8x16_s  -               v128 -> v128
        FD0089  i16x8.extend_low_i8x16_u  -               v128 -> v128
        FD008A  i16x8.extend_high_i8x16_u  -               v128 -> v128
        FD008B  i16x8.shl                 -               v128 i32 -> v128
        FD008C  i16x8.shr_s               -               v128 i32 -> v128
        FD008D  i16x8.shr_u               -               v128 i32 -> v128
        FD008E  i16x8.add                 -               v128 v128 -> v128
        FD008F  i16x8.add_sat_s           -               v128 v128 -> v128
        FD0090  i16x8.add_sat_u           -               v128 v128 -> v128
        FD0091  i16x8.sub                 -               v128 v128 -> v128
        FD0092  i16x8.sub_sat_s           -               v128 v128 -> v128
        FD0093  i16x8.sub_sat_u           -               v128 v128 -> v128
        FD0094  f64x2.nearest             -               v128 -> v128
        FD0095  i16x8.mul                 -               v128 v128 -> v128
        FD0096  i16x8.min_s               -               v128 v128 -> v128
        FD0097  i16x8.min_u               -               v128 v128 -> v128
        FD0098  i16x8.max_s               -               v128 v128 -> v128
        FD0099  i16x8.max_u               -               v128 v128 -> v128
        FD009B  i16x8.avgr_u              -               v128 v128 -> v128
        FD009C  i16x8.extmul_low_i8x16_s  -               v128 v128 -> v128
        FD009D  i16x8.extmul_high_i8x16_s  -               v128 v128 -> v128
        FD009E  i16x8.extmul_low_i8x16_u  -               v128 v128 -> v128
        FD009F  i16x8.extmul_high_i8x16_u  -               v128 v128 -> v128
        FD00A0  i32x4.abs                 -               v128 -> v128
        FD00A1  i32x4.neg                 -               v128 -> v128
        FD00A3  i32x4.all_true            -               v128 -> i32
        FD00A4  i32x4.bitmask             -               v128 -> i32
        FD00A7  i32x4.extend_low_i16x8_s  -               v128 -> v128
        FD00A8  i32x4.extend_high_i16x8_s  -               v128 -> v128
        FD00A9  i32x4.extend_low_i16x8_u  -               v128 -> v128
        FD00AA  i32x4.extend_high_i16x8_u  -               v128 -> v128
        FD00AB  i32x4.shl                 -               v128 i32 -> v128
        FD00AC  i32x4.shr_s               -               v128 i32 -> v128
        FD00AD  i32x4.shr_u               -               v128 i32 -> v128
        FD00AE  i32x4.add                 -               v128 v128 -> v128
        FD00B1  i32x4.sub                 -               v128 v128 -> v128
        FD00B5  i32x4.mul                 -               v128 v128 -> v128
        FD00B6  i32x4.min_s               -               v128 v128 -> v128
        FD00B7  i32x4.min_u               -               v128 v128 -> v128
        FD00B8  i32x4.max_s               -               v128 v128 -> v128
        FD00B9  i32x4.max_u               -               v128 v128 -> v128
        FD00BA  i32x4.dot_i16x8_s         -               v128 v128 -> v128
        FD00BC  i32x4.extmul_low_i16x8_s  -               v128 v128 -> v128
        FD00BD  i32x4.extmul_high_i16x8_s  -               v128 v128 -> v128
        FD00BE  i32x4.extmul_low_i16x8_u  -               v128 v128 -> v128
        FD00BF  i32x4.extmul_high_i16x8_u  -               v128 v128 -> v128
        FD00C0  i64x2.abs                 -               v128 -> v128
        FD00C1  i64x2.neg                 -               v128 -> v128
        FD00C3  i64x2.all_true            -               v128 -> i32
        FD00C4  i64x2.bitmask             -               v128 -> i32
        FD00C7  i64x2.extend_low_i32x4_s  -               v128 -> v128
        FD00C8  i64x2.extend_high_i32x4_s  -               v128 -> v128
        FD00C9  i64x2.extend_low_i32x4_u  -               v128 -> v128
        FD00CA  i64x2.extend_high_i32x4_u  -               v128 -> v128
        FD00CB  i64x2.shl                 -               v128 i32 -> v128
        FD00CC  i64x2.shr_s               -               v128 i32 -> v128
        FD00CD  i64x2.shr_u               -               v128 i32 -> v128
        FD00CE  i64x2.add                 -               v128 v128 -> v128
        FD00D1  i64x2.sub                 -               v128 v128 -> v128
        FD00D5  i64x2.mul                 -               v128 v128 -> v128
        FD00D6  i64x2.eq                  -               v128 v128 -> v128
        FD00D7  i64x2.ne                  -               v128 v128 -> v128
        FD00D8  i64x2.lt_s                -               v128 v128 -> v128
        FD00D9  i64x2.gt_s                -               v128 v128 -> v128
        FD00DA  i64x2.le_s                -               v128 v128 -> v128
        FD00DB  i64x2.ge_s                -               v128 v128 -> v128
        FD00DC  i64x2.extmul_low_i32x4_s  -               v128 v128 -> v128
        FD00DD  i64x2.extmul_high_i32x4_s  -               v128 v128 -> v128
        FD00DE  i64x2.extmul_low_i32x4_u  -               v128 v128 -> v128
        FD00DF  i64x2.extmul_high_i32x4_u  -               v128 v128 -> v128
        FD00E0  f32x4.abs                 -               v128 -> v128
        FD00E1  f32x4.neg                 -               v128 -> v128
        FD00E3  f32x4.sqrt                -               v128 -> v128
        FD00E4  f32x4.add                 -               v128 v128 -> v128
        FD00E5  f32x4.sub                 -               v128 v128 -> v128
        FD00E6  f32x4.mul                 -               v128 v128 -> v128
        FD00E7  f32x4.div                 -               v128 v128 -> v128
        FD00E8  f32x4.min                 -               v128 v128 -> v128
        FD00E9  f32x4.max                 -               v128 v128 -> v128
        FD00EA  f32x4.pmin                -               v128 v128 -> v128
        FD00EB  f32x4.pmax                -               v128 v128 -> v128
        FD00EC  f64x2.abs                 -               v128 -> v128
        FD00ED  f64x2.neg                 -               v128 -> v128
        FD00EF  f64x2.sqrt                -               v128 -> v128
        FD00F0  f64x2.add                 -               v128 v128 -> v128
        FD00F1  f64x2.sub                 -               v128 v128 -> v128
        FD00F2  f64x2.mul                 -               v128 v128 -> v128
        FD00F3  f64x2.div                 -               v128 v128 -> v128
        FD00F4  f64x2.min                 -               v128 v128 -> v128
        FD00F5  f64x2.max                 -               v128 v128 -> v128
        FD00F6  f64x2.pmin                -               v128 v128 -> v128
        FD00F7  f64x2.pmax                -               v128 v128 -> v128
        FD00F8  i32x4.trunc_sat_f32x4_s   -               v128 -> v128
        FD00F9  i32x4.trunc_sat_f32x4_u   -               v128 -> v128
        FD00FA  f32x4.convert_i32x4_s     -               v128 -> v128
        FD00FB  f32x4.convert_i32x4_u     -               v128 -> v128
        FD00FC  i32x4.trunc_sat_f64x2_s_zero  -               v128 -> v128
        FD00FD  i32x4.trunc_sat_f64x2_u_zero  -               v128 -> v128
        FD00FE  f64x2.convert_low_i32x4_s  -               v128 -> v128
        FD00FF  f64x2.convert_low_i32x4_u  -               v128 -> v128
    """,
    Feature.RELAXED_SIMD: """
        FD0100  i8x16.relaxed_swizzle     -               v128 v128 -> v128
        FD0101  i32x4.relaxed_trunc_f32x4_s  -               v128 -> v128
        FD0102  i32x4.relaxed_trunc_f32x4_u  -               v128 -> v128
        FD0103  i32x4.relaxed_trunc_f64x2_s_zero  -               v128 -> v128
        FD0104  i32x4.relaxed_trunc_f64x2_u_zero  -               v128 -> v128
        FD0105  f32x4.relaxed_madd        -               v128 v128 v128 -> v128
        FD0106  f32x4.relaxed_nmadd       -               v128 v128 v128 -> v128
        FD0107  f64x2.relaxed_madd        -               v128 v128 v128 -> v128
        FD0108  f64x2.relaxed_nmadd       -               v128 v128 v128 -> v128
        FD0109  i8x16.relaxed_laneselect  -               v128 v128 v128 -> v128
        FD010A  i16x8.relaxed_laneselect  -               v128 v128 v128 -> v128
        FD010B  i32x4.relaxed_laneselect  -               v128 v128 v128 -> v128
        FD010C  i64x2.relaxed_laneselect  -               v128 v128 v128 -> v128
        FD010D  f32x4.relaxed_min         -               v128 v128 -> v128
        FD010E  f32x4.relaxed_max         -               v128 v128 -> v128
        FD010F  f64x2.relaxed_min         -               v128 v128 -> v128
        FD0110  f64x2.relaxed_max         -               v128 v128 -> v128
        FD0111  i16x8.relaxed_q15mulr_s   -               v128 v128 -> v128
        FD0112  i16x8.relaxed_dot_i8x16_i7x16_s  -               v128 v128 -> v128
        FD0113  i32x4.relaxed_dot_i8x16_i7x16_add_s  -               v128 v128 v128 -> v128
    """,
    Feature.THREADS: """
        FE0000  memory.atomic.notify      memarg4         i32 i32 -> i32            traps
        FE0001  memory.atomic.wait32      memarg4         i32 i32 i64 -> i32        traps
        FE0002  memory.atomic.wait64      memarg8         i32 i64 i64 -> i32        traps
        FE0003  atomic.fence              ordering        ->
        FE0010  i32.atomic.load           memarg4         i32 -> i32                traps
        FE0011  i64.atomic.load           memarg8         i32 -> i64                traps
        FE0012  i32.atomic.load8_u        memarg1         i32 -> i32                traps
        FE0013  i32.atomic.load16_u       memarg2         i32 -> i32                traps
        FE0014  i64.atomic.load8_u        memarg1         i32 -> i64                traps
        FE0015  i64.atomic.load16_u       memarg2         i32 -> i64                traps
        FE0016  i64.atomic.load32_u       memarg4         i32 -> i64                traps
        FE0017  i32.atomic.store          memarg4         i32 i32 ->                traps
        FE0018  i64.atomic.store          memarg8         i32 i64 ->                traps
        FE0019  i32.atomic.store8         memarg1         i32 i32 ->                traps
        FE001A  i32.atomic.store16        memarg2         i32 i32 ->                traps
        FE001B  i64.atomic.store8         memarg1         i32 i64 ->                traps
        FE001C  i64.atomic.store16        memarg2         i32 i64 ->                traps
        FE001D  i64.atomic.store32        memarg4         i32 i64 ->                traps
        FE001E  i32.atomic.rmw.add        memarg4         i32 i32 -> i32            traps
        FE001F  i64.atomic.rmw.add        memarg8         i32 i64 -> i64            traps
        FE0020  i32.atomic.rmw8.add_u     memarg1         i32 i32 -> i32            traps
        FE0021  i32.atomic.rmw16.add_u    memarg2         i32 i32 -> i32            traps
        FE0022  i64.atomic.rmw8.add_u     memarg1         i32 i64 -> i64            traps
        FE0023  i64.atomic.rmw16.add_u    memarg2         i32 i64 -> i64            traps
        FE0024  i64.atomic.rmw32.add_u    memarg4         i32 i64 -> i64            traps
        FE0025  i32.atomic.rmw.sub        memarg4         i32 i32 -> i32            traps
        FE0026  i64.atomic.rmw.sub        memarg8         i32 i64 -> i64            traps
        FE0027  i32.atomic.rmw8.sub_u     memarg1         i32 i32 -> i32            traps
        FE0028  i32.atomic.rmw16.sub_u    memarg2         i32 i32 -> i32            traps
        FE0029  i64.atomic.rmw8.sub_u     memarg1         i32 i64 -> i64            traps
        FE002A  i64.atomic.rmw16.sub_u    memarg2         i32 i64 -> i64            traps
        FE002B  i64.atomic.rmw32.sub_u    memarg4         i32 i64 -> i64            traps
        FE002C  i32.atomic.rmw.and        memarg4         i32 i32 -> i32            traps
        FE002D  i64.atomic.rmw.and        memarg8         i32 i64 -> i64            traps
        FE002E  i32.atomic.rmw8.and_u     memarg1         i32 i32 -> i32            traps
        FE002F  i32.atomic.rmw16.and_u    memarg2         i32 i32 -> i32            traps
        FE0030  i64.atomic.rmw8.and_u     memarg1         i32 i64 -> i64            traps
        FE0031  i64.atomic.rmw16.and_u    memarg2         i32 i64 -> i64            traps
        FE0032  i64.atomic.rmw32.and_u    memarg4         i32 i64 -> i64            traps
        FE0033  i32.atomic.rmw.or         memarg4         i32 i32 -> i32            traps
        FE0034  i64.atomic.rmw.or         memarg8         i32 i64 -> i64            traps
        FE0035  i32.atomic.rmw8.or_u      memarg1         i32 i32 -> i32            traps
        FE0036  i32.atomic.rmw16.or_u     memarg2         i32 i32 -> i32            traps
        FE0037  i64.atomic.rmw8.or_u      memarg1         i32 i64 -> i64            traps
        FE0038  i64.atomic.rmw16.or_u     memarg2         i32 i64 -> i64            traps
        FE0039  i64.atomic.rmw32.or_u     memarg4         i32 i64 -> i64            traps
        FE003A  i32.atomic.rmw.xor        memarg4         i32 i32 -> i32            traps
        FE003B  i64.atomic.rmw.xor        memarg8         i32 i64 -> i64            traps
        FE003C  i32.atomic.rmw8.xor_u     memarg1         i32 i32 -> i32            traps
        FE003D  i32.atomic.rmw16.xor_u    memarg2         i32 i32 -> i32            traps
        FE003E  i64.atomic.rmw8.xor_u     memarg1         i32 i64 -> i64            traps
        FE003F  i64.atomic.rmw16.xor_u    memarg2         i32 i64 -> i64            traps
        FE0040  i64.atomic.rmw32.xor_u    memarg4         i32 i64 -> i64            traps
        FE0041  i32.atomic.rmw.xchg       memarg4         i32 i32 -> i32            traps
        FE0042  i64.atomic.rmw.xchg       memarg8         i32 i64 -> i64            traps
        FE0043  i32.atomic.rmw8.xchg_u    memarg1         i32 i32 -> i32            traps
        FE0044  i32.atomic.rmw16.xchg_u   memarg2         i32 i32 -> i32            traps
        FE0045  i64.atomic.rmw8.xchg_u    memarg1         i32 i64 -> i64            traps
        FE0046  i64.atomic.rmw16.xchg_u   memarg2         i32 i64 -> i64            traps
        FE0047  i64.atomic.rmw32.xchg_u   memarg4         i32 i64 -> i64            traps
        FE0048  i32.atomic.rmw.cmpxchg    memarg4         i32 i32 i32 -> i32        traps
        FE0049  i64.atomic.rmw.cmpxchg    memarg8         i32 i64 i64 -> i64        traps
        FE004A  i32.atomic.rmw8.cmpxchg_u  memarg1         i32 i32 i32 -> i32        traps
        FE004B  i32.atomic.rmw16.cmpxchg_u  memarg2         i32 i32 i32 -> i32        traps
        FE004C  i64.atomic.rmw8.cmpxchg_u  memarg1         i32 i64 i64 -> i64        traps
        FE004D  i64.atomic.rmw16.cmpxchg_u  memarg2         i32 i64 i64 -> i64        traps
        FE004E  i64.atomic.rmw32.cmpxchg_u  memarg4         i32 i64 i64 -> i64        traps
    """,
    Feature.WIDE_ARITHMETIC: """
        FC0013  i64.add128                -               i64 i64 i64 i64 -> i64 i64
        FC0014  i64.sub128                -               i64 i64 i64 i64 -> i64 i64
        FC0015  i64.mul_wide_s            -               i64 i64 -> i64 i64
        FC0016  i64.mul_wide_u            -               i64 i64 -> i64 i64
    """,
}

_UNSUPPORTED_CODES: Mapping[Feature, tuple[int, ...]] = {
    Feature.LEGACY_EXCEPTIONS: (0x06, 0x07, 0x09, 0x18, 0x19),  # try catch rethrow delegate catch_all
    Feature.STACK_SWITCHING: tuple(range(0xE0, 0xE7)),  # cont.new ... switch
    Feature.CUSTOM_DESCRIPTORS: tuple(range(0xFB0020, 0xFB0027)),  # struct.new_desc ... br_on_cast_desc_eq_fail
    Feature.MEMORY_CONTROL: (0xFC0012,),  # memory.discard
    Feature.SHARED_EVERYTHING: tuple(range(0xFE004F, 0xFE0073)),  # global.atomic.get ... ref.i31_shared
}

_TYPES = {str(t): t for t in (I32, I64, F32, F64, V128, EXTERNREF, ANYREF, EQREF, I31REF, ARRAYREF, EXNREF)}


def _types(words: str) -> tuple[ValType, ...] | None:
    return None if words.strip() == "*" else tuple(_TYPES[word] for word in words.split())


def _row(row: str, feature: Feature) -> Opcode:
    code, name, immediate_words, signature, *flags = re.split(r" {2,}", row)
    immediates = []
    memory_access = None
    for word in immediate_words.split():
        if word.startswith("memarg"):
            memory_access = int(word.removeprefix("memarg"))
            word = "memarg"
        if word != "-":
            immediates.append(Imm[word.upper()])
    params, arrow, results = signature.partition("->")
    return Opcode(
        code=int(code, 16),
        name=name,
        immediates=tuple(immediates),
        params=_types(params),
        results=_types(results if arrow else params),
        feature=feature,
        traps=flags == ["traps"],
        memory_access=memory_access,
    )


OPCODES: tuple[Opcode, ...] = tuple(
    _row(row.strip(), feature) for feature, rows in _TABLE.items() for row in rows.strip().splitlines()
)
"""Every supported instruction."""

BY_CODE: Mapping[int, Opcode] = MappingProxyType({opcode.code: opcode for opcode in OPCODES})
BY_NAME: Mapping[str, Opcode] = MappingProxyType({opcode.name: opcode for opcode in OPCODES})

UNSUPPORTED: Mapping[int, Feature] = MappingProxyType(
    {code: feature for feature, codes in _UNSUPPORTED_CODES.items() for code in codes}
)
"""Opcodes of proposals that are not supported."""

PREFIXES = frozenset(opcode.code >> 16 for opcode in OPCODES if opcode.code > 0xFF)
"""The bytes that a second code follows, in LEB128."""
