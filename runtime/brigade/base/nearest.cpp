#include <brigade/base/nearest.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace brigade {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without its dashes: options are not near each other for being options.
std::string_view bare(std::string_view word) noexcept {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  return word;
}

// Optimal string alignment distance, three rows at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [&](std::size_t i, std::size_t j) { return lower(a[i]) == lower(b[j]); };
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = previous[j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      current[j] = std::min({replace, previous[j] + 1, current[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (best.empty() || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  const bool near_enough = 2 * best_distance <= std::max(bare(word).size(), bare(best).size());
  return near_enough ? best : std::string_view{};
}

std::string not_one_of(std::string_view word, std::span<const std::string_view> candidates) {
  std::string text = "'" + std::string(word) + "' is not one of ";
  bool first = true;
  for (const std::string_view candidate : candidates) {
    if (!first) text += ", ";
    text += candidate;
    first = false;
  }
  text += '.';
  if (const std::string_view meant = nearest(word, candidates); !meant.empty()) {
    text += " Did you mean '" + std::string(meant) + "'?";
  }
  return text;
}

}  // namespace brigade
