// A table of text with aligned columns.
#pragma once

#include <string>
#include <vector>

namespace brigade::measure {

class table {
 public:
  enum class align { left, right };
  struct column {
    std::string title;
    align side = align::right;
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  // Cells beyond the columns are dropped, missing ones are empty.
  void add_row(std::vector<std::string> cells);

  // The titles and the rows, each line ended by a newline and without blanks at its end. Widths
  // are counted in characters of UTF-8, each as wide as a letter.
  [[nodiscard]] std::string to_text() const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace brigade::measure
