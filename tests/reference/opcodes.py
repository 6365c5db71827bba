"""The instruction set: opcode, name, immediates and, where it does not depend on them, the signature (spec 5.4).

A row gives consecutive opcodes that share immediates and signature; "-" leaves an opcode out. In a signature `at` is
the address type of the memory or table that the immediates name. A row with "?" needs a typing rule by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from reference.types import EXTERNREF, FUNCREF, RefType, ValueType


@dataclass(frozen=True, slots=True)
class Opcode:
    """One instruction; `immediates` are the kinds that `immediates.read` knows."""

    name: str
    immediates: tuple[str, ...]
    params: tuple[ValueType, ...] | None
    results: tuple[ValueType, ...]


# (prefix or 0, first opcode, immediates, signature, names)
_ROWS = """
00 00 -                    | ?                    | unreachable
00 01 -                    | ->                   | nop
00 02 blocktype            | ?                    | block loop if
00 05 -                    | ?                    | else
00 08 tag                  | ?                    | throw
00 0a -                    | ?                    | throw_ref end
00 0c label                | ?                    | br br_if
00 0e labels               | ?                    | br_table
00 0f -                    | ?                    | return
00 10 func                 | ?                    | call
00 11 type table           | ?                    | call_indirect
00 12 func                 | ?                    | return_call
00 13 type table           | ?                    | return_call_indirect
00 14 type                 | ?                    | call_ref return_call_ref
00 1a -                    | ?                    | drop select
00 1c valtypes             | ?                    | select_t
00 1f blocktype catches    | ?                    | try_table
00 20 local                | ?                    | local.get local.set local.tee
00 23 global               | ?                    | global.get global.set
00 25 table                | ?                    | table.get table.set
00 28 memarg               | at -> i32            | i32.load
00 29 memarg               | at -> i64            | i64.load
00 2a memarg               | at -> f32            | f32.load
00 2b memarg               | at -> f64            | f64.load
00 2c memarg               | at -> i32            | i32.load8_s i32.load8_u
00 2e memarg               | at -> i32            | i32.load16_s i32.load16_u
00 30 memarg               | at -> i64            | i64.load8_s i64.load8_u i64.load16_s
00 33 memarg               | at -> i64            | i64.load16_u i64.load32_s i64.load32_u
00 36 memarg               | at i32 ->            | i32.store
00 37 memarg               | at i64 ->            | i64.store
00 38 memarg               | at f32 ->            | f32.store
00 39 memarg               | at f64 ->            | f64.store
00 3a memarg               | at i32 ->            | i32.store8 i32.store16
00 3c memarg               | at i64 ->            | i64.store8 i64.store16 i64.store32
00 3f memory               | -> at                | memory.size
00 40 memory               | at -> at             | memory.grow
00 41 i32                  | -> i32               | i32.const
00 42 i64                  | -> i64               | i64.const
00 43 f32                  | -> f32               | f32.const
00 44 f64                  | -> f64               | f64.const
00 45 -                    | i32 -> i32           | i32.eqz
00 46 -                    | i32 i32 -> i32       | i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s
00 4b -                    | i32 i32 -> i32       | i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u
00 50 -                    | i64 -> i32           | i64.eqz
00 51 -                    | i64 i64 -> i32       | i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s
00 56 -                    | i64 i64 -> i32       | i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u
00 5b -                    | f32 f32 -> i32       | f32.eq f32.ne f32.lt f32.gt f32.le f32.ge
00 61 -                    | f64 f64 -> i32       | f64.eq f64.ne f64.lt f64.gt f64.le f64.ge
00 67 -                    | i32 -> i32           | i32.clz i32.ctz i32.popcnt
00 6a -                    | i32 i32 -> i32       | i32.add i32.sub i32.mul i32.div_s
00 6e -                    | i32 i32 -> i32       | i32.div_u i32.rem_s i32.rem_u
00 71 -                    | i32 i32 -> i32       | i32.and i32.or i32.xor i32.shl
00 75 -                    | i32 i32 -> i32       | i32.shr_s i32.shr_u i32.rotl i32.rotr
00 79 -                    | i64 -> i64           | i64.clz i64.ctz i64.popcnt
00 7c -                    | i64 i64 -> i64       | i64.add i64.sub i64.mul i64.div_s
00 80 -                    | i64 i64 -> i64       | i64.div_u i64.rem_s i64.rem_u
00 83 -                    | i64 i64 -> i64       | i64.and i64.or i64.xor i64.shl
00 87 -                    | i64 i64 -> i64       | i64.shr_s i64.shr_u i64.rotl i64.rotr
00 8b -                    | f32 -> f32           | f32.abs f32.neg f32.ceil f32.floor
00 8f -                    | f32 -> f32           | f32.trunc f32.nearest f32.sqrt
00 92 -                    | f32 f32 -> f32       | f32.add f32.sub f32.mul f32.div
00 96 -                    | f32 f32 -> f32       | f32.min f32.max f32.copysign
00 99 -                    | f64 -> f64           | f64.abs f64.neg f64.ceil f64.floor
00 9d -                    | f64 -> f64           | f64.trunc f64.nearest f64.sqrt
00 a0 -                    | f64 f64 -> f64       | f64.add f64.sub f64.mul f64.div
00 a4 -                    | f64 f64 -> f64       | f64.min f64.max f64.copysign
00 a7 -                    | i64 -> i32           | i32.wrap_i64
00 a8 -                    | f32 -> i32           | i32.trunc_f32_s i32.trunc_f32_u
00 aa -                    | f64 -> i32           | i32.trunc_f64_s i32.trunc_f64_u
00 ac -                    | i32 -> i64           | i64.extend_i32_s i64.extend_i32_u
00 ae -                    | f32 -> i64           | i64.trunc_f32_s i64.trunc_f32_u
00 b0 -                    | f64 -> i64           | i64.trunc_f64_s i64.trunc_f64_u
00 b2 -                    | i32 -> f32           | f32.convert_i32_s f32.convert_i32_u
00 b4 -                    | i64 -> f32           | f32.convert_i64_s f32.convert_i64_u
00 b6 -                    | f64 -> f32           | f32.demote_f64
00 b7 -                    | i32 -> f64           | f64.convert_i32_s f64.convert_i32_u
00 b9 -                    | i64 -> f64           | f64.convert_i64_s f64.convert_i64_u
00 bb -                    | f32 -> f64           | f64.promote_f32
00 bc -                    | f32 -> i32           | i32.reinterpret_f32
00 bd -                    | f64 -> i64           | i64.reinterpret_f64
00 be -                    | i32 -> f32           | f32.reinterpret_i32
00 bf -                    | i64 -> f64           | f64.reinterpret_i64
00 c0 -                    | i32 -> i32           | i32.extend8_s i32.extend16_s
00 c2 -                    | i64 -> i64           | i64.extend8_s i64.extend16_s i64.extend32_s
00 d0 heaptype             | ?                    | ref.null
00 d1 -                    | ?                    | ref.is_null
00 d2 func                 | ?                    | ref.func
00 d3 -                    | eqref eqref -> i32   | ref.eq
00 d4 -                    | ?                    | ref.as_non_null
00 d5 label                | ?                    | br_on_null br_on_non_null
fb 00 type                 | ?                    | struct.new struct.new_default
fb 02 type field           | ?                    | struct.get struct.get_s struct.get_u struct.set
fb 06 type                 | ?                    | array.new array.new_default
fb 08 type count           | ?                    | array.new_fixed
fb 09 type data            | ?                    | array.new_data
fb 0a type elem            | ?                    | array.new_elem
fb 0b type                 | ?                    | array.get array.get_s array.get_u array.set
fb 0f -                    | arrayref -> i32      | array.len
fb 10 type                 | ?                    | array.fill
fb 11 type type            | ?                    | array.copy
fb 12 type data            | ?                    | array.init_data
fb 13 type elem            | ?                    | array.init_elem
fb 14 ref                  | ?                    | ref.test
fb 15 refnull              | ?                    | ref.test
fb 16 ref                  | ?                    | ref.cast
fb 17 refnull              | ?                    | ref.cast
fb 18 cast                 | ?                    | br_on_cast br_on_cast_fail
fb 1a -                    | ?                    | any.convert_extern extern.convert_any
fb 1c -                    | i32 -> refi31        | ref.i31
fb 1d -                    | i31ref -> i32        | i31.get_s i31.get_u
fc 00 -                    | f32 -> i32           | i32.trunc_sat_f32_s i32.trunc_sat_f32_u
fc 02 -                    | f64 -> i32           | i32.trunc_sat_f64_s i32.trunc_sat_f64_u
fc 04 -                    | f32 -> i64           | i64.trunc_sat_f32_s i64.trunc_sat_f32_u
fc 06 -                    | f64 -> i64           | i64.trunc_sat_f64_s i64.trunc_sat_f64_u
fc 08 data memory          | at i32 i32 ->        | memory.init
fc 09 data                 | ->                   | data.drop
fc 0a memory memory        | ?                    | memory.copy
fc 0b memory               | at i32 at ->         | memory.fill
fc 0c elem table           | at i32 i32 ->        | table.init
fc 0d elem                 | ->                   | elem.drop
fc 0e table table          | ?                    | table.copy
fc 0f table                | ?                    | table.grow
fc 10 table                | -> at                | table.size
fc 11 table                | ?                    | table.fill
fc 13 -                    | i64 i64 i64 i64 -> i64 i64 | i64.add128 i64.sub128
fc 15 -                    | i64 i64 -> i64 i64   | i64.mul_wide_s i64.mul_wide_u
fd 00 memarg               | at -> v128           | v128.load v128.load8x8_s v128.load8x8_u
fd 03 memarg               | at -> v128           | v128.load16x4_s v128.load16x4_u
fd 05 memarg               | at -> v128           | v128.load32x2_s v128.load32x2_u
fd 07 memarg               | at -> v128           | v128.load8_splat v128.load16_splat
fd 09 memarg               | at -> v128           | v128.load32_splat v128.load64_splat
fd 0b memarg               | at v128 ->           | v128.store
fd 0c bytes16              | -> v128              | v128.const
fd 0d bytes16              | v128 v128 -> v128    | i8x16.shuffle
fd 0e -                    | v128 v128 -> v128    | i8x16.swizzle
fd 0f -                    | i32 -> v128          | i8x16.splat i16x8.splat i32x4.splat
fd 12 -                    | i64 -> v128          | i64x2.splat
fd 13 -                    | f32 -> v128          | f32x4.splat
fd 14 -                    | f64 -> v128          | f64x2.splat
fd 15 lane                 | v128 -> i32          | i8x16.extract_lane_s i8x16.extract_lane_u
fd 17 lane                 | v128 i32 -> v128     | i8x16.replace_lane
fd 18 lane                 | v128 -> i32          | i16x8.extract_lane_s i16x8.extract_lane_u
fd 1a lane                 | v128 i32 -> v128     | i16x8.replace_lane
fd 1b lane                 | v128 -> i32          | i32x4.extract_lane
fd 1c lane                 | v128 i32 -> v128     | i32x4.replace_lane
fd 1d lane                 | v128 -> i64          | i64x2.extract_lane
fd 1e lane                 | v128 i64 -> v128     | i64x2.replace_lane
fd 1f lane                 | v128 -> f32          | f32x4.extract_lane
fd 20 lane                 | v128 f32 -> v128     | f32x4.replace_lane
fd 21 lane                 | v128 -> f64          | f64x2.extract_lane
fd 22 lane                 | v128 f64 -> v128     | f64x2.replace_lane
fd 23 -                    | v128 v128 -> v128    | i8x16.eq i8x16.ne i8x16.lt_s
fd 26 -                    | v128 v128 -> v128    | i8x16.lt_u i8x16.gt_s i8x16.gt_u
fd 29 -                    | v128 v128 -> v128    | i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u
fd 2d -                    | v128 v128 -> v128    | i16x8.eq i16x8.ne i16x8.lt_s
fd 30 -                    | v128 v128 -> v128    | i16x8.lt_u i16x8.gt_s i16x8.gt_u
fd 33 -                    | v128 v128 -> v128    | i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u
fd 37 -                    | v128 v128 -> v128    | i32x4.eq i32x4.ne i32x4.lt_s
fd 3a -                    | v128 v128 -> v128    | i32x4.lt_u i32x4.gt_s i32x4.gt_u
fd 3d -                    | v128 v128 -> v128    | i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u
fd 41 -                    | v128 v128 -> v128    | f32x4.eq f32x4.ne f32x4.lt
fd 44 -                    | v128 v128 -> v128    | f32x4.gt f32x4.le f32x4.ge
fd 47 -                    | v128 v128 -> v128    | f64x2.eq f64x2.ne f64x2.lt
fd 4a -                    | v128 v128 -> v128    | f64x2.gt f64x2.le f64x2.ge
fd 4d -                    | v128 -> v128         | v128.not
fd 4e -                    | v128 v128 -> v128    | v128.and v128.andnot v128.or v128.xor
fd 52 -                    | v128 v128 v128 -> v128 | v128.bitselect
fd 53 -                    | v128 -> i32          | v128.any_true
fd 54 memarg lane          | at v128 -> v128      | v128.load8_lane v128.load16_lane
fd 56 memarg lane          | at v128 -> v128      | v128.load32_lane v128.load64_lane
fd 58 memarg lane          | at v128 ->           | v128.store8_lane v128.store16_lane
fd 5a memarg lane          | at v128 ->           | v128.store32_lane v128.store64_lane
fd 5c memarg               | at -> v128           | v128.load32_zero v128.load64_zero
fd 5e -                    | v128 -> v128         | f32x4.demote_f64x2_zero f64x2.promote_low_f32x4
fd 60 -                    | v128 -> v128         | i8x16.abs i8x16.neg i8x16.popcnt
fd 63 -                    | v128 -> i32          | i8x16.all_true i8x16.bitmask
fd 65 -                    | v128 v128 -> v128    | i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u
fd 67 -                    | v128 -> v128         | f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest
fd 6b -                    | v128 i32 -> v128     | i8x16.shl i8x16.shr_s i8x16.shr_u
fd 6e -                    | v128 v128 -> v128    | i8x16.add i8x16.add_sat_s i8x16.add_sat_u
fd 71 -                    | v128 v128 -> v128    | i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u
fd 74 -                    | v128 -> v128         | f64x2.ceil f64x2.floor
fd 76 -                    | v128 v128 -> v128    | i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u
fd 7a -                    | v128 -> v128         | f64x2.trunc
fd 7b -                    | v128 v128 -> v128    | i8x16.avgr_u
fd 7c -                    | v128 -> v128         | i16x8.extadd_pairwise_i8x16_s
fd 7d -                    | v128 -> v128         | i16x8.extadd_pairwise_i8x16_u
fd 7e -                    | v128 -> v128         | i32x4.extadd_pairwise_i16x8_s
fd 7f -                    | v128 -> v128         | i32x4.extadd_pairwise_i16x8_u
fd 80 -                    | v128 -> v128         | i16x8.abs i16x8.neg
fd 82 -                    | v128 v128 -> v128    | i16x8.q15mulr_sat_s
fd 83 -                    | v128 -> i32          | i16x8.all_true i16x8.bitmask
fd 85 -                    | v128 v128 -> v128    | i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u
fd 87 -                    | v128 -> v128         | i16x8.extend_low_i8x16_s
fd 88 -                    | v128 -> v128         | i16x8.extend_high_i8x16_s
fd 89 -                    | v128 -> v128         | i16x8.extend_low_i8x16_u
fd 8a -                    | v128 -> v128         | i16x8.extend_high_i8x16_u
fd 8b -                    | v128 i32 -> v128     | i16x8.shl i16x8.shr_s i16x8.shr_u
fd 8e -                    | v128 v128 -> v128    | i16x8.add i16x8.add_sat_s i16x8.add_sat_u
fd 91 -                    | v128 v128 -> v128    | i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u
fd 94 -                    | v128 -> v128         | f64x2.nearest
fd 95 -                    | v128 v128 -> v128    | i16x8.mul i16x8.min_s i16x8.min_u
fd 98 -                    | v128 v128 -> v128    | i16x8.max_s i16x8.max_u
fd 9b -                    | v128 v128 -> v128    | i16x8.avgr_u i16x8.extmul_low_i8x16_s
fd 9d -                    | v128 v128 -> v128    | i16x8.extmul_high_i8x16_s
fd 9e -                    | v128 v128 -> v128    | i16x8.extmul_low_i8x16_u
fd 9f -                    | v128 v128 -> v128    | i16x8.extmul_high_i8x16_u
fd a0 -                    | v128 -> v128         | i32x4.abs i32x4.neg
fd a3 -                    | v128 -> i32          | i32x4.all_true i32x4.bitmask
fd a7 -                    | v128 -> v128         | i32x4.extend_low_i16x8_s
fd a8 -                    | v128 -> v128         | i32x4.extend_high_i16x8_s
fd a9 -                    | v128 -> v128         | i32x4.extend_low_i16x8_u
fd aa -                    | v128 -> v128         | i32x4.extend_high_i16x8_u
fd ab -                    | v128 i32 -> v128     | i32x4.shl i32x4.shr_s i32x4.shr_u
fd ae -                    | v128 v128 -> v128    | i32x4.add
fd b1 -                    | v128 v128 -> v128    | i32x4.sub
fd b5 -                    | v128 v128 -> v128    | i32x4.mul i32x4.min_s i32x4.min_u
fd b8 -                    | v128 v128 -> v128    | i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s
fd bc -                    | v128 v128 -> v128    | i32x4.extmul_low_i16x8_s
fd bd -                    | v128 v128 -> v128    | i32x4.extmul_high_i16x8_s
fd be -                    | v128 v128 -> v128    | i32x4.extmul_low_i16x8_u
fd bf -                    | v128 v128 -> v128    | i32x4.extmul_high_i16x8_u
fd c0 -                    | v128 -> v128         | i64x2.abs i64x2.neg
fd c3 -                    | v128 -> i32          | i64x2.all_true i64x2.bitmask
fd c7 -                    | v128 -> v128         | i64x2.extend_low_i32x4_s
fd c8 -                    | v128 -> v128         | i64x2.extend_high_i32x4_s
fd c9 -                    | v128 -> v128         | i64x2.extend_low_i32x4_u
fd ca -                    | v128 -> v128         | i64x2.extend_high_i32x4_u
fd cb -                    | v128 i32 -> v128     | i64x2.shl i64x2.shr_s i64x2.shr_u
fd ce -                    | v128 v128 -> v128    | i64x2.add
fd d1 -                    | v128 v128 -> v128    | i64x2.sub
fd d5 -                    | v128 v128 -> v128    | i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s
fd d9 -                    | v128 v128 -> v128    | i64x2.gt_s i64x2.le_s i64x2.ge_s
fd dc -                    | v128 v128 -> v128    | i64x2.extmul_low_i32x4_s
fd dd -                    | v128 v128 -> v128    | i64x2.extmul_high_i32x4_s
fd de -                    | v128 v128 -> v128    | i64x2.extmul_low_i32x4_u
fd df -                    | v128 v128 -> v128    | i64x2.extmul_high_i32x4_u
fd e0 -                    | v128 -> v128         | f32x4.abs f32x4.neg - f32x4.sqrt
fd e4 -                    | v128 v128 -> v128    | f32x4.add f32x4.sub f32x4.mul f32x4.div
fd e8 -                    | v128 v128 -> v128    | f32x4.min f32x4.max f32x4.pmin f32x4.pmax
fd ec -                    | v128 -> v128         | f64x2.abs f64x2.neg - f64x2.sqrt
fd f0 -                    | v128 v128 -> v128    | f64x2.add f64x2.sub f64x2.mul f64x2.div
fd f4 -                    | v128 v128 -> v128    | f64x2.min f64x2.max f64x2.pmin f64x2.pmax
fd f8 -                    | v128 -> v128         | i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u
fd fa -                    | v128 -> v128         | f32x4.convert_i32x4_s f32x4.convert_i32x4_u
fd fc -                    | v128 -> v128         | i32x4.trunc_sat_f64x2_s_zero
fd fd -                    | v128 -> v128         | i32x4.trunc_sat_f64x2_u_zero
fd fe -                    | v128 -> v128         | f64x2.convert_low_i32x4_s
fd ff -                    | v128 -> v128         | f64x2.convert_low_i32x4_u
fd 100 -                   | v128 v128 -> v128    | i8x16.relaxed_swizzle
fd 101 -                   | v128 -> v128         | i32x4.relaxed_trunc_f32x4_s
fd 102 -                   | v128 -> v128         | i32x4.relaxed_trunc_f32x4_u
fd 103 -                   | v128 -> v128         | i32x4.relaxed_trunc_f64x2_s_zero
fd 104 -                   | v128 -> v128         | i32x4.relaxed_trunc_f64x2_u_zero
fd 105 -                   | v128 v128 v128 -> v128 | f32x4.relaxed_madd f32x4.relaxed_nmadd
fd 107 -                   | v128 v128 v128 -> v128 | f64x2.relaxed_madd f64x2.relaxed_nmadd
fd 109 -                   | v128 v128 v128 -> v128 | i8x16.relaxed_laneselect
fd 10a -                   | v128 v128 v128 -> v128 | i16x8.relaxed_laneselect
fd 10b -                   | v128 v128 v128 -> v128 | i32x4.relaxed_laneselect
fd 10c -                   | v128 v128 v128 -> v128 | i64x2.relaxed_laneselect
fd 10d -                   | v128 v128 -> v128    | f32x4.relaxed_min f32x4.relaxed_max
fd 10f -                   | v128 v128 -> v128    | f64x2.relaxed_min f64x2.relaxed_max
fd 111 -                   | v128 v128 -> v128    | i16x8.relaxed_q15mulr_s
fd 112 -                   | v128 v128 -> v128    | i16x8.relaxed_dot_i8x16_i7x16_s
fd 113 -                   | v128 v128 v128 -> v128 | i32x4.relaxed_dot_i8x16_i7x16_add_s
fe 00 memarg               | at i32 -> i32        | memory.atomic.notify
fe 01 memarg               | at i32 i64 -> i32    | memory.atomic.wait32
fe 02 memarg               | at i64 i64 -> i32    | memory.atomic.wait64
fe 03 lane                 | ->                   | atomic.fence
fe 10 memarg               | at -> i32            | i32.atomic.load
fe 11 memarg               | at -> i64            | i64.atomic.load
fe 12 memarg               | at -> i32            | i32.atomic.load8_u i32.atomic.load16_u
fe 14 memarg               | at -> i64            | i64.atomic.load8_u i64.atomic.load16_u
fe 16 memarg               | at -> i64            | i64.atomic.load32_u
fe 17 memarg               | at i32 ->            | i32.atomic.store
fe 18 memarg               | at i64 ->            | i64.atomic.store
fe 19 memarg               | at i32 ->            | i32.atomic.store8 i32.atomic.store16
fe 1b memarg               | at i64 ->            | i64.atomic.store8 i64.atomic.store16
fe 1d memarg               | at i64 ->            | i64.atomic.store32
"""


def _atomic_rows() -> str:
    """Six times the same seven widths: read-modify-write of each operator, then compare-exchange."""
    rows = []
    for number, operator in enumerate(["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"]):
        operands = 2 if operator == "cmpxchg" else 1
        forms = ["i32 rmw", "i64 rmw", "i32 rmw8", "i32 rmw16", "i64 rmw8", "i64 rmw16", "i64 rmw32"]
        for position, form in enumerate(forms):
            type, width = form.split()
            suffix = "" if width == "rmw" else "_u"
            signature = f"at {f'{type} ' * operands}-> {type}"
            opcode = 0x1E + 7 * number + position
            rows.append(f"fe {opcode:x} memarg | {signature} | {type}.atomic.{width}.{operator}{suffix}")
    return "\n".join(rows)


_TYPES: dict[str, ValueType] = {
    "arrayref": RefType(True, "array"),
    "eqref": RefType(True, "eq"),
    "externref": EXTERNREF,
    "funcref": FUNCREF,
    "i31ref": RefType(True, "i31"),
    "refi31": RefType(False, "i31"),
}


def _parse(rows: str) -> dict[tuple[int, int], Opcode]:
    table = {}
    for row in filter(None, rows.splitlines()):
        encoding, signature, names = row.split("|")
        prefix, first, *immediates = encoding.split()
        params: tuple[ValueType, ...] | None = None
        results: tuple[ValueType, ...] = ()
        if signature.strip() != "?":
            left, right = signature.split("->")
            params = tuple(_TYPES.get(name, name) for name in left.split())
            results = tuple(_TYPES.get(name, name) for name in right.split())
        for position, name in enumerate(names.split()):
            if name != "-":
                kinds = () if immediates == ["-"] else tuple(immediates)
                table[int(prefix, 16), int(first, 16) + position] = Opcode(name, kinds, params, results)
    return table


OPCODES = MappingProxyType(_parse(_ROWS + _atomic_rows()))
PREFIXES = frozenset({0xFB, 0xFC, 0xFD, 0xFE})
