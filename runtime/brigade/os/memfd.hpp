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

// One that may grow and never shrinks: what was inside of it once can be mapped safely. Empty.
[[nodiscard]] unique_fd make_growing_memfd(const std::string& name);
// The size of such a file. Throws std::system_error with EINVAL when `fd` is none.
[[nodiscard]] std::size_t growing_memfd_bytes(int fd);
// Makes it that large, at least. Throws std::system_error with EFBIG, and raises no signal, where
// the limit for files of this process forbids it.
void grow_memfd(int fd, std::size_t bytes);
// Gives the memory of these whole pages back; they read as zeros. Other mappings stay valid.
void free_memfd_pages(int fd, std::size_t offset, std::size_t bytes) noexcept;

// Private memory that is fresh from the allocator and about to be filled: large pages, where the
// system has them, make for fewer page faults.
void about_to_fill(void* memory, std::size_t bytes) noexcept;

// Shared memory that is unmapped with its owner; the address does not change when moved.
class mapping {
 public:
  enum class access { read_only, read_write };

  mapping() noexcept = default;
  // Maps all of [0, bytes) of `fd`, which may be closed afterwards. bytes > 0.
  mapping(int fd, std::size_t bytes, access how = access::read_write)
      : mapping(fd, 0, bytes, how) {}
  // A part of it; `offset` is that of a page.
  mapping(int fd, std::size_t offset, std::size_t bytes, access how);
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
