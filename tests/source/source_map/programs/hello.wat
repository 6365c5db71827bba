;; Binaryen's annotations stand for what Emscripten takes from DWARF; `build.sh` makes a module and a map of it.
(module
  (global $counter (mut i32) (i32.const 0))
  (func $helper (param $value i32) (result i32)
    ;;@ src/helper.c:4:10
    (local.set $value
      (i32.mul (local.get $value) (i32.const 3)))
    ;;@ src/helper.c:6:3
    (local.get $value)
  )
  (func $main (export "main") (param $argc i32) (result i32) (local $i i32)
    ;;@ src/hello.c:10:7
    (local.set $i (i32.const 5))
    (block $done
      (loop $again
        ;;@ src/hello.c:11:3
        (br_if $done (i32.eqz (local.get $i)))
        ;;@ src/hello.c:12:12
        (global.set $counter
          (i32.add (global.get $counter)
            ;;@ src/hello.c:12:22
            (call $helper (local.get $i))))
        ;;@ src/hello.c:11:30
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br $again)))
    ;;@ src/hello.c:15:3
    (i32.add (global.get $counter) (local.get $argc))
  )
)
