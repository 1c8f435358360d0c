#include <brigade/threads/inbox.hpp>

#include <algorithm>

#include <brigade/work/job_state.hpp>
#include <brigade/work/prefetch.hpp>

namespace brigade::detail {

void inbox::push(work_item& item) noexcept {
  item.next = nullptr;
  const std::lock_guard lock(mutex_);
  list& to = lists_[static_cast<unsigned>(item.level)][item.is_job ? job : resumption];
  (to.last != nullptr ? to.last->next : to.first) = &item;
  to.last = &item;
  ++to.count;
  if (item.level == priority::high) urgent_.fetch_add(1, std::memory_order_relaxed);  // a hint
  // seq_cst: before the look at who searches (parking.cpp).
  count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}

work_item* inbox::take_from(list& from) noexcept {
  work_item* const item = from.first;
  from.first = item->next;
  if (from.first == nullptr) from.last = nullptr;
  --from.count;
  item->next = nullptr;
  if (item->level == priority::high) urgent_.fetch_sub(1, std::memory_order_relaxed);
  // relaxed: seen too late it costs a look, nothing more.
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return item;
}

work_item* inbox::take(priority lowest) noexcept {
  if (empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  for (unsigned level = priority_levels; level-- > static_cast<unsigned>(lowest);) {
    auto& [jobs, resumptions] = lists_[level];
    if (jobs.first == nullptr && resumptions.first == nullptr) continue;
    turn_ = turn_ == job ? resumption : job;
    if (lists_[level][turn_].first == nullptr) turn_ = turn_ == job ? resumption : job;
    return take_from(lists_[level][turn_]);
  }
  return nullptr;
}

std::size_t inbox::take_share(several& into, unsigned takers) noexcept {
  if (empty()) return 0;
  const std::lock_guard lock(mutex_);
  constexpr auto normal = static_cast<unsigned>(priority::normal);
  for (unsigned level = priority_levels; level-- > normal;) {
    if (lists_[level][resumption].first != nullptr) return 0;
    if (level != normal && lists_[level][job].first != nullptr) return 0;
  }
  list& from = lists_[normal][job];
  const std::size_t share = from.count / (2 * takers) + 1;
  const std::size_t count = std::min({share, from.count, most_at_once});
  for (std::size_t index = 0; index < count; ++index) {
    into[index] = take_from(from);
    prefetch(from.first);
  }
  return count;
}

work_item* inbox::take_kind(kind wanted) noexcept {
  if (empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  for (unsigned level = priority_levels; level-- > 0;) {
    list& from = lists_[level][wanted];
    if (from.first != nullptr) return take_from(from);
  }
  return nullptr;
}

inbox::glance inbox::look() noexcept {
  glance seen;
  const std::lock_guard lock(mutex_);  // nobody acts on what is in a list meanwhile
  for (const auto& [jobs, resumptions] : lists_) {
    seen.resumptions += resumptions.count;
    if (jobs.first == nullptr) continue;
    const auto& first = static_cast<const job_state&>(*jobs.first);
    const auto queued = first.times().queued;
    const bool known = queued != std::chrono::steady_clock::time_point{};
    if (known && first.phase() == job_state::body::queued)
      seen.oldest = std::min(seen.oldest, queued);
  }
  return seen;
}

}  // namespace brigade::detail
