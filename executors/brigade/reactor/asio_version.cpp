#include <brigade/reactor/asio_version.hpp>

namespace brigade::detail {

const int BRIGADE_ASIO_NAME = ASIO_VERSION;

}  // namespace brigade::detail
