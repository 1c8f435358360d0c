// Pages that the host shares with one worker, which writes there what the host will want to know
// when the worker is dead: how far it came, and, from the handler of a fatal signal, where it
// crashed. Their own, not in the lane: nothing is read of them while the worker lives, and whatever
// is read may be nonsense.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/os/memfd.hpp>

namespace brigade::detail {

// What is known of a crash.
struct crash {
  int signal = 0;
  std::optional<std::uint64_t> fault_address;
  std::vector<std::string> backtrace;  // innermost first, as os::describe_code() puts it
};

class black_box {
 public:
  enum class stage : std::uint32_t { booting, initializing, ready };

  black_box() = default;
  // A fresh one; `fd` is for the worker. Throws std::system_error.
  [[nodiscard]] static black_box make(os::unique_fd& fd);
  // The worker's view; `fd` may be closed afterwards. Throws std::system_error.
  explicit black_box(int fd);

  void note(stage reached) const noexcept;
  [[nodiscard]] stage reached() const noexcept;

  // --- in the worker's signal handler: these are async-signal-safe -------------------------------
  void begin_crash(int signal, std::optional<std::uint64_t> fault_address) const noexcept;
  // A place in the code of a module: its file (cut when it is very long), and the offset in it.
  void add_frame(const char* file, std::uint64_t offset) const noexcept;

  // --- in the host, after the worker's death
  // ------------------------------------------------------ Empty when no handler has run.
  [[nodiscard]] std::optional<crash> read_crash() const;

 private:
  static constexpr std::size_t most_frames = 64;
  static constexpr std::size_t most_files = 20;

  struct frame {
    std::uint64_t offset;
    std::uint32_t file;
  };
  struct page {
    std::atomic<stage> reached{stage::booting};
    int signal = 0;
    std::uint32_t has_address = 0;  // no bool: whatever a worker writes must be a value
    std::uint64_t fault_address = 0;
    std::uint32_t frame_count = 0;
    std::uint32_t file_count = 0;
    std::array<frame, most_frames> frames{};
    std::array<std::array<char, 256>, most_files> files{};
  };
  [[nodiscard]] page& shared() const noexcept;

  os::mapping mapping_;
};

}  // namespace brigade::detail
