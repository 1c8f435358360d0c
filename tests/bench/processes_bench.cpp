// P1 to P4, P7, P8 and C1: worker processes beside what else there is.
//
// Rivals in other languages are programs of their own (processes_rivals.py, processes_rivals.js)
// that print one figure; ours and a pool of plain socket pairs run here. The same number of workers
// and of tasks in flight for everybody.
#include "bench.hpp"
#include "scripts.hpp"
#include "socket_pool.hpp"

#include <brigade/brigade.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if BENCH_MD5
#include <openssl/evp.h>
#endif

namespace {

using namespace bench;
using namespace std::chrono_literals;

constexpr unsigned workers = 2;
constexpr std::size_t in_flight = 1024;

int next_of(int x) { return x + 1; }

brigade::runtime_options pool() {
  brigade::runtime_options options;
  options.processes.workers = workers;
  return options;
}

// All workers are there and have run something.
void warm_up(brigade::runtime& rt) {
  while (rt.workers().size() < workers) {
    rt.submit(brigade::processes, next_of, 1).get();
    std::this_thread::sleep_for(1ms);
  }
  for (int i = 0; i < 1000; ++i)
    rt.submit(brigade::processes, next_of, i).get();
}

// --- rivals in other languages -------------------------------------------------------------------

void add_scripts(comparison& to, const std::string& what, std::size_t operations) {
  const std::string count = " " + std::to_string(operations);
  if (has_python()) {
    to.contenders.push_back(script("multiprocessing.Pool", python + "pool-" + what + count));
    to.contenders.push_back(script("ProcessPoolExecutor", python + "executor-" + what + count));
  } else {
    to.contenders.push_back({"Python", {}});
  }
  if (what == "map") {
    if (has("python3 -c 'import joblib'")) {
      to.contenders.push_back(script("joblib", python + "joblib-map" + count));
    } else {
      to.contenders.push_back({"joblib", {}});
    }
    return;
  }
#if BENCH_MPI
  to.contenders.push_back(script(
      "OpenMPI",
      "mpirun --allow-run-as-root --oversubscribe -np 3 " BENCH_MPI_PROGRAM " " + what + count));
#else
  to.contenders.push_back({"OpenMPI", {}});
#endif
  if (what != "rate" && what != "trip") return;
  if (has("node --version")) {
    to.contenders.push_back(
        script("Node fork", "node " BENCH_SOURCES "/processes_rivals.js " + what + count));
  } else {
    to.contenders.push_back({"Node", {}});
  }
}

// --- P1 ------------------------------------------------------------------------------------------

sample our_rate(std::size_t count) {
  brigade::runtime rt(pool());
  warm_up(rt);
  std::deque<brigade::future<int>> flying;
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) {
    if (flying.size() == in_flight) {
      if (flying.front().get() != static_cast<int>(i - in_flight) + 1) throw std::logic_error("P1");
      flying.pop_front();
    }
    flying.push_back(rt.submit(brigade::processes, next_of, static_cast<int>(i)));
  }
  for (auto& each : flying)
    each.get();
  return watch.millions(count);
}

sample socket_rate(std::size_t count) {
  socket_pool rivals(workers);
  const stopwatch watch;
  std::size_t got = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i - got == in_flight) {
      int value = rivals.receive(got % workers);
      keep(value);
      ++got;
    }
    rivals.send(i % workers, static_cast<int>(i));
  }
  for (; got < count; ++got) {
    int value = rivals.receive(got % workers);
    keep(value);
  }
  return watch.millions(count);
}

