#include <brigade/os/module.hpp>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include <brigade/base/error.hpp>
#include <brigade/os/fd.hpp>

namespace brigade::os {
namespace {

std::span<const ElfW(Phdr)> headers_of(const dl_phdr_info& info) {
  return {info.dlpi_phdr, info.dlpi_phnum};
}

// The kernel's own library in every process: nothing of ours is in it.
bool is_vdso(const dl_phdr_info& info) {
  return std::strstr(info.dlpi_name, "linux-vdso") != nullptr ||
         std::strstr(info.dlpi_name, "linux-gate") != nullptr;
}

// elf(5): a note is a header, a name and a description, the latter two padded.
build_id find_build_id(const char* at, std::size_t bytes, std::size_t alignment) {
  const auto padded = [=](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t description = padded(sizeof note + note.n_namesz);
    const std::size_t whole = padded(description + note.n_descsz);
    if (whole > bytes) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(at + sizeof note, "GNU", 4) == 0) {
      return {at + description, note.n_descsz};
    }
    at += whole;
    bytes -= whole;
  }
  return {};
}

// FNV-1a, which tells builds apart, not enemies. The address sanitizer may keep its fences between
// constants in these pages: they are read here, not used.
__attribute__((no_sanitize_address)) std::uint64_t hash_more(std::uint64_t hash, const char* at,
                                                             std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    hash = (hash ^ static_cast<unsigned char>(at[i])) * 0x100000001b3;
  }
  return hash;
}

build_id hash_code(const dl_phdr_info& info) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const auto& header : headers_of(info)) {
    if (header.p_type != PT_LOAD || (header.p_flags & (PF_X | PF_R)) != (PF_X | PF_R)) continue;
    const auto* code = reinterpret_cast<const char*>(info.dlpi_addr + header.p_vaddr);
    hash = hash_more(hash, code, header.p_filesz);
  }
  std::array<char, sizeof hash> bytes;
  std::memcpy(bytes.data(), &hash, sizeof hash);
  return "hash:" + std::string(bytes.data(), bytes.size());
}

build_id identify(const dl_phdr_info& info) {
  for (const auto& header : headers_of(info)) {
    if (header.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(info.dlpi_addr + header.p_vaddr);
    if (build_id id = find_build_id(notes, header.p_memsz, header.p_align == 8 ? 8 : 4);
        !id.empty()) return id;
  }
  return hash_code(info);
}

std::string program_path() {
  std::array<char, 4096> room;
  const ssize_t n = ::readlink("/proc/self/exe", room.data(), room.size());
  return n <= 0 ? std::string("the program")
                : std::string(room.data(), static_cast<std::size_t>(n));
}

// The absolute path of the file that is mapped at `address`: dlopen("./plugin.so") leaves a
// relative one, which means nothing to a process with another working directory.
std::optional<std::string> mapped_path(std::uintptr_t address) {
  const std::string maps = try_read_text_file("/proc/self/maps").value_or("");
  for (std::size_t at = 0; at < maps.size();) {
    const std::size_t end = std::min(maps.find('\n', at), maps.size());
    const std::string_view line = std::string_view(maps).substr(at, end - at);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    const auto dash = std::from_chars(line.data(), line.data() + line.size(), first, 16).ptr;
    std::from_chars(dash + 1, line.data() + line.size(), last, 16);
    const std::size_t path = line.find('/');
    if (address >= first && address < last && path != line.npos) {
      return std::string(line.substr(path));
    }
    at = end + 1;
  }
  return std::nullopt;
}

int add_module(dl_phdr_info* info, std::size_t, void* data) {
  auto& modules = *static_cast<std::vector<module_info>*>(data);
  if (is_vdso(*info)) return 0;
  module_info module;
  module.is_program = modules.empty();  // the program is always the first
  module.path = module.is_program ? program_path() : info->dlpi_name;
  if (!module.path.starts_with('/')) {
    const auto* headers = reinterpret_cast<const char*>(info->dlpi_phdr);
    module.path = mapped_path(reinterpret_cast<std::uintptr_t>(headers)).value_or(module.path);
  }
  module.base = info->dlpi_addr;
  module.id = identify(*info);
  for (const auto& header : headers_of(*info)) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    module.code.push_back({begin, begin + header.p_memsz});
  }
  modules.push_back(std::move(module));
  return 0;
}

