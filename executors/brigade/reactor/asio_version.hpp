// Makes the linker refuse a program that was compiled with another Asio than the library: another
// version, or definitions that change its types. Without it such a program links and crashes.
//
// The name of one variable spells version and definitions. The library defines it, as its own
// headers spell it; every file that includes brigade's Asio headers refers to it.
#pragma once

#include <asio/detail/config.hpp>
#include <asio/version.hpp>

#ifdef ASIO_STANDALONE
#define BRIGADE_ASIO_FLAVOUR standalone
#else
#define BRIGADE_ASIO_FLAVOUR boost
#endif
#ifdef ASIO_HAS_CO_AWAIT
#define BRIGADE_ASIO_COROUTINES with_coroutines
#else
#define BRIGADE_ASIO_COROUTINES without_coroutines
#endif
#ifdef ASIO_NO_DEPRECATED
#define BRIGADE_ASIO_DEPRECATED without_deprecated
#else
#define BRIGADE_ASIO_DEPRECATED with_deprecated
#endif
#ifdef ASIO_HAS_IO_URING_AS_DEFAULT
#define BRIGADE_ASIO_BACKEND io_uring
#else
#define BRIGADE_ASIO_BACKEND epoll
#endif
#ifdef ASIO_ENABLE_HANDLER_TRACKING
#define BRIGADE_ASIO_TRACKING tracking
#else
#define BRIGADE_ASIO_TRACKING quiet
#endif

#define BRIGADE_ASIO_NAME_3(version, flavour, coroutines, deprecated, backend, tracking)       \
  program_and_brigade_use_one_asio_##version##_##flavour##_##coroutines##_##deprecated##_##backend \
      ##_##tracking
#define BRIGADE_ASIO_NAME_2(...) BRIGADE_ASIO_NAME_3(__VA_ARGS__)
#define BRIGADE_ASIO_NAME                                                            \
  BRIGADE_ASIO_NAME_2(ASIO_VERSION, BRIGADE_ASIO_FLAVOUR, BRIGADE_ASIO_COROUTINES,   \
                      BRIGADE_ASIO_DEPRECATED, BRIGADE_ASIO_BACKEND, BRIGADE_ASIO_TRACKING)

namespace brigade::detail {

extern const int BRIGADE_ASIO_NAME;

// Kept in every object file that includes this, and with it the reference.
[[gnu::used]] inline const int* const asio_check = &BRIGADE_ASIO_NAME;

}  // namespace brigade::detail
