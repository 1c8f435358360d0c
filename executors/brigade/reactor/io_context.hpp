// io_context(): the way to all of Asio from inside a task.
#pragma once

#include <brigade/reactor/asio_version.hpp>

#include <asio/io_context.hpp>

namespace brigade {

// The Asio context that the loop of the calling task's runtime runs: for sockets, timers and all
// else of Asio, in any task on any executor, also in a worker process. It is run by the library:
// do not run or stop it. Throws std::logic_error outside of any task.
[[nodiscard]] asio::io_context& io_context();

}  // namespace brigade
