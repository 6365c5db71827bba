;; Accesses out of bounds: address, width, which memory, how large it is.
;; RUN: run --invoke load % -5
;; RUN: run --invoke store_second % 0x20000
;; RUN: run --invoke copy % 5000
;; RUN: run --invoke misaligned % 2
(module
  (memory $small 1)
  (memory $second 2 5)
  (func (export "load") (param $at i32) (result i32) (i32.load8_u offset=8 (local.get $at)))
  (func (export "store_second") (param $at i32) (i64.store $second (local.get $at) (i64.const -2)))
  (func (export "copy") (param $length i32)
    (memory.copy $second $small (i32.const 0) (i32.const 65000) (local.get $length)))
  (func (export "misaligned") (param $at i32) (drop (i32.atomic.rmw.add (local.get $at) (i32.const 1))))
)
