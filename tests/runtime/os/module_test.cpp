#include <brigade/os/module.hpp>

#include <doctest/doctest.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <brigade/base/error.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/spawn.hpp>

using namespace brigade;

namespace {

const std::string peers = PEERS;

int cube(int x) { return x * x * x; }

const void* address_of(int (*f)(int)) { return reinterpret_cast<const void*>(f); }

os::process_end run_peer(const std::string& name, std::vector<std::string> arguments) {
  os::spawn_options options;
  options.path = peers + "/" + name;
  arguments.insert(arguments.begin(), name);
  options.arguments = std::move(arguments);
  options.descriptors = {{2, 2}};
  return os::spawn(options).wait();
}

}  // namespace

TEST_CASE("the program is the first module and has a build-id") {
  const auto modules = os::loaded_modules();
  REQUIRE(modules.size() > 1);
  CHECK(modules[0].is_program);
  CHECK(modules[0].path == std::filesystem::read_symlink("/proc/self/exe").string());
  for (std::size_t i = 1; i < modules.size(); ++i) CHECK_FALSE(modules[i].is_program);
  for (const auto& module : modules) {
    CAPTURE(module.path);
    CHECK(module.id.size() >= 8);
    CHECK_FALSE(module.code.empty());
  }
}

TEST_CASE("a function keeps its name and comes back from it") {
  const os::code_address address = os::to_portable(address_of(cube));
  CHECK(address.module == os::loaded_modules()[0].id);
  CHECK(os::from_portable(address) == address_of(cube));
  const auto library = os::to_portable(reinterpret_cast<const void*>(&::getpid));
  CHECK(os::from_portable(library) == reinterpret_cast<const void*>(&::getpid));
}

TEST_CASE("an instance started again calls the same functions, however it is linked") {
  for (const std::string name : {"os_peer", "os_peer_fixed", "os_peer_stripped",
                                 "os_peer_nameless", "os_peer_folded"}) {
    CAPTURE(name);
    CHECK(run_peer(name, {"round-trip"}).exit_code == 0);
  }
}

#ifdef STATIC_PEERS
TEST_CASE("a static program's functions are found as well") {
  for (const std::string name : {"os_peer_static", "os_peer_static_pie"}) {
    CAPTURE(name);
    CHECK(run_peer(name, {"round-trip"}).exit_code == 0);
  }
}
#endif

TEST_CASE("a library that was loaded while running is loaded by its path in the other process") {
  CHECK(run_peer("os_peer", {"round-trip", peers + "/libos_plugin.so"}).exit_code == 0);
}

TEST_CASE("a library loaded by a relative path is found from another directory") {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(peers);
  CHECK(run_peer("os_peer", {"round-trip", "./libos_plugin.so"}).exit_code == 0);
  std::filesystem::current_path(before);
}

TEST_CASE("a thread learns of libraries that come and go") {
  const std::string path = peers + "/libos_plugin.so";
  os::code_address address;
  (void)os::to_portable(address_of(cube));  // now it knows the modules
  for (int i = 0; i < 3; ++i) {
    void* plugin = ::dlopen(path.c_str(), RTLD_NOW);
    REQUIRE(plugin != nullptr);
    const void* function = ::dlsym(plugin, "plugin_function");
    address = os::to_portable(function);
    CHECK(address.path == path);
    CHECK(os::from_portable(address) == function);
    ::dlclose(plugin);
  }
  const auto f = reinterpret_cast<int (*)(int)>(os::from_portable(address));  // loads it again
  CHECK(f(1) == 1001);
}

TEST_CASE("an unknown module, an unknown build and a wrong offset are told apart") {
  const auto message_of = [](const os::code_address& address) -> std::string {
    try {
      (void)os::from_portable(address);
      return "found";
    } catch (const build_mismatch& mismatch) {
      return mismatch.what();
    }
  };
  const auto contains = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const std::string missing = message_of({"1234", "/no/such/libthing.so", 0});
  CHECK(contains(missing, "'/no/such/libthing.so' (build 31323334) is not in this process"));
  CHECK(contains(missing, "start host and workers from one build"));

  const std::string other = message_of({"1234", peers + "/libos_plugin.so", 0});
  CHECK(contains(other, "is a different build here"));

  os::code_address beyond = os::to_portable(address_of(cube));
  beyond.offset += 1ULL << 40;
  CHECK(contains(message_of(beyond), "has no code at offset"));
  beyond.offset = 0;  // the file's header
  CHECK(contains(message_of(beyond), "has no code at offset"));
}

TEST_CASE("code that is in no module cannot be named") {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  CHECK_THROWS_AS((void)os::to_portable(page), not_transportable);
  ::munmap(page, 4096);
  CHECK_THROWS_AS((void)os::to_portable(nullptr), not_transportable);
}

TEST_CASE("threads name functions at the same time as libraries come and go") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      const auto expected = os::to_portable(address_of(cube));
      for (int n = 0; n < 500; ++n) {
        if (os::to_portable(address_of(cube)) != expected) FAIL_CHECK("changed");
      }
    });
  }
  for (int n = 0; n < 20; ++n) {
    if (void* plugin = ::dlopen((peers + "/libos_plugin.so").c_str(), RTLD_NOW)) ::dlclose(plugin);
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("bytes are written in hexadecimal") {
  CHECK(os::to_hex(std::string("\x00\xff\x1a", 3)) == "00ff1a");
}

TEST_CASE("a function of the program is found by its offset alone, and only in the same build") {
  const auto here = os::to_program(address_of(cube));
  REQUIRE(here);
  CHECK(os::from_program(*here) == address_of(cube));
  CHECK_FALSE(os::to_program(::dlsym(RTLD_DEFAULT, "getpid")));
  CHECK_THROWS_AS((void)os::from_program({here->build + 1, here->offset}), build_mismatch);
  CHECK_THROWS_AS((void)os::from_program({here->build, ~std::uint64_t{0} >> 8}), build_mismatch);
}
