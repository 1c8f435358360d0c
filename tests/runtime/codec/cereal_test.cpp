#include <brigade/codec/cereal.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <cereal/types/base_class.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/vector.hpp>

#include <brigade/base/error.hpp>

namespace codec = brigade::codec;

namespace {

template <class T>
T there_and_back(const T& value) {
  return codec::from_bytes<T>(codec::to_bytes(value));
}

class with_member {
 public:
  with_member() = default;
  with_member(int number, std::string text) : number_(number), text_(std::move(text)) {}
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_, CEREAL_NVP(text_));
  }
  int number_ = 0;
  std::string text_;
};

struct plain {
  int a = 0;
  double b[2] = {0, 0};
};

struct split {
  std::vector<with_member> members;
  std::map<std::string, std::vector<int>> numbers;
  plain inside;
  int c[3] = {0, 0, 0};

  template <class Archive>
  void save(Archive& archive) const {
    archive(members, numbers);
    archive << inside;
    archive& c;
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(members, numbers);
    archive >> inside;
    archive& c;
  }
};

class outside {
 public:
  explicit outside(int v = 0) : value(v) {}
  int value;
};
template <class Archive>
void serialize(Archive& archive, outside& o) {
  archive(o.value);
}

struct versioned {
  int a = 0;
  std::uint32_t seen = 0;
  template <class Archive>
  void serialize(Archive& archive, const std::uint32_t version) {
    archive(a);
    seen = version;
  }
};

class minimal {
 public:
  explicit minimal(std::string t = {}) : text(std::move(t)) {}
  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return text;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& t) {
    text = t;
  }
  std::string text;
};

struct derived : with_member {
  using with_member::with_member;
  std::vector<bool> flags;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<with_member>(this), flags);
  }
};

struct chain {
  int value = 0;
  std::unique_ptr<chain> next;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value, next);
  }
};

// Loads as cereal's own containers do: allocates first.
struct eager {
  std::vector<std::uint64_t> values;
  template <class Archive>
  void save(Archive& archive) const {
    archive(cereal::make_size_tag(static_cast<cereal::size_type>(values.size())));
    for (const auto value : values)
      archive(value);
  }
  template <class Archive>
  void load(Archive& archive) {
    cereal::size_type size = 0;
    archive(cereal::make_size_tag(size));
    values.resize(static_cast<std::size_t>(size));
    for (auto& value : values)
      archive(value);
  }
};

struct with_blob {
  unsigned char bytes[5] = {};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::binary_data(bytes, sizeof bytes));
  }
};

struct no_serialize {
  explicit no_serialize(int v) : value(v) {}
  int value;
};

}  // namespace

CEREAL_CLASS_VERSION(versioned, 7)

TEST_CASE("types written for cereal are transportable, others as before") {
  static_assert(codec::transportable<with_member>);
  static_assert(codec::transportable<outside>);
  static_assert(codec::transportable<std::vector<std::optional<split>>>);
  static_assert(codec::transportable<plain>);
  static_assert(!codec::transportable<no_serialize>);
  static_assert(!codec::transportable<std::unique_ptr<int>>);
  static_assert(!codec::transportable<std::vector<int*>>);
  static_assert(!codec::transportable<int*>);
}

TEST_CASE("a private serialize with access is used") {
  const with_member back = there_and_back(with_member(3, "text"));
  CHECK(back.number() == 3);
  CHECK(back.text() == "text");
}

TEST_CASE("save and load are used, with containers, aggregates and arrays inside") {
  split sent;
  sent.members = {with_member(1, "one"), with_member(2, "two")};
  sent.numbers = {{"a", {1, 2}}, {"b", {}}};
  sent.inside = {4, {0.5, 0.25}};
  sent.c[2] = 9;
  const split back = there_and_back(sent);
  CHECK(back.members.at(1).text() == "two");
  CHECK(back.numbers == sent.numbers);
  CHECK(back.inside.b[1] == 0.25);
  CHECK(back.c[2] == 9);
}

TEST_CASE("free, versioned and minimal functions and base classes are used") {
  CHECK(there_and_back(outside(5)).value == 5);
  CHECK(there_and_back(versioned{4, 0}).seen == 7);
  CHECK(there_and_back(versioned{4, 0}).a == 4);
  CHECK(there_and_back(minimal("short")).text == "short");
  CHECK(there_and_back(with_blob{{1, 2, 3, 4, 5}}).bytes[4] == 5);
  derived sent(8, "base");
  sent.flags = {true, false, true};
  const derived back = there_and_back(sent);
  CHECK(back.number() == 8);
  CHECK(back.flags == sent.flags);
}

TEST_CASE("smart pointers inside are cereal's, and their depth is bounded") {
  chain sent;
  sent.value = 1;
  sent.next = std::make_unique<chain>();
  sent.next->value = 2;
  CHECK(there_and_back(sent).next->value == 2);

  chain* last = &sent;
  for (int i = 0; i < 1000; ++i) {
    last->next = std::make_unique<chain>();
    last = last->next.get();
  }
  CHECK_THROWS_AS((void)codec::to_bytes(sent), brigade::codec_error);
  const auto bytes = codec::to_bytes(sent, {.decoded_bytes = {}, .depth = 100000});
  CHECK_THROWS_AS((void)codec::from_bytes<chain>(bytes), brigade::codec_error);
}

TEST_CASE("a loader that allocates first is bounded by the input") {
  const eager sent{{1, 2, 3}};
  CHECK(there_and_back(sent).values == sent.values);

  codec::writer out;
  out.put_size(std::size_t{1} << 40);
  out.put(std::uint64_t{1});
  CHECK_THROWS_AS((void)codec::from_bytes<eager>(out.bytes()), brigade::codec_error);
}

TEST_CASE("an exception of cereal becomes a codec_error") {
  codec::writer out;
  out.put(1);
  out.put(std::uint8_t{9});  // neither null nor a pointer
  CHECK_THROWS_AS((void)codec::from_bytes<chain>(out.bytes()), brigade::codec_error);
}
