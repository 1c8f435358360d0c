#include <brigade/processes/failure.hpp>

#include <brigade/codec/exception.hpp>

namespace brigade::detail {

std::vector<std::byte> encode_failure(const std::exception_ptr& failure) {
  codec::writer out;
  try {
    codec::encode_exception(out, failure);
  } catch (...) {
    out.truncate(0);
    codec::encode_exception(
        out, std::make_exception_ptr(codec_error("the exception that was thrown in the process "
                                                 "cannot be encoded")));
  }
  return out.take();
}

std::exception_ptr decode_failure(std::span<const std::byte> bytes,
                                  const task_identity& about) noexcept {
  if (bytes.empty()) return nullptr;
  try {
    codec::reader in(bytes);
    return codec::decode_exception(in, about);
  } catch (...) {
    return std::current_exception();
  }
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "what is no std::exception";
  }
}

}  // namespace brigade::detail
