"""Programs in the text format, for what compilers of C seldom make: each exports `main` and imports nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stepping.program import Program, of_export
from support.wasmtools import wat

_PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "loops with parameters and results": """
          (func (export "main") (param i32) (result i32 i64) (local i64)
            (i64.const 5) (i32.and (local.get 0) (i32.const 7))
            (loop $outer (param i64 i32) (result i32 i64)
              (local.set 0) (local.tee 1)
              (i32.const 3)
              (loop (param i64 i32) (result i64)
                (i32.sub (i32.const 1)) (local.set 0)
                (i64.mul (i64.const 3))
                (local.get 0)
                (br_if 0 (i32.gt_s (local.get 0) (i32.const 0)))
                drop)
              (local.set 1)
              (local.get 1) (local.get 0)
              (br_if $outer (i64.lt_u (local.get 1) (i64.const 2000)))
              (drop) (drop) (i32.const 9) (local.get 1)))""",
        "branches out of nests, with operands below": """
          (func (export "main") (param i32) (result i32) (local i32)
            (loop $again
              (i32.const 77)
              (block $a (result i32)
                (i32.const 1)
                (block $b (result i32)
                  (i32.const 2)
                  (block $c (result i32)
                    (i32.const 3) (i32.const 4)
                    (br_table $c $b $a $c (i32.rem_u (local.get 1) (i32.const 5))))
                  (i32.add))
                (i32.add))
              (i32.add) (drop)
              (local.set 1 (i32.add (local.get 1) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get 1) (i32.const 7))))
            (if (i32.and (local.get 0) (i32.const 1)) (then) (else (nop)))
            (if (result i32) (local.get 1) (then (br 0 (i32.const 5)) (unreachable)) (else (i32.const 6)))
            (block (result i32) (br_if 0 (i32.const 1) (i32.const 0)))
            (return (i32.add)) (drop))""",
        "an `if` without `else`, a dead end, unreachable code with a loop in it": """
          (func (export "main") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (unreachable)))
            (block (br 0) (loop (br 0)) (drop (i32.const 1)))
            (block (block (br 1)) (i32.const 1) (drop))
            (local.get 0))""",
        "tail calls": """
          (type $t (func (param i32 i64) (result i64)))
          (table funcref (elem $down $up))
          (func $down (type $t)
            (if (result i64) (i32.eqz (local.get 0)) (then (local.get 1))
              (else (return_call $down (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2))))))
          (func $up (type $t) (local f32)
            (return_call_indirect (type $t) (local.get 0) (i64.const 40) (i32.const 0)))
          (func $loops (param i32) (result i32)
            (loop (if (local.get 0) (then (return_call $loops (i32.sub (local.get 0) (i32.const 1)))))) (i32.const 3))
          (func (export "main") (param i32) (result i64)
            (i64.extend_i32_u (call $loops (i32.const 3)))
            (call_indirect (type $t) (i32.const 5) (i64.const 1) (i32.const 1)) (i64.add))""",
        "exceptions": """
          (tag $e (param i32 i64)) (tag $f)
          (func $throw (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 8) (i64.const 9))))
            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $f)))
            (i32.const 10))
          (func $through (param i32) (result i32) (i32.const 3) (call $throw (local.get 0)) (i32.mul))
          (func (export "main") (param i32) (result i32) (local $n i32)
            (loop $again
              (block $all
                (block $e (result i32 i64)
                  (i32.const 99)
                  (try_table (result i32) (catch $e $e) (catch_all $all) (call $through (local.get $n)))
                  (drop) (drop) (i32.const 1) (i64.const 2))
                (drop) (local.set 0))
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (try_table (catch_all $again) (if (i32.lt_u (local.get $n) (i32.const 3)) (then (throw $f)))))
            (local.get 0))""",
        "vectors": """
          (memory 1)
          (func $f (param v128) (result v128) (local v128)
            (local.set 1 (i8x16.swizzle (local.get 0) (v128.const i8x16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0)))
            (v128.store offset=3 (i32.const 5) (local.get 1))
            (i32x4.add (local.get 1) (v128.load offset=1 (i32.const 5))))
          (func (export "main") (param i32) (result i32)
            (call $f (i16x8.splat (local.get 0))) (f64x2.sqrt) (drop)
            (i64x2.extract_lane 1 (call $f (v128.const i64x2 -1 77))) (i32.wrap_i64))""",
        "globals, two memories, growth, bulk operations": """
          (memory $a 1 4) (memory $b i64 1 4)
          (global $g (mut i64) (i64.const -3)) (data $d "some bytes")
          (func (export "main") (param i32) (result i32)
            (memory.init $a $d (i32.const 10) (i32.const 2) (i32.const 6)) (data.drop $d)
            (memory.copy $b $a (i64.const 3) (i32.const 8) (i32.const 16))
            (memory.fill $a (i32.const 1) (i32.const 200) (i32.const 9))
            (drop (memory.grow $b (i64.const 2)))
            (global.set $g (i64.load $b offset=2 (i64.const 3)))
            (i64.store16 $a offset=9 (i32.const 4) (global.get $g))
            (i32.wrap_i64 (i64.add (memory.size $b) (i64.load32_s $a (i32.const 12)))))""",
        "references between numbers": """
          (type $s (struct (field (mut i32)) (field f64))) (table 4 externref)
          (func (export "main") (param i32) (result i32) (local $s (ref null $s)) (local externref) (local f64)
            (i32.const 6)
            (local.set $s (struct.new $s (local.get 0) (f64.const 2.5)))
            (struct.set $s 0 (local.get $s) (i32.const 4))
            (local.set 3 (struct.get $s 1 (local.get $s)))
            (ref.is_null (local.get 2)) (i32.add) (ref.i31 (i32.const 5)) (drop)
            (block (br_on_null 0 (local.get $s)) (drop))
            (table.set (i32.const 1) (local.get 2)) (table.size) (i32.add)
            (struct.get $s 0 (local.get $s)) (i32.add))""",
        "a trap three calls deep": """
          (memory 1)
          (func $a (param i32) (result i32) (i32.load offset=8 (local.get 0)))
          (func $b (param i32) (result i32) (i32.const 1)
            (call $a (i32.mul (local.get 0) (i32.const 100000))) (i32.add))
          (func (export "main") (param i32) (result i32) (call $b (i32.const 0)) (call $b (i32.const 1)) (i32.add))""",
        "a start function": """
          (global $g (mut i32) (i32.const 1))
          (func $start (local i64) (global.set $g (i32.add (global.get $g) (i32.const 6))))
          (start $start)
          (func (export "main") (param i32) (result i32) (i32.add (local.get 0) (global.get $g)))""",
    }
)  # fmt: skip

NAMES = tuple(_PROGRAMS)


def by_hand(name: str) -> Program:
    """A program by its name."""
    return of_export(name, wat(f"(module {_PROGRAMS[name]})"), "main")
