#include "kitchen/interrupts.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "kitchen/pantry.hpp"

using namespace kitchen;
namespace fs = std::filesystem;

namespace {

bool is_handled_by(void (*handler)(int), int signal) {
  struct sigaction found {};
  return ::sigaction(signal, nullptr, &found) == 0 && found.sa_handler == handler;
}

}  // namespace

TEST_CASE("nothing is noticed before anything came") {
  notice_interrupts();
  CHECK(interrupted() == 0);
}

TEST_CASE("Ctrl-C, a request to end and a closed terminal are noticed once each") {
  ::signal(SIGHUP, SIG_DFL);
  notice_interrupts();
  for (const int each : {SIGHUP, SIGTERM, SIGINT}) {
    CAPTURE(each);
    ::raise(each);
    CHECK(interrupted() == each);
    CHECK(is_handled_by(SIG_DFL, each));  // the second one ends the program
  }
}

TEST_CASE("a SIGHUP that nohup ignores stays ignored") {
  ::signal(SIGHUP, SIG_IGN);
  notice_interrupts();
  CHECK(is_handled_by(SIG_IGN, SIGHUP));
}

TEST_CASE("signals are held back for a while, not lost") {
  ::signal(SIGHUP, SIG_DFL);
  notice_interrupts();
  ::raise(SIGINT);
  {
    const signals_held_back meanwhile;
    ::raise(SIGHUP);
    CHECK(interrupted() == SIGINT);
  }
  CHECK(interrupted() == SIGHUP);
}

TEST_CASE("once somebody interrupts, no pantry is stocked") {
  notice_interrupts();
  ::raise(SIGINT);
  const std::string pantry = make_pantry_directory();
  stock_pantry(pantry, {"m", {{.name = "a", .file_kib = 16 * 1024, .files = 64}}}, 1);
  CHECK(fs::is_empty(pantry));
  fs::remove_all(pantry);
}
