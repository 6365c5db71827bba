"""Functions with loops of every shape: each calls `look` in every iteration, and is stopped in one of them.

Each is `(func (export "run") (param $n i32) (result ...))`, and `look` is given the iteration from 0 on.
"""

from __future__ import annotations

_COUNT = """(local.tee $i (i32.add (local.get $i) (i32.const 1)))"""
_NEXT = f"(i32.lt_u {_COUNT} (local.get $n))"


def guest(body: str, result: str = "(result i64)", locals_: str = "", more: str = "") -> str:
    """A module with such a function."""
    return f"""(module
      (import "" "look" (func $look (param i32)))
      (import "" "object" (global $object externref))
      (type $pair (struct (field i32) (field (mut i64))))
      (type $binary (func (param i64 i64) (result i64)))
      (memory $m (export "memory") 1)
      (memory $wide i64 1)
      (table $t 4 funcref)
      (elem (table $t) (i32.const 1) func $add)
      (elem declare func $add $private)
      (data $d "\\05\\06\\07\\08")
      (global $g (mut i64) (i64.const 3))
      (tag $e (param i64))
      (tag $none)
      (func $add (type $binary) (i64.add (local.get 0) (local.get 1)))
      (func $private (param i64) (result i64) (call $look (i32.const -1)) (i64.mul (local.get 0) (i64.const 3)))
      (func $throw (param i64) (throw $e (local.get 0)))
      {more}
      (func (export "run") (param $n i32) {result} (local $i i32) (local $s i64) {locals_}
        {body}))"""


