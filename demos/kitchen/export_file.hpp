// A file that the program will write at its end. It is opened before the work starts, so that an
// unwritable place is found at once, and takes its name only when it is complete: whoever reads
// the name finds the old contents or the new, never half.
//
// "-" is stdout; what exists and is not a regular file (/dev/stdout, a pipe) is written directly.
#pragma once

#include <string>
#include <string_view>

#include <brigade/os/fd.hpp>

namespace kitchen {

class export_file {
 public:
  // `place` is the option that named the path. Throws `problem` (usage).
  export_file(std::string path, std::string place);
  export_file(export_file&&) = delete;
  ~export_file();  // an uncommitted file leaves nothing behind

  void commit(std::string_view text);

 private:
  [[noreturn]] void refuse(int error_number) const;

  std::string path_;
  std::string place_;
  std::string temporary_;  // empty when written directly
  brigade::os::unique_fd fd_;
};

}  // namespace kitchen
