"""Installs into a temporary prefix; then builds and runs one program in three ways.

Usage: install_test.py BUILD SOURCE COMPILER...

By pkg-config and the plain compiler, by CMake's find_package, and as a Meson subproject. The
program is the installed example first_task.cpp, or consumer.cpp while there is none.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
COMPILER = sys.argv[3:]
HERE = pathlib.Path(__file__).resolve().parent


def run(*command, **options):
    command = [str(part) for part in command]
    print("+", " ".join(command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=1800, **options)
    if done.returncode != 0:
        print(done.stdout)
        sys.exit(f"exit code {done.returncode}")
    return done.stdout


def only(folder, pattern):
    found = sorted(folder.rglob(pattern))
    if len(found) != 1:
        sys.exit(f"{len(found)} files {pattern} under {folder} instead of one")
    return found[0]


def by_pkgconfig(work, prefix, program, env):
    folder = only(prefix, "brigade.pc").parent
    flags = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "brigade",
                env=dict(env, PKG_CONFIG_PATH=str(folder))).split()
    run(*COMPILER, "-std=c++20", program, "-o", work / "first", *flags, env=env)
    return work / "first"


def by_cmake(work, prefix, program, env):
    (work / "CMakeLists.txt").write_text(f"""\
cmake_minimum_required(VERSION 3.20)
project(consumer CXX)
find_package(brigade 0.1 REQUIRED)
add_executable(first "{program}")
target_link_libraries(first PRIVATE brigade::brigade)
""")
    env = dict(env, CXX=" ".join(COMPILER))
    run("cmake", "-G", "Ninja", "-S", work, "-B", work / "b", f"-DCMAKE_PREFIX_PATH={prefix}",
        env=env)
    run("cmake", "--build", work / "b", env=env)
    return work / "b" / "first"


def by_meson(work, prefix, program, env):
    (work / "subprojects").mkdir()
    (work / "subprojects" / "brigade").symlink_to(SOURCE)
    shutil.copy(program, work / "first.cpp")
    (work / "meson.build").write_text("""\
project('consumer', 'cpp', default_options: ['cpp_std=c++20', 'optimization=0'])
executable('first', 'first.cpp', dependencies: dependency('brigade', fallback: 'brigade'))
""")
    env = dict(env, CXX=" ".join(COMPILER))
    run("meson", "setup", work / "b", work, "-Dbrigade:default_library=static", env=env)
    run("meson", "compile", "-C", work / "b", "first", env=env)
    return work / "b" / "first"


def main():
    env = {name: value for name, value in os.environ.items()
           if name not in ("DESTDIR", "CXXFLAGS", "LDFLAGS", "PKG_CONFIG_PATH")}
    with tempfile.TemporaryDirectory(prefix="brigade-install-") as temporary:
        top = pathlib.Path(temporary)
        run("meson", "install", "--no-rebuild", "-C", BUILD, "--destdir", top / "root", env=env)
        library = only(top / "root", "libbrigade.so")
        prefix = only(top / "root", "include/brigade").parent.parent
        examples = sorted(prefix.rglob("first_task.cpp"))
        program = examples[0] if examples else HERE / "consumer.cpp"
        outputs = []
        for build in (by_pkgconfig, by_cmake, by_meson):
            work = top / build.__name__
            work.mkdir()
            binary = build(work, prefix, program, env)
            outputs.append(run(binary, env=dict(env, LD_LIBRARY_PATH=str(library.parent))))
            print(outputs[-1])
            if not outputs[-1].strip():
                sys.exit(f"{build.__name__}: the program printed nothing")
    print("[cases] 3 passed, 0 failed")


main()
