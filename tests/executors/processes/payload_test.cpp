// Arguments and results of every size: beside the call, in the area, in blocks, as frames; and that
// nothing of them is left when a worker dies.
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/wire/lane_layout.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

using text = std::vector<char>;

text made(std::size_t size, int seed = 1) {
  text bytes(size);
  for (std::size_t i = 0; i < size; i += i < 4096 ? 1 : 509)
    bytes[i] = static_cast<char>(i * 7 + static_cast<std::size_t>(seed));
  if (size != 0) bytes.back() = 'z';
  return bytes;
}

text same(text bytes) { return bytes; }
std::size_t size_of(text bytes) { return bytes.size(); }
text make_there(std::size_t size, int seed) { return made(size, seed); }

// Mappings of memory that is shared with workers for large values.
int mapped_blocks() {
  int found = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (contains(line, "memfd:brigade-blocks")) ++found;
  }
  return found;
}

// Crashes its process when it is decoded or encoded there.
struct spoilt {
  text bytes;
  int when = 0;  // 1: decoding, 2: running, 3: encoding
};

void crash() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::raise(SIGKILL);
}

spoilt pass_on(spoilt given) {
  if (given.when == 2) crash();
  return given;
}

// Encoded by a worker and by its child, which lets the worker finish first.
struct doubled {
  text bytes;
  int child = -1;  // -1: no child, 0: this is the child
  std::array<int, 2> pipe{};
};

doubled made_twice(std::size_t size) {
  doubled value;
  if (::pipe(value.pipe.data()) != 0) throw std::runtime_error("pipe");
  value.child = ::fork();
  value.bytes = text(size, value.child == 0 ? 'c' : 'p');
  return value;
}

// Descriptors of this process whose files have such a name.
int open_files(const std::string& name) {
  int found = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (contains(std::filesystem::read_symlink(each.path(), gone), name)) ++found;
  }
  return found;
}

}  // namespace

template <>
struct brigade::codec::coder<doubled> {
  static void write(writer& out, const doubled& value) {
    char byte = 0;
    if (value.child == 0) (void)!::read(value.pipe[0], &byte, 1);
    write_value(out, value.bytes);
    if (value.child <= 0) return;
    (void)!::write(value.pipe[1], &byte, 1);
    ::waitpid(value.child, nullptr, 0);
    ::close(value.pipe[0]);
    ::close(value.pipe[1]);
  }
  static doubled read(reader& in) { return {.bytes = read_value<text>(in)}; }
};

template <>
struct brigade::codec::coder<spoilt> {
  static void write(writer& out, const spoilt& value) {
    write_value(out, value.when);
    write_value(out, value.bytes);
    if (value.when == 3 && brigade::detail::is_worker_process()) crash();
  }
  static spoilt read(reader& in) {
    spoilt value;
    value.when = read_value<int>(in);
    if (value.when == 1 && brigade::detail::is_worker_process()) crash();
    value.bytes = read_value<text>(in);
    return value;
  }
};

TEST_CASE("values of every size go there and come back, whatever the start method") {
  std::vector<std::size_t> sizes{0, 1, 20 * mib};
  for (const std::size_t border : {wire::slot_body_bytes, std::size_t{16} << 10,
                                   std::size_t{64} << 10, mib, wire::area_bytes}) {
    for (const std::size_t size :
         {border - 120, border - 30, border - 1, border, border + 1, border + 5000}) {
      sizes.push_back(size);
    }
  }
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime rt(pool_of(2, how));
    for (const std::size_t size : sizes) {
      CAPTURE(size);
      if (how != start_method::forkserver && size > 2 * mib && size < 20 * mib) continue;
      const text sent = made(size);
      CHECK((rt.submit(processes, same, sent).get() == sent));
      if (how != start_method::forkserver) continue;
      CHECK(rt.submit(processes, size_of, sent).get() == size);
      CHECK((rt.submit(processes, make_there, size, 3).get() == made(size, 3)));
    }
  }
}

TEST_CASE("large values that are made of many pieces grow in place") {
  runtime rt(pool_of(1));
  const auto twice = [](std::vector<std::string> given) {
    const std::vector<std::string> copy = given;
    given.insert(given.end(), copy.begin(), copy.end());
    return given;
  };
  for (const std::size_t count : {50, 500, 5000, 100000}) {
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < count; ++i)
      sent.push_back("the number is " + std::to_string(i));
    const auto got = rt.submit(processes, twice, sent).get();
    REQUIRE(got.size() == 2 * count);
    CHECK(std::equal(sent.begin(), sent.end(), got.begin()));
    CHECK(std::equal(sent.begin(), sent.end(), got.begin() + static_cast<std::ptrdiff_t>(count)));
  }
}

TEST_CASE("many large ones at once, more than there are blocks") {
  runtime rt(pool_of(2));
  std::vector<std::pair<int, future<text>>> all;
  const auto size_at = [](int i) { return static_cast<std::size_t>(i % 7) * 150'000 + 70'000; };
  for (int i = 0; i < 100; ++i)
    all.emplace_back(i, rt.submit(processes, same, made(size_at(i), i)));
  for (auto& [i, each] : all)
    CHECK((each.get() == made(size_at(i), i)));
  // Answers that nobody has read yet.
  all.clear();
  for (int i = 0; i < 12; ++i)
    all.emplace_back(i, rt.submit(processes, make_there, size_at(i) + 4 * mib, i));
  for (auto& [i, each] : all)
    CHECK((each.get() == made(size_at(i) + 4 * mib, i)));
}

