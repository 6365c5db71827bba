// Classes with bases, templates, references, members of every kind.
extern "C" __attribute__((import_module("env"), import_name("emit"))) void emit(int value);

extern "C" void __cxa_pure_virtual() { __builtin_trap(); }

namespace shapes {

enum class Kind : unsigned char { Circle = 1, Square = 2 };

class Shape {
  public:
    static int count;
    explicit Shape(Kind kind) : kind_(kind) { count++; }
    virtual int area() const = 0;
    Kind kind() const { return kind_; }

  protected:
    Kind kind_;
};

int Shape::count = 3;

struct Named {
    const char *name = "shape";
};

class Square final : public Shape, private Named {
  public:
    explicit Square(int side) : Shape(Kind::Square), side_(side) {}
    int area() const override {
        int result = side_ * side_;
        emit(result);
        return result;
    }
    static int doubled(int x) { return 2 * x; }

  private:
    int side_;
};

template <typename T, int N> struct Buffer {
    T items[N];
    T &at(int i) { return items[i]; }
    int size() const { return N; }
};

template <typename T> T largest(const T &a, const T &b) {
    return a < b ? b : a;
}

namespace {
int hidden = 11;
}

} // namespace shapes

struct Virtual : virtual shapes::Named {
    bool flag = true;
};

extern "C" __attribute__((export_name("run"))) int run(int n) {
    shapes::Square square(n);
    shapes::Shape &shape = square;
    shapes::Buffer<short, 4> buffer{{1, 2, 3, 4}};
    int shapes::Buffer<short, 4>::*no_member = nullptr;
    int (shapes::Square::*method)() const = &shapes::Square::area;
    int &&temporary = n + 1;
    char16_t wide = u'\u00e9';
    auto nothing = nullptr;
    auto twice = [n](int x) { return x * 2 + n; };
    Virtual derived;
    int result = shape.area() + buffer.at(2) + shapes::largest(n, 3) + shapes::largest<double>(1.5, 2.5);
    result += (square.*method)() + temporary + wide + (nothing == nullptr) + twice(n) + shapes::hidden;
    result += no_member == nullptr ? derived.flag : 0;
    return result + shapes::Square::doubled(n) + shapes::Shape::count + buffer.size();
}
