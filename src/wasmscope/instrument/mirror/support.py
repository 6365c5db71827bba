"""What all mirrors of a store share: the control memory, and the function that every stop calls."""

from __future__ import annotations

from wasmscope.instrument.layout import SHADOW_PAGES
from wasmscope.instrument.mirror.layout import (
    ANSWER,
    CONDITIONS,
    GO_ON,
    NOT_RESUMED,
    NUMBER,
    OUTCOMES,
    PASSES,
    RESUME_BASE,
    RESUME_INDEX,
    SITES,
    SKIP,
    SKIP_ALL,
    SKIP_NOTHING,
    STEP_LIMIT,
    STEPPING,
    STOP_ALWAYS,
    STOP_CONDITION,
    STOP_COUNT,
    STOP_ENTRY,
    STOP_LEAVE,
    STOP_STEP,
    STOP_WATCH,
    STOPPED_BASE,
    STOPPED_INDEX,
    STOPPED_KIND,
    STOPS,
    TRACE_ADDRESS,
    TRACE_COUNT,
    WATCHES,
)
from wasmscope.instrument.mirror.watching import WATCHED, WATCHING

CONTROL, STOP = "control", "stop"

SUPPORT_NAME = "wasmscope:support"
"""The name of the module, by which backtraces show it."""