void rate(program& run) {
  const std::size_t count = run.operations(1'000'000);
  comparison what{"P1 int to int, 2 workers, 1024 in flight", "M/s", better::higher, {}};
  what.contenders.push_back({"brigade", [=] { return our_rate(count); }});
  what.contenders.push_back({"socket pairs", [=] { return socket_rate(count / 4 + 1); }});
  add_scripts(what, "rate", run.operations(40'000));
  run.compare(what);
}

// --- P2 ------------------------------------------------------------------------------------------

sample our_map(std::size_t count) {
  brigade::runtime rt(pool());
  warm_up(rt);
  std::vector<int> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = static_cast<int>(i);
  (void)rt.map(brigade::processes, next_of, numbers);
  const stopwatch watch;
  const std::vector<int> result = rt.map(brigade::processes, next_of, numbers);
  if (result.back() != static_cast<int>(count)) throw std::logic_error("P2");
  return watch.millions(count);
}

void map(program& run) {
  const std::size_t count = run.operations(1'000'000);
  comparison what{"P2 map over 1 M ints", "M/s", better::higher, {}};
  what.contenders.push_back({"brigade", [=] { return our_map(count); }});
  add_scripts(what, "map", count);
  run.compare(what);
}

// --- P3 ------------------------------------------------------------------------------------------

sample our_trips(std::size_t count, bool pinned) {
  if (pinned) pin(0);
  brigade::runtime rt(pool());
  warm_up(rt);
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    rt.submit(brigade::processes, next_of, 1).get();
  sample result = watch.rate(count);
  result.value = watch.seconds() * 1e6 / static_cast<double>(count);
  return result;
}

sample socket_trips(std::size_t count, bool pinned) {
  if (pinned) pin(0);
  socket_pool rivals(1);
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) {
    rivals.send(0, 1);
    int value = rivals.receive(0);
    keep(value);
  }
  sample result = watch.rate(count);
  result.value = watch.seconds() * 1e6 / static_cast<double>(count);
  return result;
}

void trips(program& run) {
  const std::size_t count = run.operations(50'000);
  for (const bool pinned : {true, false}) {
    comparison what{
        pinned ? "P3 one at a time, one core" : "P3 one at a time, free", "us", better::lower, {}};
    what.contenders.push_back({"brigade", [=] { return our_trips(count, pinned); }});
    what.contenders.push_back({"socket pairs", [=] { return socket_trips(count, pinned); }});
    if (!pinned) add_scripts(what, "trip", run.operations(5'000));
    run.compare(what);
  }
}

// --- P4 ------------------------------------------------------------------------------------------

std::vector<char> same(std::vector<char> bytes) { return bytes; }

sample our_echo(std::size_t size, std::size_t count) {
  brigade::runtime rt(pool());
  warm_up(rt);
  const std::vector<char> bytes(size, 'x');
  for (int i = 0; i < 3; ++i)
    rt.submit(brigade::processes, same, bytes).get();
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) {
    if (rt.submit(brigade::processes, same, bytes).get().size() != size) {
      throw std::logic_error("P4");
    }
  }
  sample result = watch.rate(count);
  result.value = static_cast<double>(size) * static_cast<double>(count) / watch.seconds() / 1e9;
  return result;
}

sample socket_echo(std::size_t size, std::size_t count) {
  socket_pool rivals(1);
  std::vector<char> bytes(size, 'x');
  for (int i = 0; i < 3; ++i)
    rivals.echo(bytes);
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    rivals.echo(bytes);
  sample result = watch.rate(count);
  result.value = static_cast<double>(size) * static_cast<double>(count) / watch.seconds() / 1e9;
  return result;
}

void echo(program& run) {
  for (const std::size_t mib : {std::size_t{1}, std::size_t{64}}) {
    const std::size_t size = (run.quick() ? 1 : mib) << 20;
    const std::size_t count = run.operations(640 / mib);
    comparison what{
        "P4 echo of " + std::to_string(mib) + " MiB by value", "GB/s", better::higher, {}};
    what.contenders.push_back({"brigade", [=] { return our_echo(size, count); }});
    what.contenders.push_back({"socket pair", [=] { return socket_echo(size, count); }});
    add_scripts(what, "echo" + std::to_string(run.quick() ? 1 : mib), count / 8 + 2);
    run.compare(what);
  }
}

// --- P7, P8 --------------------------------------------------------------------------------------

int own_pid() { return ::getpid(); }

sample our_kill(std::size_t count) {
  brigade::runtime rt(pool());
  warm_up(rt);
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto victim = rt.workers().at(i % workers);
    const stopwatch watch;
    ::kill(victim.pid, SIGKILL);
    for (bool back = false; !back;) {  // until its place answers again
      for (const auto& each : rt.workers()) {
        back = back || (each.index == victim.index && each.pid != victim.pid);
      }
      int pid = rt.submit(brigade::processes, own_pid).get();
      keep(pid);
    }
    total += watch.seconds();
  }
  return {total * 1e3 / static_cast<double>(count), 0, 0};
}

void kill_one(program& run) {
  comparison what{"P7 SIGKILL an idle worker, until its place answers", "ms", better::lower, {}};
  const std::size_t count = run.operations(200);
  what.contenders.push_back({"brigade", [=] { return our_kill(count); }});
  run.compare(what);
}

void many(program& run) {
  comparison what{"P8 cost of a task when there are many", "M/s", better::higher, {}};
  const std::size_t few = run.operations(10'000);
  const std::size_t many = run.operations(10'000'000);
  const auto measure = [](std::size_t count) {
    sample result = our_rate(count);
    result.bytes = private_bytes() / static_cast<double>(count);
    return result;
  };
  what.contenders.push_back({"10^7 tasks", [=] { return measure(many); }});
  what.contenders.push_back({"10^4 tasks", [=] { return measure(few); }});
  run.compare(what);
}

// --- C1 ------------------------------------------------------------------------------------------

#if BENCH_MD5
// The digest of the digest of ... 'Hello World'.
std::string chain(std::size_t length) {
  std::vector<unsigned char> at{'H', 'e', 'l', 'l', 'o', ' ', 'W', 'o', 'r', 'l', 'd'};
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  for (std::size_t i = 0; i < length; ++i)
    EVP_DigestUpdate(context, at.data(), at.size());
  EVP_DigestFinal_ex(context, digest, &size);
  EVP_MD_CTX_free(context);
  return {reinterpret_cast<const char*>(digest), size};
}

constexpr std::size_t chains = 16;

sample chain_rate(const stopwatch& watch) {
  return {static_cast<double>(chains) / watch.seconds(), 0, 0};
}

void crunch(program& run) {
  const std::size_t length = run.operations(1'000'000);
  comparison what{"C1 md5 of a million updates, 2 workers", "chains/s", better::higher, {}};
  what.contenders.push_back({"brigade processes", [=] {
                               brigade::runtime rt(pool());
                               warm_up(rt);
                               const stopwatch watch;
                               std::vector<brigade::future<std::string>> all;
                               for (std::size_t i = 0; i < chains; ++i) {
                                 all.push_back(rt.submit(brigade::processes, chain, length));
                               }
                               for (auto& each : all)
                                 each.get();
                               return chain_rate(watch);
                             }});
  what.contenders.push_back({"bare threads", [=] {
                               const stopwatch watch;
                               std::vector<std::thread> all;
                               for (unsigned t = 0; t < workers; ++t) {
                                 all.emplace_back([=] {
                                   for (std::size_t i = 0; i < chains / workers; ++i) {
                                     std::string digest = chain(length);
                                     keep(digest);
                                   }
                                 });
                               }
                               for (auto& each : all)
                                 each.join();
                               return chain_rate(watch);
                             }});
  what.contenders.push_back({"bare processes", [=] {
                               const stopwatch watch;
                               std::vector<pid_t> all;
                               for (unsigned t = 0; t < workers; ++t) {
                                 const pid_t child = ::fork();
                                 if (child == 0) {
                                   for (std::size_t i = 0; i < chains / workers; ++i) {
                                     std::string digest = chain(length);
                                     keep(digest);
                                   }
                                   ::_exit(0);
                                 }
                                 all.push_back(child);
                               }
                               for (const pid_t each : all)
                                 ::waitpid(each, nullptr, 0);
                               return chain_rate(watch);
                             }});
  run.compare(what);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  brigade::init(argc, argv);
  program run(argc, argv);
  rate(run);
  map(run);
  trips(run);
  echo(run);
  kill_one(run);
  many(run);
#if BENCH_MD5
  crunch(run);
#endif
  return run.result();
}
