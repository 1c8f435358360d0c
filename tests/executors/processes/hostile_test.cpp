// Whatever a task does, and whenever it does it (while its arguments are decoded, while it runs,
// while its result is encoded): exactly one outcome, siblings unaffected, the pool usable.
#include <csignal>
#include <set>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/os/proc.hpp>

#include "executors/processes/pool_support.hpp"

namespace hostile {

enum class moment : std::uint8_t { decoding, running, encoding };
enum class deed : std::uint8_t {
  throws,
  exits,
  leaves,
  aborts,
  faults,
  is_killed,
  loops,
  stops,
  closes_descriptors,
  forks,
  forks_and_returns_twice,
  moves_away,
  allocates,
};

void no_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void commit(deed what) {
  const volatile bool always = true;
  switch (what) {
    case deed::throws:
      throw std::out_of_range("spoilt");
    case deed::exits:
      std::exit(42);
    case deed::leaves:
      ::_exit(43);
    case deed::aborts:
      no_core();
      std::abort();
    case deed::faults:
      no_core();
      ::signal(SIGSEGV, SIG_DFL);
      ::raise(SIGSEGV);
      break;
    case deed::is_killed:
      ::raise(SIGKILL);
      break;
    case deed::loops:
      while (always) {
      }
      break;
    case deed::stops:
      ::raise(SIGSTOP);
      break;
    case deed::closes_descriptors:
      ::close_range(0, ~0U, 0);
      break;
    case deed::forks: {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(3);
      ::waitpid(child, nullptr, 0);
      break;
    }
    case deed::forks_and_returns_twice:
      (void)::fork();
      break;
    case deed::moves_away:
      (void)!::chdir("/");
      break;
    case deed::allocates: {
      std::vector<std::vector<char>> eaten;
      while (always)
        eaten.emplace_back(std::size_t{10} << 20, 'x');
      break;
    }
  }
}

struct plan {
  moment when = moment::running;
  deed what = deed::throws;
};

// Does its deed when a worker decodes it, or when a worker encodes it.
struct cursed {
  explicit cursed(plan p) : planned(p) {}
  plan planned;
};

}  // namespace hostile

template <>
struct brigade::codec::coder<hostile::cursed> {
  static void write(writer& out, const hostile::cursed& value) {
    if (value.planned.when == hostile::moment::encoding && detail::is_worker_process()) {
      hostile::commit(value.planned.what);
    }
    write_value(out, value.planned);
  }
  static hostile::cursed read(reader& in) {
    const hostile::cursed value(read_value<hostile::plan>(in));
    if (value.planned.when == hostile::moment::decoding && detail::is_worker_process()) {
      hostile::commit(value.planned.what);
    }
    return value;
  }

 private:
  struct detail {
    static bool is_worker_process() { return brigade::detail::is_worker_process(); }
  };
};

using namespace pool_test;
using hostile::cursed;
using hostile::deed;
using hostile::moment;

