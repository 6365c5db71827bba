;; RUN: inspect %
;; RUN: inspect --json %
(module $shop
  (type $node (struct (field i32)))
  (import "env" "log" (func $log (param externref)))
  (import "env" "total" (global $total (mut i64)))
  (memory (export "memory") 1 4)
  (memory i64 1)
  (table 3 5 funcref)
  (tag $failure (param i32))
  (func $start)
  (func $both (export "both") (param $first i32) (param v128) (result i32 i32) (i32.extend8_s (local.get $first)) (i32.const 2))
  (func (export "node") (result (ref $node)) (struct.new $node (i32.const 1)))
  (start $start)
  (export "failure" (tag $failure))
  (global i32 (i32.add (i32.const 1) (i32.const 2)))
  (data "passive")
)
