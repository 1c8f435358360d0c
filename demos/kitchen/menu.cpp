#include "kitchen/menu.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <brigade/base/nearest.hpp>
#include <nlohmann/json.hpp>

#include "kitchen/menu_json.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

using nlohmann::json;

constexpr double longest_ms = 3'600'000;
constexpr unsigned most_replies = 1000;
constexpr unsigned most_files = 10'000;
constexpr unsigned largest_file_kib = 16 * 1024;
constexpr std::size_t most_dishes = 100'000;
constexpr std::size_t largest_menu_bytes = 16u << 20;
constexpr std::size_t longest_name = 60;

constexpr std::array<std::string_view, 7> dish_keys{"name",  "wait_ms", "replies", "file_kib",
                                                    "files", "cpu_ms",  "executor"};

std::string shown(const json& value) {
  return one_line(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string plain_number(double value) { return json(static_cast<long long>(value)).dump(); }

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw bad_input(place + ": " + what);
}

double milliseconds(const json& value, const std::string& place) {
  if (!value.is_number()) refuse(place, shown(value) + " is not a number; give milliseconds");
  const double ms = value.get<double>();
  if (ms < 0) refuse(place, shown(value) + " is negative; give milliseconds from 0");
  if (!(ms <= longest_ms)) {
    refuse(place,
           shown(value) + " is too much; give at most " + plain_number(longest_ms) + " (an hour)");
  }
  return ms;
}

unsigned whole(const json& value, const std::string& place, unsigned most) {
  const std::string allowed = "; give a whole number from 0 to " + plain_number(most);
  if (!value.is_number_integer()) refuse(place, shown(value) + " is not a whole number" + allowed);
  if (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) {
    refuse(place, shown(value) + " is negative" + allowed);
  }
  const auto number = value.get<std::uint64_t>();
  if (number > most) refuse(place, shown(value) + " is too much" + allowed);
  return static_cast<unsigned>(number);
}

std::string dish_name(const json& value, const std::string& place) {
  if (!value.is_string()) refuse(place, shown(value) + " is not a text; give the dish a name");
  auto name = value.get<std::string>();
  if (name.empty()) refuse(place, "the name is empty; give the dish a name");
  if (name.size() > longest_name) {
    refuse(place, in_quotes(name) + " is too long; give at most " + std::to_string(longest_name) +
                      " bytes");
  }
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control) refuse(place, in_quotes(name) + " has a control character; use printable ones");
  return name;
}

brigade::executor_kind executor_name(std::string_view name, const std::string& place) {
  std::array<std::string_view, brigade::all_executors.size()> names;
  for (const brigade::executor_kind kind : brigade::all_executors) {
    if (brigade::to_string(kind) == name) return kind;
    names[brigade::index_of(kind)] = brigade::to_string(kind);
  }
  refuse(place, brigade::not_one_of(one_line(name), names));
}

dish parse_dish(const json& entry, const std::string& place) {
  if (!entry.is_object()) {
    refuse(place, shown(entry) + " is not a dish; give an object like {\"name\": \"soup\"}");
  }
  dish made;
  for (const auto& [key, value] : entry.items()) {
    const std::string here = place + "." + one_line(key);
    if (key == "name")
      made.name = dish_name(value, here);
    else if (key == "wait_ms")
      made.wait_ms = milliseconds(value, here);
    else if (key == "replies")
      made.replies = whole(value, here, most_replies);
    else if (key == "file_kib")
      made.file_kib = whole(value, here, largest_file_kib);
    else if (key == "files")
      made.files = whole(value, here, most_files);
    else if (key == "cpu_ms")
      made.cpu_ms = milliseconds(value, here);
    else if (key == "executor") {
      if (!value.is_string()) refuse(here, shown(value) + " is not a text; name an executor");
      made.executor = executor_name(value.get<std::string>(), here);
    } else {
      refuse(place, "key " + brigade::not_one_of(one_line(key), dish_keys));
    }
  }
  if (made.name.empty()) refuse(place, "it has no name; add \"name\": \"...\"");
  if (made.file_kib > 0 && !entry.contains("files")) made.files = 1;
  if (made.files > 0 && !entry.contains("file_kib")) made.file_kib = 4;
  return made;
}

std::string read_file(const std::string& path, const std::string& place) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    refuse(place, in_quotes(path) + " is a directory; give a menu file");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const auto unreadable = [&] {
    refuse(place, "cannot read " + in_quotes(path) + ": " + system_text(errno ? errno : EIO) +
                      "; give a readable file or one of " + "slow, fast, cpu, mixed");
  };
  if (!in) unreadable();
  std::string text(largest_menu_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) unreadable();
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > largest_menu_bytes) {
    refuse(place, in_quotes(path) + " is larger than 16 MiB; give a smaller menu");
  }
  return text;
}

}  // namespace

