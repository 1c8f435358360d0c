// Both ends of a lane in one process, and what its tests send.
#pragma once

#include <brigade/wire/host_lane.hpp>
#include <brigade/wire/worker_lane.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <brigade/os/memfd.hpp>

namespace lane_ends {

using namespace brigade;
using wire::host_lane;
using wire::worker_lane;

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::optional<std::uint64_t> send(host_lane& host, const std::string& text,
                                         std::optional<std::uint64_t> oldest = std::nullopt) {
  const auto written = host.write({}, bytes_of(text), oldest, false);
  if (!written) return std::nullopt;
  host.publish(written->call);
  host.wake_worker();
  return written->call;
}

inline wire::lane_message result() {
  wire::lane_message message;
  message.kind = wire::message_kind::result;
  return message;
}

inline constexpr std::size_t mib = std::size_t{1} << 20;

struct both_ends {
  os::unique_fd fd;
  os::unique_fd blocks;
  host_lane host = host_lane::make(fd, blocks, 16 * mib);
  worker_lane worker{fd.get(), {}, os::duplicate(blocks.get())};
};

}  // namespace lane_ends
