// How a failed system call becomes an exception: std::system_error whose text says which call
// failed on what, followed by the system's own words.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace brigade::os {

// Throws std::system_error with `code` in generic_category: "open of '/proc/1/maps': Permission
// denied". `on` says what the call was about; empty when the call says enough.
[[noreturn]] void throw_system_failure(int code, std::string_view call, std::string_view on = {});

// The same with errno, read before anything else happens.
[[noreturn]] inline void throw_errno(std::string_view call, std::string_view on = {}) {
  const int code = errno;
  throw_system_failure(code, call, on);
}

// Repeats a call that returns -1 until a signal no longer interrupts it.
template <class Call>
auto retry_interrupted(Call&& call) noexcept(noexcept(call())) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace brigade::os