menu parse_menu(std::string_view text, std::string name, const std::string& place) {
  const json root = parse_menu_json(text, place);
  if (!root.is_object()) {
    refuse(place, shown(root) + " is not a menu; give an object like {\"dishes\": [...]}");
  }
  for (const auto& [key, value] : root.items()) {
    if (key != "dishes")
      refuse(place, "key " + in_quotes(key) + " is unknown; a menu has \"dishes\"");
  }
  const auto dishes = root.find("dishes");
  if (dishes == root.end()) refuse(place, "it has no \"dishes\"; add \"dishes\": [...]");
  if (!dishes->is_array()) {
    refuse(place + ": dishes", shown(*dishes) + " is not a list; give [{\"name\": \"soup\"}]");
  }
  if (dishes->empty()) refuse(place + ": dishes", "the menu has no dish; add at least one");
  if (dishes->size() > most_dishes) {
    refuse(place + ": dishes", std::to_string(dishes->size()) + " are too many; give at most " +
                                   std::to_string(most_dishes));
  }
  menu made{std::move(name), {}};
  for (std::size_t i = 0; i < dishes->size(); ++i) {
    made.dishes.push_back(parse_dish((*dishes)[i], place + ": dishes[" + std::to_string(i) + "]"));
  }
  return made;
}

menu load_menu(const std::string& name_or_file, const std::string& place) {
  const auto names = shipped_menu_names();
  if (std::find(names.begin(), names.end(), name_or_file) != names.end()) {
    return parse_menu(shipped_menu_json(name_or_file), name_or_file, "menu '" + name_or_file + "'");
  }
  std::error_code failure;
  const bool path_like = name_or_file.find_first_of("/.") != std::string::npos;
  if (!path_like && !std::filesystem::exists(name_or_file, failure)) {
    refuse(place, brigade::not_one_of(one_line(name_or_file), names) +
                      " Or give the path of a menu file.");
  }
  const std::string text = read_file(name_or_file, place);
  return parse_menu(text, name_or_file, one_line(name_or_file));
}

menu repeated(const menu& once, std::size_t count) {
  menu made{once.name, {}};
  made.dishes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    made.dishes.push_back(once.dishes[i % once.dishes.size()]);
  }
  return made;
}

void choose_executor(menu& all, std::string_view choice, const std::string& place) {
  const auto colon = choice.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    refuse(place, in_quotes(choice) + " names no executor; write NAME:EXECUTOR, like " +
                      all.dishes.front().name + ":loop");
  }
  const std::string_view name = choice.substr(0, colon);
  const auto executor = executor_name(choice.substr(colon + 1), place + " " + in_quotes(choice));
  bool found = false;
  for (dish& each : all.dishes) {
    if (each.name != name) continue;
    each.executor = executor;
    found = true;
  }
  if (found) return;
  std::vector<std::string_view> names;
  for (const dish& each : all.dishes) {
    if (std::find(names.begin(), names.end(), each.name) == names.end()) names.push_back(each.name);
  }
  constexpr std::size_t readable = 20;
  std::string text = in_quotes(name) + " is not a dish of this menu.";
  if (names.size() <= readable) {
    text = brigade::not_one_of(one_line(name), names);
  } else if (const auto meant = brigade::nearest(name, names); !meant.empty()) {
    text += " Did you mean " + in_quotes(meant) + "?";
  }
  refuse(place, "dish " + text);
}

menu_needs needs_of(const menu& all) {
  menu_needs needs;
  for (const dish& each : all.dishes) {
    needs.replies |= each.replies > 0;
    needs.files |= each.files > 0;
    needs.cpu |= each.cpu_ms > 0;
    needs.choices |= each.executor.has_value();
  }
  return needs;
}

std::string described(const dish& each) {
  std::vector<std::string> parts;
  if (each.replies > 0) {
    parts.push_back(fmt::format("{} {} of {:g} ms", each.replies,
                                each.replies == 1 ? "reply" : "replies", each.wait_ms));
  } else if (each.wait_ms > 0) {
    parts.push_back(fmt::format("timer of {:g} ms", each.wait_ms));
  }
  if (each.files > 0) parts.push_back(fmt::format("{} files of {} KiB", each.files, each.file_kib));
  if (each.cpu_ms > 0) parts.push_back(fmt::format("{:g} ms CPU", each.cpu_ms));
  if (each.executor) parts.push_back(fmt::format("on {}", brigade::to_string(*each.executor)));
  return fmt::format("{}: {}", each.name, fmt::join(parts, ", "));
}

}  // namespace kitchen
