// Every kind of value, there and back.
#include <brigade/codec/codec.hpp>

#include <complex>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <brigade/base/error.hpp>

namespace codec = brigade::codec;
using brigade::codec_error;

namespace {

template <class T>
T there_and_back(const T& value) {
  return codec::from_bytes<T>(codec::to_bytes(value));
}

template <class T>
void expect_equal(const T& value) {
  CHECK((there_and_back(value) == value));
}

template <class T, class... Bytes>
void expect_refused(Bytes... bytes) {
  const std::array<std::byte, sizeof...(Bytes)> input{static_cast<std::byte>(bytes)...};
  CHECK_THROWS_AS((void)codec::from_bytes<T>(input), codec_error);
}

enum class colour : short { red, green };
enum class yes_no : bool { no, yes };

struct point {
  double x = 0, y = 0;
  bool operator==(const point&) const = default;
};

struct nothing {
  bool operator==(const nothing&) const = default;
};

struct nested {
  char name[6] = {};
  std::string texts[2][2];
  point corners[2];
  std::vector<point> points;
  nothing no;
  std::optional<colour> hue;
  bool operator==(const nested&) const = default;
};

struct padded {
  char a = 0;
  double b = 0;
  bool operator==(const padded&) const = default;
};

struct constant {
  const int a;
  const std::string b;
  bool operator==(const constant&) const = default;
};

struct bit_fields {
  unsigned a : 3;
  unsigned b : 29;
  std::string c;
};

struct thirty_two {
  int a[33] = {};
  std::string s;
  int a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, c1, c2, c3,
      c4, c5, c6, c7, c8, c9, c10;
  bool operator==(const thirty_two&) const = default;
};

struct big {
  char bytes[100'000] = {};
  bool last = false;
};

class no_default {
 public:
  explicit no_default(int v) : value(v) {}
  int value;
  bool operator==(const no_default&) const = default;
};

struct with_no_default {
  int a;
  no_default b;
  std::optional<std::string> c;
  bool operator==(const with_no_default&) const = default;
};

class fragile {
 public:
  explicit fragile(int v) : value(v) {}
  explicit fragile(const char*) { throw 1; }
  int value = 0;
  std::string text;  // libstdc++ never lets a variant lose a trivial value
};

struct same_hash {
  std::size_t operator()(int) const noexcept { return 1; }
};

}  // namespace

template <>
struct brigade::codec::coder<no_default> {
  static void write(writer& out, const no_default& value) { write_value(out, value.value); }
  static no_default read(reader& in) { return no_default(read_value<int>(in)); }
};

template <>
struct brigade::codec::coder<fragile> {
  static void write(writer& out, const fragile& value) { write_value(out, value.value); }
  static fragile read(reader& in) { return fragile(read_value<int>(in)); }
};

TEST_CASE("numbers keep their value") {
  expect_equal(true);
  expect_equal('c');
  expect_equal(std::int8_t{-1});
  expect_equal(std::numeric_limits<std::uint64_t>::max());
  expect_equal(-0.1);
  expect_equal(std::numeric_limits<float>::infinity());
  expect_equal(std::numeric_limits<long double>::denorm_min());
  expect_equal(1.0L / 3);
  expect_equal(std::byte{7});
  expect_equal(colour::green);
  expect_equal(yes_no::yes);
}

TEST_CASE("a bool is 0 or 1, also below an enumeration and in a vector of structs") {
  expect_refused<bool>(2);
  expect_refused<yes_no>(0xff);
  expect_refused<std::optional<int>>(2);
  struct holder {
    bool value;
  };
  static_assert(!codec::raw<holder>);
  expect_refused<std::vector<holder>>(1, 2);
}

TEST_CASE("padding does not travel") {
  static_assert(codec::raw<point>);
  static_assert(!codec::raw<padded>);
  static_assert(codec::raw<std::array<point, 3>>);
  CHECK(codec::to_bytes(padded{'a', 1}).size() == sizeof(char) + sizeof(double));
  expect_equal(std::vector<padded>{{'a', 1}, {'b', 2}});
}

TEST_CASE("strings and sequences keep their elements") {
  expect_equal(std::string());
  expect_equal(std::string("nul\0inside", 10));
  expect_equal(std::string(100'000, 'x'));
  expect_equal(std::u8string(u8"text"));
  expect_equal(std::u16string(u"text"));
  expect_equal(std::u32string(U"text"));
  expect_equal(std::wstring(L"text"));
  expect_equal(std::vector<int>{});
  expect_equal(std::vector<std::uint16_t>(70'000, 7));
  expect_equal(std::vector<std::byte>(300, std::byte{1}));
  expect_equal(std::vector<point>{{1, 2}, {3, 4}});
  expect_equal(std::vector<std::vector<std::string>>{{"a", ""}, {}});
  expect_equal(std::vector<no_default>{no_default(1), no_default(2)});
  expect_equal(std::array<int, 4>{1, 2, 3, 4});
  expect_equal(std::array<int, 0>{});
  expect_equal(std::array<std::string, 2>{"a", "b"});
  expect_equal(std::array{no_default(1), no_default(2)});
  expect_equal(std::deque<std::string>{"a", "b"});
  expect_equal(std::list<bool>{true, false});
  expect_equal(std::forward_list<int>{3, 1, 2});
}

TEST_CASE("a vector of bool keeps every length") {
  std::vector<bool> bits;
  for (int i = 0; i < 40; ++i) {
    expect_equal(bits);
    bits.push_back(i % 3 == 0);
  }
  expect_refused<std::vector<bool>>(0xff, 0xff, 0xff, 0xff, 0x0f, 0);
}

TEST_CASE("sets and maps keep their elements") {
  expect_equal(std::set<std::string>{"a", "b"});
  expect_equal(std::multiset<int>{1, 1, 2});
  expect_equal(std::map<int, std::string, std::greater<>>{{1, "a"}, {2, "b"}});
  expect_equal(std::multimap<int, int>{{1, 2}, {1, 1}, {1, 3}});
  expect_equal(std::unordered_set<std::string>{"a", "b"});
  expect_equal(std::unordered_multiset<int>{1, 1, 2});
  expect_equal(std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_equal(std::unordered_multimap<int, int>{{1, 2}, {1, 1}});
}

TEST_CASE("a key that comes twice is refused where keys are unique") {
  expect_refused<std::set<char>>(2, 'a', 'a');
  expect_refused<std::map<char, char>>(2, 'a', 'b', 'a', 'c');
  expect_refused<std::unordered_set<char>>(2, 'a', 'a');
  CHECK(codec::from_bytes<std::multiset<char>>(codec::to_bytes(std::multiset<char>{'a', 'a'}))
            .size() == 2);
}

TEST_CASE("keys made to collide are refused before they take hours") {
  std::unordered_set<int, same_hash> slow;
  for (int i = 0; i < 900; ++i)
    slow.insert(i);
  expect_equal(slow);
  codec::writer out;
  out.put_size(100'000);
  for (int i = 0; i < 100'000; ++i)
    out.put(i);
  CHECK_THROWS_AS((void)codec::from_bytes<decltype(slow)>(out.bytes()), codec_error);
}

TEST_CASE("pair, tuple, optional and variant keep what they hold") {
  expect_equal(std::pair<int, std::string>(1, "a"));
  expect_equal(std::tuple<int, std::string, point>(1, "a", {1, 2}));
  expect_equal(std::tuple<>());
  expect_equal(std::tuple<std::tuple<int>>(std::tuple<int>(4)));
  expect_equal(std::tuple<no_default>(no_default(3)));
  expect_equal(std::optional<std::string>());
  expect_equal(std::optional<std::string>("a"));
  expect_equal(std::optional<std::optional<int>>(std::optional<int>()));
  expect_equal(std::optional<no_default>(no_default(3)));
  using either = std::variant<std::monostate, int, std::string, int, no_default>;
  expect_equal(either());
  expect_equal(either(std::in_place_index<1>, 5));
  expect_equal(either(std::in_place_index<3>, 5));
  expect_equal(either(no_default(5)));
  expect_refused<either>(5);
  expect_refused<either>(0x80, 0x80, 0x01);
}

TEST_CASE("a variant that lost its value cannot be encoded") {
  std::variant<int, fragile> broken;
  CHECK_THROWS_AS(broken.emplace<fragile>("text"), int);
  REQUIRE(broken.valueless_by_exception());
  CHECK_THROWS_AS((void)codec::to_bytes(broken), codec_error);
}

TEST_CASE("the smaller types of the standard library keep their value") {
  using namespace std::chrono_literals;
  expect_equal(std::chrono::nanoseconds(-5));
  expect_equal(std::chrono::duration<double>(0.5));
  expect_equal(std::chrono::system_clock::now());
  expect_equal(std::complex<double>(1, 2));
  expect_equal(std::complex<long double>(1, 2));
  expect_equal(std::bitset<77>("1011"));
  expect_equal(std::bitset<0>());
  expect_equal(std::filesystem::path("/a/b"));
  expect_equal(std::make_error_code(std::errc::io_error));
  expect_equal(std::error_code(ENOENT, std::system_category()));
}

TEST_CASE("an error_code of an unknown category is refused, by name") {
  class odd final : public std::error_category {
   public:
    const char* name() const noexcept override { return "odd"; }
    std::string message(int) const override { return ""; }
  };
  static const odd category;
  try {
    (void)codec::to_bytes(std::error_code(1, category));
    FAIL("it was encoded");
  } catch (const codec_error& e) {
    CHECK(std::string(e.what()).find("'odd'") != std::string::npos);
    CHECK(std::string(e.what()).find("register_error_category") != std::string::npos);
  }
}

TEST_CASE("aggregates keep their members, arrays and nested ones too") {
  nested value;
  value.name[0] = 'n';
  value.texts[1][0] = "text";
  value.corners[1] = {1, 2};
  value.points = {{3, 4}};
  value.hue = colour::green;
  expect_equal(value);
  expect_equal(constant{1, "text"});
  expect_equal(with_no_default{1, no_default(2), "c"});
  expect_equal(nothing());
  thirty_two many{};
  many.a[32] = 1;
  many.s = "s";
  many.c10 = 9;
  expect_equal(many);
  CHECK(there_and_back(big{{}, true}).last);
  const bit_fields bits = there_and_back(bit_fields{5, 77, "c"});
  CHECK(bits.a == 5);
  CHECK(bits.b == 77);
  CHECK(bits.c == "c");
}

TEST_CASE("a callable without captures takes no bytes and comes back as itself") {
  const auto twice = [](int x) { return 2 * x; };
  CHECK(codec::to_bytes(twice).empty());
  CHECK(there_and_back(twice)(4) == 8);
}

TEST_CASE("a sent closure keeps its captures") {
  int factor = 3;
  const point offset{1, 2};
  auto closure = brigade::send_closure([factor, offset](int x) { return factor * x + offset.y; });
  CHECK(there_and_back(closure)(4) == 14);
  auto counter = brigade::send_closure([n = 1]() mutable { return n++; });
  auto back = there_and_back(counter);
  CHECK(back() == 1);
  CHECK(back() == 2);
}

TEST_CASE("elements without bytes are bounded like others") {
  expect_equal(std::vector<nothing>(5));
  CHECK(codec::to_bytes(std::vector<nothing>(5)).size() == 6);
  expect_refused<std::vector<nothing>>(0xff, 0xff, 0xff, 0xff, 0x0f);
  expect_refused<std::list<std::tuple<>>>(3, 0, 0);
}

TEST_CASE("a type that contains itself is bounded in depth, both ways") {
  struct tree {
    int value = 0;
    std::vector<tree> children;
  };
  tree root;
  for (int i = 0; i < 100; ++i)
    root = tree{i, {root}};
  CHECK(there_and_back(root).children.at(0).value == 98);
  for (int i = 0; i < 100; ++i)
    root = tree{i, {root}};
  CHECK_THROWS_AS((void)codec::to_bytes(root), codec_error);
  const auto bytes = codec::to_bytes(root, {.decoded_bytes = {}, .depth = 1000});
  CHECK_THROWS_AS((void)codec::from_bytes<tree>(bytes), codec_error);
  CHECK(codec::from_bytes<tree>(bytes, {.decoded_bytes = {}, .depth = 1000}).value == 99);
}

TEST_CASE("what is left over is refused") {
  auto bytes = codec::to_bytes(5);
  bytes.push_back(std::byte{0});
  CHECK_THROWS_AS((void)codec::from_bytes<int>(bytes), codec_error);
}
