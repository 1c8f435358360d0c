#include <brigade/os/pipe.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

pipe make_pipe(int flags) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), flags | O_CLOEXEC) == -1) throw_errno("pipe2");
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

}  // namespace brigade::os
