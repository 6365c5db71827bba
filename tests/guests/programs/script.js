// A bit of everything: what it prints must not depend on the engine it runs on.
class Matrix {
  constructor(rows) { this.rows = rows; }
  times(other) {
    return new Matrix(this.rows.map(row => other.rows[0].map((_, j) => row.reduce((sum, x, k) => sum + x * other.rows[k][j], 0))));
  }
}
function* fibonacci() { let [a, b] = [0n, 1n]; for (;;) { yield a; [a, b] = [b, a + b]; } }
let last; let count = 0;
for (const value of fibonacci()) { last = value; if (++count > 150) break; }
print(last.toString());
let power = new Matrix([[1, 1], [1, 0]]);
for (let i = 0; i < 5; i++) power = power.times(power);
print(JSON.stringify(power.rows));
const counts = new Map();
for (const word of "the quick brown fox and the lazy dog and the end".match(/\w+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
print(JSON.stringify([...counts].sort()));
try { null.x; } catch (error) { print(error.name); }
let sum = 0; for (let i = 1; i < 20000; i++) sum += 1 / i;
print(sum, 0.1 + 0.2, Math.atan2(-0, -1), "résumé".normalize("NFD").length, parseInt("7f", 16));
