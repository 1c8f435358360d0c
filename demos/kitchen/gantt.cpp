#include "kitchen/gantt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kitchen {
namespace {

// A bar of `columns` for a time from 0 to `whole_s`.
class bar {
 public:
  bar(double whole_s, std::size_t columns) : whole_s_(whole_s), cells_(columns, ' ') {}

  // Busy wins over oven in a column that has both; whatever happened has a column at least.
  void paint(double start_s, double end_s, char glyph) {
    const std::size_t last = cells_.size() - 1;
    const std::size_t from = std::min(last, column(start_s));
    const std::size_t to = std::clamp(column(end_s), from + 1, cells_.size());
    for (std::size_t at = from; at < to; ++at) {
      if (cells_[at] != busy_glyph) cells_[at] = glyph;
    }
  }

  [[nodiscard]] const std::string& cells() const { return cells_; }

 private:
  [[nodiscard]] std::size_t column(double time_s) const {
    if (!(whole_s_ > 0) || !(time_s > 0)) return 0;
    const double share = std::min(1.0, time_s / whole_s_);
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(cells_.size())));
  }

  double whole_s_;
  std::string cells_;
};

std::string bar_of(const dish_record& dish, double whole_s, std::size_t columns) {
  bar painted(whole_s, columns);
  for (const span_record& part : dish.parts) {
    painted.paint(part.start_s, part.end_s, part.hands_busy ? busy_glyph : oven_glyph);
  }
  return painted.cells();
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string gantt(const kitchen_record& kitchen, std::size_t columns, std::size_t most_lines) {
  const run_record& run = kitchen.median;
  const std::size_t count = run.dishes.size();
  std::vector<const dish_record*> shown;
  for (std::size_t i = 0; i < std::min(count, most_lines); ++i) {
    shown.push_back(&run.dishes[count <= most_lines ? i : i * count / most_lines]);
  }
  std::size_t widest = 0;
  for (const dish_record* dish : shown)
    widest = std::max(widest, width_of(dish->name));

  std::string text;
  for (const dish_record* each : shown) {
    const dish_record& dish = *each;
    const std::string padding(widest - width_of(dish.name), ' ');
    const std::string where =
        kitchen.which == kind::mixed ? fmt::format("  {:<9}", dish.executor) : std::string();
    text += fmt::format("  {}{}{}  chef {:<3} |{}|\n", dish.name, padding, where, dish.chef,
                        bar_of(dish, run.wall_s, columns));
  }
  if (count > shown.size()) {
    text += fmt::format("  ({} of {} dishes, picked evenly)\n", shown.size(), count);
  }
  return text;
}

}  // namespace kitchen
