/* Calls that the optimiser inlines, one in another, and variables whose places change. */
__attribute__((import_module("env"), import_name("emit"))) void emit(int value);

static inline __attribute__((always_inline)) int square(int x) {
    int result = x * x;
    emit(result);
    return result;
}

static inline __attribute__((always_inline)) int sum_of_squares(int a, int b) {
    int left = square(a);
    int right = square(b);
    return left + right;
}

__attribute__((export_name("run"))) int run(int n) {
    int total = 0;
    for (int i = 0; i < n; i++) {
        total += sum_of_squares(i, n);
    }
    emit(total);
    return total;
}

/* Nobody calls it: the linker drops its code but not what is said of it. */
__attribute__((visibility("hidden"))) int dropped(int n) {
    return n + 1;
}
