#include "kitchen/supplier.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "expect_problem.hpp"
#include "kitchen/fingerprint.hpp"
#include "support/eventually.hpp"

using namespace kitchen;
using asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

namespace {

class customer {
 public:
  customer(asio::io_context& context, std::uint16_t port) : socket_(context) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void ask(const supply_request& request) {
    asio::write(socket_, asio::buffer(&request, sizeof request));
  }
  std::vector<std::byte> receive(std::size_t bytes) {
    std::vector<std::byte> received(bytes);
    asio::read(socket_, asio::buffer(received));
    return received;
  }

 private:
  tcp::socket socket_;
};

std::vector<std::byte> bytes_of(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  fill_bytes(bytes, seed);
  return bytes;
}

}  // namespace

TEST_CASE("a reply comes after the wait that was asked for, with the bytes of its seed") {
  const supplier open({});
  asio::io_context context;
  customer one(context, open.port());
  const auto before = clock_type::now();
  one.ask({7, 30'000, 1000});
  CHECK(one.receive(1000) == bytes_of(1000, 7));
  CHECK(clock_type::now() - before >= std::chrono::milliseconds(30));
  one.ask({8, 0, 10});
  CHECK(one.receive(10) == bytes_of(10, 8));
}

TEST_CASE("a thousand customers wait at once, not one after the other") {
  allow_descriptors(1200);
  const supplier open({});
  asio::io_context context;
  std::vector<customer> all;
  for (std::uint64_t i = 0; i < 1000; ++i)
    all.emplace_back(context, open.port());
  const auto before = clock_type::now();
  for (std::uint64_t i = 0; i < all.size(); ++i)
    all[i].ask({i, 100'000, 16});
  for (std::uint64_t i = 0; i < all.size(); ++i)
    CHECK(all[i].receive(16) == bytes_of(16, i));
  CHECK(clock_type::now() - before < std::chrono::seconds(50));  // one by one: 100 s
}

TEST_CASE("exactly the chosen reply is altered") {
  const supplier open({.tampered_reply = 2});
  asio::io_context context;
  customer one(context, open.port());
  for (std::uint64_t i = 1; i <= 3; ++i) {
    one.ask({i, 0, 64});
    CHECK((one.receive(64) == bytes_of(64, i)) == (i != 2));
  }
}

TEST_CASE("it is a process with one thread, and ends with its owner") {
  pid_t pid = 0;
  {
    const supplier open({});
    pid = open.pid();
    CHECK(::kill(pid, 0) == 0);
    ::kill(pid, SIGINT);  // Ctrl-C goes to the whole group; it stays until its owner ends
    asio::io_context context;
    customer one(context, open.port());
    one.ask({1, 0, 8});
    CHECK(one.receive(8) == bytes_of(8, 1));
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("it clears the pantry away, also when its owner is killed") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const supplier open({.with_pantry = true});
    std::ofstream(open.pantry() + "/ingredient-0") << "x";
    static_cast<void>(!::write(ends[1], open.pantry().data(), open.pantry().size()));
    ::pause();
    ::_exit(0);
  }
  std::string pantry(4096, '\0');
  const ssize_t bytes = ::read(ends[0], pantry.data(), pantry.size());
  REQUIRE(bytes > 0);
  pantry.resize(static_cast<std::size_t>(bytes));
  CHECK(std::filesystem::exists(pantry + "/ingredient-0"));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  CHECK(brigade::testing::eventually([&] { return !std::filesystem::exists(pantry); }));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a pantry lives as long as its supplier") {
  std::string pantry;
  {
    const supplier open({.with_pantry = true});
    pantry = open.pantry();
    CHECK(std::filesystem::is_directory(pantry));
  }
  CHECK_FALSE(std::filesystem::exists(pantry));
  CHECK(supplier({}).pantry() == "");
}

TEST_CASE("without a place for a pantry it says so") {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/proc", 1);
  const std::string text =
      kitchen::testing::problem_of([] { supplier({.with_pantry = true}); }, exit_code::environment);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
  CHECK(text.find("cannot make the directory /proc/brigade-kitchen.") == 0);
  CHECK(text.find("set TMPDIR to a place that can be written") != std::string::npos);
}

TEST_CASE("a greedy request ends its connection and nothing else") {
  const supplier open({});
  asio::io_context context;
  customer greedy(context, open.port());
  greedy.ask({1, 0, ~0u});
  CHECK_THROWS(greedy.receive(1));
  customer one(context, open.port());
  one.ask({1, 0, 8});
  CHECK(one.receive(8) == bytes_of(8, 1));
}

TEST_CASE("more descriptors than the system allows are refused with the cure") {
  const std::string text = kitchen::testing::problem_of(
      [] { allow_descriptors(~std::uint64_t{0} - 1); }, exit_code::environment);
  CHECK(text.find("raise 'ulimit -n'") != std::string::npos);
}
