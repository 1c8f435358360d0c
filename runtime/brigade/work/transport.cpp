#include <brigade/work/transport.hpp>

#include <cstdint>

namespace brigade::detail {

void write_code_address(codec::writer& out, const void* function) {
  if (function == nullptr) {
    throw codec_error("a null function pointer cannot travel to a process; pass a function");
  }
  if (const auto here = os::to_program(function)) {
    out.put_text({});
    out.put(*here);
    return;
  }
  const os::code_address address = os::to_portable(function);
  out.put_text(address.module);
  out.put_text(address.path);
  out.put(address.offset);
}

const void* read_code_address(codec::reader& in) {
  os::code_address address;
  address.module = in.get_text("a module's build-id");
  if (address.module.empty()) {
    return os::from_program(in.get<os::program_address>("an offset in the program"));
  }
  address.path = in.get_text("a module's path");
  address.offset = in.get<std::uint64_t>("an offset in a module");
  return os::from_portable(address);
}

}  // namespace brigade::detail
