// The other process in the tests of this room: linked in several ways, started by the tests.
//
//   os_peer hold FD            holds the lifeline FD, says "r" on 1 and spins for ever
//   os_peer describe           prints what it was started with: descriptors, signals, environment
//   os_peer round-trip [FILE]  names its functions (and FILE's, loaded by dlopen) and has another
//                              instance of itself call them by those names; 0 when all is well
//   os_peer call HEX PATH OFFSET
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <thread>

#include <brigade/os/lifeline.hpp>
#include <brigade/os/module.hpp>
#include <brigade/os/spawn.hpp>
#include <brigade/os/thread.hpp>

using namespace brigade;

extern char** environ;

namespace {

int square(int x) { return x * x; }

template <class T>
int size_of_it(int x) {
  return x * static_cast<int>(sizeof(T));
}

using function = int (*)(int);
constexpr int argument = 21;

void hold(int fd) {
  const os::lifeline_hold hold(fd);
  if (::write(1, "r", 1) != 1) return;
  const volatile bool always = true;
  while (always) {
  }
}

void describe() {
  for (int fd = 0; fd < 1024; ++fd) {
    char target[256] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target, sizeof target - 1) <= 0) continue;
    std::printf("fd %d %s\n", fd, target);
  }
  sigset_t blocked;
  ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    if (action.sa_handler == SIG_IGN) std::printf("ignored %d\n", signal);
    if (sigismember(&blocked, signal) == 1) std::printf("blocked %d\n", signal);
  }
  for (char** entry = environ; *entry != nullptr; ++entry) std::printf("env %s\n", *entry);
  std::printf("group %s\n", ::getpgrp() == ::getpid() ? "own" : "inherited");
}

os::build_id from_hex(const std::string& text) {
  os::build_id id;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    id += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return id;
}

int call(const os::code_address& address) {
  return reinterpret_cast<function>(os::from_portable(address))(argument);
}

bool called_elsewhere(function f) {
  const os::code_address address = os::to_portable(reinterpret_cast<const void*>(f));
  if (call(address) != f(argument)) return false;
  os::spawn_options options;
  options.arguments = {"os_peer", "call", os::to_hex(address.module), address.path,
                       std::to_string(address.offset), std::to_string(f(argument))};
  options.descriptors = {{2, 2}};
  const os::process_end end = os::spawn(options).wait();
  if (end.exit_code == 0) return true;
  std::fprintf(stderr, "%s+%llx: the other instance %s\n", address.path.c_str(),
               static_cast<unsigned long long>(address.offset), os::describe(end).c_str());
  return false;
}

bool round_trip(const char* file) {
  const function lambda = [](int x) { return x - 4; };
  bool good = called_elsewhere(square);
  good = called_elsewhere(size_of_it<long>) && good;
  good = called_elsewhere(lambda) && good;
  if (file == nullptr) return good;
  void* plugin = ::dlopen(file, RTLD_NOW);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return false;
  }
  return called_elsewhere(reinterpret_cast<function>(::dlsym(plugin, "plugin_function"))) && good;
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "hold") hold(std::atoi(argv[2]));
  if (what == "describe") describe();
  if (what == "round-trip") return round_trip(argc > 2 ? argv[2] : nullptr) ? 0 : 1;
  if (what == "call") {
    if (::chdir("/") != 0) return 3;  // paths must mean the same from anywhere
    const os::code_address address{from_hex(argv[2]), argv[3], std::stoull(argv[4])};
    return call(address) == std::atoi(argv[5]) ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "os_peer: %s\n", failure.what());
    return 4;
  }
}
