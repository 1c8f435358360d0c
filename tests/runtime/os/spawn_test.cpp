#include <brigade/os/spawn.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include <brigade/os/pipe.hpp>
#include <brigade/os/signal.hpp>

using namespace brigade;

namespace {

std::string text_from(int fd) {
  std::string text;
  std::array<std::byte, 4096> room;
  while (const std::size_t n = os::read_full(fd, room)) {
    text.append(reinterpret_cast<const char*>(room.data()), n);
  }
  return text;
}

// What os_peer, started with these options, says of itself; its output is the number `out`.
std::string described(os::spawn_options options, int out = 1) {
  os::pipe output = os::make_pipe();
  options.path = PEERS "/os_peer";
  options.arguments = {"os_peer", "describe"};
  options.descriptors.push_back({output.write_end.get(), out});
  os::child_process child = os::spawn(options);
  output.write_end.reset();
  const std::string text = text_from(output.read_end.get());
  CHECK(child.wait() == os::process_end{0, std::nullopt});
  return text;
}

std::size_t lines_with(const std::string& text, const std::string& start) {
  std::size_t count = text.starts_with(start) ? 1 : 0;
  for (std::size_t at = text.find("\n" + start); at != text.npos;
       at = text.find("\n" + start, at + 1)) {
    ++count;
  }
  return count;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a child has the descriptors it was given, under their numbers, and no other") {
  const int leaking = ::open("/dev/zero", O_RDONLY);  // not close-on-exec, as in foreign code
  const os::unique_fd random = os::open_file("/dev/urandom", O_RDONLY);
  os::spawn_options options;
  options.descriptors = {{random.get(), 7}};
  const std::string text = described(options);
  CHECK(contains(text, "fd 0 /dev/null\n"));
  CHECK(contains(text, "fd 1 pipe:"));
  CHECK(contains(text, "fd 2 /dev/null\n"));
  CHECK(contains(text, "fd 7 /dev/urandom\n"));
  CHECK(lines_with(text, "fd ") == 4);
  ::close(leaking);
}

TEST_CASE("descriptors may trade numbers") {
  const os::unique_fd zero = os::open_file("/dev/zero", O_RDONLY);
  const os::unique_fd random = os::open_file("/dev/urandom", O_RDONLY);
  os::spawn_options options;
  options.descriptors = {{zero.get(), random.get()}, {random.get(), zero.get()}};
  const std::string text = described(options);
  CHECK(contains(text, "fd " + std::to_string(random.get()) + " /dev/zero\n"));
  CHECK(contains(text, "fd " + std::to_string(zero.get()) + " /dev/urandom\n"));
}

TEST_CASE("a descriptor may keep its number") {
  const os::unique_fd zero = os::open_file("/dev/zero", O_RDONLY);
  os::spawn_options options;
  options.descriptors = {{zero.get(), zero.get()}};
  CHECK(contains(described(options), "fd " + std::to_string(zero.get()) + " /dev/zero\n"));
}

TEST_CASE("a child starts with default signals, whatever this process has set") {
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, &before);
  std::string text;
  {
    const os::blocked_signals blocked;
    text = described({});
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  CHECK(lines_with(text, "ignored ") == 0);
  CHECK(lines_with(text, "blocked ") == 0);
}

TEST_CASE("a child has this process's environment or the one it was given") {
  CHECK(contains(described({}), "env PATH="));
  os::spawn_options options;
  options.environment = std::vector<std::string>{"ONLY=this"};
  const std::string text = described(options);
  CHECK(contains(text, "env ONLY=this\n"));
  CHECK_FALSE(contains(text, "env PATH="));
}

TEST_CASE("a child is in this process's group or in its own") {
  CHECK(contains(described({}), "group inherited\n"));
  os::spawn_options options;
  options.own_process_group = true;
  CHECK(contains(described(options), "group own\n"));
}

TEST_CASE("a program that is not there cannot be started") {
  os::spawn_options options;
  options.path = "/does/not/exist";
  options.arguments = {"x"};
  try {
    (void)os::spawn(options);
    FAIL("started");
  } catch (const std::system_error& failure) {
    CHECK(failure.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(failure.what()).find("posix_spawn of '/does/not/exist'") == 0);
  }
  options.path = "/proc/self/exe";
  options.descriptors = {{-1, 5}};
  CHECK_THROWS_AS((void)os::spawn(options), std::system_error);
}

TEST_CASE("threads may start children at the same time and none gets another's descriptors") {
  std::array<std::thread, 4> threads;
  for (auto& thread : threads) {
    thread = std::thread([] {
      for (int i = 0; i < 5; ++i) {
        const os::unique_fd random = os::open_file("/dev/urandom", O_RDONLY);
        os::spawn_options options;
        options.descriptors = {{random.get(), 9}};
        if (lines_with(described(options), "fd ") != 4) FAIL_CHECK("a descriptor leaked");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}
