// What libc++ has for strings and containers, with contents that a test knows.
#include <array>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

struct Point {
    int x, y;
};

extern "C" __attribute__((export_name("run"))) int run(int n) {
    std::string short_text = "hi\n";
    std::string long_text(40, 'x');
    std::u16string wide = u"h\u00e9";
    std::string_view view = short_text;
    std::vector<int> numbers{1, 2, 3, n};
    std::vector<Point> points{{1, 2}, {3, 4}};
    std::vector<bool> truths{true, false, true};
    std::vector<std::string> words{"one", "two"};
    std::array<short, 3> three{7, 8, 9};
    std::optional<int> some = 5, none;
    std::unique_ptr<Point> owned(new Point{5, 6});
    std::map<int, std::string> by_number{{2, "two"}, {1, "one"}, {3, "three"}};
    std::set<int> unique{30, 10, 20};
    std::unordered_map<int, int> hashed{{4, 16}};
    std::unordered_set<int> hashed_set{9};
    std::list<int> chain{5, 6, 7};
    std::pair<int, char> pair{1, 'a'};
    int sum = n + numbers[1] + points[0].x + words[0].size() + three[1];
    return sum + by_number.size() + unique.size() + hashed[4] + chain.front() + pair.first + view.size();
}
