#include <brigade/os/memfd.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

unique_fd make_sealed_memfd(const std::string& name, std::size_t bytes) {
  unique_fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw_errno("memfd_create", "'" + name + "'");
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) == -1) {
    throw_errno("ftruncate", "memfd '" + name + "' to " + std::to_string(bytes) + " bytes");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1) {
    throw_errno("fcntl(F_ADD_SEALS)", "memfd '" + name + "'");
  }
  return fd;
}

unique_fd make_sealed_memfd(const std::string& name, std::span<const std::byte> content) {
  unique_fd fd = make_sealed_memfd(name, content.size());
  write_full(fd.get(), content);
  return fd;
}

unique_fd make_memfd(const std::string& name) {
  unique_fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!fd) throw_errno("memfd_create", "'" + name + "'");
  return fd;
}

std::size_t sealed_memfd_bytes(int fd) {
  const std::string name = "descriptor " + std::to_string(fd);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals == -1) throw_errno("fcntl(F_GET_SEALS)", name);
  if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) {
    throw_system_failure(EINVAL, "size seals", name);
  }
  struct stat status {};
  if (::fstat(fd, &status) == -1) throw_errno("fstat", name);
  return static_cast<std::size_t>(status.st_size);
}

unique_fd make_growing_memfd(const std::string& name) {
  unique_fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw_errno("memfd_create", "'" + name + "'");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == -1) {
    throw_errno("fcntl(F_ADD_SEALS)", "memfd '" + name + "'");
  }
  return fd;
}

std::size_t growing_memfd_bytes(int fd) {
  const std::string name = "descriptor " + std::to_string(fd);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals == -1) throw_errno("fcntl(F_GET_SEALS)", name);
  if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != F_SEAL_SHRINK) {
    throw_system_failure(EINVAL, "size seals", name);
  }
  struct stat status {};
  if (::fstat(fd, &status) == -1) throw_errno("fstat", name);
  return static_cast<std::size_t>(status.st_size);
}

void grow_memfd(int fd, std::size_t bytes) {
  if (bytes <= growing_memfd_bytes(fd)) return;
  const std::string name =
      "descriptor " + std::to_string(fd) + " to " + std::to_string(bytes) + " bytes";
  rlimit most{};
  if (::getrlimit(RLIMIT_FSIZE, &most) == 0 && bytes > most.rlim_cur) {
    throw_system_failure(EFBIG, "ftruncate", name);  // the system would send SIGXFSZ
  }
  if (::ftruncate(fd, static_cast<off_t>(bytes)) == -1) throw_errno("ftruncate", name);
}

void free_memfd_pages(int fd, std::size_t offset, std::size_t bytes) noexcept {
  (void)::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(bytes));
}

void about_to_fill(void* memory, std::size_t bytes) noexcept {
  constexpr std::uintptr_t large_page = std::uintptr_t{2} << 20;
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (first + large_page - 1) / large_page * large_page;
  const std::uintptr_t end = (first + bytes) / large_page * large_page;
  if (begin >= end) return;
  // Advice: where the system has none of them, all stays as it was.
  (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

mapping::mapping(int fd, std::size_t offset, std::size_t bytes, access how) : bytes_(bytes) {
  const int protection = how == access::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  void* at = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    throw_errno("mmap", std::to_string(bytes) + " bytes of descriptor " + std::to_string(fd));
  }
  data_ = static_cast<std::byte*>(at);
}

mapping& mapping::operator=(mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    data_ = std::exchange(other.data_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void mapping::unmap() noexcept {
  if (data_ != nullptr) ::munmap(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace brigade::os
