// A pipe: bytes one way, and the end of the stream when the last writer is gone.
#pragma once

#include <brigade/os/fd.hpp>

namespace brigade::os {

struct pipe {
  unique_fd read_end;
  unique_fd write_end;
};

// `flags` as for pipe2(2), such as O_NONBLOCK; O_CLOEXEC is always added.
[[nodiscard]] pipe make_pipe(int flags = 0);

}  // namespace brigade::os
