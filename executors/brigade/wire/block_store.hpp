// Memory for large bodies: blocks of one file that grows, written by the process that has the store
// and read by others where they lie (block_reader). A block that is given back keeps its pages and
// its mapping for the next one that fits, so that page faults are paid once; what has not been used
// for a while, or is too much to keep, goes back to the system.
//
// The file is anonymous: nothing is left however its processes end. A process that was forked
// shares it and may not touch it: there the store has no blocks. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/os/fd.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/process.hpp>

namespace brigade::wire {

// A part of the file. Move-only, like its mapping.
struct block {
  std::uint64_t at = 0;  // in the file
  os::mapping memory;

  [[nodiscard]] explicit operator bool() const noexcept { return memory.data() != nullptr; }
};

class block_store {
 public:
  block_store() = default;  // makes its file when that is needed
  // With a file of os::make_growing_memfd(); with none it has no blocks.
  explicit block_store(os::unique_fd file);

  // For whoever is to read the blocks. Throws std::system_error.
  [[nodiscard]] int file();

  // At least so many bytes, with anything in them; an empty block when there is none: too many are
  // in use, or the system refuses.
  [[nodiscard]] block take(std::size_t bytes) noexcept;
  void give_back(block&& used) noexcept;

  // From now on what is given back is kept for nobody.
  void close() noexcept;
  // Lets go of free blocks that were last used before that.
  void trim(os::deadline before) noexcept;
  // Bytes that it holds, free or in use. seq_cst, no lock: take() changes it before it returns.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return held_.load(std::memory_order_seq_cst);
  }
  [[nodiscard]] bool has_free() const noexcept;
  // False in a process that was forked from the store's.
  [[nodiscard]] bool is_in_its_process() const noexcept { return mark_.is_original(); }

 private:
  struct extent {
    std::uint64_t at;
    std::uint64_t bytes;
    os::deadline since{};
    os::mapping memory;  // of a free one; else its user has it
  };

  [[nodiscard]] bool is_own_file() const noexcept;
  [[nodiscard]] block make(std::size_t bytes);
  void drop(std::size_t index) noexcept;
  void keep_within_bounds() noexcept;

  const os::fork_mark mark_;
  mutable std::mutex mutex_;
  std::atomic<std::size_t> held_{0};
  os::unique_fd file_;
  bool made_ = false;
  bool closed_ = false;
  os::file_identity identity_;
  std::vector<extent> extents_;  // in the order of the file
};

// The readers' side.
class block_reader {
 public:
  block_reader() = default;  // there are no blocks
  explicit block_reader(os::unique_fd file);

  struct found {
    std::span<const std::byte> bytes;
    std::shared_ptr<const os::mapping> memory;  // keeps them mapped
  };
  // What lies there; nullopt when it is not inside of the file, or cannot be mapped.
  [[nodiscard]] std::optional<found> read(std::uint64_t at, std::uint64_t bytes) noexcept;
  // Whether the descriptor is still that of the file: a task may have closed it.
  [[nodiscard]] bool has_its_file() const noexcept;

 private:
  [[nodiscard]] bool map_all(std::size_t there);
  [[nodiscard]] found read_alone(std::uint64_t at, std::uint64_t bytes) const;

  os::unique_fd file_;
  os::file_identity identity_;
  std::shared_ptr<const os::mapping> mapped_;
};

}  // namespace brigade::wire
