;; RUN: run %
;; RUN: run -W unknown-imports-trap %
;; RUN: run -W unknown-imports-default %
;; RUN: run --preload env=provider.txt %
(module
  (import "env" "price" (func $price (param i32) (result f64)))
  (func (export "_start") (if (f64.ne (call $price (i32.const 3)) (f64.const 0)) (then unreachable)))
)
