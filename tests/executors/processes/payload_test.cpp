// Arguments and results of every size: beside the call, in the area, in blocks, as frames; and that
// nothing of them is left when a worker dies.
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/wire/lane_layout.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

constexpr std::size_t kib = std::size_t{1} << 10;
constexpr std::size_t mib = std::size_t{1} << 20;
// From here on an argument is in a block, and from here on a result.
constexpr std::size_t large_argument = 100'000;
constexpr std::size_t large_result = wire::area_bytes + 100'000;

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

void hold(std::string here, std::string go) {
  give_sign(here);
  while (!std::filesystem::exists(go))
    ::usleep(1000);
}

std::size_t mapped_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Bytes of the blocks for large arguments that are mapped here: free ones and those in use.
std::size_t in_blocks() {
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!contains(line, "memfd:brigade-blocks")) continue;
    std::size_t first = 0;
    std::size_t last = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> first >> dash >> last;
    found += last - first;
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

TEST_CASE("values of every size go there and come back") {
  std::vector<std::size_t> sizes{0, 1, mib, wire::area_bytes - 30, wire::area_bytes, large_result};
  for (const std::size_t border : {wire::slot_body_bytes, 16 * kib, 64 * kib}) {
    for (const std::size_t size :
         {border - 120, border - 30, border - 1, border, border + 1, border + 5000}) {
      sizes.push_back(size);
    }
  }
  runtime rt(pool_of(2));
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    const text sent = made(size);
    CHECK((rt.submit(processes, same, sent).get() == sent));
    if (size > mib) continue;
    CHECK(rt.submit(processes, size_of, sent).get() == size);
    CHECK((rt.submit(processes, make_there, size, 3).get() == made(size, 3)));
  }
}

TEST_CASE("large values go there and come back, whatever the start method") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime rt(pool_of(1, how));
    const text sent = made(large_result);
    CHECK((rt.submit(processes, same, sent).get() == sent));
  }
}

TEST_CASE("large values that are made of many pieces grow in place") {
  runtime rt(pool_of(1));
  const auto twice = [](std::vector<std::string> given) {
    const std::vector<std::string> copy = given;
    given.insert(given.end(), copy.begin(), copy.end());
    return given;
  };
  for (const std::size_t count : {5, 50, 500, 2200}) {  // results of 10 kB to more than 4 MiB
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < count; ++i)
      sent.push_back("the number is " + std::to_string(i) + std::string(1000, '.'));
    const auto got = rt.submit(processes, twice, sent).get();
    REQUIRE(got.size() == 2 * count);
    CHECK(std::equal(sent.begin(), sent.end(), got.begin()));
    CHECK(std::equal(sent.begin(), sent.end(), got.begin() + static_cast<std::ptrdiff_t>(count)));
  }
}

TEST_CASE("many large ones at once, more than there are blocks") {
  const signs sign;
  runtime rt(pool_of(1));
  auto busy = rt.submit(processes, hold, sign("here"), sign("go"));
  sign.await("here");
  std::vector<std::pair<text, future<text>>> all;
  // The last ones find no block: one goes through the area, the other over the socket.
  for (int i = 0; i < 66; ++i) {
    text sent = made(i < 65 ? large_argument : large_result, i);
    auto asked = rt.submit(processes, same, sent);
    all.emplace_back(std::move(sent), std::move(asked));
  }
  CHECK(in_blocks() == 64 * 128 * kib);
  give_sign(sign("go"));
  busy.get();
  for (auto& [sent, asked] : all)
    CHECK((asked.get() == sent));
}

TEST_CASE("many large results at once") {
  runtime rt(pool_of(2));
  std::vector<std::pair<int, future<text>>> all;
  for (int i = 0; i < 6; ++i)
    all.emplace_back(i, rt.submit(processes, make_there, large_result, i));
  for (auto& [i, each] : all)
    CHECK((each.get() == made(large_result, i)));
}

TEST_CASE("a worker that dies with a large value costs that task, and leaves nothing behind") {
  runtime rt(pool_of(2));
  check_usable(rt);
  for (const int when : {1, 2, 3, 3}) {
    CAPTURE(when);
    auto culprit = rt.submit(processes, pass_on, spoilt{made(large_result), when});
    auto other = rt.submit(processes, same, made(large_argument));
    CHECK_THROWS_AS((void)culprit.get(), worker_lost);
    CHECK((other.get() == made(large_argument)));
  }
  CHECK(in_blocks() < 2 * large_result);
  const text sent = made(large_result);
  CHECK((rt.submit(processes, pass_on, spoilt{sent, 0}).get().bytes == sent));
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
  const text sent = made(large_argument);
  CHECK((rt.submit(options, second_time, sent, sign("first")).get() == sent));
}

