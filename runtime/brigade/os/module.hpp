// Where a function is, in words that another process running the same program understands: the
// module it is in (the program or a shared library, by its build-id) and its offset there.
//
// Addresses differ from run to run, names of types collide across files; this does neither. It
// holds for position independent, fixed, static and stripped programs. A module that was loaded by
// dlopen is loaded by its path in the other process, and stays loaded there. A module without a
// build-id is known by a hash of its code.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brigade::os {

// The bytes of the build-id note; of a module without one, "hash:" and 8 bytes made from its code.
using build_id = std::string;

[[nodiscard]] std::string to_hex(const build_id& id);

struct module_info {
  std::string path;  // of the program itself: where its file was when it started
  build_id id;
  std::uintptr_t base = 0;  // what an offset counts from
  bool is_program = false;  // the program itself, not a library

  struct range {
    std::uintptr_t begin;
    std::uintptr_t end;
  };
  std::vector<range> code;  // its executable segments
};

// The modules in this process now, the program first. Cost: tens of microseconds.
[[nodiscard]] std::vector<module_info> loaded_modules();

struct code_address {
  build_id module;
  std::string path;  // where to load it from when it isn't there; a hint for people otherwise
  std::uint64_t offset = 0;

  friend bool operator==(const code_address&, const code_address&) = default;
};

// Throws not_transportable when `function` is in no module (a trampoline, code made at run time).
// Modules are looked up once per thread and again only after a dlopen or dlclose.
[[nodiscard]] code_address to_portable(const void* function);

// The address here. Throws build_mismatch, naming the module and the cure, when it is not in this
// process and cannot be loaded, is a different build, or has no code at that offset.
[[nodiscard]] void* from_portable(const code_address& address);

// The same for what lies in the program itself, which is nearly everything: no look at the other
// modules, and no text. `build` tells builds of it apart.
struct program_address {
  std::uint64_t build = 0;
  std::uint64_t offset = 0;
};
// nullopt when it lies elsewhere.
[[nodiscard]] std::optional<program_address> to_program(const void* function);
// Throws build_mismatch, as from_portable().
[[nodiscard]] void* from_program(const program_address& address);

}  // namespace brigade::os
