// Connected pairs of Unix sockets, and messages that carry descriptors (SCM_RIGHTS).
//
// No call here raises SIGPIPE: a peer that is gone shows as EPIPE or ECONNRESET. Received
// descriptors are close-on-exec from birth.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <brigade/os/fd.hpp>

namespace brigade::os {

struct socket_pair {
  unique_fd first;
  unique_fd second;
};

enum class socket_kind {
  stream,   // bytes without borders
  packets,  // whole messages in order (SOCK_SEQPACKET)
};

[[nodiscard]] socket_pair make_socket_pair(socket_kind kind = socket_kind::stream);

// Sends everything, waiting where it has to, also on a non-blocking socket.
void send_full(int socket, std::span<const std::byte> bytes);

// Receives until `room` is full or the peer has closed; returns how many bytes came.
[[nodiscard]] std::size_t receive_full(int socket, std::span<std::byte> room);

// The peer sees the end of the stream, also while copies of the descriptor are open elsewhere (in a
// process that was forked meanwhile).
void shut_down(int socket) noexcept;

// Waits for bytes; returns how many came, 0 when the peer has closed.
[[nodiscard]] std::size_t receive_some(int socket, std::span<std::byte> room);

// One send or receive without waiting: nullopt when it would have to. Receiving 0 bytes means that
// the peer has closed.
[[nodiscard]] std::optional<std::size_t> try_send(int socket, std::span<const std::byte> bytes);
[[nodiscard]] std::optional<std::size_t> try_receive(int socket, std::span<std::byte> room);

inline constexpr std::size_t max_descriptors_per_message = 64;

// Sends all of `bytes` (at least one) and with the first of them copies of `descriptors`, which
// stay the caller's. Throws std::system_error with EINVAL for too many descriptors or no byte.
void send_with_descriptors(int socket, std::span<const std::byte> bytes,
                           std::span<const int> descriptors);

struct received_message {
  std::size_t bytes = 0;  // 0: the peer has closed
  std::vector<unique_fd> descriptors;
};

// One message, or what of a stream has come up to the next descriptors; waits for it. Throws
// std::system_error with EMSGSIZE when the packet or its descriptors did not fit: what came of
// the descriptors is closed then.
[[nodiscard]] received_message receive_with_descriptors(int socket, std::span<std::byte> room);

}  // namespace brigade::os
