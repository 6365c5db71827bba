;; What is called: `_initialize` of a reactor first; without `_start` nothing.
;; RUN: run --invoke get %
;; RUN: run %
;; RUN: run --invoke missing %
;; RUN: run --invoke "" %
(module
  (global $value (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $value (i32.const 7)))
  (func (export "get") (result i32) (global.get $value))
)
