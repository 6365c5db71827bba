;; A start function that fails: the instance is not there yet, its memory cannot be looked into.
;; RUN: run %
(module
  (memory 1)
  (table (export "table") 1 funcref)
  (func $load (param $function funcref) (param $at i32) (drop (i32.load (local.get $at))))
  (func $begin (call $load (ref.func $load) (i32.const 0x10000)))
  (elem declare func $load)
  (start $begin)
)
