/* Vector code by hand, so that the instructions do not depend on the compiler's mood. Prints a checksum a kernel.
   python -m ziglang cc -target wasm32-wasi -O2 -msimd128 -s simd.c -o simd.wasm */
#include <stdint.h>
#include <stdio.h>
#include <wasm_simd128.h>

#define KERNEL __attribute__((noinline)) static
enum { WIDTH = 256, HEIGHT = 192, SIZE = WIDTH * HEIGHT };
static uint8_t source[SIZE], target[SIZE];
static float wave[4096];

static uint32_t fold(const uint8_t *bytes, int n) {
  uint32_t h = 2166136261u;
  for (int i = 0; i < n; i++) h = (h ^ bytes[i]) * 16777619u;
  return h;
}

/* f32x4: four points of the Mandelbrot set at a time, the lanes that escaped masked off */
KERNEL void mandelbrot(void) {
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x += 4) {
      v128_t cr = wasm_f32x4_make(x, x + 1, x + 2, x + 3);
      cr = wasm_f32x4_sub(wasm_f32x4_mul(cr, wasm_f32x4_splat(3.0f / WIDTH)), wasm_f32x4_splat(2.1f));
      v128_t ci = wasm_f32x4_splat(2.4f * y / HEIGHT - 1.2f), zr = cr, zi = ci, count = wasm_i32x4_const_splat(0);
      for (int i = 0; i < 48; i++) {
        v128_t rr = wasm_f32x4_mul(zr, zr), ii = wasm_f32x4_mul(zi, zi);
        v128_t inside = wasm_f32x4_lt(wasm_f32x4_add(rr, ii), wasm_f32x4_const_splat(4.0f));
        if (!wasm_v128_any_true(inside)) break;
        count = wasm_i32x4_sub(count, inside);
        v128_t product = wasm_f32x4_mul(zr, zi);
        zi = wasm_v128_bitselect(wasm_f32x4_add(wasm_f32x4_add(product, product), ci), zi, inside);
        zr = wasm_v128_bitselect(wasm_f32x4_add(wasm_f32x4_sub(rr, ii), cr), zr, inside);
      }
      v128_t narrow = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(count, count), count);
      wasm_v128_store32_lane(source + y * WIDTH + x, narrow, 0);
    }
}

/* i8x16: blur by rounding averages, saturating contrast, edges by differences */
KERNEL void blur(void) {
  for (int i = WIDTH; i < SIZE - WIDTH - 16; i += 16) {
    v128_t up = wasm_v128_load(source + i - WIDTH), down = wasm_v128_load(source + i + WIDTH);
    v128_t left = wasm_v128_load(source + i - 1), right = wasm_v128_load(source + i + 1);
    v128_t mean = wasm_u8x16_avgr(wasm_u8x16_avgr(up, down), wasm_u8x16_avgr(left, right));
    v128_t edge = wasm_v128_or(wasm_u8x16_sub_sat(up, down), wasm_u8x16_sub_sat(down, up));
    v128_t bright = wasm_u8x16_add_sat(wasm_i8x16_shl(mean, 2), edge);
    wasm_v128_store(target + i, wasm_u8x16_max(bright, wasm_u8x16_min(left, right)));
  }
}

/* shuffles: every row reversed, then nibbles looked up through a swizzle */
KERNEL void mirror(void) {
  const v128_t digits = wasm_i8x16_make('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x += 16) {
      v128_t v = wasm_v128_load(target + y * WIDTH + x);
      v = wasm_i8x16_shuffle(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
      v = wasm_i8x16_swizzle(digits, wasm_v128_and(v, wasm_i8x16_const_splat(15)));
      wasm_v128_store(source + y * WIDTH + WIDTH - 16 - x, v);
    }
}

/* i16x8, i32x4, i64x2: dot products, widening multiplications, lanes taken out one by one */
KERNEL uint64_t products(void) {
  v128_t sums = wasm_i32x4_const_splat(0), wide = wasm_i64x2_const_splat(1);
  uint32_t masks = 0;
  for (int i = 0; i < SIZE; i += 16) {
    v128_t v = wasm_v128_load(source + i);
    v128_t low = wasm_i16x8_extend_low_i8x16(v), high = wasm_u16x8_extend_high_u8x16(v);
    sums = wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(low, high));
    wide = wasm_i64x2_add(wide, wasm_u64x2_extmul_low_u32x4(sums, wasm_i32x4_extadd_pairwise_i16x8(low)));
    masks = masks * 31 + wasm_i8x16_bitmask(wasm_i8x16_gt(v, wasm_i8x16_const_splat('5')));
    wide = wasm_v128_xor(wide, wasm_i64x2_shl(wide, i & 31));
  }
  return wasm_u64x2_extract_lane(wide, 0) ^ wasm_u64x2_extract_lane(wide, 1) ^ masks ^
         wasm_u32x4_extract_lane(sums, 3);
}

/* f64x2 and conversions: a damped wave, its sum and its integer part */
KERNEL double waves(void) {
  v128_t x = wasm_f64x2_make(1.0, 0.5), v = wasm_f64x2_make(0.0, 0.25), total = wasm_f64x2_const_splat(0);
  for (int i = 0; i < 4096; i += 2) {
    v = wasm_f64x2_sub(wasm_f64x2_mul(v, wasm_f64x2_const_splat(0.999)), wasm_f64x2_mul(x, wasm_f64x2_const_splat(0.01)));
    x = wasm_f64x2_add(x, v);
    total = wasm_f64x2_add(total, wasm_f64x2_sqrt(wasm_f64x2_abs(x)));
    wasm_v128_store64_lane(wave + i, wasm_f32x4_demote_f64x2_zero(x), 0);
  }
  v128_t whole = wasm_i32x4_trunc_sat_f64x2_zero(wasm_f64x2_floor(total));
  return wasm_f64x2_extract_lane(total, 0) + wasm_f64x2_extract_lane(total, 1) + wasm_i32x4_extract_lane(whole, 1);
}

int main(void) {
  mandelbrot();
  printf("mandelbrot %08x\n", fold(source, SIZE));
  blur();
  printf("blur %08x\n", fold(target, SIZE));
  mirror();
  printf("mirror %08x %.32s\n", fold(source, SIZE), source + SIZE / 2 + 64);
  printf("products %016llx\n", (unsigned long long)products());
  double total = waves();
  printf("waves %.9f %08x\n", total, fold((const uint8_t *)wave, sizeof wave));
  return source[0] == '0' ? 5 : 1;
}
