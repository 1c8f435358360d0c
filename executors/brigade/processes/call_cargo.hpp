// A job as it travels: the body of its call, encoded once, in the thread that submits. It can be
// sent again to another worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>

#include <brigade/codec/writer.hpp>
#include <brigade/wire/block_store.hpp>
#include <brigade/wire/lane_layout.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

// Small bodies lie in it, larger ones in memory of their own, large ones where the workers read
// them.
class call_cargo final : public cargo, private codec::writer_memory {
 public:
  call_cargo() = default;
  call_cargo(const call_cargo&) = delete;
  call_cargo& operator=(const call_cargo&) = delete;
  ~call_cargo() override;

  // Once; `write` writes callable and arguments. Throws codec_error, and what coders throw.
  template <class Write>
  void pack(const job_state& job, std::size_t most_bytes,
            const std::shared_ptr<wire::block_store>& blocks, const Write& write);

  // Thunk, callable, arguments and the task's name.
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return body_; }
  // What goes before it.
  [[nodiscard]] const wire::lane_message& address() const noexcept { return address_; }

  bool counted = false;           // among the started tasks
  unsigned lost_in_decoding = 0;  // workers that died before the task had begun

 private:
  std::span<std::byte> grow(std::span<const std::byte> used, std::size_t wanted) override;

  wire::lane_message address_;
  std::span<const std::byte> body_;
  std::array<std::byte, codec::writer::first_room> small_;
  std::unique_ptr<std::byte[]> own_;
  const std::shared_ptr<wire::block_store>* offered_ = nullptr;  // while pack() goes on
  std::shared_ptr<wire::block_store> blocks_;                    // of block_
  wire::block block_;
};

// Gives a job its cargo. Throws not_transportable, codec_error, and what coders throw.
void pack(job_state& job, std::size_t most_bytes, const std::shared_ptr<wire::block_store>& blocks);
// The cargo of a continuation, whose payload is not touched: `write` knows what it sends.
[[nodiscard]] std::unique_ptr<call_cargo> pack(const job_state& job, std::size_t most_bytes,
                                               const std::shared_ptr<wire::block_store>& blocks,
                                               const std::function<void(codec::writer&)>& write);

// Precondition: pack() was called and the job's payload has not been dropped.
[[nodiscard]] call_cargo& cargo_of(job_state& job) noexcept;

[[nodiscard]] std::exception_ptr cancelled_error(const job_state& job, const char* what);

// An error of the codec, which knows no task, as the same error about `task`; others unchanged.
[[nodiscard]] std::exception_ptr about(const task_identity& task,
                                       const std::exception_ptr& failure);

}  // namespace brigade::detail
