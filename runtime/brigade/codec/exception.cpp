#include <brigade/codec/exception.hpp>

#include <cxxabi.h>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <vector>

#include <brigade/codec/standard_exceptions.hpp>
#include <brigade/codec/type_name.hpp>

namespace brigade::codec {
namespace {

using detail::exception_coder;
using detail::remote_parts;
using detail::standard_details;

constexpr std::size_t most_nested = 16;
constexpr std::string_view reading = "an exception";

enum class form : std::uint8_t { standard, family, registered, remote };

// Most exceptions are of one of these, so they get no name on the wire.
using family = std::tuple<task_cancelled, task_timeout, queue_full, runtime_stopped, would_deadlock,
                          not_transportable, codec_error, worker_lost, worker_start_failed,
                          initializer_failed, build_mismatch>;
constexpr std::size_t family_size = std::tuple_size_v<family>;

struct registry {
  struct entry {
    std::string name;
    std::string type;  // demangled
    exception_coder coder;
  };
  std::mutex mutex;
  std::vector<entry> entries;
};

// Process-wide, since types are: a host and its workers run the same registrations.
registry& registered() {
  static registry instance;
  return instance;
}

// What is known of an exception before it is written.
struct description {
  const std::type_info* thrown = nullptr;
  std::string type;      // as written in the source, without the wrapper of throw_with_nested
  bool wrapped = false;  // in that wrapper
  std::string text;
  std::size_t kind = detail::standard_root();
  standard_details details;
  std::exception_ptr nested;
  task_identity task;
  std::optional<std::size_t> family_index;
  worker_death death;
  bool remote = false;  // it came from another process already
};

// libstdc++ and libc++ have a class of their own for T thrown with something nested.
void unwrap(description& known) {
  for (const std::string_view wrapper : {"std::_Nested_exception<", "std::__1::__nested<"}) {
    if (known.type.starts_with(wrapper) && known.type.ends_with('>')) {
      known.type = known.type.substr(wrapper.size(), known.type.size() - wrapper.size() - 1);
      while (known.type.ends_with(' '))
        known.type.pop_back();
      known.wrapped = true;
      return;
    }
  }
}

void take_standard(description& known, const std::exception& failure) {
  const char* const what = failure.what();
  known.text = what == nullptr ? "" : what;
  known.kind = detail::nearest_standard(failure);
  known.details = detail::details_of(failure);
}

template <std::size_t I = 0>
std::optional<std::size_t> family_index_of(std::string_view type) {
  if constexpr (I == family_size) {
    return std::nullopt;
  } else {
    if (type == type_name(typeid(std::tuple_element_t<I, family>))) return I;
    return family_index_of<I + 1>(type);
  }
}

// What the text of a remote_error says after the original's: where it is from.
std::string origin_of(const description& known) {
  const bool named = known.task.id != 0 || !known.task.name.empty();
  return named ? " (" + known.type + " in " + brigade::describe(known.task) + ")" : "";
}

void take_family(description& known, const error& failure) {
  known.task = failure.task();
  if (const auto* remote = dynamic_cast<const remote_error*>(&failure)) {
    known.remote = true;
    known.type = remote->type();
    known.nested = remote->nested();
    const std::string origin = origin_of(known);
    if (known.text.ends_with(origin)) known.text.resize(known.text.size() - origin.size());
    return;
  }
  known.family_index = family_index_of(known.type);
  if (const auto* lost = dynamic_cast<const worker_lost*>(&failure)) {
    known.death = lost->death();
  }
}

void take_mixins(description& known, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::nested_exception& outer) {
    known.nested = outer.nested_ptr();
  } catch (...) {
  }
  try {
    std::rethrow_exception(failure);
  } catch (const error& own) {
    take_family(known, own);
  } catch (...) {
  }
}

description describe(const std::exception_ptr& failure) {
  description known;
  const auto name_it = [&known] {
    known.thrown = abi::__cxa_current_exception_type();
    known.type = known.thrown != nullptr ? type_name(*known.thrown) : "unknown";
    unwrap(known);
  };
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& standard) {
    name_it();
    take_standard(known, standard);
  } catch (const char* text) {
    name_it();
    known.text = text == nullptr ? "" : text;
  } catch (const std::string& text) {
    name_it();
    known.type = "std::string";
    known.text = text;
  } catch (int number) {
    name_it();
    known.text = "int " + std::to_string(number);
  } catch (...) {
    name_it();
    known.text = "an exception of type " + known.type + ", which is no std::exception";
  }
  take_mixins(known, failure);
  return known;
}

void write_task(writer& out, const task_identity& task) {
  out.put_text(task.name);
  out.put(task.id);
  out.put(task.executor ? static_cast<std::uint8_t>(index_of(*task.executor)) : std::uint8_t{0xff});
}

task_identity read_task(reader& in) {
  task_identity task;
  task.name = in.get_text("the name of a task");
  task.id = in.get<std::uint64_t>("the id of a task");
  const auto executor = in.get<std::uint8_t>("the executor of a task");
  if (executor == 0xff) return task;
  if (executor >= all_executors.size()) in.fail("the executor of a task", "there is no such one");
  task.executor = all_executors[executor];
  return task;
}

std::optional<registry::entry> find_registered(const description& known,
                                               const std::exception_ptr& failure) {
  registry& all = registered();
  const std::lock_guard lock(all.mutex);
  for (const registry::entry& entry : all.entries) {
    const bool same = known.thrown != nullptr && *entry.coder.type == *known.thrown;
    if (same) return entry;
    if (known.wrapped && entry.type == known.type && entry.coder.matches(failure)) return entry;
  }
  return std::nullopt;
}

