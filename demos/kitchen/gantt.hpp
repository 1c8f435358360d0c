// Who cooked what when, as text: a line per dish, with the chef's hands busy (#) or the dish in the
// oven (-) while the chef was free or stood waiting.
//
//   soup     chef 0  |----------#               |
#pragma once

#include <cstddef>
#include <string>

#include "kitchen/report.hpp"

namespace kitchen {

inline constexpr char busy_glyph = '#';
inline constexpr char oven_glyph = '-';

// At most `most_lines` dishes, picked evenly; then a last line says so. Ends with a newline.
// `columns` is the width of the bars; the whole bar is the kitchen's wall time.
[[nodiscard]] std::string gantt(const kitchen_record& kitchen, std::size_t columns = 60,
                                std::size_t most_lines = 10);

// How many columns of a terminal `text` takes (UTF-8, one column per code point).
[[nodiscard]] std::size_t width_of(std::string_view text);

}  // namespace kitchen
