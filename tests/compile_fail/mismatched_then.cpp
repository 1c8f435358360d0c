// The same refusal for a continuation.
// error: brigade: the callable cannot be called with these arguments
#include <brigade/work/then.hpp>

#include <string>

void use(brigade::future<int> source) {
  auto size = std::move(source).then(brigade::threads,
                                     [](const std::string& text) { return text.size(); });
}
