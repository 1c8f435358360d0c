// Waiting takes the future over.
// error: brigade: co_await takes the future over: write co_await std::move(f)
#include <brigade/work/submit.hpp>
#include <brigade/work/task.hpp>

brigade::task<int> use(brigade::future<int> source) {
  const int once = co_await source;
  co_return once;
}
