#include <brigade/work/portable_call.hpp>

namespace brigade {

void portable_call::run(std::span<const std::byte> bytes, detail::remote_host& host) {
  codec::reader in(bytes);
  codec::writer unused;
  const auto thunk =
      reinterpret_cast<detail::remote_thunk>(const_cast<void*>(detail::read_code_address(in)));
  thunk(in, unused, host);
}

}  // namespace brigade
