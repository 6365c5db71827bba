;; RUN: run --invoke null %
;; RUN: run --invoke index % 9
;; RUN: run --invoke cast %
(module
  (type $node (struct (field $number i32)))
  (type $numbers (array i32))
  (func (export "null") (local $node (ref null $node)) (drop (struct.get $node $number (local.get $node))))
  (func (export "index") (param i32)
    (drop (array.get $numbers (array.new $numbers (i32.const 3) (i32.const 4)) (local.get 0))))
  (func (export "cast") (drop (ref.cast (ref $numbers) (struct.new $node (i32.const 1)))))
)
