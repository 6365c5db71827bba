;; A null element, one of another type, one beyond the end; and a table that is not exported.
;; RUN: run --invoke call % 0
;; RUN: run --invoke call % 1
;; RUN: run --invoke call % 2
;; RUN: run --invoke call % 9
;; RUN: run --invoke hidden % 9
;; RUN: run --invoke get % 77
(module
  (type $operation (func (param i32) (result i32)))
  (table $shown (export "table") 4 funcref)
  (table $hidden 1 funcref)
  (elem (table $shown) (i32.const 1) func $other $exported)
  (func $other (param i64))
  (func $exported (export "exported") (result f32) (f32.const 0))
  (func (export "call") (param $index i32) (result i32)
    (call_indirect $shown (type $operation) (i32.const 5) (local.get $index)))
  (func (export "hidden") (param $index i32) (result i32)
    (call_indirect $hidden (type $operation) (i32.const 5) (local.get $index)))
  (func (export "get") (param $index i32) (drop (table.get $shown (local.get $index))))
)
