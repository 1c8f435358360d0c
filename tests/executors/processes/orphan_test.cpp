// A supervisor that dies in the moment in which it has a child that nobody else knows of, under a
// host that adopts orphans, as init of a container does: the host is left with no zombie.
#include <csignal>
#include <cstring>

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/os/lifeline.hpp>
#include <brigade/os/orphans.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>
#include <brigade/processes/process.hpp>

#include "executors/processes/pool_support.hpp"
#include "support/surroundings.hpp"

using namespace pool_test;

namespace {

// --- what happens in the supervisor, which is this program too -----------------------------------

constexpr const char* whom = "BRIGADE_TEST_DIES_AT";  // the folder with the signs

bool is_supervisor() {
  char name[16] = {};
  ::prctl(PR_GET_NAME, name);
  return std::strcmp(name, "brigade-super") == 0;
}

// Once for each such sign: the first call after the test has put it there.
bool is_due(const char* sign) {
  const char* const folder = std::getenv(whom);
  if (folder == nullptr || !is_supervisor()) return false;
  return ::unlink((std::string(folder) + "/" + sign).c_str()) == 0;
}

void die_if(const char* sign) {
  if (is_due(sign)) ::kill(::getpid(), SIGKILL);
}

// Right after fork(2) has returned, in both.
[[maybe_unused]] const int at_fork = ::pthread_atfork(
    nullptr, [] { die_if("supervisor"); }, [] { die_if("child"); });

}  // namespace

// Right after the child has been made, as for fork.
extern "C" int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                           const posix_spawnattr_t* attributes, char* const argv[],
                           char* const envp[]) {
  using function = decltype(&::posix_spawn);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "posix_spawn"));
  const int failure = real(pid, path, actions, attributes, argv, envp);
  die_if("supervisor");
  return failure;
}

namespace {

// --- the host ------------------------------------------------------------------------------------

class adopting_host {
 public:
  adopting_host() {
    ::setenv(whom, sign("").c_str(), 1);
    os::become_subreaper();
    if (own_.pid() == 0) ::_exit(17);
  }
  ~adopting_host() {
    os::become_subreaper(false);
    ::unsetenv(whom);
  }

  // There is nobody but the zombie of the host's own, which is the host's.
  void check_alone() {
    // Not at once: /proc lists one that is gone (state X) for another moment.
    const bool alone = testing::eventually(
        [&] { return os::children_of(::getpid()) == std::vector<pid_t>{own_.pid()}; });
    std::string all;
    for (const auto& child : testing::children_of(::getpid()))
      all += child.text + "; ";
    INFO("children: " << all << "the host's own is " << own_.pid());
    CHECK(alone);
    CHECK(own_.wait() == os::process_end{17, std::nullopt});
  }

  const signs sign;

 private:
  os::child_process own_{os::fork_child()};
};

}  // namespace

TEST_CASE("a pool's worker that nobody was told of leaves no zombie") {
  for (const start_method how : all_start_methods) {
    for (const bool child_dies_too : {false, true}) {
      if (how == start_method::spawn && child_dies_too) continue;
      CAPTURE(to_string(how));
      CAPTURE(child_dies_too);
      adopting_host host;
      {
        runtime rt(pool_of(1, how));
        give_sign(host.sign("supervisor"));
        if (child_dies_too) give_sign(host.sign("child"));
        check_usable(rt);
        CHECK_FALSE(std::filesystem::exists(host.sign("supervisor")));
        CHECK_FALSE(std::filesystem::exists(host.sign("child")));
      }
      host.check_alone();
    }
  }
}

TEST_CASE("a process that nobody was told of leaves no zombie") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    adopting_host host;
    {
      process_options options;
      options.start = how;
      process one(options, [] { ::_exit(3); });
      give_sign(host.sign("supervisor"));
      one.start();  // the second supervisor does it
      CHECK_FALSE(std::filesystem::exists(host.sign("supervisor")));
      one.join();
      CHECK(one.exit_code() == 3);
    }
    host.check_alone();
  }
}

TEST_CASE("processes that ran when their supervisor died leave no zombies") {
  adopting_host host;
  {
    process first(spin, host.sign("1"));
    process second(spin, host.sign("2"));
    first.start();
    second.start();
    host.sign.await("1");
    host.sign.await("2");
    ::kill(os::read_process_stat(first.pid().value())->parent, SIGKILL);
    first.join();
    second.join();
    CHECK(first.exit_code() == -SIGKILL);
    CHECK(second.exit_code() == -SIGKILL);
  }
  host.check_alone();
}

TEST_CASE("a marked family is known by its mark, also when it is dead") {
  const os::family_mark mark;
  const os::family_mark other;
  const auto limit = std::chrono::steady_clock::now() + 60s;
  os::child_process marked(os::fork_child());
  if (marked.pid() == 0) {
    ::pause();
    ::_exit(0);
  }
  CHECK_FALSE(mark.is_on(marked.pid()));
  REQUIRE(mark.put_on(marked.pid()));
  CHECK(mark.is_on(marked.pid()));
  CHECK_FALSE(other.is_on(marked.pid()));
  CHECK_FALSE(mark.is_on(::getpid()));
  os::reap_marked(mark, limit);  // it runs
  CHECK(mark.is_on(marked.pid()));
  const os::unique_fd pidfd = os::open_pidfd(marked.pid());
  CHECK(os::pid_of(pidfd) == marked.pid());
  CHECK_FALSE(os::try_reap(pidfd));
  marked.kill(SIGKILL);
  CHECK(os::wait_readable(pidfd.get(), limit));
  os::reap_marked(other, limit);
  CHECK(mark.is_on(marked.pid()));
  os::reap_marked(mark, limit);
  CHECK(os::children_of(::getpid()).empty());
  CHECK(os::pid_of(pidfd) == 0);
  CHECK_FALSE(os::try_reap(pidfd));
  CHECK(marked.wait() == os::process_end{});
}

TEST_CASE("a lifeline tells when nobody holds it any more") {
  os::lifeline line;
  os::child_process holder(os::fork_child());
  if (holder.pid() == 0) {
    line.let_go();
    const os::lifeline_hold hold(line.holder_end());
    for (;;)
      ::pause();
  }
  line.keep_to_holders();
  CHECK_FALSE(line.wait_for_holders(std::chrono::steady_clock::now()));
  holder.kill(SIGKILL);
  CHECK(line.wait_for_holders(std::chrono::steady_clock::now() + 60s));
}
