;; The ends of a deep stack are shown, the middle is counted.
;; RUN: run --frames 4 --invoke down % 100
;; RUN: run --frames 0 --invoke down % 3
(module
  (func $down (export "down") (param $n i32)
    (if (i32.eqz (local.get $n)) (then unreachable))
    (call $up (i32.sub (local.get $n) (i32.const 1))))
  (func $up (param $n i32)
    (if (i32.eqz (local.get $n)) (then unreachable))
    (call $down (i32.sub (local.get $n) (i32.const 1))))
)
