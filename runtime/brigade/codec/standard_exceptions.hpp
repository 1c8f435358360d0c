// The exceptions of the standard library: which of them is nearest to a given one, what has to
// travel so that it can be rebuilt, and the rebuilding. Internal to exception.cpp.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <system_error>
#include <typeinfo>

#include <brigade/base/error.hpp>
#include <brigade/codec/reader.hpp>
#include <brigade/codec/writer.hpp>

namespace brigade::codec::detail {

// What a standard exception holds, whichever it is; unused members are empty.
struct standard_details {
  std::string text;
  std::error_code code;
  int number = 0;  // of regex_error and future_error
  std::string path1;
  std::string path2;
};

// An index into the table of kinds, most derived first. Everything is at least a std::exception.
[[nodiscard]] std::size_t nearest_standard(const std::exception& failure);
[[nodiscard]] std::size_t standard_root() noexcept;
[[nodiscard]] std::size_t standard_kinds() noexcept;
[[nodiscard]] const std::type_info& standard_type(std::size_t kind);

[[nodiscard]] standard_details details_of(const std::exception& failure);
void write_details(writer& out, const standard_details& details);
[[nodiscard]] standard_details read_details(reader& in);

// The exception itself, around `nested`.
[[nodiscard]] std::exception_ptr make_standard(std::size_t kind, const standard_details& details,
                                               const std::exception_ptr& nested);

// remote_exception<that>, around `nested`.
struct remote_parts {
  std::string type;
  std::string text;
  task_identity task;
};
[[nodiscard]] std::exception_ptr make_remote(std::size_t kind, const standard_details& details,
                                             remote_parts parts, const std::exception_ptr& nested);

}  // namespace brigade::codec::detail
