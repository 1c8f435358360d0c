// A file that the program will write at its end. It is opened before the work starts, so that an
// unwritable place is found at once, and takes its name only when it is complete: whoever reads
// the name finds the old contents or the new, never half. Until then it has no name at all, so
// that a program that is killed leaves nothing beside it. A file that is replaced keeps its mode.
//
// "-" is stdout, and so is every other name of it (/dev/stdout, what the shell's > opened); what
// exists and is not a regular file (a pipe, a device) is written directly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <brigade/os/fd.hpp>

namespace kitchen {

class export_file {
 public:
  // Whether the file may be without a name meanwhile: not on every file system, and then it is
  // made when it is committed.
  enum class meanwhile : bool { nameless, not_there };

  // `place` is the option that named the path. Throws `problem` (usage).
  export_file(std::string path, std::string place, meanwhile how = meanwhile::nameless);
  export_file(export_file&&) = delete;

  // Once. Throws `problem` (environment); then the old contents are still there.
  void commit(std::string_view text);

  [[nodiscard]] bool on_stdout() const noexcept { return path_ == "-"; }
  // Whether one would overwrite what the other has written.
  [[nodiscard]] bool same_target(const export_file& other) const noexcept;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& place() const noexcept { return place_; }

 private:
  void write_to_stdout();
  void find_target();
  void prepare(meanwhile how);
  [[nodiscard]] bool take_name() const;
  void write_beside(std::string_view text) const;
  [[nodiscard]] std::string text_of(int error_number) const;
  [[noreturn]] void refuse(int error_number) const;
  [[noreturn]] void fail(int error_number) const;

  std::string path_;
  std::string place_;
  std::string folder_;  // of the target
  std::string target_;  // the path without links; empty when written directly
  std::optional<brigade::os::file_identity> identity_;  // of what is there
  brigade::os::unique_fd fd_;                           // none when the file is made at the end
};

}  // namespace kitchen