SUPPORT = f"""
(module ${SUPPORT_NAME}
  (import "" "shadow" (memory $shadow {SHADOW_PAGES} {SHADOW_PAGES}))
  (import "" "mirrors" (table $mirrors 0 funcref))
  (import "" "host" (func $host))
  (import "" "accessed" (func $accessed (param i32 i32)))
  (memory $control (export "{CONTROL}") {SHADOW_PAGES} {SHADOW_PAGES})
  (type $condition (func (param i32 i32) (result i32)))
{WATCHING}

  ;; The frame is about to run instruction $index: note it, if that is wanted.
  (func $note (param $block i32) (param $base i32) (param $index i32)
    (local $count i32)
    (local $address i32)
    (if (i32.eqz (i32.load8_u $control offset={STEPPING} (i32.const 0))) (then (return)))
    (if (i32.eqz (local.tee $count (i32.load $control offset={TRACE_COUNT} (i32.const 0)))) (then (return)))
    (if (i32.gt_u (local.get $base) (i32.load $control offset={STEP_LIMIT} (i32.const 0))) (then (return)))
    (local.set $address (i32.load $control offset={TRACE_ADDRESS} (i32.const 0)))
    (i32.store $control (local.get $address) (i32.load $control offset={NUMBER} (local.get $block)))
    (i32.store $control offset=4 (local.get $address) (i32.load $control
      (i32.add (i32.load $control offset={SITES} (local.get $block)) (i32.shl (local.get $index) (i32.const 2)))))
    (i32.store $control offset={TRACE_ADDRESS} (i32.const 0) (i32.add (local.get $address) (i32.const 8)))
    (i32.store $control offset={TRACE_COUNT} (i32.const 0) (i32.sub (local.get $count) (i32.const 1))))

  ;; The stop of instruction $index was not 0. Returns what the page is to go on with.
  (func (export "{STOP}") (param $block i32) (param $base i32) (param $references i32) (param $index i32) (result i32)
    (local $kind i32)
    (local $address i32)
    (local $skip i32)
    (local $end i32)
    (local $outcome i32)
    (local $position i32)
    (local.set $skip (i32.load $control offset={SKIP} (i32.const 0)))
    (local.set $kind (i32.load8_u $control
      (i32.add (i32.load $control offset={STOPS} (local.get $block)) (local.get $index))))
    ;; What is watched is seldom what is accessed: the rest is for other reasons to stop.
    (if (i32.eq (local.get $kind) (i32.const {STOP_WATCH}))
      (then
        (if (i32.eqz (i32.or (local.get $skip) (i32.load8_u $control offset={STEPPING} (i32.const 0))))
          (then
            (if (i32.eqz (call ${WATCHED}
                  (i32.load $control (i32.add
                    (i32.load $control offset={WATCHES} (local.get $block))
                    (i32.shl (local.get $index) (i32.const 2))))
                  (local.get $base)))
              (then (return (i32.const {GO_ON}))))))))
    (if (local.get $skip)
      (then
        (if (i32.and
              (i32.eq (i32.load $control offset={RESUME_BASE} (i32.const 0)) (local.get $base))
              (i32.eq (i32.load $control offset={RESUME_INDEX} (i32.const 0)) (local.get $index)))
          (then
            (i32.store $control offset={SKIP} (i32.const 0) (i32.const {SKIP_NOTHING}))
            (if (i32.eq (local.get $skip) (i32.const {SKIP_ALL}))
              (then
                (i32.store $control offset={RESUME_INDEX} (i32.const 0) (i32.const {NOT_RESUMED}))
                (call $note (local.get $block) (local.get $base) (local.get $index))
                (return (i32.const {GO_ON})))))
          (else (local.set $skip (i32.const {SKIP_NOTHING}))))))
    (i32.store $shadow (local.get $base) (i32.load $control
      (i32.add (i32.load $control offset={SITES} (local.get $block)) (i32.shl (local.get $index) (i32.const 2)))))
    (if (i32.and
          (i32.load8_u $control offset={STEPPING} (i32.const 0))
          (i32.le_u (local.get $base) (i32.load $control offset={STEP_LIMIT} (i32.const 0))))
      (then
        ;; It has to stop at its next instruction, or to note it: this is no time to leave its mirror.
        (local.set $kind (i32.and (local.get $kind) (i32.const {~(STOP_LEAVE | STOP_COUNT)})))
        (if (i32.eqz (i32.or (local.get $skip) (i32.load $control offset={TRACE_COUNT} (i32.const 0))))
          (then (local.set $kind (i32.or (local.get $kind) (i32.const {STOP_STEP})))))))
    (if (local.get $skip)
      (then (local.set $kind (i32.and (local.get $kind) (i32.const {~STOP_ENTRY})))))
    ;; The host has to know which conditions hold, so all of them are worked out, whatever else it stops for.
    (if (i32.and (local.get $kind) (i32.const {STOP_CONDITION}))
      (then
        (local.set $address (i32.load $control (i32.add
          (i32.load $control offset={CONDITIONS} (local.get $block))
          (i32.shl (local.get $index) (i32.const 2)))))
        (local.set $end (i32.shl (i32.load $control (local.get $address)) (i32.const 2)))
        (loop $next
          (i32.store $control offset={OUTCOMES} (local.get $position)
            (local.tee $outcome
              (call_indirect $mirrors (type $condition) (local.get $base) (local.get $references)
                (i32.load $control offset=4 (i32.add (local.get $address) (local.get $position))))))
          (if (local.get $outcome)
            (then (local.set $kind (i32.or (local.get $kind) (i32.const {STOP_ALWAYS})))))
          (br_if $next
            (i32.lt_u (local.tee $position (i32.add (local.get $position) (i32.const 4))) (local.get $end))))))
    (if (i32.and (local.get $kind) (i32.const {STOP_WATCH}))
      (then
        (if (i32.eqz (call ${WATCHED}
              (i32.load $control (i32.add
                (i32.load $control offset={WATCHES} (local.get $block))
                (i32.shl (local.get $index) (i32.const 2))))
              (local.get $base)))
          (then (local.set $kind (i32.and (local.get $kind) (i32.const {~STOP_WATCH})))))))
    (if (i32.and (local.get $kind) (i32.const {STOP_COUNT}))
      (then
        (i32.store $control offset={PASSES} (i32.const 0)
          (i32.sub (i32.load $control offset={PASSES} (i32.const 0)) (i32.const 1)))
        (if (i32.eqz (i32.load $control offset={PASSES} (i32.const 0)))
          (then (local.set $kind (i32.or (local.get $kind) (i32.const {STOP_LEAVE})))))))
    (local.set $outcome (i32.const {GO_ON}))
    (if (i32.and (local.get $kind) (i32.const {STOP_ALWAYS | STOP_ENTRY | STOP_LEAVE | STOP_STEP | STOP_WATCH}))
      (then
        (i32.store $control offset={STOPPED_BASE} (i32.const 0) (local.get $base))
        (i32.store $control offset={STOPPED_INDEX} (i32.const 0) (local.get $index))
        (i32.store $control offset={STOPPED_KIND} (i32.const 0) (local.get $kind))
        (call $host)
        (local.set $outcome (i32.load $control offset={ANSWER} (i32.const 0)))))
    (if (i32.eq (local.get $outcome) (i32.const {GO_ON}))
      (then (call $note (local.get $block) (local.get $base) (local.get $index))))
    (local.get $outcome)))
"""
"""A module in the text format."""
