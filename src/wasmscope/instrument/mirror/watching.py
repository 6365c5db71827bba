"""How mirrors test whether an instruction is about to access what is watched: records that one function reads.

The stop of an instruction that accesses a watched memory, table, global or local is `STOP_WATCH`; in the control
memory is then, by the number of the instruction, the address of its first *descriptor*, or `ALWAYS`::

    +0   next         i32  the next descriptor of the instruction, or 0
    +4   thing        i32  address of the record of what is accessed; 0: nobody watches it
    +8   mode         i32  READ, WRITE or both
    +12  address      i32  offset in the frame of the operand that says where the access begins;
                           0: it begins at 0, 1: at the address of the frame
    +16  wide         i32  bit 0: that operand has 64 bits, bit 1: that for the length has
    +20  counted      i32  offset in the frame of the operand that is the length; 0: there is none
    +24  offset       i64  added to where it begins
    +32  length       i64  where no operand says so

A *thing* has, for reads and for writes, a count and the address of as many ranges: sorted, disjoint, each the first
address and the one behind the last, i64; behind count and address are the first address of all and the one behind
the last, both 0 where there are none. A local is known by the address of its frame. Variants test by themselves
whether an access may be to what is watched (`instrument/watch_tests.py`); for these there is a thing with the ranges of
all memories, and one with those of all tables.
"""

from __future__ import annotations

from wasmscope.analysis.accesses import READ, WRITE
from wasmscope.instrument.mirror.layout import WATCH_RECORDS
from wasmscope.instrument.watch_tests import AT_ACCESS

NEXT, THING, MODE, ADDRESS, WIDE, COUNTED, OFFSET, LENGTH = 0, 4, 8, 12, 16, 20, 24, 32
DESCRIPTOR_SIZE = 40

NO_OPERAND, FRAME = 0, 1
"""In place of an operand."""

ALWAYS = 1
"""In place of a descriptor: the host is always called."""

READ_COUNT, READ_RANGES, READ_FIRST, READ_LAST = 0, 4, 8, 16
WRITE_COUNT, WRITE_RANGES, WRITE_FIRST, WRITE_LAST = 24, 28, 32, 40
THING_SIZE = 64
"""A power of 2."""
RANGE_SIZE = 16

WATCHED, TOUCHED, ACCESSED = "watched", "touched", "accessed"

