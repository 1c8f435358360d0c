// Whose event it is in the conductor's epoll set.
#pragma once

#include <cstdint>

namespace brigade::detail {

inline constexpr std::uint64_t bell_token = 0;
inline constexpr std::uint64_t link_token = 1;
inline constexpr std::uint64_t first_worker_token = 2;  // and on, by slot

}  // namespace brigade::detail
