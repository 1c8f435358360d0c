#include <brigade/os/symbols.hpp>

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include <brigade/os/fd.hpp>
#include <brigade/os/memfd.hpp>

namespace brigade::os {
namespace {

// A file may hold anything: every read is checked.
class elf_file {
 public:
  explicit elf_file(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  struct symbol {
    std::string name;
    std::uint64_t start = 0;
  };

  [[nodiscard]] std::optional<symbol> find(std::uint64_t offset) const {
    const auto header = read<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64) {
      return std::nullopt;
    }
    for (const std::uint32_t table : {SHT_SYMTAB, SHT_DYNSYM}) {
      for (unsigned i = 0; i < header->e_shnum; ++i) {
        const auto section = section_at(*header, i);
        if (!section || section->sh_type != table) continue;
        if (auto found = find_in(*header, *section, offset)) return found;
      }
    }
    return std::nullopt;
  }

 private:
  template <class T>
  [[nodiscard]] std::optional<T> read(std::uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }

  [[nodiscard]] std::optional<Elf64_Shdr> section_at(const Elf64_Ehdr& header,
                                                     std::uint64_t index) const {
    return read<Elf64_Shdr>(header.e_shoff + index * sizeof(Elf64_Shdr));
  }

  [[nodiscard]] std::optional<symbol> find_in(const Elf64_Ehdr& header, const Elf64_Shdr& symbols,
                                              std::uint64_t offset) const {
    const auto names = section_at(header, symbols.sh_link);
    for (std::uint64_t at = 0; names && at + sizeof(Elf64_Sym) <= symbols.sh_size;
         at += sizeof(Elf64_Sym)) {
      const auto each = read<Elf64_Sym>(symbols.sh_offset + at);
      if (!each) break;
      if (ELF64_ST_TYPE(each->st_info) != STT_FUNC || each->st_shndx == SHN_UNDEF) continue;
      if (offset < each->st_value || offset - each->st_value >= each->st_size) continue;
      return symbol{text_at(names->sh_offset + each->st_name), each->st_value};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string text_at(std::uint64_t at) const {
    if (at >= bytes_.size()) return {};
    const auto* const text = reinterpret_cast<const char*>(bytes_.data() + at);
    return std::string(text, ::strnlen(text, bytes_.size() - at));
  }

  std::span<const std::byte> bytes_;
};

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : name;
}

std::string hex(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::optional<elf_file::symbol> find_symbol(const std::string& file, std::uint64_t offset) {
  try {
    const unique_fd opened = open_file(file, O_RDONLY);
    struct stat status {};
    if (::fstat(opened.get(), &status) == -1 || status.st_size <= 0) return std::nullopt;
    const mapping mapped(opened.get(), static_cast<std::size_t>(status.st_size),
                         mapping::access::read_only);
    return elf_file(mapped.bytes()).find(offset);
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string describe_code(const std::string& file, std::uint64_t offset) {
  const std::string short_name = file.substr(file.rfind('/') + 1);
  const auto symbol = find_symbol(file, offset);
  if (!symbol || symbol->name.empty()) return short_name + " + " + hex(offset);
  return demangled(symbol->name) + " + " + hex(offset - symbol->start) + " (" + short_name + ")";
}

}  // namespace brigade::os