TEST_CASE("a worker that dies with a large value costs that task, and leaves nothing behind") {
  runtime rt(pool_of(2));
  check_usable(rt);
  for (int round = 0; round < 3; ++round) {
    for (const int when : {1, 2, 3}) {
      CAPTURE(when);
      auto culprit = rt.submit(processes, pass_on, spoilt{made(9 * mib), when});
      auto other = rt.submit(processes, same, made(6 * mib));
      CHECK_THROWS_AS((void)culprit.get(), worker_lost);
      CHECK((other.get() == made(6 * mib)));
    }
    CHECK(mapped_blocks() < 8);
  }
  CHECK((rt.submit(processes, pass_on, spoilt{made(9 * mib), 0}).get().bytes == made(9 * mib)));
  check_usable(rt);
}

TEST_CASE("a large value is sent again when its task is tried again") {
  const signs sign;
  runtime rt(pool_of(1));
  const auto second_time = [](text bytes, std::string at) {
    if (!std::filesystem::exists(at)) {
      give_sign(at);
      crash();
    }
    return bytes;
  };
  submit_options options{.on = processes};
  options.idempotent = true;
  options.retries = 1;
  const text sent = made(7 * mib);
  CHECK((rt.submit(options, second_time, sent, sign("first")).get() == sent));
}

TEST_CASE("large tasks that are cancelled while they wait give their blocks back") {
  const signs sign;
  runtime rt(pool_of(1));
  auto running = rt.submit(processes, spin, sign("busy"));
  sign.await("busy");
  for (int round = 0; round < 100; ++round) {
    auto waiting = rt.submit(processes, same, made(mib));
    CHECK(waiting.cancel());
    CHECK_THROWS_AS(waiting.get(), task_cancelled);
  }
  CHECK(mapped_blocks() <= 2);
  CHECK(running.kill());
  CHECK_THROWS_AS(running.get(), task_cancelled);
  check_usable(rt);
}

TEST_CASE("large tasks whose time is up while they are being queued give their blocks back") {
  const signs sign;
  runtime rt(pool_of(1));
  auto running = rt.submit(processes, spin, sign("busy"));
  sign.await("busy");
  submit_options options{.on = processes};
  for (int round = 0; round < 300; ++round) {
    options.deadline = std::chrono::microseconds(round % 30);
    CHECK_THROWS_AS(rt.submit(options, size_of, text(100'000)).get(), task_timeout);
  }
  CHECK(mapped_blocks() <= 2);
  CHECK(running.kill());
  CHECK_THROWS_AS(running.get(), task_cancelled);
  check_usable(rt);
}

TEST_CASE("a task that forks and returns twice has the answer of the worker, however large") {
  runtime rt(pool_of(1));
  for (const std::size_t size : {std::size_t{100}, std::size_t{20'000}, mib, 6 * mib}) {
    CAPTURE(size);
    CHECK((rt.submit(processes, made_twice, size).get().bytes == text(size, 'p')));
  }
}

TEST_CASE("nothing of a worker's large answers is kept when it has ended") {
  runtime rt(pool_of(2));
  std::vector<future<text>> both;
  for (int i = 0; i < 8; ++i)
    both.push_back(rt.submit(processes, make_there, 6 * mib, i));
  for (int i = 0; i < 8; ++i)
    CHECK((both[static_cast<std::size_t>(i)].get() == made(6 * mib, i)));
  rt.resize(processes, 1);
  CHECK(testing::eventually([] { return open_files("memfd:brigade-answers") == 1; }));
  CHECK((rt.submit(processes, same, made(6 * mib)).get() == made(6 * mib)));
}

TEST_CASE("a value above the limit fails its task alone, there and back") {
  runtime_options pool = pool_of(1);
  pool.processes.max_message_bytes = 5 * mib;
  runtime rt(std::move(pool));
  for (int round = 0; round < 3; ++round) {
    CHECK_THROWS_AS(rt.submit(processes, size_of, made(5 * mib)).get(), codec_error);
    CHECK_THROWS_AS(rt.submit(processes, make_there, 5 * mib, 1).get(), codec_error);
    CHECK((rt.submit(processes, same, made(5 * mib - 300)).get() == made(5 * mib - 300)));
  }
}

TEST_CASE("where files may not grow, large values go another way") {
  runtime_options pool = pool_of(1);
  pool.processes.initializer = [] {
    rlimit most{};
    ::getrlimit(RLIMIT_FSIZE, &most);
    most.rlim_cur = mib;
    ::setrlimit(RLIMIT_FSIZE, &most);
  };
  runtime rt(std::move(pool));
  CHECK((rt.submit(processes, same, made(6 * mib)).get() == made(6 * mib)));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they want address space
TEST_CASE("a worker whose address space is small takes what fits into it") {
  runtime_options pool = pool_of(1);
  pool.processes.limits.memory_bytes = std::uint64_t{300} << 20;
  runtime rt(std::move(pool));
  std::vector<future<std::size_t>> all;
  for (int i = 0; i < 60; ++i)  // together more than the worker may map
    all.push_back(rt.submit(processes, size_of, text(6 * mib)));
  for (auto& each : all)
    CHECK(each.get() == 6 * mib);
}
#endif

TEST_CASE("the memory of large values goes back to the system when nobody sends any") {
  runtime rt(pool_of(1));
  CHECK((rt.submit(processes, same, made(6 * mib)).get() == made(6 * mib)));
  CHECK(mapped_blocks() > 0);
  CHECK(testing::eventually([] { return mapped_blocks() == 0; }));
  CHECK((rt.submit(processes, same, made(6 * mib)).get() == made(6 * mib)));
}
