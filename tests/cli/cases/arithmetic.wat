;; RUN: run --invoke div % 1 0
;; RUN: run --invoke div % -2147483648 -1
;; RUN: run --invoke trunc % nan:0x8000000000001
;; RUN: run --invoke trunc % 1e30
(module
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
)
