#include <brigade/sync/timer_heap.hpp>

#include <algorithm>

namespace brigade::detail {
namespace {

constexpr std::size_t arity = 4;  // shallower than a binary heap: fewer cache misses per move
constexpr std::size_t run_slack = 64;
constexpr std::size_t prefetched = 8;  // ahead of the timer that fires: their memory is cold

}  // namespace

bool timer_heap::add(timer_node& node, clock::time_point deadline) {
  const bool earliest = empty() || deadline < next();
  if (run_live_ == 0 || deadline >= run_.back().deadline) {
    append(node, deadline);
  } else {
    heap_.push_back({deadline, &node});
    sift_up(heap_.size() - 1, {deadline, &node});
  }
  return earliest;
}

bool timer_heap::cancel(timer_node& node) noexcept {
  if (!node.pending()) return false;
  if ((node.position & in_run) != 0) {
    cancel_in_run(node);
  } else {
    remove(node.position);
  }
  node.position = timer_node::idle;
  return true;
}

timer_node* timer_heap::take_due(clock::time_point now) noexcept {
  if (empty() || next() > now) return nullptr;
  timer_node* node = nullptr;
  if (run_is_next()) {
    node = take_from_run();
  } else {
    node = heap_.front().node;
    remove(0);
  }
  node->position = timer_node::idle;
  return node;
}

// --- the run -------------------------------------------------------------------------------------

void timer_heap::append(timer_node& node, clock::time_point deadline) {
  if (run_live_ == 0) {
    run_.clear();
    run_first_ = run_moved_ = 0;
  }
  run_.push_back({deadline, &node});
  node.position = in_run | (run_.size() - 1 + run_moved_);
  ++run_live_;
}

timer_node* timer_heap::take_from_run() noexcept {
  timer_node* const node = run_[run_first_].node;
  run_[run_first_].node = nullptr;
  --run_live_;
  tidy_run();
  if (run_live_ > prefetched) __builtin_prefetch(run_[run_first_ + prefetched].node);
  return node;
}

void timer_heap::cancel_in_run(timer_node& node) noexcept {
  run_[(node.position & ~in_run) - run_moved_].node = nullptr;
  --run_live_;
  tidy_run();
}

// Moves on to the first that is live. Gives up what lies before it, or closes the gaps, once that
// is the larger part: so each timer costs a constant share of a move.
void timer_heap::tidy_run() noexcept {
  if (run_live_ == 0) return;
  while (run_[run_first_].node == nullptr)
    ++run_first_;
  if (run_.size() - run_first_ > 2 * run_live_ + run_slack) {
    std::erase_if(run_, [](const entry& each) { return each.node == nullptr; });
    for (std::size_t at = 0; at < run_.size(); ++at)
      run_[at].node->position = in_run | at;
    run_first_ = run_moved_ = 0;
  } else if (run_first_ > run_.size() / 2 + run_slack) {
    run_.erase(run_.begin(), run_.begin() + static_cast<std::ptrdiff_t>(run_first_));
    run_moved_ += run_first_;  // the nodes, which are cold, are not touched
    run_first_ = 0;
  }
}

// --- the heap ------------------------------------------------------------------------------------

void timer_heap::place(std::size_t position, entry value) noexcept {
  heap_[position] = value;
  value.node->position = position;
}

void timer_heap::sift_up(std::size_t position, entry value) noexcept {
  while (position > 0) {
    const std::size_t parent = (position - 1) / arity;
    if (heap_[parent].deadline <= value.deadline) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, value);
}

void timer_heap::sift_down(std::size_t position, entry value) noexcept {
  for (;;) {
    const std::size_t first = arity * position + 1;
    if (first >= heap_.size()) break;
    const std::size_t last = std::min(first + arity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child) {
      if (heap_[child].deadline < heap_[least].deadline) least = child;
    }
    if (value.deadline <= heap_[least].deadline) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, value);
}

void timer_heap::remove(std::size_t position) noexcept {
  const entry moved = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  const bool rises = position > 0 && moved.deadline < heap_[(position - 1) / arity].deadline;
  if (rises) {
    sift_up(position, moved);
  } else {
    sift_down(position, moved);
  }
}

}  // namespace brigade::detail
