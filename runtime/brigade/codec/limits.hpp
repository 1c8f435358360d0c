// What encoding and decoding may cost. One value of it goes to a writer or reader; nothing is
// shared. The defaults suit values that a program sends to itself; lower them for what a stranger
// may have written.
#pragma once

#include <cstddef>
#include <optional>

namespace brigade::codec {

struct limits {
  // How many bytes of memory one input may decode to. Unset: 64 MiB, or 64 bytes for each byte of
  // input where that is more. 64 is above what honest values take (a list node or a map node
  // around one byte, an empty string), so a large value is never refused, and a short hostile
  // input can never claim more than 64 MiB.
  std::optional<std::size_t> decoded_bytes = {};

  // How many bytes one value may become. Unset: as many as memory holds.
  std::optional<std::size_t> encoded_bytes = {};

  // How deep containers may lie in each other. A level costs under 1 KiB of stack, so the default
  // fits the smallest stack of a worker thread.
  std::size_t depth = 128;

  // Of decoding: told of memory for a large string or vector that has been allocated and is about
  // to be filled. It may ask the system for larger pages; it does not touch a byte.
  void (*about_to_fill)(void* memory, std::size_t bytes) noexcept = nullptr;
};

}  // namespace brigade::codec
