// Measured figures as people read them: three digits that mean something, and a unit.
#pragma once

#include <cstdint>
#include <string>

namespace brigade::measure {

// With a point whatever the locale, "3.14" for (3.14159, 2).
[[nodiscard]] std::string format_fixed(double value, int decimals);

[[nodiscard]] std::string format_seconds(double seconds);     // "12.3 s", "0.118 s", "7 µs"
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);  // "640 KiB", "4.1 MiB"
[[nodiscard]] std::string format_ratio(double ratio);         // "1.02x", "5.4x", "170x"
[[nodiscard]] std::string format_percent(double share);       // "98 %"

}  // namespace brigade::measure
