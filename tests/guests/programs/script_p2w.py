class Shape:
    def __init__(self, name, w, h):
        self.name = name
        self.w = w
        self.h = h

    def area(self):
        return self.w * self.h


class Square(Shape):
    def __init__(self, s):
        self.name = "square"
        self.w = s
        self.h = s


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def primes(n):
    sieve = [True] * n
    out = []
    for i in range(2, n):
        if sieve[i]:
            out.append(i)
            for j in range(i * i, n, i):
                sieve[j] = False
    return out


def gen(n):
    i = 0
    while i < n:
        yield i * i
        i = i + 1


shapes = [Shape("box", 2, 3), Square(4)]
print([s.name for s in shapes], sum([s.area() for s in shapes]))
print(fib(15))
print(primes(50))
counts = {}
for w in "the cat the dog the end".split(" "):  # noqa: SIM905  (splitting is the point)
    counts[w] = counts.get(w, 0) + 1
print(sorted(counts.keys()), counts["the"])
try:
    raise ValueError("refused")
except ValueError:
    print("caught")
total = 0.0
for i in range(100):
    total = total + i / 3.0
print(total)
print(2**100)
print(list(gen(5)))
