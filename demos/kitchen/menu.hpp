// What is to be cooked: a menu is a list of dishes, a dish is an amount of waiting, file work and
// CPU work. Menus are shipped by name or read from JSON.
//
// A menu file:
//   {"dishes": [{"name": "soup", "wait_ms": 200, "replies": 2, "file_kib": 64, "files": 8,
//                "cpu_ms": 5, "executor": "loop"}]}
// All but the name is optional. Everything wrong with a menu is thrown as a `problem` that names
// the place, the value and the cure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/base/executor_kind.hpp>

namespace kitchen {

struct dish {
  std::string name;
  double wait_ms = 0;     // each wait: of every reply, or of one timer when there are no replies
  unsigned replies = 0;   // asked for one after the other from the local server
  unsigned file_kib = 0;  // size of each file
  unsigned files = 0;     // files read, written to a plate, synced and read back
  double cpu_ms = 0;      // computing, as measured on this machine when the program starts
  std::optional<brigade::executor_kind> executor = {};  // its own choice in the mixed kitchen
};

struct menu {
  std::string name;
  std::vector<dish> dishes;
};

// Of all dishes together.
struct menu_needs {
  bool replies = false;
  bool files = false;
  bool cpu = false;
  bool choices = false;  // some dish names its executor
};

[[nodiscard]] std::span<const std::string_view> shipped_menu_names();
[[nodiscard]] std::string_view shipped_menu_json(std::string_view name);  // must be one of them
[[nodiscard]] std::string_view shipped_menu_summary(std::string_view name);

// `place` opens every error: a file's name, or "menu 'slow'".
[[nodiscard]] menu parse_menu(std::string_view json, std::string name, const std::string& place);

// A shipped menu's name or the path of a file; `place` says where that word was given ("--menu").
[[nodiscard]] menu load_menu(const std::string& name_or_file, const std::string& place);

// `count` dishes: the menu over and over, cut where needed.
[[nodiscard]] menu repeated(const menu& once, std::size_t count);

// "soup:loop" sets the choice of every dish of that name.
void choose_executor(menu& all, std::string_view choice, const std::string& place);

[[nodiscard]] menu_needs needs_of(const menu& all);

// "soup: 2 replies of 200 ms, 8 files of 64 KiB, 5 ms CPU, on loop"
[[nodiscard]] std::string described(const dish& each);

}  // namespace kitchen
