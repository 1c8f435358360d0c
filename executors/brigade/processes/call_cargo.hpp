// A job as it travels: the body of its call, encoded once, in the thread that submits. It can be
// sent again to another worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include <brigade/wire/lane_layout.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

struct call_cargo final : cargo {
  std::vector<std::byte> body;    // thunk, callable and arguments
  bool counted = false;           // among the started tasks
  unsigned lost_in_decoding = 0;  // workers that died before the task had begun
};

// Gives a job its cargo. Throws not_transportable, codec_error, and what coders throw.
void pack(job_state& job, std::size_t most_bytes);

// Precondition: pack() was called and the job's payload has not been dropped.
[[nodiscard]] call_cargo& cargo_of(job_state& job) noexcept;

// What goes before the body, which the name follows.
[[nodiscard]] wire::lane_message address(const job_state& job, std::size_t name_size);

[[nodiscard]] std::exception_ptr cancelled_error(const job_state& job, const char* what);

// An error of the codec, which knows no task, as the same error about `task`; others unchanged.
[[nodiscard]] std::exception_ptr about(const task_identity& task,
                                       const std::exception_ptr& failure);

}  // namespace brigade::detail
