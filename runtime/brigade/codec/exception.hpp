// Exceptions to bytes and back, so that a task's failure in a worker process is caught where it
// was submitted.
//
//   thrown in the worker               caught from the future
//   a type of the standard library     that type; codes, categories and paths included
//   brigade's own family               that type, with task and details
//   registered with register_exception that type
//   any other                          remote_exception<nearest standard base>: also remote_error
//   what is no std::exception (42)     remote_exception<std::exception>
//
// A std::system_error whose category has no name here (see register_error_category) keeps its text;
// its code becomes the nearest of std::errc, or else std::errc::io_error. What
// std::throw_with_nested wrapped comes along, up to 16 levels, for std::rethrow_if_nested and
// remote_error::nested().
#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <typeinfo>
#include <utility>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>

namespace brigade::codec {

// Throws codec_error when `failure` is null.
void encode_exception(writer& out, const std::exception_ptr& failure);

// `task` is what the result says it is about, unless the exception said so itself. Throws
// codec_error.
[[nodiscard]] std::exception_ptr decode_exception(reader& in, const task_identity& task);

namespace detail {

// What is known of a registered type. The functions are static ones: no state, no owner.
struct exception_coder {
  const std::type_info* type;
  bool (*matches)(const std::exception_ptr& failure);
  void (*write)(writer& out, const std::exception_ptr& failure);
  std::exception_ptr (*read)(reader& in, const std::exception_ptr& nested);
};

void add_exception_coder(std::string name, const exception_coder& added);

// The exception that make() returns, as if thrown with std::throw_with_nested while `nested` was
// being handled. make() may throw for itself.
template <class Make>
[[nodiscard]] std::exception_ptr nest(const std::exception_ptr& nested, Make make) {
  if (!nested) return std::make_exception_ptr(make());
  try {
    std::rethrow_exception(nested);
  } catch (...) {
    auto made = make();
    try {
      std::throw_with_nested(std::move(made));
    } catch (...) {
      return std::current_exception();
    }
  }
}

template <class T>
concept made_from_text =
    std::derived_from<T, std::exception> && std::constructible_from<T, std::string>;

template <class T>
concept made_from_nothing = std::derived_from<T, std::exception> &&
                                sizeof(T) == sizeof(std::exception) &&
                            std::default_initializable<T>;

template <class T>
void write_exception_value(writer& out, const T& value) {
  if constexpr (transportable<T>) {
    write_value(out, value);
  } else if constexpr (made_from_text<T>) {
    const char* const text = value.what();
    out.put_text(text == nullptr ? "" : text);
  }
}

template <class T>
T read_exception_value(reader& in) {
  if constexpr (transportable<T>) {
    return read_value<T>(in);
  } else if constexpr (made_from_text<T>) {
    return T(in.get_text("the text of an exception"));
  } else {
    return T{};
  }
}

template <class T>
inline constexpr exception_coder coder_of_exception{
    &typeid(T),
    [](const std::exception_ptr& failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const T&) {
        return true;
      } catch (...) {
        return false;
      }
    },
    [](writer& out, const std::exception_ptr& failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const T& value) {
        write_exception_value(out, value);
      }
    },
    [](reader& in, const std::exception_ptr& nested) {
      return nest(nested, [&in] { return read_exception_value<T>(in); });
    }};

}  // namespace detail

// Makes exceptions of exactly type T come back as T. T has a coder, or else a constructor from
// std::string that is given what(), or else no members. Do it on both sides, so before `init`;
// `name` identifies T between them. Thread-safe; doing it again is fine, another type of the same
// name throws std::invalid_argument.
template <class T>
void register_exception(std::string name) {
  static_assert(transportable<T> || detail::made_from_text<T> || detail::made_from_nothing<T>,
                "brigade: this exception cannot be rebuilt: give it a coder "
                "(brigade::codec::coder<T>) or a constructor that takes std::string");
  detail::add_exception_coder(std::move(name), detail::coder_of_exception<T>);
}

}  // namespace brigade::codec

namespace brigade {

using codec::register_error_category;
using codec::register_exception;

}  // namespace brigade
