// What the kernel knows of the calling thread: its name, its id, the CPUs it may use.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace brigade::os {

// Shows in ps and top; cut to the kernel's 15 bytes.
void set_thread_name(std::string_view name) noexcept;
[[nodiscard]] std::string thread_name();

[[nodiscard]] pid_t thread_id() noexcept;

// Keeps the calling thread, and threads it makes later, on CPU number `cpu`, one of
// allowed_cpus(). Throws std::system_error (EINVAL) for one that it may not use.
void pin_this_thread(unsigned cpu);

}  // namespace brigade::os
