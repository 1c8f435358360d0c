// Types that are written for cereal travel as they are: include this header beside their own.
//
// serialize, save and load, save_minimal and load_minimal are used, as members or free functions,
// versioned or not, with name-value pairs, base_class and cereal::access. They are handed archives
// of ours: whatever has a coder (numbers, standard containers, plain aggregates) goes through it,
// so that everything stays bounded; cereal's own container loaders allocate first and read after.
// Smart pointers inside such a type are cereal's (<cereal/types/memory.hpp>). A type needs a
// default constructor. Include this before the type is first used with the codec, everywhere.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>

namespace brigade::codec {

class cereal_output;
class cereal_input;

namespace detail {

template <class T>
concept pointer_like = requires(T& value) {
  *value;
  value.get();
};

template <class T>
concept written_for_cereal =
    std::is_class_v<T> && !has_builtin<T> && !pointer_like<T> && std::default_initializable<T> &&
    std::move_constructible<T> && cereal::traits::is_output_serializable<T, cereal_output>::value &&
    cereal::traits::is_input_serializable<T, cereal_input>::value;

// What our coders do better than cereal.
template <class T>
consteval bool has_native_coder() {
  using value = std::remove_cv_t<std::remove_all_extents_t<T>>;
  if constexpr (transportable<value>) {
    return !written_for_cereal<value>;
  } else {
    return false;
  }
}

}  // namespace detail

class cereal_output : public cereal::OutputArchive<cereal_output, cereal::AllowEmptyClassElision> {
  using base = cereal::OutputArchive<cereal_output, cereal::AllowEmptyClassElision>;

 public:
  explicit cereal_output(writer& out) : base(this), out_(out) {}

  template <class... Ts>
  cereal_output& operator()(Ts&&... values) {
    (write_one(values), ...);
    return *this;
  }
  template <class T>
  cereal_output& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  cereal_output& operator<<(T&& value) {
    return (*this)(value);
  }

  [[nodiscard]] writer& bytes() noexcept { return out_; }

 private:
  template <class T>
  void write_one(T& value) {
    if constexpr (detail::has_native_coder<T>()) {
      write_value(out_, value);
    } else {
      const writer::level inside(out_);
      base::operator()(value);
    }
  }

  writer& out_;
};

class cereal_input : public cereal::InputArchive<cereal_input, cereal::AllowEmptyClassElision> {
  using base = cereal::InputArchive<cereal_input, cereal::AllowEmptyClassElision>;

 public:
  explicit cereal_input(reader& in) : base(this), in_(in) {}

  template <class... Ts>
  cereal_input& operator()(Ts&&... values) {
    (read_one(values), ...);
    return *this;
  }
  template <class T>
  cereal_input& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  cereal_input& operator>>(T&& value) {
    return (*this)(value);
  }

  [[nodiscard]] reader& bytes() noexcept { return in_; }

 private:
  template <class T>
  void read_one(T& value) {
    if constexpr (detail::has_native_coder<T>()) {
      read_into(in_, value);
    } else {
      const reader::level inside(in_, "an object");
      base::operator()(value);
    }
  }

  reader& in_;
};

// What cereal looks up for an archive, beside the functions of the types.
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_output& archive, const T& value) {
  write_value(archive.bytes(), value);
}

template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_input& archive, T& value) {
  read_into(archive.bytes(), value);
}

template <class Archive, class T>
requires std::same_as<Archive, cereal_output> || std::same_as<Archive, cereal_input>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_output& archive, const cereal::SizeTag<T>& tag) {
  archive.bytes().put_size(static_cast<std::size_t>(tag.size));
}

// A loader of somebody else may allocate for the elements before it reads them: their number is
// checked here, for elements of one byte of input and 16 bytes of memory.
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_input& archive, cereal::SizeTag<T>& tag) {
  constexpr std::size_t memory_for_each = 16;
  reader& in = archive.bytes();
  const std::size_t size = in.get_length(1, "a container");
  in.charge(size, memory_for_each, "a container");
  if (size > std::numeric_limits<std::remove_cvref_t<T>>::max()) {
    in.fail("a container", "its size does not fit into the type that holds it");
  }
  tag.size = static_cast<std::remove_cvref_t<T>>(size);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_output& archive, const cereal::BinaryData<T>& data) {
  archive.bytes().put_raw(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_input& archive, cereal::BinaryData<T>& data) {
  archive.bytes().get_raw(data.data, static_cast<std::size_t>(data.size), "binary data");
}

template <detail::written_for_cereal T>
struct coder<T> {
  static void write(writer& out, const T& value) {
    const writer::level inside(out);
    try {
      cereal_output archive(out);
      archive(value);
      archive.serializeDeferments();
    } catch (const cereal::Exception& e) {
      out.fail(std::string("cereal says: ") + e.what());
    }
  }

  static T read(reader& in) {
    const reader::level inside(in, "an object");
    try {
      cereal_input archive(in);
      T value{};
      archive(value);
      archive.serializeDeferments();
      return value;
    } catch (const cereal::Exception& e) {
      in.fail("an object", std::string("cereal says: ") + e.what());
    }
  }
};

}  // namespace brigade::codec

CEREAL_REGISTER_ARCHIVE(brigade::codec::cereal_output)
CEREAL_REGISTER_ARCHIVE(brigade::codec::cereal_input)
CEREAL_SETUP_ARCHIVE_TRAITS(brigade::codec::cereal_input, brigade::codec::cereal_output)
