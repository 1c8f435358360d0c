// The names of the executors, as tags for the compiler and as a value for run time.
//
// A tag (`brigade::loop`) fixes the executor at compile time, so what cannot travel to a process
// is refused while compiling. A value of `executor_kind`, read from a flag with `parse_executor`,
// chooses at run time. Both convert to the same thing; neither owns anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brigade {

enum class executor_kind : std::uint8_t { loop, threads, processes };

inline constexpr std::array<executor_kind, 3> all_executors{
    executor_kind::loop, executor_kind::threads, executor_kind::processes};

template <executor_kind Kind>
struct executor_tag {
  static constexpr executor_kind kind = Kind;
  constexpr operator executor_kind() const noexcept { return Kind; }
};

inline constexpr executor_tag<executor_kind::loop> loop{};
inline constexpr executor_tag<executor_kind::threads> threads{};
inline constexpr executor_tag<executor_kind::processes> processes{};

// "loop", "threads" or "processes".
[[nodiscard]] std::string_view to_string(executor_kind kind) noexcept;

// The inverse of to_string. Throws std::invalid_argument for any other word; its message names the
// word, the words that are allowed and the nearest of them.
[[nodiscard]] executor_kind parse_executor(std::string_view name);

[[nodiscard]] constexpr std::size_t index_of(executor_kind kind) noexcept {
  return static_cast<std::size_t>(kind);
}

}  // namespace brigade
