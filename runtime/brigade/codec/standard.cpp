#include <brigade/codec/standard.hpp>

#include <future>
#include <ios>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace brigade::codec {
namespace {

struct category_registry {
  std::mutex mutex;
  std::vector<const std::error_category*> known{&std::generic_category(), &std::system_category(),
                                                &std::future_category(), &std::iostream_category()};
};

// Process-wide, since what it names is: categories are objects of static lifetime.
category_registry& categories() {
  static category_registry registry;
  return registry;
}

const std::error_category* find_in(const category_registry& registry, std::string_view name) {
  for (const std::error_category* category : registry.known) {
    if (category->name() == name) return category;
  }
  return nullptr;
}

}  // namespace

void register_error_category(const std::error_category& category) {
  category_registry& registry = categories();
  const std::lock_guard lock(registry.mutex);
  const std::error_category* known = find_in(registry, category.name());
  if (known == nullptr) {
    registry.known.push_back(&category);
  } else if (*known != category) {
    throw std::invalid_argument("brigade: another error category is registered as '" +
                                std::string(category.name()) + "'; give this one its own name");
  }
}

const std::error_category* find_error_category(std::string_view name) {
  category_registry& registry = categories();
  const std::lock_guard lock(registry.mutex);
  return find_in(registry, name);
}

void builtin_coder<std::error_code>::write(writer& out, const std::error_code& value) {
  const char* const name = value.category().name();
  const std::error_category* const known = find_error_category(name);
  if (known == nullptr || *known != value.category()) {
    out.fail("its error_code is of the category '" + std::string(name) +
             "', which the receiver does not know; pass it to "
             "brigade::codec::register_error_category before brigade::init");
  }
  out.put_text(name);
  out.put(value.value());
}

std::error_code builtin_coder<std::error_code>::read(reader& in) {
  const std::string name = in.get_text("the category of an error_code");
  const int value = in.get<int>("an error_code");
  if (const std::error_category* category = find_error_category(name)) return {value, *category};
  in.fail("an error_code", "its category '" + name +
                               "' is unknown here: pass it to "
                               "brigade::codec::register_error_category before brigade::init");
}

}  // namespace brigade::codec
