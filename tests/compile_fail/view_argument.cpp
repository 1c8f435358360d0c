// A view refers to memory of this process.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/submit.hpp>

#include <string_view>

std::size_t length(std::string_view text) { return text.size(); }

void use(brigade::submitter& rt, std::string_view text) {
  auto count = rt.submit(brigade::processes, length, text);
}
