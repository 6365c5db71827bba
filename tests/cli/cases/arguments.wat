;; RUN: run --invoke same % -1 0xffff_ffff_ffff_ffff -0x1.8p1 nan:0x123
;; RUN: run --invoke same % 4294967295 -9223372036854775808 inf 1e-3
;; RUN: run --invoke vector % 0x123456789abcdef
;; RUN: run --invoke reference % null
;; RUN: run --invoke same % 1 2 3
;; RUN: run --invoke same % 4294967296 0 0 0
;; RUN: run --invoke same % one 0 0 0
;; RUN: run --invoke same % 0 0 0 nan:0x0
;; RUN: run --invoke same % 0 0 1e39 0
;; RUN: run --invoke same % 0 0 0 1e309
;; RUN: run --invoke reference % 5
(module
  (func (export "same") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func (export "vector") (param v128) (result v128) (local.get 0))
  (func (export "reference") (param externref) (result externref) (local.get 0))
)
