// asio::as_tuple, which moved out of experimental:: with Asio 1.24.
#pragma once

#include <asio/version.hpp>

#if ASIO_VERSION >= 102400
#include <asio/as_tuple.hpp>
namespace brigade::testing {
using asio::as_tuple;
}
#else
#include <asio/experimental/as_tuple.hpp>
namespace brigade::testing {
using asio::experimental::as_tuple;
}
#endif
