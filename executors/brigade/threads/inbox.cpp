#include <brigade/threads/inbox.hpp>

#include <algorithm>
#include <mutex>

#include <brigade/work/job_state.hpp>
#include <brigade/work/prefetch.hpp>

namespace brigade::detail {
namespace {

bool is_special(const work_item& item) noexcept {
  return !item.is_job || item.level != priority::normal;
}

}  // namespace

void inbox::push(work_item& item) noexcept {
  item.next = nullptr;
  // relaxed, both: hints. Who takes the item has the lock after us, and so sees them.
  if (is_special(item)) special_.fetch_add(1, std::memory_order_relaxed);
  if (item.level == priority::high) urgent_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(arriving_);
  list& to = arrivals_[static_cast<unsigned>(item.level)][item.is_job ? job : resumption];
  (to.last != nullptr ? to.last->next : to.first) = &item;
  to.last = &item;
  ++to.count;
  // seq_cst: before the look at who searches (parking.cpp).
  pushed_.store(pushed_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}

// relaxed, the takers' own two: a guess. Who sees items that have just been taken takes the lock in
// vain, and who does not see those that were just fetched sees that the box is not empty.
bool inbox::nothing_to_take() const noexcept {
  return fetched_.load(std::memory_order_relaxed) == taken_.load(std::memory_order_relaxed) &&
         empty();
}

// Under taking_.
void inbox::fetch_arrivals() noexcept {
  const std::size_t fetched = fetched_.load(std::memory_order_relaxed);  // written under the lock
  // seq_cst, as in empty(): whoever discards says so and then looks, a poster pushes and then looks
  // whether somebody discards. One of them sees the other.
  if (pushed_.load(std::memory_order_seq_cst) == fetched) return;
  const std::lock_guard lock(arriving_);
  for (unsigned level = 0; level < priority_levels; ++level) {
    for (unsigned which = 0; which < kinds; ++which) {
      list& from = arrivals_[level][which];
      if (from.first == nullptr) continue;
      list& to = lists_[level][which];
      (to.last != nullptr ? to.last->next : to.first) = from.first;
      to.last = from.last;
      to.count += from.count;
      from = {};
    }
  }
  fetched_.store(pushed_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

work_item* inbox::take_from(list& from) noexcept {
  work_item* const item = from.first;
  from.first = item->next;
  if (from.first == nullptr) from.last = nullptr;
  --from.count;
  item->next = nullptr;
  if (is_special(*item)) special_.fetch_sub(1, std::memory_order_relaxed);
  if (item->level == priority::high) urgent_.fetch_sub(1, std::memory_order_relaxed);
  // relaxed: seen too late it costs a look, nothing more.
  taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return item;
}

work_item* inbox::take(priority lowest) noexcept {
  if (nothing_to_take()) return nullptr;
  const std::lock_guard lock(taking_);
  fetch_arrivals();
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
  if (nothing_to_take()) return 0;
  const std::lock_guard lock(taking_);
  constexpr auto normal = static_cast<unsigned>(priority::normal);
  list& from = lists_[normal][job];
  // Posters' cache lines are left to them while there is enough, unless something may come first.
  // relaxed: a hint.
  if (from.count < most_at_once || special_.load(std::memory_order_relaxed) != 0) fetch_arrivals();
  for (unsigned level = priority_levels; level-- > normal;) {
    if (lists_[level][resumption].first != nullptr) return 0;
    if (level != normal && lists_[level][job].first != nullptr) return 0;
  }
  const std::size_t share = from.count / (2 * takers) + 1;
  const std::size_t count = std::min({share, from.count, most_at_once});
  for (std::size_t index = 0; index < count; ++index) {
    into[index] = take_from(from);
    prefetch(from.first);
  }
  return count;
}

work_item* inbox::take_kind(kind wanted) noexcept {
  if (nothing_to_take()) return nullptr;
  const std::lock_guard lock(taking_);
  fetch_arrivals();
  for (unsigned level = priority_levels; level-- > 0;) {
    list& from = lists_[level][wanted];
    if (from.first != nullptr) return take_from(from);
  }
  return nullptr;
}

inbox::glance inbox::look() noexcept {
  glance seen;
  const std::lock_guard lock(taking_);  // nobody acts on what is in a list meanwhile
  fetch_arrivals();
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