WATCHING = f"""
  ;; Whether one of $count ranges has an address in common with [$start, $end).
  (func $overlaps (param $count i32) (param $ranges i32) (param $start i64) (param $end i64) (result i32)
    (local $low i32) (local $middle i32) (local $high i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 0))))
    ;; the first range that ends behind $start
    (local.set $high (local.get $count))
    (loop $halve
      (if (i32.lt_u (local.get $low) (local.get $high))
        (then
          (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
          (if (i64.gt_u
                (i64.load $control offset=8
                  (i32.add (local.get $ranges) (i32.mul (local.get $middle) (i32.const {RANGE_SIZE}))))
                (local.get $start))
            (then (local.set $high (local.get $middle)))
            (else (local.set $low (i32.add (local.get $middle) (i32.const 1)))))
          (br $halve))))
    (if (i32.eq (local.get $low) (local.get $count)) (then (return (i32.const 0))))
    (i64.lt_u
      (i64.load $control (i32.add (local.get $ranges) (i32.mul (local.get $low) (i32.const {RANGE_SIZE}))))
      (local.get $end)))

  ;; An unsigned operand of the frame, in a slot of 32 or, if $wide, of 64 bits.
  (func $operand (param $base i32) (param $slot i32) (param $wide i32) (result i64)
    (local.set $slot (i32.add (local.get $base) (local.get $slot)))
    (if (result i64) (local.get $wide)
      (then (i64.load $shadow (local.get $slot)))
      (else (i64.load32_u $shadow (local.get $slot)))))

  ;; Whether the accesses of an instruction, whose first descriptor this is, are to what is watched.
  (func ${WATCHED} (param $descriptor i32) (param $base i32) (result i32)
    (local $thing i32) (local $address i32) (local $counted i32) (local $start i64) (local $end i64)
    (if (i32.eq (local.get $descriptor) (i32.const {ALWAYS})) (then (return (i32.const 1))))
    (loop $next
      (block $elsewhere
        (br_if $elsewhere (i32.eqz
          (local.tee $thing (i32.load $control offset={THING} (local.get $descriptor)))))
        (local.set $address (i32.load $control offset={ADDRESS} (local.get $descriptor)))
        (local.set $start (i64.const 0))
        (if (i32.eq (local.get $address) (i32.const {FRAME}))
          (then (local.set $start (i64.extend_i32_u (local.get $base))))
          (else
            (if (local.get $address)
              (then
                (local.set $start (call $operand (local.get $base) (local.get $address)
                  (i32.and (i32.load $control offset={WIDE} (local.get $descriptor)) (i32.const 1))))))))
        (local.set $start (i64.add (local.get $start) (i64.load $control offset={OFFSET} (local.get $descriptor))))
        ;; beyond 64 bits: it traps
        (br_if $elsewhere (i64.lt_u (local.get $start) (i64.load $control offset={OFFSET} (local.get $descriptor))))
        (local.set $counted (i32.load $control offset={COUNTED} (local.get $descriptor)))
        (local.set $end
          (if (result i64) (local.get $counted)
            (then (call $operand (local.get $base) (local.get $counted)
              (i32.and (i32.load $control offset={WIDE} (local.get $descriptor)) (i32.const 2))))
            (else (i64.load $control offset={LENGTH} (local.get $descriptor)))))
        (br_if $elsewhere (i64.eqz (local.get $end)))
        (local.set $end (i64.add (local.get $start) (local.get $end)))
        (if (i64.lt_u (local.get $end) (local.get $start)) (then (local.set $end (i64.const -1))))
        (if (i32.and (i32.load $control offset={MODE} (local.get $descriptor)) (i32.const {READ}))
          (then
            (if (i32.and
                  (i64.lt_u (i64.load $control offset={READ_FIRST} (local.get $thing)) (local.get $end))
                  (i64.gt_u (i64.load $control offset={READ_LAST} (local.get $thing)) (local.get $start)))
              (then
                (if (call $overlaps
                      (i32.load $control offset={READ_COUNT} (local.get $thing))
                      (i32.load $control offset={READ_RANGES} (local.get $thing))
                      (local.get $start) (local.get $end))
                  (then (return (i32.const 1))))))))
        (if (i32.and (i32.load $control offset={MODE} (local.get $descriptor)) (i32.const {WRITE}))
          (then
            (if (i32.and
                  (i64.lt_u (i64.load $control offset={WRITE_FIRST} (local.get $thing)) (local.get $end))
                  (i64.gt_u (i64.load $control offset={WRITE_LAST} (local.get $thing)) (local.get $start)))
              (then
                (if (call $overlaps
                      (i32.load $control offset={WRITE_COUNT} (local.get $thing))
                      (i32.load $control offset={WRITE_RANGES} (local.get $thing))
                      (local.get $start) (local.get $end))
                  (then (return (i32.const 1)))))))))
      (br_if $next (local.tee $descriptor (i32.load $control offset={NEXT} (local.get $descriptor)))))
    (i32.const 0))

  ;; A variant is about to access addresses near what is watched, of the cell with this number: the host is called if it
  ;; is watched. Returns whether it was.
  (func (export "{TOUCHED}") (param $base i32) (param $start i64) (param $length i64) (param $cell i32) (result i32)
    (local $thing i32)
    (if (i64.eqz (local.get $length)) (then (return (i32.const 0))))
    (local.set $length (i64.add (local.get $start) (local.get $length)))
    (if (i64.lt_u (local.get $length) (local.get $start)) (then (local.set $length (i64.const -1))))
    (local.set $thing
      (i32.add
        (i32.load $control offset={WATCH_RECORDS}
          (i32.shl (i32.shr_u (local.get $cell) (i32.const 1)) (i32.const 2)))
        (i32.mul (i32.and (local.get $cell) (i32.const 1)) (i32.const {WRITE_COUNT - READ_COUNT}))))
    (if (i32.eqz (call $overlaps
          (i32.load $control offset={READ_COUNT} (local.get $thing))
          (i32.load $control offset={READ_RANGES} (local.get $thing))
          (local.get $start) (local.get $length)))
      (then (return (i32.const 0))))
    (call $accessed (local.get $base) (i32.const {AT_ACCESS}))
    (i32.const 1))
"""
"""Functions in the text format, for a module with the memories `$shadow` and `$control` and a function `$accessed`."""
