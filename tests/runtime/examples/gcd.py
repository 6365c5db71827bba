"""A function of numbers, called with many."""

import wasmtime

TEXT = """
(module (func (export "gcd") (param $a i64) (param $b i64) (result i64)
  (block $done (loop $again
    (br_if $done (i64.eqz (local.get $b)))
    (local.get $b)
    (local.set $b (i64.rem_u (local.get $a) (local.get $b)))
    (local.set $a)
    (br $again)))
  local.get $a))
"""

store = wasmtime.Store()
gcd = wasmtime.Instance(store, wasmtime.Module(store.engine, TEXT), []).exports(store)["gcd"]
print(gcd.type(store).params, gcd.type(store).results)
for a, b in [(6, 27), (1071, 462), (2**62, 48), (17, 0)]:
    print(a, b, gcd(store, a, b))
