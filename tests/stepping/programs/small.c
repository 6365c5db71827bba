/* Small programs, an export each, that import nothing; built at several levels of optimisation. */
typedef unsigned int u32;
typedef unsigned long long u64;
#define EXPORT(name) __attribute__((export_name(#name)))

struct shape { int kind; union { float radius; struct { double width, height; } box; } of; };

static double area(const struct shape *s) {
  switch (s->kind) {
    case 0: return 3.25 * s->of.radius * s->of.radius;
    case 1: return s->of.box.width * s->of.box.height;
    case 2: return -1;
    default: return 0;
  }
}

/* a switch, floating point of both widths, a struct in memory */
EXPORT(shapes) int shapes(int seed) {
  struct shape all[4];
  double sum = 0;
  for (int i = 0; i < 4; i++) {
    all[i].kind = (seed + i) % 4;
    if (all[i].kind == 0) all[i].of.radius = (float)i / 3;
    else all[i].of.box.width = i + 0.1, all[i].of.box.height = seed - i;
  }
  for (int i = 0; i < 4; i++) sum += area(&all[i]);
  return (int)(sum * 1000);
}

/* recursion, mutual */
static int odd(u32 n);
__attribute__((noinline)) static int even(u32 n) { return n == 0 ? 1 : odd(n - 1); }
__attribute__((noinline)) static int odd(u32 n) { return n == 0 ? 0 : even(n - 1); }
static u32 ackermann(u32 m, u32 n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
EXPORT(recursion) int recursion(int seed) { return even(seed & 15) + 10 * (int)ackermann(2, seed & 3); }

/* calls through pointers */
static int twice(int x) { return x * 2; }
static int square(int x) { return x * x; }
static int negate(int x) { return -x; }
static int (*const functions[])(int) = {twice, square, negate};
EXPORT(pointers) int pointers(int seed) {
  for (int i = 0; i < 12; i++) seed = functions[(u32)seed % 3](seed + i) ^ i;
  return seed;
}

/* 64 bits: shifts, rotations, division, comparisons of both signs */
EXPORT(wide) int wide(int seed) {
  u64 state = (u64)seed * 0x9E3779B97F4A7C15u + 1;
  long long sum = 0;
  for (int i = 0; i < 12; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    state = (state << (i + 3)) | (state >> (61 - i));
    sum += (long long)state / (i - 5 ? i - 5 : 1) - (long long)(state % (u32)(i + 1));
    if (sum < 0) sum = ~sum;
  }
  return (int)(sum ^ (sum >> 32));
}

/* bytes: stores narrower than a value, a loop in a loop, an exit out of both */
static char text[] = "the quick brown fox jumps over the lazy dog";
EXPORT(bytes) int bytes(int seed) {
  signed char counts[26] = {0};
  short pairs = 0;
  for (int i = 0; text[i]; i++) {
    if (text[i] == ' ') continue;
    counts[text[i] - 'a'] += seed;
    for (int j = i + 1; text[j]; j++) {
      if (text[j] == text[i]) { pairs += j; break; }
      if (pairs > 300) goto done;
    }
  }
done:
  return counts[14] * 1000 + pairs;
}

/* ends in a trap */
EXPORT(failing) int failing(int seed) {
  volatile int left = 3;
  for (int sum = 0;; left--) sum += (seed + sum) / left;
}
