;; RUN: run -W bogus %
;; RUN: run -W fuel %
;; RUN: run -W simd=maybe %
;; RUN: run -O opt-level=9 %
;; RUN: run --timeout soon %
;; RUN: run --preload nothing %
;; RUN: run --dir missing-directory %
;; RUN: run -W multi-value=n %
;; RUN: run -W max-memory-size=1 %
;; RUN: run --preload same=% --preload same=% %
;; RUN: run % --invoke f 1
;; RUN: run
(module (memory 1) (func (result i32 i32) (i32.const 1) (i32.const 2)))
