// The options of one command: declared for CLI11, which parses them and prints the help, and read
// back as texts that remember where they came from, so that an error can name the place.
//
// Every option is also a variable of the environment: --export-json is BRIGADE_EXPORT_JSON. The
// command line wins. Everything wrong is thrown as a `problem` of one line.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kitchen {

struct argument {
  std::string text;
  std::string place;  // "--runs" or "BRIGADE_RUNS"
};

class arguments {
 public:
  arguments(const std::string& command, const std::string& summary);

  void add_value(const std::string& option, const std::string& type, const std::string& help);
  void add_list(const std::string& option, const std::string& type, const std::string& help);
  void add_flag(const std::string& option, const std::string& help);
  void hide(const std::string& option);  // not in the help: for tests

  // False when the user asked for help, which is then on stdout. `words` has no program name.
  [[nodiscard]] bool parse(std::vector<std::string> words);

  [[nodiscard]] std::optional<argument> value(const std::string& option) const;
  [[nodiscard]] std::vector<argument> list(const std::string& option) const;
  [[nodiscard]] bool flag(const std::string& option) const;

 private:
  void refuse_unknown(const std::vector<std::string>& words) const;

  CLI::App app_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::map<std::string, bool> flags_;
};

// "--export-json" is "BRIGADE_EXPORT_JSON".
[[nodiscard]] std::string environment_name(std::string_view option);

[[nodiscard]] std::uint64_t whole_number(const argument& given, std::uint64_t least,
                                         std::uint64_t most);
// The index of the word in `allowed`.
[[nodiscard]] std::size_t choice(const argument& given, std::span<const std::string_view> allowed);
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

}  // namespace kitchen
