;; RUN: run %
;; RUN: run --invoke rethrow %
(module
  (tag $overdrawn (param i32 f64))
  (func $withdraw (param $amount i32) (throw $overdrawn (local.get $amount) (f64.const 0.5)))
  (func (export "_start") (call $withdraw (i32.const 100)))
  (func (export "rethrow")
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $withdraw (i32.const 7)))
      return)
    throw_ref)
)
