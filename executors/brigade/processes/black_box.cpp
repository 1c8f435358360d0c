#include <brigade/processes/black_box.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

#include <brigade/os/symbols.hpp>

namespace brigade::detail {
namespace {

constexpr std::size_t box_bytes = 8192;

}  // namespace

black_box black_box::make(os::unique_fd& fd) {
  static_assert(sizeof(page) <= box_bytes);
  fd = os::make_sealed_memfd("brigade-box", box_bytes);
  black_box made(fd.get());
  ::new (made.mapping_.data()) page;
  return made;
}

black_box::black_box(int fd) {
  if (os::sealed_memfd_bytes(fd) != box_bytes) {
    throw std::system_error(EINVAL, std::generic_category(), "the black box of a worker");
  }
  mapping_ = os::mapping(fd, box_bytes);
}

black_box::page& black_box::shared() const noexcept {
  return *std::launder(reinterpret_cast<page*>(mapping_.data()));
}

void black_box::note(stage reached) const noexcept {
  shared().reached.store(reached, std::memory_order_relaxed);  // read after the death: that orders
}

black_box::stage black_box::reached() const noexcept {
  return shared().reached.load(std::memory_order_relaxed);  // as above
}

void black_box::begin_crash(int signal, std::optional<std::uint64_t> fault_address) const noexcept {
  page& known = shared();
  known.signal = signal;
  known.has_address = fault_address.has_value() ? 1 : 0;
  known.fault_address = fault_address.value_or(0);
}

void black_box::add_frame(const char* file, std::uint64_t offset) const noexcept {
  page& known = shared();
  if (known.frame_count >= most_frames || known.file_count > most_files) return;
  std::uint32_t index = 0;
  while (index < known.file_count &&
         std::strncmp(known.files[index].data(), file, known.files[index].size() - 1) != 0) {
    ++index;
  }
  if (index == most_files) return;
  if (index == known.file_count) {
    std::strncpy(known.files[index].data(), file, known.files[index].size() - 1);
    ++known.file_count;
  }
  known.frames[known.frame_count++] = {offset, index};
}

std::optional<crash> black_box::read_crash() const {
  const page& known = shared();
  if (known.signal <= 0) return std::nullopt;
  crash found;
  found.signal = known.signal;
  if (known.has_address != 0) found.fault_address = known.fault_address;
  const std::size_t count = std::min<std::size_t>(known.frame_count, most_frames);
  for (std::size_t i = 0; i < count; ++i) {
    const frame each = known.frames[i];
    if (each.file >= most_files) break;
    const auto& file = known.files[each.file];
    const std::string path(file.data(), ::strnlen(file.data(), file.size()));
    found.backtrace.push_back(os::describe_code(path, each.offset));
  }
  return found;
}

}  // namespace brigade::detail
