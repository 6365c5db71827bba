/* Every kind of type that C has, in one structure, with values that a test knows. */
typedef unsigned int word;
typedef int (*operation)(int, int);
typedef float quad __attribute__((vector_size(16)));

enum color { RED, GREEN = 5, BLUE = -1 };
enum level { LOW = 1, HIGH = 200 };

struct node {
    int value;
    struct node *next;
};

struct flags {
    unsigned ready : 1;
    unsigned mode : 3;
    int level : 5;
    unsigned long long wide : 40;
};

union number {
    int i;
    float f;
    unsigned char bytes[4];
};

struct everything {
    signed char c;
    unsigned char uc;
    short s;
    unsigned short us;
    int i;
    word u;
    long long ll;
    unsigned long long ull;
    float f;
    double d;
    _Bool b;
    enum color color;
    enum level level;
    int numbers[3];
    short matrix[2][3];
    char text[8];
    const char *name;
    struct node *list;
    union number number;
    struct flags flags;
    operation op;
    void *nothing;
    volatile const int *pinned;
    quad vector;
    struct {
        int inner;
        union {
            int left;
            float right;
        };
    } anonymous;
};

static struct node second = {2, 0};
static struct node first = {1, &second};
const int limit = 42;
int matrix[2][2] = {{1, 2}, {3, 4}};

static int add(int a, int b) {
    return a + b;
}

struct everything all;

__attribute__((noinline)) int fill(struct everything *e, int n) {
    static int calls = 7;
    const int fixed = 9;
    calls++;
    e->c = -1;
    e->uc = 255;
    e->s = -2;
    e->us = 65535;
    e->i = -3;
    e->u = 4000000000u;
    e->ll = -4000000000000ll;
    e->ull = 18446744073709551615ull;
    e->f = 1.5f;
    e->d = -2.25;
    e->b = 1;
    e->color = BLUE;
    e->level = HIGH;
    for (int i = 0; i < 3; i++) {
        int square = i * i;
        e->numbers[i] = square + n;
    }
    e->matrix[1][2] = 12;
    e->text[0] = 'h';
    e->text[1] = 'i';
    e->name = "wasm";
    e->list = &first;
    e->number.f = 1.0f;
    e->flags.ready = 1;
    e->flags.mode = 5;
    e->flags.level = -6;
    e->flags.wide = 0x123456789aull;
    e->op = add;
    e->pinned = &limit;
    e->vector[3] = 8.0f;
    e->anonymous.inner = 77;
    e->anonymous.right = 0.5f;
    return calls + fixed;
}

__attribute__((export_name("run"))) int run(int n) {
    long long big = 5000000000ll;
    double ratio = 0.125;
    int result = fill(&all, n);
    return result + (int)(big % 7) + (int)ratio + matrix[1][0] + limit;
}
