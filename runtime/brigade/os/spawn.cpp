#include <brigade/os/spawn.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <brigade/os/fd.hpp>
#include <brigade/os/system_failure.hpp>

namespace brigade::os {
namespace {

void check(int code, const char* call) {
  if (code != 0) throw_system_failure(code, call);
}

class file_actions {
 public:
  file_actions() { check(::posix_spawn_file_actions_init(&actions_), "file_actions_init"); }
  ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;

  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class attributes {
 public:
  attributes() { check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init"); }
  ~attributes() { ::posix_spawnattr_destroy(&attributes_); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;

  posix_spawnattr_t* get() noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // posix_spawn takes char* for C's sake; it does not write to them.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Fills `actions`; returns the copies that must stay open until the child runs. Sources are first
// copied above all targets: a dup2 can then never overwrite a source that is still to come.
std::vector<unique_fd> arrange(file_actions& actions,
                               const std::vector<descriptor_mapping>& descriptors) {
  int last = 2;
  for (const descriptor_mapping& mapping : descriptors) last = std::max(last, mapping.there);
  std::vector<unique_fd> copies;
  std::vector<bool> taken(static_cast<std::size_t>(last) + 1);
  for (const descriptor_mapping& mapping : descriptors) {
    copies.push_back(duplicate(mapping.here, last + 1));
    check(::posix_spawn_file_actions_adddup2(actions.get(), copies.back().get(), mapping.there),
          "posix_spawn_file_actions_adddup2");
    taken[static_cast<std::size_t>(mapping.there)] = true;
  }
  for (int number = 0; number <= last; ++number) {
    if (taken[static_cast<std::size_t>(number)]) continue;
    if (number <= 2) {
      check(::posix_spawn_file_actions_addopen(actions.get(), number, "/dev/null", O_RDWR, 0),
            "posix_spawn_file_actions_addopen");
    } else {
      check(::posix_spawn_file_actions_addclose(actions.get(), number),
            "posix_spawn_file_actions_addclose");
    }
  }
  check(::posix_spawn_file_actions_addclosefrom_np(actions.get(), last + 1),
        "posix_spawn_file_actions_addclosefrom_np");
  return copies;
}

void set_attributes(attributes& attributes, bool own_process_group) {
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  check(::posix_spawnattr_setsigmask(attributes.get(), &none), "posix_spawnattr_setsigmask");
  check(::posix_spawnattr_setsigdefault(attributes.get(), &all), "posix_spawnattr_setsigdefault");
  if (own_process_group) flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
  check(::posix_spawnattr_setflags(attributes.get(), flags), "posix_spawnattr_setflags");
}

}  // namespace

child_process spawn(const spawn_options& options) {
  file_actions actions;
  attributes attributes;
  const std::vector<unique_fd> copies = arrange(actions, options.descriptors);
  set_attributes(attributes, options.own_process_group);

  const std::vector<char*> arguments = pointers_to(options.arguments);
  std::vector<char*> environment;
  if (options.environment) environment = pointers_to(*options.environment);
  pid_t pid = -1;
  const int code =
      ::posix_spawn(&pid, options.path.c_str(), actions.get(), attributes.get(), arguments.data(),
                    options.environment ? environment.data() : environ);
  if (code != 0) throw_system_failure(code, "posix_spawn", "'" + options.path + "'");
  return child_process(pid);
}

}  // namespace brigade::os
