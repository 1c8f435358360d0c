"""The code that the READMEs show is code that is built and run.

Usage: readme_test.py SOURCE_ROOT

Every C++ block of a README must stand, word for word, in a program below demos/ or tests/; the
front page opens with the first of them and has at most 250 lines.
"""
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    built = {path: path.read_text() for folder in ("demos", "tests")
             for path in (root / folder).rglob("*.cpp")}
    wrong = []
    shown = 0
    for readme in [root / "README.md", *(root / "runtime").rglob("README.md"),
                   *(root / "executors").rglob("README.md")]:
        for block in re.findall(r"^```cpp\n(.*?)^```", readme.read_text(), re.M | re.S):
            shown += 1
            if not any(block.strip() in text for text in built.values()):
                wrong.append(f"{readme}: no program of demos/ or tests/ holds this block:\n{block}")
    front = (root / "README.md").read_text()
    if front.count("\n") > 250:
        wrong.append("README.md is longer than 250 lines")
    first = (root / "demos" / "first_task.cpp").read_text()
    if first.strip() not in front:
        wrong.append("README.md does not show demos/first_task.cpp as it is")
    if first.count("\n") > 40:
        wrong.append("demos/first_task.cpp is longer than 40 lines")
    if shown == 0:
        wrong.append("no README shows any code")
    print("\n".join(wrong) or f"{shown} block(s) of code, all of them built")
    return 1 if wrong else 0


sys.exit(main())
