#!/usr/bin/python3
"""totals.py STATUS:FILE...: adds up JUnit reports and prints `N passed, N failed, N skipped`, behind a
line `failed: NAME` for each test that did.

STATUS is the exit status of the runner that wrote the report. One failure more is counted for a
report that is missing or broken, and for a runner that failed although no test of its report did
(a program that leaks does so only after its last test).

Exit code 0 if at least one test passed and none failed.
"""

import sys
import xml.etree.ElementTree as ElementTree


def count(argument):
    """(passed, failed, skipped) of one report."""
    status, path = argument.split(":", 1)
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as e:
        print(f"{path}: {e}", file=sys.stderr)
        return 0, 1, 0
    failures = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    for case in failures:
        print(f"failed: {case.get('classname')}.{case.get('name')}")
    failed = len(failures)
    skipped = sum(1 for c in cases if c.find("skipped") is not None)
    passed = len(cases) - failed - skipped
    if status != "0" and not failed:
        print(f"{path}: no test failed, but the runner ended with {status}", file=sys.stderr)
        failed = 1
    return passed, failed, skipped


passed, failed, skipped = map(sum, zip((0, 0, 0), *map(count, sys.argv[1:])))
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(0 if passed and not failed else 1)
