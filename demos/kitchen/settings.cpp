#include "kitchen/settings.hpp"

#include <algorithm>

#include "kitchen/arguments.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

constexpr std::uint64_t most_dishes = 100'000;
constexpr std::uint64_t most_chefs = 1024;
constexpr std::uint64_t most_runs = 1000;

void declare_options(arguments& all) {
  all.add_value("--menu", "NAME|FILE", "slow, fast, cpu, mixed or a JSON file (default: mixed)");
  all.add_list("--executor", "LIST",
               "Kitchens, of serial, loop, threads, processes, mixed (default: the first four,\n"
               "and mixed when a dish names its executor; may be repeated)");
  all.add_list("--dish", "NAME:EXECUTOR",
               "The executor of a dish in the mixed kitchen (may be repeated)");
  all.add_value("--dishes", "N", "Repeat the menu until there are N dishes");
  all.add_value("--chefs", "N", "Chefs in threads and in processes (default: 10)");
  all.add_value("--runs", "N", "Runs of each kitchen, in shuffled rounds (default: 5)");
  all.add_value("--seed", "N",
                "Of the shuffling, and of what replies and files hold (default: 42)");
  all.add_value("--format", "text|json", "What stdout gets (default: text)");
  all.add_value("--export-json", "FILE", "Write the JSON also to FILE (- is stdout)");
  all.add_value("--export-trace", "FILE", "Write a trace that ui.perfetto.dev opens");
  all.add_value("--color", "auto|always|never", "Colour the text (default: auto)");
  all.add_flag("--quiet", "No progress on stderr");
  all.add_value("--tamper-reply", "N", "Alter the N-th reply of the local server");
  all.hide("--tamper-reply");
}

std::vector<kind> read_kitchens(const std::vector<argument>& given) {
  std::vector<kind> kitchens;
  for (const argument& each : given) {
    for (const std::string& name : split(each.text, ',')) {
      const auto which = static_cast<kind>(choice({name, each.place}, kind_names));
      if (std::find(kitchens.begin(), kitchens.end(), which) != kitchens.end()) {
        throw bad_input(each.place + ": " + in_quotes(name) + " is there twice; name it once");
      }
      kitchens.push_back(which);
    }
  }
  return kitchens;
}

// Applies --dish and --dishes to the menu.
menu read_menu(const arguments& given) {
  const argument name = given.value("--menu").value_or(argument{"mixed", "--menu"});
  menu dishes = load_menu(name.text, name.place);
  for (const argument& each : given.list("--dish")) {
    for (const std::string& one : split(each.text, ','))
      choose_executor(dishes, one, each.place);
  }
  if (const auto count = given.value("--dishes")) {
    dishes = repeated(dishes, whole_number(*count, 1, most_dishes));
  }
  return dishes;
}

std::vector<kind> default_kitchens(const menu& dishes) {
  std::vector<kind> kitchens{kind::serial, kind::loop, kind::threads, kind::processes};
  if (needs_of(dishes).choices) kitchens.push_back(kind::mixed);
  return kitchens;
}

}  // namespace

std::optional<settings> read_settings(std::vector<std::string> words) {
  arguments given("brigade kitchen",
                  "Cooks the same dishes in each kitchen, measures, and says which fits and why.");
  declare_options(given);
  if (!given.parse(std::move(words))) return std::nullopt;

  settings chosen;
  chosen.dishes = read_menu(given);
  const auto kitchens = given.list("--executor");
  chosen.kitchens = kitchens.empty() ? default_kitchens(chosen.dishes) : read_kitchens(kitchens);
  const auto dish = given.value("--dish");
  if (dish && std::find(chosen.kitchens.begin(), chosen.kitchens.end(), kind::mixed) ==
                  chosen.kitchens.end()) {
    throw bad_input(dish->place + ": " + in_quotes(dish->text) +
                    " chooses for the mixed kitchen, which is not opened; add mixed to " +
                    kitchens.front().place);
  }
  const auto number = [&](const char* option, std::uint64_t otherwise, std::uint64_t least,
                          std::uint64_t most) {
    const auto found = given.value(option);
    return found ? whole_number(*found, least, most) : otherwise;
  };
  chosen.chefs = static_cast<unsigned>(number("--chefs", 10, 1, most_chefs));
  chosen.runs = static_cast<unsigned>(number("--runs", 5, 1, most_runs));
  chosen.seed = number("--seed", 42, 0, ~std::uint64_t{0});
  chosen.tampered_reply = number("--tamper-reply", 0, 0, ~std::uint64_t{0});

  constexpr std::array<std::string_view, 2> formats{"text", "json"};
  if (const auto format = given.value("--format")) {
    chosen.format = static_cast<output_format>(choice(*format, formats));
  }
  constexpr std::array<std::string_view, 3> colours{"auto", "always", "never"};
  if (const auto colour = given.value("--color")) {
    chosen.colour = static_cast<colour_choice>(choice(*colour, colours));
  }
  chosen.quiet = given.flag("--quiet");
  if (const auto path = given.value("--export-json")) chosen.export_json = path->text;
  if (const auto path = given.value("--export-trace")) chosen.export_trace = path->text;
  return chosen;
}

}  // namespace kitchen
