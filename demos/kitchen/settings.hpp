// What the user asked `brigade kitchen` for, checked: nothing has been started or written yet when
// this is complete, and everything that is wrong has been thrown as a `problem`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kitchen/menu.hpp"

namespace kitchen {

enum class kind : std::uint8_t { serial, loop, threads, processes, mixed };

inline constexpr std::array<std::string_view, 5> kind_names{"serial", "loop", "threads",
                                                            "processes", "mixed"};

[[nodiscard]] constexpr std::string_view to_string(kind which) noexcept {
  return kind_names[static_cast<std::size_t>(which)];
}

enum class output_format : std::uint8_t { text, json };
enum class colour_choice : std::uint8_t { automatic, always, never };

struct settings {
  menu dishes;
  std::vector<kind> kitchens;
  unsigned chefs = 10;
  unsigned runs = 5;
  std::uint64_t seed = 42;
  output_format format = output_format::text;
  colour_choice colour = colour_choice::automatic;
  bool quiet = false;
  std::optional<std::string> export_json;  // paths; "-" is stdout
  std::optional<std::string> export_trace;
  std::uint64_t tampered_reply = 0;  // the how many-th reply arrives altered; 0 is none
};

// nullopt when help was asked for and printed. `words` are the arguments after "kitchen".
[[nodiscard]] std::optional<settings> read_settings(std::vector<std::string> words);

}  // namespace kitchen
