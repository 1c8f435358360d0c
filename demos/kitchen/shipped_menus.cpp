#include <array>
#include <stdexcept>

#include "kitchen/menu.hpp"

namespace kitchen {
namespace {

struct shipped {
  std::string_view name;
  std::string_view summary;
  std::string_view json;
};

// Slow I/O: long waits for somebody else, next to no work of one's own.
constexpr std::string_view slow_json = R"({"dishes": [
  {"name": "stock",    "wait_ms": 300, "replies": 1},
  {"name": "bread",    "wait_ms": 250},
  {"name": "stew",     "wait_ms": 100, "replies": 3},
  {"name": "rice",     "wait_ms": 120, "replies": 1},
  {"name": "pudding",  "wait_ms": 200},
  {"name": "dumpling", "wait_ms": 60,  "replies": 2},
  {"name": "custard",  "wait_ms": 90,  "replies": 1},
  {"name": "polenta",  "wait_ms": 140},
  {"name": "beans",    "wait_ms": 80,  "replies": 2},
  {"name": "tea",      "wait_ms": 50,  "replies": 1}
]})";

// Fast I/O: many short blocking file operations, each needing a thread while it lasts.
constexpr std::string_view fast_json = R"({"dishes": [
  {"name": "radish",   "files": 200, "file_kib": 4},
  {"name": "cucumber", "files": 200, "file_kib": 8},
  {"name": "tomato",   "files": 200, "file_kib": 16},
  {"name": "pepper",   "files": 200, "file_kib": 4},
  {"name": "onion",    "files": 200, "file_kib": 8},
  {"name": "celery",   "files": 200, "file_kib": 16},
  {"name": "carrot",   "files": 200, "file_kib": 4},
  {"name": "fennel",   "files": 200, "file_kib": 8},
  {"name": "cress",    "files": 200, "file_kib": 16},
  {"name": "chicory",  "files": 200, "file_kib": 4}
]})";

// CPU-bound: a faster CPU would end it sooner, nothing else would.
constexpr std::string_view cpu_json = R"({"dishes": [
  {"name": "dough",    "cpu_ms": 60},
  {"name": "batter",   "cpu_ms": 60},
  {"name": "pesto",    "cpu_ms": 60},
  {"name": "mash",     "cpu_ms": 60},
  {"name": "hummus",   "cpu_ms": 60},
  {"name": "meringue", "cpu_ms": 60},
  {"name": "mayo",     "cpu_ms": 60},
  {"name": "butter",   "cpu_ms": 60},
  {"name": "sorbet",   "cpu_ms": 60},
  {"name": "paste",    "cpu_ms": 60}
]})";

// Ten varied dishes, each with its own choice for the mixed kitchen.
constexpr std::string_view mixed_json = R"({"dishes": [
  {"name": "soup",     "wait_ms": 100, "replies": 2, "cpu_ms": 2, "executor": "loop"},
  {"name": "bread",    "wait_ms": 250, "executor": "loop"},
  {"name": "salad",    "files": 100, "file_kib": 8, "executor": "threads"},
  {"name": "steak",    "wait_ms": 40, "replies": 1, "cpu_ms": 60, "executor": "processes"},
  {"name": "pasta",    "wait_ms": 110, "replies": 1, "files": 10, "file_kib": 16,
                       "cpu_ms": 5, "executor": "threads"},
  {"name": "risotto",  "wait_ms": 60, "replies": 3, "cpu_ms": 3, "executor": "loop"},
  {"name": "tapas",    "files": 150, "file_kib": 4, "executor": "threads"},
  {"name": "mousse",   "cpu_ms": 80, "executor": "processes"},
  {"name": "sorbet",   "wait_ms": 150, "cpu_ms": 20, "executor": "processes"},
  {"name": "espresso", "wait_ms": 30, "replies": 1, "executor": "loop"}
]})";

constexpr std::array<shipped, 4> menus{{
    {"slow", "slow I/O: long waits for replies and timers", slow_json},
    {"fast", "fast I/O: many short blocking file operations", fast_json},
    {"cpu", "CPU work only", cpu_json},
    {"mixed", "ten varied dishes, each with an executor of its own", mixed_json},
}};

constexpr std::array<std::string_view, menus.size()> names{menus[0].name, menus[1].name,
                                                           menus[2].name, menus[3].name};

const shipped& find(std::string_view name) {
  for (const shipped& each : menus) {
    if (each.name == name) return each;
  }
  throw std::logic_error("no such shipped menu: " + std::string(name));
}

}  // namespace

std::span<const std::string_view> shipped_menu_names() { return names; }
std::string_view shipped_menu_json(std::string_view name) { return find(name).json; }
std::string_view shipped_menu_summary(std::string_view name) { return find(name).summary; }

}  // namespace kitchen
