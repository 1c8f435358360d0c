// Your own function and your own coroutine, each on the executor you name, or compared on all.
#include <brigade/brigade.hpp>
#include <brigade/measure/comparison.hpp>
#include <iostream>
namespace bg = brigade;

int count_primes(int limit) {  // a plain function, which keeps a CPU busy
  int found = 0;
  for (int n = 2, d = 2; n < limit; found += (n < d * d), ++n, d = 2)
    while (d * d <= n && n % d != 0)
      ++d;
  return found;
}
bg::task<std::string> invite(std::string guest) {  // a coroutine: while it waits, others go on
  co_await bg::sleep_for(std::chrono::milliseconds(50));
  co_return guest + " is coming";
}
int main(int argc, char** argv) try {
  bg::init(argc, argv);  // in a worker process this call never returns
  bg::runtime rt;        // workers start on first use
  if (argc != 2 || argv[1] != std::string("--compare")) {
    for (int i = 1; i < argc; i += 2)
      if (argc > 5 || i + 1 == argc || argv[i] != std::string("--executor"))
        throw std::invalid_argument("first_task [--executor NAME [--executor NAME]] | --compare");
    auto primes = rt.submit(bg::parse_executor(argc > 2 ? argv[2] : "threads"), count_primes, 100);
    auto answer = rt.submit(bg::parse_executor(argc > 4 ? argv[4] : "loop"), invite, "Ada");
    return std::cout << primes.get() << " primes; " << answer.get() << '\n', 0;
  }
  bg::measure::comparison all;
  for (const bg::executor_kind where : bg::all_executors) {
    all.add({std::string(to_string(where)), rt.worker_count(where), [&rt, where](int) {
               auto guests = rt.map_async(where, invite, std::vector<std::string>(10, "Ada"));
               rt.map(where, count_primes, std::vector<int>(10, 50'000), {.chunk = 1});
               guests.get();
             }});
  }
  std::cout << all.run().to_text();
} catch (const std::exception& wrong) {
  return std::cerr << wrong.what() << '\n', 2;
}
