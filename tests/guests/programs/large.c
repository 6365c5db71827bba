/* For a C compiler without a preprocessor: enough of the language to reach most of its passes. */
typedef unsigned char byte;
typedef unsigned int word;

struct node { struct node *left, *right; int key; };
enum kind { ADD, SUB, MUL, DIV, MOD, NEG };
struct op { enum kind kind; int operand; };

static word crc_table[256];
static volatile int port;

void make_table(void) {
  for (int i = 0; i < 256; i++) {
    word c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xA001u ^ (c >> 1) : c >> 1;
    crc_table[i] = c;
  }
}

word crc(const byte *data, word length) {
  word c = 0xFFFF;
  while (length--) c = crc_table[(c ^ *data++) & 0xFF] ^ (c >> 8);
  return c;
}

struct node *find(struct node *t, int key) {
  while (t && t->key != key) t = key < t->key ? t->left : t->right;
  return t;
}

int height(const struct node *t) {
  if (!t) return 0;
  int l = height(t->left), r = height(t->right);
  return 1 + (l > r ? l : r);
}

long evaluate(const struct op *code, int count, long value) {
  for (const struct op *end = code + count; code != end; code++)
    switch (code->kind) {
      case ADD: value += code->operand; break;
      case SUB: value -= code->operand; break;
      case MUL: value *= code->operand; break;
      case DIV: value = code->operand ? value / code->operand : 0; break;
      case MOD: value = code->operand ? value % code->operand : 0; break;
      case NEG: value = -value; break;
    }
  return value;
}

float filter(const float *taps, const float *samples, int n) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += taps[i] * samples[n - 1 - i];
  return sum > 1 ? 1 : sum < -1 ? -1 : sum;
}

void sort(int *a, int n) {
  for (int gap = n / 2; gap > 0; gap /= 2)
    for (int i = gap; i < n; i++) {
      int x = a[i], j = i;
      for (; j >= gap && a[j - gap] > x; j -= gap) a[j] = a[j - gap];
      a[j] = x;
    }
}

int poll(int (*handler)(int), int limit) {
  int events = 0;
  while (events < limit) {
    int value = port;
    if (value < 0) goto out;
    if (handler(value)) events++;
  }
out:
  return events;
}
