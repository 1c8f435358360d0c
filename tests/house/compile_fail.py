"""Code that must not compile, and the one line that says why.

Usage: compile_fail.py SNIPPET COMPILER [ARGUMENTS...]

A snippet says in comments of its own what is expected:
  // error: TEXT   the compiler prints exactly one line with "error:", and TEXT is in it
  // note: TEXT    any line of its output has TEXT (optional, repeatable)
  // compiles      it does compile: the same code, cured
"""
import pathlib
import re
import subprocess
import sys


def main():
    snippet, *command = sys.argv[1:]
    text = pathlib.Path(snippet).read_text()
    expected = re.findall(r"^\s*// error: (.+)$", text, re.MULTILINE)
    notes = re.findall(r"^\s*// note: (.+)$", text, re.MULTILINE)
    compiles = re.search(r"^\s*// compiles$", text, re.MULTILINE)
    if (len(expected) != 1) if not compiles else expected:
        print(f"{snippet}: says neither '// error: TEXT' once nor '// compiles'")
        return 1

    done = subprocess.run([*command, "-fsyntax-only", "-fdiagnostics-color=never", snippet],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    wrong = []
    if compiles:
        if done.returncode != 0:
            wrong.append("it does not compile")
    else:
        if done.returncode == 0:
            wrong.append("it compiles")
        if len(errors) != 1:
            wrong.append(f"{len(errors)} lines with 'error:' instead of one")
        if errors and expected[0] not in errors[0]:
            wrong.append(f"the error is not '{expected[0]}'")
        wrong += [f"no line says '{note}'" for note in notes if note not in done.stdout]
    if wrong:
        print(f"{snippet}: {'; '.join(wrong)}\n{done.stdout}")
    return 1 if wrong else 0


sys.exit(main())