struct generation {
  unsigned long long loaded = 0;
  unsigned long long unloaded = 0;
  friend bool operator==(const generation&, const generation&) = default;
};

int read_generation(dl_phdr_info* info, std::size_t, void* data) {
  *static_cast<generation*>(data) = {info->dlpi_adds, info->dlpi_subs};
  return 1;  // the first module tells
}

// The modules as of the last dlopen or dlclose. One per thread: no lock, and nothing to share.
const std::vector<module_info>& current_modules() {
  thread_local generation known;
  thread_local std::vector<module_info> modules;
  generation now;
  ::dl_iterate_phdr(read_generation, &now);
  if (modules.empty() || now != known) {
    modules = loaded_modules();
    known = now;
  }
  return modules;
}

bool holds(const module_info& module, std::uintptr_t address) {
  for (const auto& range : module.code) {
    if (address >= range.begin && address < range.end) return true;
  }
  return false;
}

const module_info* find_module(const build_id& id) {
  for (const module_info& module : current_modules()) {
    if (module.id == id) return &module;
  }
  return nullptr;
}

[[noreturn]] void throw_mismatch(const code_address& address, const std::string& why) {
  throw build_mismatch("module '" + address.path + "' (build " + to_hex(address.module) + ") " +
                           why + "; start host and workers from one build of the program and its "
                           "libraries, and leave the files in place while it runs",
                       {});
}

}  // namespace

std::string to_hex(const build_id& id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::vector<module_info> loaded_modules() {
  std::vector<module_info> modules;
  ::dl_iterate_phdr(add_module, &modules);
  return modules;
}

code_address to_portable(const void* function) {
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  for (const module_info& module : current_modules()) {
    if (holds(module, address)) return {module.id, module.path, address - module.base};
  }
  throw not_transportable(
      "a function that is in neither the program nor a shared library cannot be found by another "
      "process: use a function of the program",
      {});
}

void* from_portable(const code_address& address) {
  const module_info* module = find_module(address.module);
  if (module == nullptr) {
    // Never closed again: the code may run from now on.
    if (::dlopen(address.path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
      const char* why = ::dlerror();
      throw_mismatch(address, std::string("is not in this process and cannot be loaded (") +
                                  (why != nullptr ? why : "unknown reason") + ")");
    }
    module = find_module(address.module);
    if (module == nullptr) throw_mismatch(address, "is a different build here");
  }
  const std::uintptr_t here = module->base + address.offset;
  if (!holds(*module, here)) {
    throw_mismatch(address, "has no code at offset " + std::to_string(address.offset));
  }
  return reinterpret_cast<void*>(here);
}

namespace {

struct program_module {
  module_info module = loaded_modules().front();
  std::uint64_t build = build_of(module.id);

  static std::uint64_t build_of(const build_id& id) {
    return hash_more(0xcbf29ce484222325, id.data(), id.size());
  }
};

const program_module& this_program() {
  static const program_module program;  // it is never unloaded
  return program;
}

}  // namespace

std::optional<program_address> to_program(const void* function) {
  const program_module& program = this_program();
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  if (!holds(program.module, address)) return std::nullopt;
  return program_address{program.build, address - program.module.base};
}

void* from_program(const program_address& address) {
  const program_module& program = this_program();
  const std::uintptr_t here = program.module.base + address.offset;
  const bool same = address.build == program.build;
  if (same && holds(program.module, here)) return reinterpret_cast<void*>(here);
  throw_mismatch({program.module.id, program.module.path, address.offset},
                 same ? "has no code at offset " + std::to_string(address.offset)
                      : "is not the build of the program that sent the call");
}

}  // namespace brigade::os
