// A single-pass iterator over anything whose next() returns an optional. Ends at
// std::default_sentinel; dereferencing it then is undefined.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>

namespace brigade::detail {

template <class Source>
class pull_iterator {
  using item = decltype(std::declval<Source&>().next());

 public:
  using value_type = typename item::value_type;
  using difference_type = std::ptrdiff_t;

  // Takes the first item at once.
  explicit pull_iterator(Source& from) : from_(&from), item_(from.next()) {}

  value_type& operator*() { return *item_; }
  value_type* operator->() { return &*item_; }
  pull_iterator& operator++() {
    item_ = from_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const pull_iterator& at, std::default_sentinel_t) {
    return !at.item_.has_value();
  }

 private:
  Source* from_;
  item item_;
};

}  // namespace brigade::detail
