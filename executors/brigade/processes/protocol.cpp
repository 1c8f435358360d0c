#include <brigade/processes/protocol.hpp>

#include <brigade/codec/codec.hpp>
#include <brigade/os/module.hpp>

namespace brigade::detail {
namespace {

constexpr const char* cure =
    "; start host and workers from one build of the program and its libraries: leave the files in "
    "place while the program runs, or restart it after an update";

}  // namespace

module_list own_modules() {
  module_list modules;
  for (os::module_info& module : os::loaded_modules()) {
    modules.push_back({std::move(module.path), std::move(module.id)});
  }
  return modules;
}

std::string difference(const module_list& here, const module_list& there, bool same_program) {
  if (here.empty() || there.empty()) return {};
  // The program itself is first. Its path may differ: the file may have been moved.
  if (same_program && here.front().id != there.front().id) {
    return "the worker processes run another build of the program '" + here.front().path + "' (" +
           os::to_hex(there.front().id) + " instead of " + os::to_hex(here.front().id) + ")" + cure;
  }
  for (const module_entry& ours : here) {
    for (const module_entry& theirs : there) {
      if (ours.path == theirs.path && ours.id != theirs.id) {
        return "the worker processes have another build of '" + ours.path + "' (" +
               os::to_hex(theirs.id) + " instead of " + os::to_hex(ours.id) + ")" + cure;
      }
    }
  }
  return {};
}

std::vector<std::byte> encode_hello(const hello& message) {
  codec::writer out;
  out.put(protocol_mark);
  out.put(message.version);
  codec::encode(out, message.modules);
  codec::encode(out, message.failure);
  return out.take();
}

hello decode_hello(std::span<const std::byte> bytes) {
  codec::reader in(bytes);
  if (in.get<std::uint32_t>("a greeting") != protocol_mark) in.fail("a greeting", "it is none");
  hello message;
  message.version = in.get<std::uint32_t>("the version of a protocol");
  if (message.version != protocol_version) return message;
  message.modules = codec::decode<module_list>(in);
  message.failure = codec::decode<std::vector<std::byte>>(in);
  return message;
}

std::string objection_to(const hello& message, bool same_program) {
  if (message.version != protocol_version) {
    return "the worker processes have another version of brigade (protocol " +
           std::to_string(message.version) + " instead of " + std::to_string(protocol_version) +
           ")" + cure;
  }
  if (message.modules.empty()) return {};
  return difference(own_modules(), message.modules, same_program);
}

}  // namespace brigade::detail
