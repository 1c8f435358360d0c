// The codec under libFuzzer. Build and run by hand, from the top of the tree:
//   clang++-19 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
//     -Iruntime -Itests tests/fuzz/codec_fuzz.cpp runtime/brigade/codec/*.cpp
//     runtime/brigade/base/*.cpp -o codec_fuzz && ./codec_fuzz -max_total_time=300
// The suite runs a short deterministic form of it: tests/runtime/codec/fuzz_test.cpp.
#include <cstddef>
#include <cstdint>
#include <span>

#include <fuzz/codec_everything.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::decode_everything(std::as_bytes(std::span(data, size)));
  return 0;
}
