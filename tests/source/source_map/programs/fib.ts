// Compiled by AssemblyScript; `compile.sh` beside it.
let calls: i32 = 0;

class Pair {
  constructor(public left: i32, public right: f64) {}

  sum(): f64 {
    return <f64>this.left + this.right;
  }
}

function fibonacci(n: i32): i32 {
  calls++;
  if (n < 2) {
    return n;
  }
  return fibonacci(n - 1) + fibonacci(n - 2);
}

export function main(n: i32): i32 {
  const pair = new Pair(n, 0.5);
  let total = <i32>pair.sum();

  for (let i = 0; i < n; i++) {
    total += fibonacci(i);
  }
  return total + calls;
}
