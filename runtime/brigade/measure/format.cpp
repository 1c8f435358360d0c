#include <brigade/measure/format.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace brigade::measure {

std::string format_fixed(double value, int decimals) {
  std::array<char, 512> room;  // 309 digits before the point at most
  const auto result = std::to_chars(room.data(), room.data() + room.size(), value,
                                    std::chars_format::fixed, decimals);
  return {room.data(), result.ptr};
}

std::string format_seconds(double seconds) {
  if (seconds >= 100) return format_fixed(seconds, 0) + " s";
  if (seconds >= 10) return format_fixed(seconds, 1) + " s";
  if (seconds >= 1) return format_fixed(seconds, 2) + " s";
  if (seconds >= 0.1) return format_fixed(seconds, 3) + " s";
  if (seconds >= 0.01) return format_fixed(seconds * 1e3, 1) + " ms";
  if (seconds >= 0.001) return format_fixed(seconds * 1e3, 2) + " ms";
  return format_fixed(seconds * 1e6, 0) + " µs";
}

std::string format_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  constexpr double kibi = 1024;
  if (value >= 1000 * kibi * kibi) return format_fixed(value / (kibi * kibi * kibi), 2) + " GiB";
  if (value >= 1000 * kibi) return format_fixed(value / (kibi * kibi), 1) + " MiB";
  if (value >= 1000) return format_fixed(value / kibi, 0) + " KiB";
  return std::to_string(bytes) + " B";
}

std::string format_ratio(double ratio) {
  const int decimals = ratio >= 100 ? 0 : ratio >= 2 ? 1 : 2;
  return format_fixed(ratio, decimals) + "x";
}

std::string format_percent(double share) {
  const double percent = 100 * share;
  // 99.6 % is not 100 %, and 0.4 % is not nothing.
  const bool edge = (percent > 99 && percent < 99.95) || (percent < 1 && percent >= 0.05);
  return format_fixed(percent, edge ? 1 : 0) + " %";
}

}  // namespace brigade::measure