TEST_CASE("large tasks that are cancelled while they wait give their blocks back") {
  const signs sign;
  runtime rt(pool_of(1));
  auto running = rt.submit(processes, spin, sign("busy"));
  sign.await("busy");
  for (int round = 0; round < 20; ++round) {
    auto waiting = rt.submit(processes, same, made(large_argument));
    CHECK(waiting.cancel());
    CHECK_THROWS_AS(waiting.get(), task_cancelled);
  }
  CHECK(in_blocks() <= 2 * 128 * kib);
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
  for (int round = 0; round < 60; ++round) {
    options.deadline = std::chrono::microseconds(round % 30);
    CHECK_THROWS_AS(rt.submit(options, size_of, text(large_argument)).get(), task_timeout);
  }
  CHECK(in_blocks() <= 2 * 128 * kib);
  CHECK(running.kill());
  CHECK_THROWS_AS(running.get(), task_cancelled);
  check_usable(rt);
}

TEST_CASE("a task that forks and returns twice has the answer of the worker, however large") {
  runtime rt(pool_of(1));
  for (const std::size_t size : {100 * kib, 20 * kib, std::size_t{100}, large_result}) {
    CAPTURE(size);
    CHECK((rt.submit(processes, made_twice, size).get().bytes == text(size, 'p')));
  }
}

TEST_CASE("nothing of a worker's large answers is kept when it has ended") {
  runtime rt(pool_of(2));
  const signs sign;
  const auto together = [](std::string mine, std::string others) {
    give_sign(mine);
    while (!std::filesystem::exists(others))
      ::usleep(1000);
    return made(large_result);
  };
  auto one = rt.submit(processes, together, sign("1"), sign("2"));
  auto two = rt.submit(processes, together, sign("2"), sign("1"));
  CHECK((one.get() == made(large_result)));
  CHECK((two.get() == made(large_result)));
  CHECK(open_files("memfd:brigade-answers") == 2);
  rt.resize(processes, 1);
  CHECK(testing::eventually([] { return open_files("memfd:brigade-answers") == 1; }));
  CHECK((rt.submit(processes, same, made(large_result)).get() == made(large_result)));
}

TEST_CASE("a value above the limit fails its task alone, there and back") {
  runtime_options pool = pool_of(1);
  pool.processes.max_message_bytes = large_result;
  runtime rt(std::move(pool));
  const auto in_pieces = [](std::size_t size) {
    return std::vector<std::string>(size / 1000, std::string(1000, 'x'));
  };
  for (int round = 0; round < 2; ++round) {
    CHECK_THROWS_AS(rt.submit(processes, size_of, text(large_result)).get(), codec_error);
    CHECK_THROWS_AS(rt.submit(processes, make_there, large_result, 1).get(), codec_error);
    // Their block has more room than that.
    CHECK_THROWS_AS(rt.submit(processes, in_pieces, large_result).get(), codec_error);
    const text sent = made(large_result - 300);
    CHECK((rt.submit(processes, same, sent).get() == sent));
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
  CHECK((rt.submit(processes, same, made(large_result)).get() == made(large_result)));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they want address space
TEST_CASE("a worker whose address space is small takes what fits into it") {
  runtime_options pool = pool_of(1);
  pool.processes.initializer = [] {
    const rlimit most{mapped_bytes() + 24 * mib, RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &most);
  };
  runtime rt(std::move(pool));
  const signs sign;
  auto busy = rt.submit(processes, hold, sign("here"), sign("go"));
  sign.await("here");
  std::vector<future<std::size_t>> all;
  for (int i = 0; i < 20; ++i)  // together more than the worker may map
    all.push_back(rt.submit(processes, size_of, text(2 * mib)));
  auto too_large = rt.submit(processes, size_of, text(30 * mib));
  give_sign(sign("go"));
  busy.get();
  CHECK_THROWS_AS(too_large.get(), std::bad_alloc);
  for (auto& each : all)
    CHECK(each.get() == 2 * mib);
  check_usable(rt);
}
#endif

TEST_CASE("the memory of large values goes back to the system when nobody sends any") {
  runtime rt(pool_of(1));
  CHECK(rt.submit(processes, size_of, text(large_argument)).get() == large_argument);
  CHECK(testing::eventually([] { return in_blocks() == 0; }));
  CHECK(rt.submit(processes, size_of, text(large_argument)).get() == large_argument);
}

TEST_CASE("nothing of large values is kept when the runtime has shut down") {
  runtime rt(pool_of(1));
  CHECK(rt.submit(processes, size_of, text(large_argument)).get() == large_argument);
  rt.shutdown();
  CHECK(in_blocks() == 0);
  CHECK_THROWS((void)rt.submit(processes, size_of, text(large_argument)).get());
  CHECK(in_blocks() == 0);
}
