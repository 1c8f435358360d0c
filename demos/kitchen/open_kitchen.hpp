// One kitchen while it is open: the runtime with its workers started and answering, ready to cook.
//
//   serial     no runtime: one dish after the other on the calling thread
//   loop       one chef; dishes are coroutines, whose file work helpers on threads do
//   threads    `chefs` threads of this process
//   processes  `chefs` worker processes
//   mixed      every dish where it chooses, on threads when it does not
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <brigade/brigade.hpp>

#include "kitchen/menu.hpp"
#include "kitchen/recipe.hpp"
#include "kitchen/report.hpp"
#include "kitchen/settings.hpp"

namespace kitchen {

// How many chefs a kitchen has for these dishes.
[[nodiscard]] unsigned chefs_of(kind which, const menu& dishes, unsigned chefs);

class open_kitchen {
 public:
  // Returns when every chef has answered. Throws `problem` (environment).
  open_kitchen(kind which, const menu& dishes, unsigned chefs);
  open_kitchen(const open_kitchen&) = delete;
  ~open_kitchen();

  // Cooks all orders, one for each dish, and returns what there is to tell, in their order. The
  // hash covers all results. A dish that fails has the reason as its outcome. Ends early when
  // somebody interrupts the program.
  [[nodiscard]] run_record cook(const std::vector<order>& orders);

  // What the reader should know beside the figures.
  [[nodiscard]] std::vector<std::string> remarks() const;

 private:
  struct plate {
    std::int64_t queued_ns = 0;
    std::optional<serving> served;
    std::string failure;
  };

  [[nodiscard]] std::optional<brigade::executor_kind> executor_of(std::size_t dish) const;
  [[nodiscard]] bool uses(brigade::executor_kind which) const;
  void start_workers();
  void cook_serially(const std::vector<order>& orders, std::vector<plate>& plates);
  void cook_on_runtime(const std::vector<order>& orders, std::vector<plate>& plates);
  [[nodiscard]] dish_record record_of(std::size_t dish, const plate& made,
                                      std::int64_t opened_ns) const;
  [[nodiscard]] unsigned first_chef_of(brigade::executor_kind executor) const;

  kind which_;
  const menu& dishes_;
  unsigned chefs_;
  std::atomic<unsigned> blocked_count_{0};
  std::atomic<std::int64_t> blocked_longest_ms_{0};
  std::unique_ptr<brigade::runtime> runtime_;
};

}  // namespace kitchen
