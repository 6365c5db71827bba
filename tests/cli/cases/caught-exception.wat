;; RUN: run %
;; RUN: run --invoke uncaught %
(module
  (tag $refused (param i32))
  (func $try (param $amount i32) (throw $refused (local.get $amount)))
  (func $caught
    (block $handler (result i32) (try_table (catch $refused $handler) (call $try (i32.const 1))) return)
    drop)
  (func (export "_start") (call $caught))
  (func (export "uncaught") (call $caught) (call $try (i32.const 2)))
)
