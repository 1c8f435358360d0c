// Names for places in code, from the symbol table of a program's or library's file. For reports of
// crashes in another process: the file need not be loaded here.
#pragma once

#include <cstdint>
#include <string>

namespace brigade::os {

// `offset` counts from where the file is loaded. "square(int) + 0x1f (kitchen)", or, where there is
// no symbol or no file any more, "kitchen + 0x1234". Never throws for what a file holds.
[[nodiscard]] std::string describe_code(const std::string& file, std::uint64_t offset);

}  // namespace brigade::os
