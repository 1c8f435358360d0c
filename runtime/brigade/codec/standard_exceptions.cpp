#include <brigade/codec/standard_exceptions.hpp>

#include <any>
#include <array>
#include <concepts>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <brigade/codec/exception.hpp>

namespace brigade::codec::detail {
namespace {

namespace fs = std::filesystem;

// Derived before base: the first that fits is the nearest.
using kinds =
    std::tuple<fs::filesystem_error, std::ios_base::failure, std::system_error, std::regex_error,
               std::range_error, std::overflow_error, std::underflow_error, std::runtime_error,
               std::future_error, std::domain_error, std::invalid_argument, std::length_error,
               std::out_of_range, std::logic_error, std::bad_array_new_length, std::bad_alloc,
               std::bad_any_cast, std::bad_cast, std::bad_typeid, std::bad_exception,
               std::bad_weak_ptr, std::bad_function_call, std::bad_optional_access,
               std::bad_variant_access, std::exception>;

constexpr std::size_t kind_count = std::tuple_size_v<kinds>;

struct kind_functions {
  const std::type_info* type;
  bool (*is_base_of)(const std::exception&);
  std::exception_ptr (*make)(const standard_details&, const std::exception_ptr&);
  std::exception_ptr (*make_remote)(const standard_details&, remote_parts&&,
                                    const std::exception_ptr&);
};

// The text before the part that the constructor adds for the code.
std::string given_text(const standard_details& details) {
  const std::string added = ": " + details.code.message();
  const std::string_view text = details.text;
  return std::string(text.ends_with(added) ? text.substr(0, text.size() - added.size()) : text);
}

template <class T>
T rebuild(const standard_details& details) {
  if constexpr (std::same_as<T, fs::filesystem_error>) {
    const std::string given = given_text(details);
    if (!details.path2.empty()) return T(given, details.path1, details.path2, details.code);
    if (!details.path1.empty()) return T(given, details.path1, details.code);
    return T(given, details.code);
  } else if constexpr (std::same_as<T, std::system_error>) {
    return T(details.code);
  } else if constexpr (std::same_as<T, std::ios_base::failure>) {
    return T(details.text, details.code);
  } else if constexpr (std::same_as<T, std::regex_error>) {
    return T(static_cast<std::regex_constants::error_type>(details.number));
  } else if constexpr (std::same_as<T, std::future_error>) {
    return T(static_cast<std::future_errc>(details.number));
  } else if constexpr (std::constructible_from<T, const std::string&>) {
    return T(details.text);
  } else {
    return T();
  }
}

// Constructors add to the text; replacing the base that holds it gives back the original, whatever
// the library put there.
template <class T>
T remade(const standard_details& details) {
  T made = rebuild<T>(details);
  if constexpr (std::derived_from<T, std::runtime_error>) {
    static_cast<std::runtime_error&>(made) = std::runtime_error(details.text);
  }
  return made;
}

template <class T>
constexpr kind_functions functions_of{
    &typeid(T),
    [](const std::exception& e) {
      if constexpr (std::same_as<T, std::exception>) {
        return true;
      } else {
        return dynamic_cast<const T*>(&e) != nullptr;
      }
    },
    [](const standard_details& details, const std::exception_ptr& nested) {
      return nest(nested, [&details] { return remade<T>(details); });
    },
    [](const standard_details& details, remote_parts&& parts, const std::exception_ptr& nested) {
      return nest(nested, [&] {
        return remote_exception<T>(remade<T>(details), std::move(parts.text), std::move(parts.task),
                                   std::move(parts.type), nested);
      });
    }};

constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array<const kind_functions*, kind_count>{
      &functions_of<std::tuple_element_t<I, kinds>>...};
}
(std::make_index_sequence<kind_count>{});

// A code of a category that the receiver knows.
std::error_code portable(const std::error_code& code) {
  const std::error_category* const known = find_error_category(code.category().name());
  if (known != nullptr && *known == code.category()) return code;
  const std::error_condition near = code.default_error_condition();
  if (near.category() == std::generic_category()) return {near.value(), near.category()};
  return std::make_error_code(std::errc::io_error);
}

}  // namespace

std::size_t nearest_standard(const std::exception& failure) {
  std::size_t kind = 0;
  while (!table[kind]->is_base_of(failure))
    ++kind;  // the last one is
  return kind;
}

std::size_t standard_root() noexcept { return kind_count - 1; }
std::size_t standard_kinds() noexcept { return kind_count; }
const std::type_info& standard_type(std::size_t kind) { return *table[kind]->type; }

standard_details details_of(const std::exception& failure) {
  standard_details details;
  const char* const what = failure.what();
  details.text = what == nullptr ? "" : what;
  if (const auto* coded = dynamic_cast<const std::system_error*>(&failure)) {
    details.code = portable(coded->code());
    details.text = coded->std::runtime_error::what();  // without what a derived class adds
  } else if (const auto* regex = dynamic_cast<const std::regex_error*>(&failure)) {
    details.number = static_cast<int>(regex->code());
  } else if (const auto* future = dynamic_cast<const std::future_error*>(&failure)) {
    details.number = future->code().value();
  }
  if (const auto* file = dynamic_cast<const fs::filesystem_error*>(&failure)) {
    details.path1 = file->path1().native();
    details.path2 = file->path2().native();
  }
  return details;
}

void write_details(writer& out, const standard_details& details) {
  out.put_text(details.text);
  write_value(out, details.code);
  out.put(details.number);
  out.put_text(details.path1);
  out.put_text(details.path2);
}

standard_details read_details(reader& in) {
  constexpr std::string_view what = "the details of an exception";
  standard_details details;
  details.text = in.get_text(what);
  details.code = read_value<std::error_code>(in);
  details.number = in.get<int>(what);
  details.path1 = in.get_text(what);
  details.path2 = in.get_text(what);
  return details;
}

std::exception_ptr make_standard(std::size_t kind, const standard_details& details,
                                 const std::exception_ptr& nested) {
  return table.at(kind)->make(details, nested);
}

std::exception_ptr make_remote(std::size_t kind, const standard_details& details,
                               remote_parts parts, const std::exception_ptr& nested) {
  return table.at(kind)->make_remote(details, std::move(parts), nested);
}

}  // namespace brigade::codec::detail
