#include <brigade/os/memfd.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <system_error>
#include <vector>

#include <brigade/os/pipe.hpp>
#include <brigade/os/process.hpp>

using namespace brigade;

TEST_CASE("shared memory is zero at first and nobody can change its size") {
  const os::unique_fd memory = os::make_sealed_memfd("test", 8192);
  CHECK(os::sealed_memfd_bytes(memory.get()) == 8192);
  CHECK(::ftruncate(memory.get(), 4096) == -1);
  CHECK(::ftruncate(memory.get(), 16384) == -1);
  const os::mapping mapped(memory.get(), 8192);
  for (const std::byte byte : mapped.bytes()) REQUIRE(byte == std::byte{0});
}

TEST_CASE("two mappings of one memory, and a child's, see the same bytes") {
  const os::unique_fd memory = os::make_sealed_memfd("test", 4096);
  const os::mapping first(memory.get(), 4096);
  const os::mapping second(memory.get(), 4096, os::mapping::access::read_only);
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    first.data()[10] = std::byte{99};
    ::_exit(0);
  }
  CHECK(child.wait().exit_code == 0);
  CHECK(second.data()[10] == std::byte{99});
}

TEST_CASE("a mapping keeps its address when it moves and outlives the descriptor") {
  os::unique_fd memory = os::make_sealed_memfd("test", 4096);
  os::mapping first(memory.get(), 4096);
  memory.reset();
  std::byte* const address = first.data();
  os::mapping second = std::move(first);
  CHECK(first.data() == nullptr);
  CHECK(first.size() == 0);
  CHECK(second.data() == address);
  second.data()[0] = std::byte{1};
  second = os::mapping();
  CHECK(second.data() == nullptr);
}

TEST_CASE("memory whose size a peer could change is refused") {
  const os::unique_fd unsealed(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK_THROWS_AS((void)os::sealed_memfd_bytes(unsealed.get()), std::system_error);
  const os::pipe pipe = os::make_pipe();
  CHECK_THROWS_AS((void)os::sealed_memfd_bytes(pipe.read_end.get()), std::system_error);
}

TEST_CASE("memory that grows never shrinks, and keeps what is in it") {
  const os::unique_fd memory = os::make_growing_memfd("test");
  CHECK(os::growing_memfd_bytes(memory.get()) == 0);
  os::grow_memfd(memory.get(), 65536);
  const os::mapping first(memory.get(), 0, 65536, os::mapping::access::read_write);
  first.data()[65535] = std::byte{7};
  os::grow_memfd(memory.get(), 131072);
  os::grow_memfd(memory.get(), 4096);
  CHECK(os::growing_memfd_bytes(memory.get()) == 131072);
  CHECK(::ftruncate(memory.get(), 4096) == -1);
  CHECK(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE) == -1);
  const os::mapping part(memory.get(), 65536, 65536, os::mapping::access::read_only);
  CHECK(part.data()[0] == std::byte{0});
  CHECK(first.data()[65535] == std::byte{7});
}

TEST_CASE("memory that could shrink, or cannot grow, is no growing memory") {
  const os::unique_fd unsealed(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const os::unique_fd sealed = os::make_sealed_memfd("test", 4096);
  const os::pipe pipe = os::make_pipe();
  for (const int fd : {unsealed.get(), sealed.get(), pipe.read_end.get(), -1}) {
    CHECK_THROWS_AS((void)os::growing_memfd_bytes(fd), std::system_error);
    CHECK_THROWS_AS(os::grow_memfd(fd, 8192), std::system_error);
  }
}

TEST_CASE("pages that were given back cost nothing and read as zeros, through every mapping") {
  const os::unique_fd memory = os::make_growing_memfd("test");
  os::grow_memfd(memory.get(), 131072);
  const os::mapping all(memory.get(), 131072);
  std::memset(all.data(), 'x', all.size());
  const auto pages_of = [&] {
    struct stat status {};
    REQUIRE(::fstat(memory.get(), &status) == 0);
    return static_cast<std::size_t>(status.st_blocks) * 512;
  };
  CHECK(pages_of() == 131072);
  os::free_memfd_pages(memory.get(), 65536, 65536);
  CHECK(pages_of() == 65536);
  CHECK(os::growing_memfd_bytes(memory.get()) == 131072);
  CHECK(all.data()[65535] == std::byte{'x'});
  CHECK(all.data()[65536] == std::byte{0});
}

TEST_CASE("where files may not grow, memory does not, and no signal is raised") {
  const os::unique_fd memory = os::make_growing_memfd("test");
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    const rlimit most{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &most);
    os::grow_memfd(memory.get(), 65536);
    try {
      os::grow_memfd(memory.get(), 65537);
    } catch (const std::system_error& failure) {
      ::_exit(failure.code().value());
    }
    ::_exit(0);
  }
  CHECK(child.wait().exit_code == EFBIG);
}

TEST_CASE("private memory about to be filled stays as it is, of whatever size") {
  std::vector<char> memory(std::size_t{5} << 20, 'x');
  os::about_to_fill(memory.data(), memory.size());
  os::about_to_fill(memory.data() + 1, 10);
  os::about_to_fill(memory.data(), 0);
  CHECK(memory == std::vector<char>(memory.size(), 'x'));
}

TEST_CASE("mapping what cannot be mapped fails") {
  const os::pipe pipe = os::make_pipe();
  CHECK_THROWS_AS(os::mapping(pipe.read_end.get(), 4096), std::system_error);
}
