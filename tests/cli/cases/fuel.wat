;; RUN: run --no-debug -W fuel=1000 %
;; RUN: run --no-debug -W timeout=300ms %
;; RUN: run --timeout 300ms %
;; RUN: run --report none --timeout 300ms %
(module (func $spin (loop $again (br $again))) (func (export "_start") (call $spin)))
