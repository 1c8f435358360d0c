#include "kitchen/arguments.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include <brigade/base/nearest.hpp>

#include "kitchen/output.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {

std::string environment_name(std::string_view option) {
  std::string name = "BRIGADE_";
  for (const char c : option.substr(option.find_first_not_of('-'))) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::uint64_t whole_number(const argument& given, std::uint64_t least, std::uint64_t most) {
  const std::string& text = given.text;
  const auto refuse = [&](const std::string& why) {
    throw bad_input(given.place + ": " + in_quotes(text) + " " + why +
                    "; give a whole number from " + std::to_string(least) + " to " +
                    std::to_string(most));
  };
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    const bool negative = text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9';
    refuse(negative ? "is negative" : "is not a whole number");
  }
  if (failure != std::errc() || number > most) refuse("is too much");
  if (number < least) refuse("is too little");
  return number;
}

std::size_t choice(const argument& given, std::span<const std::string_view> allowed) {
  const auto found = std::find(allowed.begin(), allowed.end(), given.text);
  if (found == allowed.end()) {
    throw bad_input(given.place + ": " + brigade::not_one_of(one_line(given.text), allowed));
  }
  return static_cast<std::size_t>(found - allowed.begin());
}

arguments::arguments(const std::string& command, const std::string& summary)
    : app_(summary, command) {
  app_.allow_extras();
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.footer("Every option is also an environment variable: --export-json is " +
              environment_name("--export-json") + ".");
}

void arguments::add_value(const std::string& option, const std::string& type,
                          const std::string& help) {
  app_.add_option(option, texts_[option], help)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void arguments::add_list(const std::string& option, const std::string& type,
                         const std::string& help) {
  app_.add_option(option, texts_[option], help)->type_name(type)->allow_extra_args(false);
}

void arguments::add_flag(const std::string& option, const std::string& help) {
  app_.add_flag(option, flags_[option], help);
}

void arguments::hide(const std::string& option) { app_.get_option(option)->group(""); }

void arguments::refuse_unknown(const std::vector<std::string>& words) const {
  const std::string& word = words.front();
  if (word.size() < 2 || word[0] != '-') {
    throw bad_input(in_quotes(word) + " is not expected here; see " + app_.get_name() + " --help");
  }
  std::vector<std::string> names;
  for (const CLI::Option* each : app_.get_options()) {
    if (!each->get_group().empty()) names.push_back(each->get_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  throw bad_input("option " + brigade::not_one_of(one_line(word.substr(0, word.find('='))), views));
}

bool arguments::parse(std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  try {
    app_.parse(words);
  } catch (const CLI::CallForHelp&) {
    print(app_.help());
    return false;
  } catch (const CLI::ArgumentMismatch& wrong) {
    // "--runs: 1 required INT missing"
    const std::string what = wrong.what();
    const std::string option = what.substr(0, what.find(':'));
    throw bad_input(one_line(option) + ": its value is missing; write " + one_line(option) +
                    " VALUE");
  } catch (const CLI::ParseError& wrong) {
    throw bad_input(one_line(wrong.what()) + "; see " + app_.get_name() + " --help");
  }
  if (const auto rest = app_.remaining(); !rest.empty()) refuse_unknown(rest);
  return true;
}

std::optional<argument> arguments::value(const std::string& option) const {
  const auto all = list(option);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

std::vector<argument> arguments::list(const std::string& option) const {
  std::vector<argument> found;
  for (const std::string& text : texts_.at(option))
    found.push_back({text, option});
  if (!found.empty()) return found;
  const std::string name = environment_name(option);
  if (const char* text = std::getenv(name.c_str()); text != nullptr && *text != '\0') {
    found.push_back({text, name});
  }
  return found;
}

bool arguments::flag(const std::string& option) const {
  if (flags_.at(option)) return true;
  const std::string name = environment_name(option);
  const char* text = std::getenv(name.c_str());
  if (text == nullptr || *text == '\0') return false;
  constexpr std::array<std::string_view, 4> allowed{"0", "1", "false", "true"};
  return choice({text, name}, allowed) % 2 == 1;
}

}  // namespace kitchen
