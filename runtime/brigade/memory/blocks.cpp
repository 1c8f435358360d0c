#include <brigade/memory/blocks.hpp>

#include <array>
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BRIGADE_BLOCKS_ON_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BRIGADE_BLOCKS_ON_HEAP 1
#endif
#endif

namespace brigade::detail {

#if defined(BRIGADE_BLOCKS_ON_HEAP)

void* take_block(std::size_t bytes) { return ::operator new(bytes); }
void give_block(void* block, std::size_t) noexcept { ::operator delete(block); }

#else

namespace {

constexpr std::size_t step_bytes = 32;
constexpr std::size_t sizes = 32;
constexpr unsigned magazine_blocks = 32;
constexpr std::size_t depot_bytes = std::size_t{64} << 20;  // of each size, at most

// A free block. Only the first one of a magazine in the depot uses `next_magazine`.
struct free_block {
  free_block* next;
  free_block* next_magazine;
};

struct magazine {
  free_block* first = nullptr;
  unsigned count = 0;
};

// Full magazines that no thread holds.
class depot {
 public:
  free_block* take() noexcept {
    const std::lock_guard lock(mutex_);
    if (first_ == nullptr) return nullptr;
    --count_;
    return std::exchange(first_, first_->next_magazine);
  }
  // Returns false when there is no room.
  bool give(free_block* blocks, std::size_t most) noexcept {
    const std::lock_guard lock(mutex_);
    if (count_ >= most) return false;
    ++count_;
    blocks->next_magazine = first_;
    first_ = blocks;
    return true;
  }

 private:
  std::mutex mutex_;
  free_block* first_ = nullptr;
  std::size_t count_ = 0;
};

constexpr std::size_t bytes_of(std::size_t size) { return (size + 1) * step_bytes; }

constinit std::array<depot, sizes> depots{};

void free_all(free_block* blocks) noexcept {
  while (blocks != nullptr)
    ::operator delete(std::exchange(blocks, blocks->next));
}

void put_away(std::size_t size, free_block* full) noexcept {
  constexpr std::size_t per_magazine = magazine_blocks;
  if (!depots[size].give(full, depot_bytes / (per_magazine * bytes_of(size)))) free_all(full);
}

// What a thread keeps.
struct thread_blocks {
  std::array<magazine, sizes> current{};
  std::array<free_block*, sizes> spare{};  // a full magazine, or null
};

// Made at first use. Initial-exec: read at every task, in a library too; hence no more than this.
[[gnu::tls_model("initial-exec")]] constinit thread_local thread_blocks* mine = nullptr;
constinit thread_local bool ended = false;

struct end_of_thread {
  ~end_of_thread() {
    ended = true;  // other destructors of this thread may still take and give blocks
    thread_blocks* const kept = std::exchange(mine, nullptr);
    if (kept == nullptr) return;
    for (std::size_t size = 0; size < sizes; ++size) {
      free_all(kept->current[size].first);
      if (kept->spare[size] != nullptr) put_away(size, kept->spare[size]);
    }
    delete kept;
  }
  void exist() noexcept {}
};

// False when this thread has none: it ends, or there is no memory.
bool have_blocks() noexcept {
  if (mine != nullptr) return true;
  if (ended) return false;
  static thread_local end_of_thread watcher;
  watcher.exist();
  mine = new (std::nothrow) thread_blocks;
  return mine != nullptr;
}

[[gnu::noinline]] void* take_slowly(std::size_t size) {
  if (!have_blocks()) return ::operator new(bytes_of(size));
  free_block* full = std::exchange(mine->spare[size], nullptr);
  if (full == nullptr) full = depots[size].take();
  if (full == nullptr) return ::operator new(bytes_of(size));
  mine->current[size] = {full->next, magazine_blocks - 1};
  return full;
}

[[gnu::noinline]] void give_slowly(free_block* block, std::size_t size) noexcept {
  if (!have_blocks()) {
    ::operator delete(block);
    return;
  }
  magazine& to = mine->current[size];
  if (to.count == magazine_blocks) {
    if (mine->spare[size] != nullptr) put_away(size, mine->spare[size]);
    mine->spare[size] = to.first;
    to = {};
  }
  block->next = to.first;
  to.first = block;
  ++to.count;
}

}  // namespace

void* take_block(std::size_t bytes) {
  const std::size_t size = (bytes - 1) / step_bytes;
  if (size >= sizes) return ::operator new(bytes);
  if (mine == nullptr || mine->current[size].first == nullptr) return take_slowly(size);
  magazine& from = mine->current[size];
  --from.count;
  free_block* const block = std::exchange(from.first, from.first->next);
  __builtin_prefetch(from.first, 1);  // its last user was perhaps another core
  return block;
}

void give_block(void* block, std::size_t bytes) noexcept {
  const std::size_t size = (bytes - 1) / step_bytes;
  if (size >= sizes) {
    ::operator delete(block);
    return;
  }
  auto* const free = ::new (block) free_block{};
  if (mine == nullptr || mine->current[size].count == magazine_blocks) {
    give_slowly(free, size);
    return;
  }
  magazine& to = mine->current[size];
  free->next = to.first;
  to.first = free;
  ++to.count;
}

#endif

}  // namespace brigade::detail
