#include "kitchen/problem.hpp"

#include <cstddef>
#include <system_error>

namespace kitchen {

std::string one_line(std::string_view text) {
  constexpr std::size_t longest = 200;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string line;
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += digits[byte >> 4];
      line += digits[byte & 15];
    } else {
      line += c;
    }
  }
  if (text.size() > longest) line += "...";
  return line;
}

std::string in_quotes(std::string_view text) { return "'" + one_line(text) + "'"; }

std::string system_text(int error_number) { return std::generic_category().message(error_number); }

}  // namespace kitchen
