"""Reads the #include lines of runtime/, executors/ and demos/ and finds broken floors.

Usage: floors.py ROOT LISTS   the tree, and what its Meson files list: lines "public NAME",
                              "internal NAME" or "source NAME", by the name it is included by
       floors.py --self-test

A room uses only floors below; rooms of one floor never include each other. Public headers include
public ones only, demos too. Foreign headers stay in the rooms that are made for them. A file that
no Meson file lists is an error, since nothing would build or install it.
"""
import pathlib
import re
import sys
import tempfile

FLOORS = {
    "base": 0,
    "os": 1, "codec": 1,
    "memory": 2, "sync": 2,
    "work": 3, "share": 3, "measure": 3,
    "reactor": 4, "wire": 4, "files": 4,
    "loop": 5, "threads": 5, "processes": 5, "cluster": 5,
    "runtime": 6, "brigade.hpp": 6.5,  # the umbrella over all rooms
}
RUNTIME_TOP = 3
# Headers that are neither ours nor the C++ standard library's. System calls belong to `os`.
FOREIGN = {
    "os": r".*",
    "codec": r"cereal/.*|cxxabi\.h",
    "sync": r"immintrin\.h",
    "reactor": r"asio(\.hpp|/.*)",
    "wire": r"asio(\.hpp|/.*)",
    "loop": r"asio(\.hpp|/.*)",
    "threads": r"asio(\.hpp|/.*)|immintrin\.h",
    "processes": r"asio(\.hpp|/.*)|uv\.h",
    "runtime": r"asio(\.hpp|/.*)",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".hpp", ".cpp", ".h"))


def room_of(name):
    """'brigade/sync/mutex.hpp' -> 'sync'; 'brigade/brigade.hpp' -> 'brigade.hpp'."""
    return name.split("/")[1]


def check_room_include(name, target, lists):
    """What is wrong with file `name` of a room including `target`, or None."""
    room = room_of(name)
    if not target.startswith("brigade/"):
        if re.fullmatch(r"[a-z_0-9]+", target):  # the standard library
            return None
        if re.fullmatch(FOREIGN.get(room, r"(?!)"), target):
            return None
        return f"room {room} may not use <{target}>"
    other = room_of(target)
    if other not in FLOORS:
        return f"<{target}> is in no room"
    if other != room and FLOORS[other] == FLOORS[room]:
        return f"{room} and {other} are on one floor, {FLOORS[room]}"
    if FLOORS[other] > FLOORS[room]:
        return f"{room} (floor {FLOORS[room]}) may not use {other} (floor {FLOORS[other]})"
    if name in lists["public"] and target not in lists["public"]:
        return f"it is public and <{target}> is not"
    return None


def check_rooms(root, top, lists):
    for path in sources(root / top):
        name = path.relative_to(root / top).as_posix()
        place = f"{top}/{name}"
        parts = name.split("/")
        room = parts[1] if len(parts) > 1 else ""
        if parts[0] != "brigade" or room not in FLOORS:
            yield f"{place}: not in a room"
            continue
        if (top == "runtime") != (FLOORS[room] <= RUNTIME_TOP):
            yield f"{place}: room {room} is not in {top}/"
        if not any(name in names for names in lists.values()):
            yield f"{place}: in no meson.build"
        for target in INCLUDE.findall(path.read_text()):
            wrong = check_room_include(name, target, lists)
            if wrong:
                yield f"{place}: {wrong}"


def check_demos(root, lists):
    for path in sources(root / "demos"):
        for target in INCLUDE.findall(path.read_text()):
            if target.startswith("brigade/") and target not in lists["public"]:
                yield (f"{path.relative_to(root).as_posix()}: demos use installed headers only, "
                       f"and <{target}> is not")


def check(root, lists):
    return [*check_rooms(root, "runtime", lists), *check_rooms(root, "executors", lists),
            *check_demos(root, lists)]


def read_lists(lines):
    lists = {"public": set(), "internal": set(), "source": set()}
    for line in lines:
        kind, name = line.split()
        lists[kind].add(name)
    return lists


# A made-up tree: file, how it is listed, its text, and what must be said about it.
BROKEN_TREE = [
    ("runtime/brigade/base/good.hpp", "public", "#include <vector>\n", None),
    ("runtime/brigade/base/system.cpp", "source", "#include <unistd.h>\n",
     "room base may not use <unistd.h>"),
    ("runtime/brigade/os/good.cpp", "source",
     "#include <sys/mman.h>\n#include <brigade/base/good.hpp>\n", None),
    ("runtime/brigade/os/neighbour.hpp", "public", "#include <brigade/codec/reader.hpp>\n",
     "os and codec are on one floor, 1"),
    ("runtime/brigade/codec/reader.hpp", "public", "", None),
    ("runtime/brigade/codec/upstairs.cpp", "source", '# include "brigade/work/job.hpp"\n',
     "codec (floor 1) may not use work (floor 3)"),
    ("runtime/brigade/work/job.hpp", "public", "#include <brigade/work/private.hpp>\n",
     "it is public and <brigade/work/private.hpp> is not"),
    ("runtime/brigade/work/private.hpp", "internal", "#include <asio.hpp>\n",
     "room work may not use <asio.hpp>"),
    ("runtime/brigade/loop/lost.hpp", "public", "", "room loop is not in runtime/"),
    ("runtime/brigade/sync/forgotten.cpp", None, "", "in no meson.build"),
    ("executors/brigade/attic/box.hpp", "public", "", "not in a room"),
    ("executors/brigade/reactor/good.hpp", "public", "#include <asio/ip/tcp.hpp>\n", None),
    ("executors/brigade/loop/sideways.cpp", "source", "#include <brigade/threads/pool.hpp>\n",
     "loop and threads are on one floor, 5"),
    ("executors/brigade/brigade.hpp", "public", "#include <brigade/attic/box.hpp>\n",
     "<brigade/attic/box.hpp> is in no room"),
    ("demos/kitchen/main.cpp", None,
     "#include <CLI/CLI.hpp>\n#include <brigade/work/private.hpp>\n",
     "demos use installed headers only, and <brigade/work/private.hpp> is not"),
]


def self_test():
    expected, lines = [], []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for place, kind, text, complaint in BROKEN_TREE:
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if kind:
                lines.append(f"{kind} {place.split('/', 1)[1]}")
            if complaint:
                expected.append(f"{place}: {complaint}")
        found = check(root, read_lists(lines))
    if sorted(found) != sorted(expected):
        print("missed:", sorted(set(expected) - set(found)))
        print("wrongly found:", sorted(set(found) - set(expected)))
        return 1
    print(f"found all {len(expected)} broken places of a made-up tree")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    lists = read_lists(pathlib.Path(sys.argv[2]).read_text().splitlines())
    complaints = check(pathlib.Path(sys.argv[1]), lists)
    print("\n".join(complaints) or "every floor holds")
    return 1 if complaints else 0


sys.exit(main())
