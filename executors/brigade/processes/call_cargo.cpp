#include <brigade/processes/call_cargo.hpp>

#include <brigade/base/error.hpp>
#include <brigade/codec/transportable.hpp>
#include <brigade/codec/type_name.hpp>
#include <brigade/codec/writer.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {

namespace {

not_transportable refusal(const job_state& job) {
  std::string text(codec::not_transportable_text);
  if (const std::type_info* const type = job.obstacle()) {
    text += "; its type is " + codec::type_name(*type);
  }
  return {text, {}};
}

}  // namespace

void pack(job_state& job, std::size_t most_bytes) {
  const remote_call* const call = job.remote();
  if (call == nullptr) throw refusal(job);
  codec::limits bounds;
  bounds.encoded_bytes = most_bytes;
  codec::writer out(bounds);
  write_code_address(out, reinterpret_cast<const void*>(call->thunk));
  call->encode(job, out);
  auto packed = std::make_unique<call_cargo>();
  packed->body = out.take();
  *job.cargo_slot() = std::move(packed);
}

call_cargo& cargo_of(job_state& job) noexcept {
  return static_cast<call_cargo&>(**job.cargo_slot());
}

wire::lane_message address(const job_state& job, std::size_t name_size) {
  wire::lane_message message;
  message.number = job.id();
  message.name_size = static_cast<std::uint32_t>(name_size);
  if (job.remote()->takes_stop) message.flags |= wire::takes_stop;
  if (job.owner()->observed()) message.flags |= wire::wants_cpu;
  return message;
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