GUESTS = {
    "a loop alone": guest(f"""
        (loop $l (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $i))))
          (call $look (local.get $i)) (br_if $l {_NEXT}))
        (local.get $s)"""),
    "in blocks, with operands below": guest(f"""
        (i64.const 11)
        (block $a (result i64)
          (i64.const 22) (f32.const 1.5)
          (block $b (param f32) (result i64)
            (drop) (f64.const 2.5) (i64.const 33)
            (loop $l (param i64) (result i64)
              (i64.extend_i32_u (local.get $i)) (i64.add)
              (call $look (local.get $i))
              (br_if $l {_NEXT}))
            (br_if $a (i64.eqz (local.get $s)))
            (local.set $s) (drop) (local.get $s))
          (i64.add))
        (i64.sub)"""),
    "loops that begin with a call": guest(
        f"""
        (loop $outer
          (call $count)
          (local.set $j (i32.const 0))
          (loop $inner
            (call $count)
            (call $look (local.get $i))
            (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3))))
          (br_if $outer {_NEXT}))
        (global.get $g)""",
        locals_="(local $j i32)",
        more="(func $count (global.set $g (i64.add (global.get $g) (i64.const 1))))",
    ),
    "in an if": guest(f"""
        (i64.const 4)
        (if (result i64) (local.get $n)
          (then (i64.const 5)
            (loop $l (call $look (local.get $i)) (br_if $l {_NEXT})))
          (else (call $look (i32.const 100)) (i64.const 6)))
        (i64.mul)"""),
    "in an else, with parameters": guest(f"""
        (i64.const 4) (i32.const 7)
        (if (param i32) (result i64) (i32.eqz (local.get $n))
          (then (drop) (call $look (i32.const 100)) (i64.const 6))
          (else (i64.extend_i32_u)
            (loop $l (call $look (local.get $i)) (br_if $l {_NEXT}))))
        (i64.mul)"""),
    "in an if in a loop": guest(
        f"""
        (loop $outer
          (if (i32.and (local.get $i) (i32.const 1))
            (then (local.set $j (i32.const 0))
              (loop $inner
                (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $j))))
                (call $look (local.get $i))
                (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3)))))
            (else (local.set $k (i32.const 0))
              (loop $inner
                (local.set $s (i64.xor (i64.mul (local.get $s) (i64.const 3)) (i64.extend_i32_u (local.get $k))))
                (call $look (local.get $i))
                (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 2))))))
          (br_if $outer {_NEXT}))
        (local.get $s)""",
        locals_="(local $j i32) (local $k i32)",
    ),
    "in loops with parameters and operands between": guest(
        f"""
        (i64.const 1000) (i32.const 5)
        (loop $outer (param i32) (result i32)
          (i32.const 3) (i32.add)
          (local.set $j (i32.const 0))
          (i64.const 77)
          (block $skip (br_if $skip (i32.eq (local.get $i) (i32.const 1)))
            (local.set $s (i64.add (local.get $s) (i64.const 1))))
          (f64.const 0.5) (i64.extend_i32_u (local.get $i))
          (loop $inner (param f64 i64) (result f64 i64)
            (i64.const 2) (i64.mul)
            (call $look (local.get $i))
            (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3))))
          (i64.add (local.get $s)) (local.set $s) (drop) (local.set $s (i64.add (local.get $s)))
          (br_if $outer {_NEXT}))
        (i64.extend_i32_u) (i64.add) (i64.add (local.get $s))""",
        locals_="(local $j i32)",
    ),
    "with branches out of what comes before it": guest(
        f"""
        (block $out
          (loop $outer
            (block $a (block $b (block $c
              (br_table $c $b $a $out
                (select (i32.const 3) (i32.rem_u (local.get $i) (i32.const 3)) (i32.eq (local.get $i) (i32.const 11)))))
              (local.set $s (i64.add (local.get $s) (i64.const 1))))
              (local.set $s (i64.add (local.get $s) (i64.const 10)))
              (br_if $out (i32.gt_u (local.get $i) (i32.const 100))))
            (local.set $j (i32.const 0))
            (loop $inner
              (local.set $s (i64.add (local.get $s) (i64.const 100)))
              (call $look (local.get $i))
              (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3))))
            (br_if $outer {_NEXT})))
        (local.get $s)""",
        locals_="(local $j i32)",
    ),
    "in a try_table": guest(
        f"""
        (loop $outer
          (block $caught (result i64)
            (try_table (result i64) (catch $e $caught)
              (local.set $j (i32.const 0))
              (loop $inner
                (call $look (local.get $i))
                (if (i32.and (i32.eq (local.get $i) (i32.const 5)) (local.get $j))
                  (then (call $throw (i64.const 50))))
                (if (i32.and (i32.eq (local.get $i) (i32.const 6)) (local.get $j))
                  (then (throw $e (i64.const 60))))
                (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3))))
              (i64.const 1)))
          (local.set $s (i64.add (local.get $s)))
          (br_if $outer {_NEXT}))
        (local.get $s)""",
        locals_="(local $j i32)",
    ),
    "that a clause branches to": guest(f"""
        (i64.const 0)
        (loop $l (param i64)
          (local.set $s (i64.add (local.get $s)))
          (call $look (local.get $i))
          (br_if 1 (local.get $s) (i32.eqz {_NEXT})) (drop)
          (try_table (catch $e $l) (call $throw (i64.extend_i32_u (local.get $i)))))
        (unreachable)"""),
    "with references": guest(
        f"""
        (local.set $x (global.get $object))
        (local.set $f (ref.func $add))
        (local.set $p (struct.new $pair (i32.const 4) (i64.const 5)))
        (local.set $q (struct.new $pair (i32.const 8) (i64.const 9)))
        (local.get $x) (local.get $q)
        (loop $l
          (local.set $r (ref.i31 (local.get $i)))
          (call $look (local.get $i))
          (struct.set $pair 1 (local.get $p)
            (call_ref $binary (struct.get $pair 1 (local.get $p)) (i64.extend_i32_u (local.get $i)) (local.get $f)))
          (br_if $l {_NEXT}))
        (struct.get $pair 1) (local.set $s) (drop)
        (i64.add (local.get $s) (struct.get $pair 1 (local.get $p)))""",
        locals_="""(local $x externref) (local $f (ref null $binary)) (local $p (ref $pair)) (local $q (ref null $pair))
          (local $r anyref) (local $unset (ref $pair))""",
    ),
    "with an exception in a local": guest(
        f"""
        (local.set $x (block $b (result exnref)
          (try_table (catch_all_ref $b) (throw $e (i64.const 8))) (unreachable)))
        (loop $l
          (call $look (local.get $i))
          (local.set $s (i64.add (local.get $s)
            (block $c (result i64) (try_table (catch $e $c) (throw_ref (local.get $x))) (unreachable))))
          (br_if $l {_NEXT}))
        (local.get $s)""",
        locals_="(local $x exnref)",
    ),
    "with vectors": guest(
        f"""
        (v128.const i64x2 1 2)
        (loop $l (param v128) (result v128)
          (local.set $v (i64x2.add (local.get $v) (i64x2.splat (i64.extend_i32_u (local.get $i)))))
          (i64x2.add (local.get $v))
          (call $look (local.get $i))
          (br_if $l {_NEXT}))""",
        "(result v128)",
        "(local $v v128)",
    ),
    "with several results": guest(
        f"""
        (f32.const 1.25) (i64.const 2)
        (loop $l (param f32 i64) (result f32 i64)
          (i64.const 3) (i64.mul)
          (call $look (local.get $i))
          (br_if $l {_NEXT}))""",
        "(result f32 i64)",
    ),
    "that calls what is private": guest(f"""
        (loop $l
          (local.set $s (call $private (i64.add (local.get $s) (i64.const 1))))
          (call $look (local.get $i))
          (local.set $s (call_indirect $t (type $binary) (local.get $s) (i64.const 2) (i32.const 1)))
          (br_if $l {_NEXT}))
        (local.get $s)"""),
    "with what only the instance can run": guest(f"""
        (loop $l
          (memory.init $m $d (i32.add (local.get $i) (i32.const 64)) (i32.const 0) (i32.const 4))
          (table.set $t (i32.const 2) (ref.func $add))
          (call $look (local.get $i))
          (local.set $s (i64.add (local.get $s) (i64.load (i32.add (local.get $i) (i32.const 62)))))
          (br_if $l {_NEXT}))
        (local.get $s)"""),
    "with globals and several memories": guest(f"""
        (loop $l
          (i64.store $wide (i64.extend_i32_u (local.get $i)) (global.get $g))
          (call $look (local.get $i))
          (global.set $g (i64.add (i64.load $wide offset=1 (i64.const 0)) (global.get $g)))
          (br_if $l {_NEXT}))
        (global.get $g)"""),
    "that ends by a tail call": guest(f"""
        (loop $l
          (call $look (local.get $i))
          (br_if $l {_NEXT}))
        (return_call $private (i64.extend_i32_u (local.get $i)))"""),
    "without results": guest(
        f"""
        (loop $l (call $look (local.get $i)) (br_if $l {_NEXT}))""",
        "",
    ),
    "that begins where another begins": guest(f"""
        (loop $a (loop $b (loop $c
          (local.set $s (i64.add (local.get $s) (i64.const 1)))
          (call $look (local.get $i))
          (br_if $c (i32.lt_u {_COUNT} (i32.const 3))))
          (local.set $s (i64.add (local.get $s) (i64.const 10)))
          (br_if $b (i32.lt_u {_COUNT} (i32.const 6))))
          (local.set $s (i64.add (local.get $s) (i64.const 100)))
          (br_if $a {_NEXT}))
        (local.get $s)"""),
    "that traps": guest(f"""
        (loop $l
          (call $look (local.get $i))
          (local.set $s (i64.add (i64.load (i32.mul (local.get $i) (i32.const 8192))) (i64.const 1)))
          (br_if $l {_NEXT}))
        (local.get $s)"""),
    "that ends by an exception": guest(f"""
        (loop $l
          (call $look (local.get $i))
          (local.set $s (i64.add (local.get $s) (i64.const 1)))
          (br_if $l {_NEXT}))
        (throw $e (local.get $s))"""),
}
