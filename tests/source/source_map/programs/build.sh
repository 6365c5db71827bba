#!/bin/sh
# Compiles the programs anew. Needs Node.js; what is made is kept, so that the tests do not.
set -e
cd "$(dirname "$0")"
tools=$(mktemp -d)
npm install --silent --prefix "$tools" assemblyscript@0.28.20 @jridgewell/trace-mapping@0.3.31
"$tools/node_modules/.bin/asc" fib.ts --debug --sourceMap --runtime stub --outFile fib.wasm
"$tools/node_modules/.bin/wasm-as" hello.wat --debuginfo --source-map hello.wasm.map --source-map-url hello.wasm.map -o hello.wasm
for program in fib hello; do
  NODE_PATH="$tools/node_modules" node trace.js "$program" > "$program.traced"
done
rm -r "$tools"
