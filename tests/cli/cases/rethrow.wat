;; The tag of an exception that is thrown again: its name, else its index, also while the start function runs.
;; RUN: run --preload env=throws.txt %
;; RUN: run --preload env=throws.txt --invoke unnamed %
;; RUN: run --preload env=throws.txt --invoke foreign %
;; RUN: run --preload env=throws.txt throws-at-start.txt
(module
  (import "env" "refused" (tag (param i32)))
  (import "env" "refuse" (func $refuse))
  (import "env" "throw_secret" (func $throw_secret))
  (tag (param i64))
  (func $again (param $thrown exnref) (throw_ref (local.get $thrown)))
  (func (export "_start")
    (block $h (result exnref) (try_table (catch_all_ref $h) (call $refuse)) return)
    call $again)
  (func (export "unnamed")
    (block $h (result exnref) (try_table (catch_all_ref $h) (throw 1 (i64.const 7))) return)
    call $again)
  (func (export "foreign")
    (block $h (result exnref) (try_table (catch_all_ref $h) (call $throw_secret)) return)
    call $again)
)