namespace {

cursed perform(cursed given) {
  if (given.planned.when == moment::running) hostile::commit(given.planned.what);
  return given;
}

int meanwhile(std::string here, std::string go) {
  give_sign(here);
  while (!std::filesystem::exists(go))
    ::usleep(1000);
  return 7;
}

// The name of what a future ends with.
std::string outcome_of(future<cursed>& asked) {
  try {
    (void)asked.get();
    return "result";
  } catch (const worker_lost& lost) {
    if (lost.exit_code()) return "exit " + std::to_string(*lost.exit_code());
    return lost.signal() ? "signal " + std::to_string(*lost.signal()) : "supervisor";
  } catch (const task_timeout&) {
    return "timeout";
  } catch (const std::out_of_range& failure) {
    return failure.what();
  } catch (const std::bad_alloc&) {
    return "memory";
  } catch (const std::exception& other) {
    return other.what();
  }
}

struct crime {
  deed what;
  std::string outcome;
  std::optional<std::chrono::milliseconds> deadline = std::nullopt;
};

void check_crime(runtime& rt, const crime& each, moment when) {
  const signs sign;
  auto sibling = rt.submit(processes, meanwhile, sign("here"), sign("go"));
  sign.await("here");
  submit_options options{.on = processes, .name = "culprit"};
  if (each.deadline) options.deadline = *each.deadline;
  auto culprit = rt.submit(options, perform, cursed({when, each.what}));
  CHECK(outcome_of(culprit) == each.outcome);
  for (int i = 0; i < 3; ++i)
    CHECK(rt.submit(processes, square, i).get() == i * i);
  give_sign(sign("go"));
  CHECK(sibling.get() == 7);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

std::vector<crime> crimes() {
  std::vector<crime> all{
      {deed::throws, "spoilt"},
      {deed::exits, "exit 42"},
      {deed::leaves, "exit 43"},
      {deed::aborts, "signal " + std::to_string(SIGABRT)},
      {deed::faults, "signal " + std::to_string(SIGSEGV)},
      {deed::is_killed, "signal " + std::to_string(SIGKILL)},
      {deed::loops, "timeout", 150ms},
      {deed::stops, "timeout", 150ms},
      {deed::forks, "result"},
      {deed::forks_and_returns_twice, "result"},
      {deed::moves_away, "result"},
  };
  if (!sanitized) all.push_back({deed::allocates, "memory"});
  return all;
}

}  // namespace

TEST_CASE("whatever a task does, whenever it does it, has one outcome and harms nobody else") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options pool = pool_of(2, how);
    if (!sanitized) pool.processes.limits.memory_bytes = std::uint64_t{300} << 20;
    runtime rt(std::move(pool));
    for (const crime& each : crimes()) {
      for (const moment when : {moment::decoding, moment::running, moment::encoding}) {
        CAPTURE(static_cast<int>(each.what));
        CAPTURE(static_cast<int>(when));
        check_crime(rt, each, when);
      }
    }
  }
}

TEST_CASE("a task that closes all descriptors, whenever it does, is over in one way") {
  runtime rt(pool_of(2));
  for (const moment when : {moment::decoding, moment::running, moment::encoding}) {
    const signs sign;
    auto sibling = rt.submit(processes, meanwhile, sign("here"), sign("go"));
    sign.await("here");
    // It may have its result through, by shared memory, or lose its worker.
    auto culprit = rt.submit({.on = processes}, perform, cursed({when, deed::closes_descriptors}));
    const std::string outcome = outcome_of(culprit);
    CAPTURE(outcome);
    CHECK((outcome == "result" || outcome.starts_with("exit") || outcome.starts_with("signal")));
    for (int i = 0; i < 3; ++i)
      CHECK(rt.submit(processes, square, i).get() == i * i);
    give_sign(sign("go"));
    CHECK(sibling.get() == 7);
  }
}

TEST_CASE("a task that kills its siblings costs their tasks; queued ones run") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    runtime rt(pool_of(3, how));
    check_usable(rt);
    auto first = rt.submit(processes, spin, sign("1"));
    auto second = rt.submit(processes, spin, sign("2"));
    sign.await("1");
    sign.await("2");
    const auto murder = [] {
      for (const pid_t each : os::children_of(::getppid())) {
        if (each != ::getpid()) ::kill(each, SIGKILL);
      }
      return 1;
    };
    std::vector<future<int>> queued;
    auto murderer = rt.submit(processes, murder);
    for (int i = 0; i < 10; ++i)
      queued.push_back(rt.submit(processes, square, i));
    CHECK(murderer.get() == 1);
    for (auto* const each : {&first, &second}) {
      try {
        each->get();
        FAIL("it came back");
      } catch (const worker_lost& lost) {
        CHECK(lost.signal() == SIGKILL);
      }
    }
    for (int i = 0; i < 10; ++i)
      CHECK(queued[static_cast<std::size_t>(i)].get() == i * i);
    check_usable(rt);
  }
}

TEST_CASE("a task that kills or stops its supervisor costs what ran; the pool goes on") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime rt(pool_of(2, how));
    check_usable(rt);
    CHECK_THROWS_AS(rt.submit(processes,
                              [] {
                                ::kill(::getppid(), SIGKILL);
                                for (;;)
                                  ::pause();
                              })
                        .get(),
                    worker_lost);
    check_usable(rt);
  }
}
