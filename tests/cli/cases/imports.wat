;; RUN: run %
;; RUN: run -W unknown-imports-trap %
(module
  (import "wasi_snapshot_preview1" "fd_sing" (func (param i32)))
  (import "env" "memory" (memory 1 2))
  (import "env" "table" (table 1 funcref))
  (import "env" "limit" (global (mut i64)))
  (import "env" "failure" (tag (param i32)))
  (import "wbg" "__wbindgen_throw" (func (param i32 i32)))
)
