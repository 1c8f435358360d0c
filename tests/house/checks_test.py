"""The checks around every test case find what they are for.

Usage: checks_test.py MISBEHAVING, a program whose cases each do one forbidden thing.
"""
import concurrent.futures
import os
import subprocess
import sys

MISBEHAVING = sys.argv[1]
EXPECTED = {  # case: what the program must say, or None when all is well
    "behaves": None,
    "leaves a descriptor": "(/dev/null) is left open",
    "leaves a child": "is left behind",
    "leaves a zombie": "state Z) is left behind",
    "leaves an orphan": "is left behind",
    "leaves a thread": "is left running",
    "hangs": "[watchdog] 'hangs' took longer than 1000 ms",
    "crashes": "in 'crashes'",
}


def run(case):
    env = dict(os.environ, BRIGADE_TEST_TIMEOUT="1" if case == "hangs" else "300",
               BRIGADE_TEST_GRACE="2")
    env.pop("BRIGADE_TEST_MINDED", None)
    done = subprocess.run([MISBEHAVING, "--no-skip", "--test-case=" + case], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    return done.returncode, done.stdout


failures = 0
with concurrent.futures.ThreadPoolExecutor(len(EXPECTED)) as pool:  # most of it is waiting
    for (case, text), (code, output) in zip(EXPECTED.items(), pool.map(run, EXPECTED)):
        good = code == 0 and "[check]" not in output if text is None else code != 0 and text in output
        failures += not good
        print(("ok      " if good else "FAILED  ") + case)
        if not good:
            print(output)
print(f"[cases] {len(EXPECTED) - failures} passed, {failures} failed")
sys.exit(failures != 0)
