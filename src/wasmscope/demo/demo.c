/* A small warehouse, and a bug in it.
 *
 * The program reads orders, keeps its stock in a linked list and says what it does. In the middle of the day it stops:
 * "out of bounds memory access". Nothing is wrong with the line where it stops. Which order broke the list, and how?
 *
 * demo.wasm was built in this folder with ziglang 0.17.1 (PyPI), without a C library, so that all there is to see is here:
 *   python -m ziglang cc -target wasm32-wasi -g -O0 -nostdlib -fno-sanitize=undefined -fdebug-compilation-dir=. \
 *     -Wl,-z,stack-size=32768 demo.c -o demo.wasm
 */
typedef __SIZE_TYPE__ size_t;
typedef enum { false, true } bool;

/* ---- the stock ---- */

struct item {
  char name[12];
  struct item *next;
  int quantity;
  double price;
};

struct warehouse {
  struct item *items; /* the one added last comes first */
  unsigned orders;
  double income;
};

/* ---- the orders of a day ---- */

enum action { RECEIVE, SHIP, REPORT, UNKNOWN };

struct order {
  enum action action;
  char name[32];
  int quantity;
  double price;
};

static const char *const DAY[] = {
    "receive lamp 12 19.90",
    "receive chair 8 49.50",
    "receive table 3 129.00",
    "ship chair 2",
    "report",
    "receive bookshelf 5 79.00",
    "ship lamp 4",
    "receive grandfather-clock 1 899.00",
    "ship bookshelf 1",
    "report",
};

/* ---- output: a line is collected and then written at once ---- */

struct iovec {
  const char *base;
  size_t length;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int fd_write(
    int fd, const struct iovec *vectors, size_t count, size_t *written);

static char output[128];
static size_t output_length;

static void say(const char *text) {
  while (*text && output_length < sizeof output) output[output_length++] = *text++;
}

static void say_number(long long number) {
  char digits[21];
  size_t at = sizeof digits - 1;
  unsigned long long rest = number < 0 ? -(unsigned long long)number : (unsigned long long)number;
  digits[at] = 0;
  do digits[--at] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) digits[--at] = '-';
  say(digits + at);
}

static void say_money(double amount) {
  long long cents = (long long)(amount * 100 + 0.5);
  say_number(cents / 100);
  say(cents % 100 < 10 ? ".0" : ".");
  say_number(cents % 100);
}

static void end_line(void) {
  output[output_length < sizeof output ? output_length++ : sizeof output - 1] = '\n';
  struct iovec line = {output, output_length};
  size_t written;
  fd_write(1, &line, 1, &written);
  output_length = 0;
}

/* ---- the warehouse ---- */

static bool same_name(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static struct item *find(struct warehouse *warehouse, const char *name) {
  for (struct item *item = warehouse->items; item; item = item->next)
    if (same_name(item->name, name)) return item;
  return (struct item *)0;
}

static struct item *add_item(struct warehouse *warehouse, const char *name) {
  static struct item room[16];
  static size_t used;
  struct item *item = &room[used++];
  item->next = warehouse->items;
  warehouse->items = item;
  size_t i = 0;
  do item->name[i] = name[i];
  while (name[i++]);
  return item;
}

static void receive(struct warehouse *warehouse, const struct order *order) {
  struct item *item = add_item(warehouse, order->name);
  item->quantity = order->quantity;
  item->price = order->price;
  say("   received ");
  say_number(item->quantity);
  say(" at ");
  say_money(item->price);
  end_line();
}

static void ship(struct warehouse *warehouse, const struct order *order) {
  struct item *item = find(warehouse, order->name);
  int shipped = 0;
  if (item) {
    shipped = order->quantity < item->quantity ? order->quantity : item->quantity;
    item->quantity -= shipped;
    warehouse->income += shipped * item->price;
  }
  say("   shipped ");
  say_number(shipped);
  end_line();
}

static void report(const struct warehouse *warehouse) {
  double worth = 0;
  for (const struct item *item = warehouse->items; item; item = item->next) worth += item->quantity * item->price;
  say("   stock worth ");
  say_money(worth);
  say(", income ");
  say_money(warehouse->income);
  end_line();
}

/* ---- reading an order ---- */

/* Copies the next word, cut to fit, and gives what follows it. */
static const char *read_word(const char *text, char *word, size_t size) {
  size_t length = 0;
  while (*text == ' ') text++;
  for (; *text && *text != ' '; text++)
    if (length + 1 < size) word[length++] = *text;
  word[length] = 0;
  return text;
}

static double number_of(const char *digits) {
  double number = 0, scale = 1;
  for (bool fraction = false; *digits; digits++) {
    if (*digits == '.') {
      fraction = true;
    } else {
      number = number * 10 + (*digits - '0');
      if (fraction) scale *= 10;
    }
  }
  return number / scale;
}

static enum action action_of(const char *word) {
  if (same_name(word, "receive")) return RECEIVE;
  if (same_name(word, "ship")) return SHIP;
  if (same_name(word, "report")) return REPORT;
  return UNKNOWN;
}

static struct order parse(const char *text) {
  struct order order;
  char word[16];
  text = read_word(text, word, sizeof word);
  order.action = action_of(word);
  text = read_word(text, order.name, sizeof order.name);
  text = read_word(text, word, sizeof word);
  order.quantity = (int)number_of(word);
  read_word(text, word, sizeof word);
  order.price = number_of(word);
  return order;
}

static void execute(struct warehouse *warehouse, const char *text) {
  struct order order = parse(text);
  warehouse->orders++;
  say_number(warehouse->orders);
  say(". ");
  say(text);
  end_line();
  switch (order.action) {
    case RECEIVE: receive(warehouse, &order); break;
    case SHIP: ship(warehouse, &order); break;
    case REPORT: report(warehouse); break;
    case UNKNOWN: break;
  }
}

static int work_a_day(void) {
  struct warehouse warehouse = {(struct item *)0, 0, 0.0};
  for (size_t i = 0; i < sizeof DAY / sizeof *DAY; i++) execute(&warehouse, DAY[i]);
  return (int)warehouse.orders;
}

void _start(void) {
  int orders = work_a_day();
  say("closed after ");
  say_number(orders);
  say(" orders");
  end_line();
}
