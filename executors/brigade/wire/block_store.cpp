#include <brigade/wire/block_store.hpp>

#include <algorithm>
#include <bit>
#include <system_error>

namespace brigade::wire {
namespace {

// A multiple of the pages of every system.
constexpr std::size_t page_bytes = std::size_t{64} << 10;
constexpr std::size_t most_blocks = 64;
// What may lie idle, also right after it was used.
constexpr std::size_t most_free_bytes = std::size_t{160} << 20;
// A block that is much larger than what is wanted is left for what needs it.
constexpr std::size_t most_waste = 4;
constexpr std::size_t small_block = std::size_t{1} << 20;
// A reader maps a file up to here as a whole, and parts of a larger one: the file may be as large
// as another process likes, the address space of this one is not.
constexpr std::size_t most_mapped = std::size_t{16} << 30;

// Sizes in steps of an eighth, so that blocks of about one size serve each other.
std::size_t rounded(std::size_t bytes) noexcept {
  const std::size_t step = std::max(page_bytes, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

block_store::block_store(os::unique_fd file) : file_(std::move(file)), made_(true) {
  if (file_) identity_ = os::identity_of(file_.get());
}

int block_store::file() {
  const std::lock_guard lock(mutex_);
  if (!made_) {
    file_ = os::make_growing_memfd("brigade-blocks");
    identity_ = os::identity_of(file_.get());
    made_ = true;
  }
  return file_.get();
}

// In a worker a task may have closed the descriptor, and its number may be that of another file.
bool block_store::is_own_file() const noexcept {
  return file_ && os::is_same_file(file_.get(), identity_);
}

block block_store::take(std::size_t bytes) noexcept {
  if (!is_in_its_process()) return {};
  try {
    if (file() < 0) return {};
    const std::lock_guard lock(mutex_);
    auto best = extents_.end();
    for (auto each = extents_.begin(); each != extents_.end(); ++each) {
      if (each->memory.data() == nullptr || each->bytes < bytes) continue;
      if (each->bytes / most_waste > std::max(bytes, small_block)) continue;
      if (best == extents_.end() || each->bytes < best->bytes) best = each;
    }
    if (best != extents_.end()) return {best->at, std::move(best->memory)};
    return make(bytes);
  } catch (const std::exception&) {  // no memory, no address space, no descriptor
    return {};
  }
}

block block_store::make(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(-1) / 4) return {};
  const std::size_t size = rounded(bytes);
  if (extents_.size() >= most_blocks) {  // one that does not fit makes room, if there is one
    const auto unused = std::ranges::find_if(
        extents_, [](const extent& each) { return each.memory.data() != nullptr; });
    if (unused == extents_.end()) return {};
    drop(static_cast<std::size_t>(unused - extents_.begin()));
  }
  std::uint64_t at = 0;
  auto before = extents_.begin();
  for (; before != extents_.end() && before->at - at < size; ++before)
    at = before->at + before->bytes;
  if (!is_own_file()) return {};
  os::grow_memfd(file_.get(), at + size);
  os::mapping memory(file_.get(), at, size, os::mapping::access::read_write);
  extents_.insert(before, {.at = at, .bytes = size, .since = {}, .memory = {}});
  held_.fetch_add(size, std::memory_order_seq_cst);
  return {at, std::move(memory)};
}

void block_store::give_back(block&& used) noexcept {
  if (!used || !is_in_its_process()) return;
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(extents_, used.at, &extent::at);
  found->memory = std::move(used.memory);
  found->since = os::deadline::clock::now();
  keep_within_bounds();
}

void block_store::keep_within_bounds() noexcept {
  for (;;) {
    std::size_t total = 0;
    std::size_t oldest = extents_.size();
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      if (extents_[i].memory.data() == nullptr) continue;
      total += extents_[i].bytes;
      if (oldest == extents_.size() || extents_[i].since < extents_[oldest].since) oldest = i;
    }
    if (total <= (closed_ ? 0 : most_free_bytes)) return;
    drop(oldest);
  }
}

void block_store::drop(std::size_t index) noexcept {
  const extent& gone = extents_[index];
  if (is_own_file()) os::free_memfd_pages(file_.get(), gone.at, gone.bytes);
  held_.fetch_sub(gone.bytes, std::memory_order_seq_cst);
  extents_.erase(extents_.begin() + static_cast<std::ptrdiff_t>(index));
}

void block_store::close() noexcept {
  if (!is_in_its_process()) return;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  keep_within_bounds();
}

void block_store::trim(os::deadline before) noexcept {
  if (held_bytes() == 0 || !is_in_its_process()) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = extents_.size(); i-- > 0;) {
    if (extents_[i].memory.data() != nullptr && extents_[i].since < before) drop(i);
  }
}

bool block_store::has_free() const noexcept {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(extents_,
                             [](const extent& each) { return each.memory.data() != nullptr; });
}

// --- the readers' side ---------------------------------------------------------------------------

block_reader::block_reader(os::unique_fd file) : file_(std::move(file)) {
  if (file_) identity_ = os::identity_of(file_.get());
}

std::optional<block_reader::found> block_reader::read(std::uint64_t at,
                                                      std::uint64_t bytes) noexcept {
  try {
    if (at > static_cast<std::uint64_t>(-1) - bytes) return std::nullopt;
    const std::uint64_t end = at + bytes;
    if (mapped_ == nullptr || end > mapped_->size()) {
      if (!has_its_file()) return std::nullopt;
      // The file does not shrink, so what is inside of it now stays there.
      const std::size_t there = os::growing_memfd_bytes(file_.get());
      if (end > there || there == 0) return std::nullopt;
      if (!map_all(there)) return read_alone(at, bytes);
    }
    return found{{mapped_->data() + at, bytes}, mapped_};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool block_reader::has_its_file() const noexcept {
  return file_ && os::is_same_file(file_.get(), identity_);
}

bool block_reader::map_all(std::size_t there) {
  if (there > most_mapped) return false;
  try {
    constexpr auto read_only = os::mapping::access::read_only;
    mapped_ = std::make_shared<const os::mapping>(file_.get(), there, read_only);
    return true;
  } catch (const std::system_error&) {  // the address space of this process may be limited
    return false;
  }
}

block_reader::found block_reader::read_alone(std::uint64_t at, std::uint64_t bytes) const {
  const std::uint64_t begin = at / page_bytes * page_bytes;
  auto part = std::make_shared<const os::mapping>(file_.get(), begin, at + bytes - begin,
                                                  os::mapping::access::read_only);
  return {{part->data() + (at - begin), bytes}, part};
}

}  // namespace brigade::wire
