#include <brigade/work/future.hpp>

namespace brigade::detail {
namespace {

class no_future final : public std::future_error {
 public:
  no_future() : std::future_error(std::future_errc::no_state) {}
  [[nodiscard]] const char* what() const noexcept override {
    return "brigade: this future is empty: its result was taken already, or it was moved from; "
           "call get() once, and keep the value";
  }
};

}  // namespace

void throw_no_future() { throw no_future(); }

}  // namespace brigade::detail
