// What another reader of source maps says: for each byte of the module, the source, line (from 1) and column (from 0).
const fs = require("fs");
const { TraceMap, originalPositionFor } = require("@jridgewell/trace-mapping");
const program = process.argv[2];
const map = new TraceMap(fs.readFileSync(`${program}.wasm.map`, "utf8"));
const size = fs.statSync(`${program}.wasm`).size;
let before = "";
for (let pc = 0; pc < size; pc++) {
  const { source, line, column } = originalPositionFor(map, { line: 1, column: pc });
  const found = source === null ? "-" : `${source}:${line}:${column}`;
  if (found !== before) console.log(`${pc} ${found}`);
  before = found;
}
