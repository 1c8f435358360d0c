#include <brigade/work/submit.hpp>

#include <atomic>

#include <brigade/work/context.hpp>

namespace brigade::detail {
namespace {

std::atomic<dispatcher& (*)()> provider{nullptr};

}  // namespace

dispatcher& this_dispatcher() {
  if (dispatcher* const owner = this_thread_context().owner; owner != nullptr) return *owner;
  // acquire: pairs with set_dispatcher_provider.
  if (const auto provide = provider.load(std::memory_order_acquire)) return provide();
  throw std::logic_error(
      "brigade: no runtime here: the free functions find it from inside a task; elsewhere use the "
      "members of your brigade::runtime");
}

void set_dispatcher_provider(dispatcher& (*provide)()) {
  provider.store(provide, std::memory_order_release);  // publishes what it needs
}

}  // namespace brigade::detail
