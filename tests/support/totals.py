#!/usr/bin/python3
"""totals.py FILE...: adds up JUnit reports and prints `N passed, N failed, N skipped`.

Exit code 0 if at least one test passed and none failed. A report that is missing or broken counts
as a failure: its runner must have died.
"""

import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """(passed, failed, skipped) of one report."""
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as e:
        print(f"{path}: {e}", file=sys.stderr)
        return 0, 1, 0
    failed = sum(1 for c in cases if c.find("failure") is not None or c.find("error") is not None)
    skipped = sum(1 for c in cases if c.find("skipped") is not None)
    return len(cases) - failed - skipped, failed, skipped


passed, failed, skipped = map(sum, zip((0, 0, 0), *map(count, sys.argv[1:])))
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(0 if passed and not failed else 1)
