// The pantry: a temporary directory of files that dishes read, with room for the plates that they
// write. Made once per program run, the same bytes for the same seed, removed at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kitchen/menu.hpp"

namespace kitchen {

// An empty directory of our own in the system's place for temporary files. Throws `problem`
// (environment).
[[nodiscard]] std::string make_pantry_directory();

// Writes the files that the dishes of `all` will read. Throws `problem` (environment). Leaves off
// when somebody interrupts the program: then there is nothing to cook.
void stock_pantry(const std::string& directory, const menu& all, std::uint64_t seed);

// One file operation of a dish: reads ingredient number `file`, writes what it read to the plate of
// dish `dish`, syncs it to the disk, reads it back, and returns the hash of what came back.
// Blocks. Throws std::system_error.
[[nodiscard]] std::uint64_t work_with_file(const std::string& directory, std::size_t bytes,
                                           unsigned file, unsigned dish);

// Removes the plate of a dish, if it has one.
void clear_plate(const std::string& directory, unsigned dish) noexcept;

}  // namespace kitchen