std::optional<exception_coder> find_registered(std::string_view name) {
  registry& all = registered();
  const std::lock_guard lock(all.mutex);
  for (const registry::entry& entry : all.entries) {
    if (entry.name == name) return entry.coder;
  }
  return std::nullopt;
}

// "std::__ios_failure" is what libstdc++ throws for std::ios_base::failure.
bool exactly_standard(const description& known) {
  if (known.kind == detail::standard_root() && known.type != "std::exception") return false;
  return known.type.starts_with("std::__") ||
         known.type == type_name(detail::standard_type(known.kind));
}

void write_failure(writer& out, const std::exception_ptr& failure, std::size_t depth);

void write_common(writer& out, form as, const description& known, std::size_t depth) {
  out.put(as);
  const bool nested = known.nested != nullptr && depth < most_nested;
  write_value(out, nested);
  if (nested) write_failure(out, known.nested, depth + 1);
  out.put_text(known.type);
  out.put_text(known.text);
  out.put(static_cast<std::uint8_t>(known.kind));
  detail::write_details(out, known.details);
  write_task(out, known.task);
}

void write_registered(writer& out, const registry::entry& entry, const description& known,
                      const std::exception_ptr& failure, std::size_t depth) {
  writer value;
  entry.coder.write(value, failure);
  write_common(out, form::registered, known, depth);
  out.put_text(entry.name);
  out.put_size(value.size());
  out.put_raw(value.bytes().data(), value.size());
}

void write_failure(writer& out, const std::exception_ptr& failure, std::size_t depth) {
  const description known = describe(failure);
  const std::size_t start = out.size();
  if (const auto entry = find_registered(known, failure)) {
    try {
      return write_registered(out, *entry, known, failure, depth);
    } catch (const std::exception&) {
      out.truncate(start);  // its coder failed: better told as a remote_error than not at all
    }
  }
  if (known.remote) {
    write_common(out, form::remote, known, depth);
  } else if (known.family_index) {
    write_common(out, form::family, known, depth);
    out.put(static_cast<std::uint8_t>(*known.family_index));
    write_value(out, known.death);
  } else {
    write_common(out, exactly_standard(known) ? form::standard : form::remote, known, depth);
  }
}

template <std::size_t I>
std::exception_ptr make_member(const description& known) {
  using member = std::tuple_element_t<I, family>;
  return detail::nest(known.nested, [&known] {
    if constexpr (std::same_as<member, worker_lost>) {
      return member(known.text, known.task, known.death);
    } else {
      return member(known.text, known.task);
    }
  });
}

std::exception_ptr read_family(reader& in, description& known) {
  const auto index = in.get<std::uint8_t>(reading);
  known.death = read_value<worker_death>(in);
  if (index >= family_size) in.fail(reading, "brigade has no such error");
  constexpr auto makers = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{&make_member<I>...};
  }
  (std::make_index_sequence<family_size>{});
  return makers[index](known);
}

std::exception_ptr make_remote(description& known) {
  known.text += origin_of(known);
  return detail::make_remote(
      known.kind, known.details,
      remote_parts{std::move(known.type), std::move(known.text), std::move(known.task)},
      known.nested);
}

std::exception_ptr read_registered(reader& in, description& known) {
  const std::string name = in.get_text("the name of a registered exception");
  const std::size_t size = in.get_length(1, "a registered exception");
  const auto coder = find_registered(name);
  if (!coder) {
    in.take(size, "a registered exception");
    return make_remote(known);
  }
  const std::size_t end = in.offset() + size;
  std::exception_ptr failure = coder->read(in, known.nested);
  if (in.offset() != end) in.fail("a registered exception", "it is of another size");
  return failure;
}

std::exception_ptr read_failure(reader& in, const task_identity& task, std::size_t depth) {
  if (depth > most_nested) in.fail(reading, "too many are nested in each other");
  description known;
  const auto as = in.get<form>(reading);
  if (read_value<bool>(in)) known.nested = read_failure(in, task, depth + 1);
  known.type = in.get_text("the type of an exception");
  known.text = in.get_text("the text of an exception");
  known.kind = in.get<std::uint8_t>(reading);
  if (known.kind >= detail::standard_kinds()) in.fail(reading, "its type is not in the table");
  known.details = detail::read_details(in);
  known.task = read_task(in);
  if (known.task.id == 0 && known.task.name.empty() && !known.task.executor) known.task = task;
  switch (as) {
    case form::standard:
      return detail::make_standard(known.kind, known.details, known.nested);
    case form::family:
      return read_family(in, known);
    case form::registered:
      return read_registered(in, known);
    case form::remote:
      return make_remote(known);
  }
  in.fail(reading, "its form is unknown");
}

}  // namespace

namespace detail {

void add_exception_coder(std::string name, const exception_coder& added) {
  registry& all = registered();
  const std::lock_guard lock(all.mutex);
  for (const registry::entry& entry : all.entries) {
    if (entry.name != name) continue;
    if (*entry.coder.type == *added.type) return;
    throw std::invalid_argument("brigade: another exception is registered as '" + name + "' (" +
                                entry.type + "); give this one its own name");
  }
  std::string type = type_name(*added.type);
  all.entries.push_back({std::move(name), std::move(type), added});
}

}  // namespace detail

void encode_exception(writer& out, const std::exception_ptr& failure) {
  if (!failure)
    out.fail("there is no exception in the std::exception_ptr; pass one that was thrown");
  write_failure(out, failure, 0);
}

std::exception_ptr decode_exception(reader& in, const task_identity& task) {
  return read_failure(in, task, 0);
}

}  // namespace brigade::codec
