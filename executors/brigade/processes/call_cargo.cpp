#include <brigade/processes/call_cargo.hpp>

#include <cstring>
#include <utility>

#include <brigade/base/error.hpp>
#include <brigade/codec/transportable.hpp>
#include <brigade/codec/type_name.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {

namespace {

// From here on a body is encoded where the workers read it.
constexpr std::size_t least_in_block = std::size_t{64} << 10;

not_transportable refusal(const job_state& job) {
  std::string text(codec::not_transportable_text);
  if (const std::type_info* const type = job.obstacle()) {
    text += "; its type is " + codec::type_name(*type);
  }
  return {text, {}};
}

}  // namespace

call_cargo::~call_cargo() {
  if (block_) blocks_->give_back(std::move(block_));
}

std::span<std::byte> call_cargo::grow(std::span<const std::byte> used, std::size_t wanted) {
  if (used.empty() && wanted <= small_.size()) return small_;
  wire::block shared;
  std::unique_ptr<std::byte[]> own;
  std::span<std::byte> to;
  if (wanted >= least_in_block && (shared = (*offered_)->take(wanted))) {
    blocks_ = *offered_;
    to = shared.memory.bytes();
  } else {
    own = std::make_unique_for_overwrite<std::byte[]>(wanted);
    to = {own.get(), wanted};
  }
  if (!used.empty()) std::memcpy(to.data(), used.data(), used.size());
  if (wire::block outgrown = std::exchange(block_, std::move(shared))) {
    blocks_->give_back(std::move(outgrown));
  }
  own_ = std::move(own);
  return to;
}

template <class Write>
void call_cargo::pack(const job_state& job, std::size_t most_bytes,
                      const std::shared_ptr<wire::block_store>& blocks, const Write& write) {
  offered_ = &blocks;
  const remote_call* const call = job.remote();
  const std::string name = job.name();
  codec::limits bounds;
  bounds.encoded_bytes = most_bytes;
  codec::writer out(*this, bounds);
  write_code_address(out, reinterpret_cast<const void*>(call->thunk));
  write(out);
  out.put_raw(name.data(), name.size());
  body_ = out.bytes();
  offered_ = nullptr;
  address_.number = job.id();
  address_.name_size = static_cast<std::uint32_t>(name.size());
  if (call->takes_stop) address_.flags |= wire::takes_stop;
  if (job.owner()->observed()) address_.flags |= wire::wants_cpu;
  if (!block_) return;
  address_.place = wire::body_place::block;
  address_.at = block_.at;
}

void pack(job_state& job, std::size_t most_bytes,
          const std::shared_ptr<wire::block_store>& blocks) {
  if (job.remote() == nullptr) throw refusal(job);
  auto packed = std::make_unique<call_cargo>();
  packed->pack(job, most_bytes, blocks,
               [&job](codec::writer& out) { job.remote()->encode(job, out); });
  *job.cargo_slot() = std::move(packed);
}

std::unique_ptr<call_cargo> pack(const job_state& job, std::size_t most_bytes,
                                 const std::shared_ptr<wire::block_store>& blocks,
                                 const std::function<void(codec::writer&)>& write) {
  if (job.remote() == nullptr) throw refusal(job);
  auto packed = std::make_unique<call_cargo>();
  packed->pack(job, most_bytes, blocks, write);
  return packed;
}

call_cargo& cargo_of(job_state& job) noexcept {
  return static_cast<call_cargo&>(**job.cargo_slot());
}

std::exception_ptr cancelled_error(const job_state& job, const char* what) {
  const task_identity task = job.identity();
  return std::make_exception_ptr(task_cancelled(describe(task) + what, task));
}

std::exception_ptr about(const task_identity& task, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const codec_error& known) {
    if (known.task_id() != 0) return failure;
    return std::make_exception_ptr(
        codec_error(describe(task) + ": " + std::string(known.what()), task));
  } catch (const not_transportable& known) {
    if (known.task_id() != 0) return failure;
    return std::make_exception_ptr(
        not_transportable(describe(task) + ": " + std::string(known.what()), task));
  } catch (...) {
    return failure;
  }
}

}  // namespace brigade::detail
