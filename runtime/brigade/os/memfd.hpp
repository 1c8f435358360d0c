// Memory with a descriptor, to be shared with processes that are handed the descriptor, and the
// owner of a mapping.
//
// The file has no name in any file system: nothing is left however the program dies. Its size is
// sealed, so that no peer can take pages away from under a mapping (which would be SIGBUS).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <brigade/os/fd.hpp>

namespace brigade::os {

// `name` shows in /proc/PID/maps as "/memfd:name". Zero-filled.
[[nodiscard]] unique_fd make_sealed_memfd(const std::string& name, std::size_t bytes);

// The same with that content.
[[nodiscard]] unique_fd make_sealed_memfd(const std::string& name,
                                          std::span<const std::byte> content);
// One that grows as it is written to; not to be mapped.
[[nodiscard]] unique_fd make_memfd(const std::string& name);

// The size of a received memfd. Throws std::system_error with EINVAL when `fd` is not a memfd
// whose size is sealed: then mapping it would not be safe.
[[nodiscard]] std::size_t sealed_memfd_bytes(int fd);

// Shared memory that is unmapped with its owner; the address does not change when moved.
class mapping {
 public:
  enum class access { read_only, read_write };

  mapping() noexcept = default;
  // Maps all of [0, bytes) of `fd`, which may be closed afterwards. bytes > 0.
  mapping(int fd, std::size_t bytes, access how = access::read_write);
  mapping(mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  mapping& operator=(mapping&& other) noexcept;
  ~mapping() { unmap(); }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, bytes_}; }

 private:
  void unmap() noexcept;

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace brigade::os
