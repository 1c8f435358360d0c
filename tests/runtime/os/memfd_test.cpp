#include <brigade/os/memfd.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <system_error>

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

TEST_CASE("mapping what cannot be mapped fails") {
  const os::pipe pipe = os::make_pipe();
  CHECK_THROWS_AS(os::mapping(pipe.read_end.get(), 4096), std::system_error);
}
