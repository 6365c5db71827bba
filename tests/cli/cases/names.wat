;; Names of a hostile guest: control characters, colours, a bidirectional override.
;; RUN: run %
;; RUN: inspect %
(module $"\1b[31mred\0abreak"
  (func $"a\u{202e}b\07" (export "_start") (local $"\u{9b}2J" i32) unreachable)
  (export "\1b]0;title\07" (func 0))
)
