"""Counts what Meson's log of a test run says. The last line is `N passed, N failed`.

Usage: count.py [--no-skip] [--reports FOLDER] TESTLOG.JSON

A test program counts with its cases where it tells them, else as one. A program that failed though
its cases passed (a leftover, a crash) is one more failure; so is each report of a sanitizer. With
--no-skip a skipped test has failed. Exit code 1 when something failed or nothing passed.
"""
import argparse
import json
import pathlib
import re
import sys

CASES = re.compile(r"^\[(?:doctest\] test )?cases[:\]] .*?(\d+) passed[ ,|]+(\d+) failed", re.M)


def count(test):
    """(passed, failed) of one entry of the log."""
    told = CASES.findall(test.get("stdout") or "")
    passed = sum(int(p) for p, _ in told)
    failed = sum(int(f) for _, f in told)
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return (passed, failed) if told else (1, 0)
    return passed, max(failed, 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-skip", action="store_true")
    parser.add_argument("--reports", type=pathlib.Path)
    parser.add_argument("testlog", type=pathlib.Path)
    options = parser.parse_args()

    passed = failed = 0
    lines = options.testlog.read_text().splitlines() if options.testlog.exists() else []
    for test in map(json.loads, lines):
        if test["result"] == "SKIP":
            print(f"skipped: {test['name']}")
            failed += options.no_skip
            continue
        more_passed, more_failed = count(test)
        passed += more_passed
        failed += more_failed
        if more_failed:
            print(f"failed: {test['name']} ({test['result']})")
    if options.reports:
        for report in sorted(options.reports.iterdir()):
            print(f"sanitizer report {report}:\n{report.read_text(errors='replace')}")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
