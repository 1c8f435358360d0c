// "Did you mean": finds the allowed word that is nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace brigade {

// The candidate with the smallest edit distance (Damerau's, adjacent transpositions cost one),
// or an empty view when none is near enough to be what was meant (more than half of it differs).
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

// One sentence for an error: "'thraeds' is not one of loop, threads. Did you mean 'threads'?"
[[nodiscard]] std::string not_one_of(std::string_view word,
                                     std::span<const std::string_view> candidates);

}  // namespace brigade
