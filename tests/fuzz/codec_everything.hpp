// One function that hands bytes to every decoder, for the fuzz test of the suite and for libFuzzer.
// It returns normally whatever the bytes are; anything that escapes is a fault of the codec.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <brigade/base/error.hpp>
#include <brigade/codec/cereal.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/codec/exception.hpp>

namespace fuzz {

enum class colour : std::uint16_t { red, green };
enum class yes_no : bool { no, yes };

struct nothing {
  friend auto operator<=>(const nothing&, const nothing&) = default;
};

struct point {
  double x = 0;
  float y = 0;
  float z = 0;
};

struct tree {
  int value = 0;
  std::vector<tree> children;
  std::map<std::string, tree> named;
};

class written_for_cereal {
 public:
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_, text_, inner_);
  }

 private:
  int number_ = 0;
  std::string text_;
  std::vector<written_for_cereal> inner_;
};

struct everything {
  bool flag = false;
  long double wide = 0;
  colour hue = colour::red;
  yes_no answer = yes_no::no;
  std::string text;
  std::u16string text16;
  std::wstring wide_text;
  char name[9] = {};
  std::string names[2][2];
  std::vector<point> points;
  std::vector<bool> bits;
  std::vector<nothing> nothings;
  std::vector<std::string> words;
  std::deque<std::pair<int, std::string>> deque;
  std::list<std::optional<std::array<char, 1000>>> list;
  std::forward_list<std::tuple<bool, char, std::u8string>> forward;
  std::set<std::string> set;
  std::multiset<nothing> empties;
  std::multimap<int, std::vector<int>> multimap;
  std::unordered_map<std::string, std::variant<std::monostate, int, std::string, point>> variants;
  std::unordered_multiset<std::int64_t> numbers;
  std::array<std::vector<std::uint16_t>, 3> arrays;
  std::bitset<77> bitset;
  std::complex<float> complex;
  std::chrono::milliseconds duration{};
  std::chrono::system_clock::time_point when;
  std::filesystem::path path;
  std::error_code code;
  tree forest;
  written_for_cereal object;
};

using types = std::tuple<everything, std::vector<everything>, tree, std::vector<point>,
                         std::vector<nothing>, std::vector<std::vector<std::vector<char>>>,
                         std::unordered_set<int>, std::unordered_map<int, std::string>,
                         std::vector<std::optional<std::array<char, 4000>>>, written_for_cereal,
                         std::vector<std::deque<nothing>>, std::string, std::vector<bool>>;

// What decoding may take; small, so that claims beyond it are found.
inline constexpr std::size_t decoded_bytes = std::size_t{1} << 20;
inline constexpr brigade::codec::limits bounds{.decoded_bytes = decoded_bytes, .depth = 64};

template <class T>
void decode_one(std::span<const std::byte> bytes) {
  try {
    const T value = brigade::codec::from_bytes<T>(bytes, bounds);
    // What was accepted is a value like any other.
    (void)brigade::codec::from_bytes<T>(brigade::codec::to_bytes(value));
  } catch (const brigade::codec_error&) {
  }
}

inline void decode_exception(std::span<const std::byte> bytes) {
  std::exception_ptr failure;
  try {
    brigade::codec::reader in(bytes, bounds);
    failure = brigade::codec::decode_exception(in, {"fuzz", 1, {}});
  } catch (const brigade::codec_error&) {
    return;
  }
  brigade::codec::writer out;
  brigade::codec::encode_exception(out, failure);
}

// The first byte chooses the type.
inline void decode_everything(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const auto choice = std::to_integer<std::size_t>(bytes[0]) % (std::tuple_size_v<types> + 1);
  bytes = bytes.subspan(1);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((choice == I ? decode_one<std::tuple_element_t<I, types>>(bytes) : void()), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<types>>{});
  if (choice == std::tuple_size_v<types>) decode_exception(bytes);
}

}  // namespace fuzz
