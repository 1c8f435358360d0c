// Sends exceptions as a worker does and catches what arrives.
#pragma once

#include <exception>
#include <string>

#include <doctest/doctest.h>

#include <brigade/codec/exception.hpp>

namespace exception_test {

namespace codec = brigade::codec;
using brigade::executor_kind;
using brigade::remote_error;
using brigade::remote_exception;

inline const brigade::task_identity sent_as{"resize", 7, executor_kind::processes};

inline std::exception_ptr travel(const std::exception_ptr& failure,
                                 const brigade::task_identity& as = sent_as) {
  codec::writer out;
  codec::encode_exception(out, failure);
  const auto bytes = out.take();
  codec::reader in(bytes);
  std::exception_ptr back = codec::decode_exception(in, as);
  in.expect_end();
  return back;
}

// Sends `thrown` and hands what arrives, caught as Caught, to `look`.
template <class Caught, class Thrown, class Look>
void expect_caught(const Thrown& thrown, Look look) {
  try {
    std::rethrow_exception(travel(std::make_exception_ptr(thrown)));
  } catch (const Caught& e) {
    look(e);
    return;
  } catch (...) {
  }
  FAIL("it was not caught");
}

// The text of a remote_error: the original's, and where it is from.
inline std::string from_afar(const std::string& text, const std::string& type) {
  return text + " (" + type + " in task 'resize' (7) on processes)";
}

}  // namespace exception_test
