#include <brigade/codec/transportable.hpp>

#include <any>
#include <atomic>
#include <complex>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace codec = brigade::codec;
using codec::transportable;

namespace {

enum class colour : short { red, green };
enum class yes_no : bool { no, yes };

struct point {
  double x, y, z;
};
struct tree {
  int value;
  std::vector<tree> children;
};
struct many_arrays {
  int a;
  char name[16];
  int matrix[2][3];
  point corners[2];
  std::string texts[2];
};
struct constant {
  const int a;
  std::string b;
};
struct bit_fields {
  unsigned a : 3;
  unsigned b : 29;
  std::string c;
};
struct multiplier {
  int factor;
  int operator()(int x) const { return factor * x; }
};
struct thirty_two {
  int a[33];
  std::string s;
  int a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, c1, c2, c3,
      c4, c5, c6, c7, c8, c9, c10;
};

struct base {
  int a;
};
struct derived : base {
  int b;
};
struct no_members {};
struct derived_from_empty : no_members {
  int a;
};
struct anonymous_union {
  union {
    int a;
    float b;
  };
  int c;
};
union either {
  int a;
  float b;
};
struct union_member {
  int a;
  either b;
};
struct pointer_member {
  int a;
  int* b;
};
struct reference_member {
  int& a;
};
struct const_reference_member {
  const int& a = 5;
};
int global = 0;
struct defaulted_reference {
  int a;
  int& b = global;
};
struct mutex_member {
  std::mutex a;
};
struct atomic_member {
  std::atomic<int> a;
};
struct function_member {
  std::function<void()> a;
};
struct view_member {
  std::string_view a;
};
struct volatile_member {
  volatile int a;
};
struct deep_pointer {
  std::vector<std::optional<pointer_member>> a;
};
class private_members {
 public:
  [[nodiscard]] int a() const { return a_; }

 private:
  int a_ = 0;
};
struct incomplete;

// No default constructor, and a coder of its own.
class taught {
 public:
  explicit taught(int value) : value_(value) {}
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};
struct taught_member {
  int a;
  taught b;
  std::optional<int> c;
};
struct taught_array {
  taught a[2];
};
struct half_taught {
  explicit half_taught(int) {}
};

}  // namespace

template <>
struct brigade::codec::coder<taught> {
  static void write(writer& out, const taught& value) { write_value(out, value.value()); }
  static taught read(reader& in) { return taught(read_value<int>(in)); }
};
template <>
struct brigade::codec::coder<half_taught> {
  static void write(writer&, const half_taught&) {}
};
// As the room that knows about code identity does.
template <class R, class... A>
struct brigade::codec::coder<R (*)(A...)> {
  static void write(writer&, R (*)(A...)) {}
  static auto read(reader&) -> R (*)(A...) { return nullptr; }
};

TEST_CASE("values travel") {
  static_assert(transportable<int>);
  static_assert(transportable<const int>);
  static_assert(transportable<bool>);
  static_assert(transportable<long double>);
  static_assert(transportable<char8_t>);
  static_assert(transportable<wchar_t>);
  static_assert(transportable<std::byte>);
  static_assert(transportable<colour>);
  static_assert(transportable<yes_no>);
  static_assert(transportable<std::string>);
  static_assert(transportable<std::u32string>);
  static_assert(transportable<std::vector<bool>>);
  static_assert(transportable<std::vector<std::vector<std::string>>>);
  static_assert(transportable<std::array<std::string, 3>>);
  static_assert(transportable<std::map<int, int, std::greater<>>>);
  static_assert(transportable<std::unordered_multimap<std::string, tree>>);
  static_assert(transportable<std::forward_list<std::deque<std::list<int>>>>);
  static_assert(transportable<std::tuple<>>);
  static_assert(transportable<std::tuple<std::tuple<int>>>);
  static_assert(transportable<std::pair<const int, std::string>>);
  static_assert(transportable<std::optional<std::variant<std::monostate, int>>>);
  static_assert(transportable<std::chrono::steady_clock::time_point>);
  static_assert(transportable<std::complex<float>>);
  static_assert(transportable<std::filesystem::path>);
  static_assert(transportable<std::bitset<9>>);
  static_assert(transportable<std::error_code>);
  CHECK(codec::why_not_transportable<int>().empty());
}

TEST_CASE("plain aggregates travel without a macro") {
  static_assert(transportable<point>);
  static_assert(transportable<tree>);
  static_assert(transportable<many_arrays>);
  static_assert(transportable<constant>);
  static_assert(transportable<bit_fields>);
  static_assert(transportable<multiplier>);
  static_assert(transportable<thirty_two>);
  static_assert(codec::detail::field_count<thirty_two> == 32);
  static_assert(transportable<no_members>);
}

