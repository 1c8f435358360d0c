// Cases that do what the checks around every case must find. checks_test.py runs them one by one.
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

TEST_CASE("behaves") {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  std::thread([] {}).join();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  CHECK(waitpid(child, nullptr, 0) == child);
}

TEST_CASE("leaves a descriptor" * doctest::skip()) {
  CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

TEST_CASE("leaves a child" * doctest::skip()) {
  if (fork() == 0) {
    for (;;)
      pause();
  }
}

TEST_CASE("leaves a zombie" * doctest::skip()) {
  if (fork() == 0) _exit(0);
}

TEST_CASE("leaves an orphan" * doctest::skip()) {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) {
      for (;;)
        pause();
    }
    _exit(0);
  }
  CHECK(waitpid(child, nullptr, 0) == child);
}

TEST_CASE("leaves a thread" * doctest::skip()) {
  std::thread([] {
    for (;;)
      pause();
  }).detach();
}

TEST_CASE("hangs" * doctest::skip()) {
  for (;;)
    pause();
}

TEST_CASE("crashes" * doctest::skip()) { std::abort(); }