TEST_CASE("a type with a coder of its own travels, wherever it lies") {
  static_assert(transportable<taught>);
  static_assert(transportable<taught_member>);
  static_assert(transportable<std::vector<taught>>);
  static_assert(transportable<int (*)(double)>);
  static_assert(transportable<std::pair<int (*)(double), int>>);
  static_assert(!transportable<taught_array>);  // cannot be made before it is read
  static_assert(!transportable<half_taught>);
}

TEST_CASE("what refers to memory of this process does not travel") {
  static_assert(!transportable<void>);
  static_assert(!transportable<int*>);
  static_assert(!transportable<const char*>);
  static_assert(!transportable<std::nullptr_t>);
  static_assert(!transportable<int point::*>);
  static_assert(!transportable<int&>);
  static_assert(!transportable<int&&>);
  static_assert(!transportable<int()>);
  static_assert(!transportable<int[3]>);
  static_assert(!transportable<std::string_view>);
  static_assert(!transportable<std::span<int>>);
  static_assert(!transportable<std::function<int()>>);
  static_assert(!transportable<std::reference_wrapper<int>>);
  static_assert(!transportable<std::unique_ptr<int>>);
  static_assert(!transportable<std::shared_ptr<int>>);
  static_assert(!transportable<std::exception_ptr>);
  static_assert(!transportable<std::any>);
  static_assert(!transportable<std::mutex>);
  static_assert(!transportable<std::atomic<int>>);
  static_assert(!transportable<std::thread>);
  static_assert(!transportable<std::vector<int>::iterator>);
  CHECK(codec::why_not_transportable<int*>() == codec::not_transportable_text);
}

TEST_CASE("what holds such a thing does not travel either") {
  static_assert(!transportable<std::vector<int*>>);
  static_assert(!transportable<std::vector<std::string_view>>);
  static_assert(!transportable<std::map<int, int*>>);
  static_assert(!transportable<std::map<int, int, std::function<bool(int, int)>>>);
  static_assert(!transportable<std::optional<int*>>);
  static_assert(!transportable<std::variant<int, char*>>);
  static_assert(!transportable<std::tuple<int&>>);
  static_assert(!transportable<std::pair<int, const char*>>);
  static_assert(!transportable<pointer_member>);
  static_assert(!transportable<reference_member>);
  static_assert(!transportable<const_reference_member>);
  static_assert(!transportable<defaulted_reference>);
  static_assert(!transportable<mutex_member>);
  static_assert(!transportable<atomic_member>);
  static_assert(!transportable<function_member>);
  static_assert(!transportable<view_member>);
  static_assert(!transportable<volatile_member>);
  static_assert(!transportable<deep_pointer>);
}

TEST_CASE("classes that cannot be taken apart do not travel") {
  static_assert(!transportable<derived>);
  static_assert(!transportable<derived_from_empty>);
  static_assert(!transportable<either>);
  static_assert(!transportable<union_member>);
  static_assert(!transportable<anonymous_union>);
  static_assert(!transportable<private_members>);
  static_assert(!transportable<incomplete>);
}

TEST_CASE("callables travel unless they capture") {
  int number = 3;
  int* const pointer = &number;
  const auto plain = [](int x) { return x; };
  const auto generic = [](auto x) { return x; };
  const auto by_value = [number](int x) { return x * number; };
  const auto by_reference = [&](int x) { return x * number; };
  const auto nothing_by_reference = [&](int x) { return x; };
  const auto by_pointer = [pointer] { return *pointer; };
  static_assert(transportable<decltype(plain)>);
  static_assert(transportable<decltype(generic)>);
  static_assert(transportable<std::plus<>>);
  static_assert(!transportable<decltype(by_value)>);
  static_assert(!transportable<decltype(by_reference)>);
  static_assert(!transportable<decltype(nothing_by_reference)>);
  static_assert(!transportable<decltype(by_pointer)>);
  static_assert(transportable<decltype(brigade::send_closure(by_value))>);
  CHECK(plain(1) + generic(1) + by_value(1) + by_reference(1) + nothing_by_reference(1) +
            by_pointer() ==
        12);
}

TEST_CASE("the question never fails to compile by itself") {
  const auto answer = []<class T>(std::type_identity<T>) {
    return requires { requires transportable<T>; };
  };
  CHECK(answer(std::type_identity<int>{}));
  CHECK_FALSE(answer(std::type_identity<incomplete>{}));
  CHECK_FALSE(answer(std::type_identity<incomplete&>{}));
  CHECK_FALSE(answer(std::type_identity<std::vector<std::unique_ptr<tree>>>{}));
}
