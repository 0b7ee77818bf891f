"""The tests' own way to apply patches passes the cases that the server's has to pass."""

import json

import json_patch
import pytest
from stack import SUPPORT

CASES = [case for name in ("spec_tests", "tests")
         for case in json.loads((SUPPORT / f"json-patch-tests/{name}.json").read_text())
         if "patch" in case and not case.get("disabled")]


@pytest.mark.parametrize("case", [c for c in CASES if "expected" in c], ids=lambda c: c.get("comment"))
def test_a_patch_gives_what_the_published_case_says(case):
    before = json_patch.canonical(case["doc"])
    found = json_patch.apply(case["doc"], case["patch"])
    assert json_patch.canonical(found) == json_patch.canonical(case["expected"])
    assert json_patch.canonical(case["doc"]) == before


@pytest.mark.parametrize("case", [c for c in CASES if "error" in c], ids=lambda c: c["error"])
def test_a_patch_that_does_not_fit_is_refused(case):
    with pytest.raises(json_patch.PatchError):
        json_patch.apply(case["doc"], case["patch"])


@pytest.mark.parametrize("document, path", [({"a": [[1], [2]]}, "/a/0/0"), ({"a": [{}, {}]}, "/a/0/x"),
                                            ([[0], [1]], "/0/-"), ({"a": {"b": {}}}, "/a/b/c")], ids=str)
def test_nothing_is_moved_into_itself(document, path):
    """Also where what stands behind it would take its place (RFC 6902, 4.4)."""
    source = path.rsplit("/", 1)[0]
    with pytest.raises(json_patch.PatchError):
        json_patch.apply(document, {"op": "move", "from": source, "path": path})


def test_the_same_and_not_the_same():
    same, other = json_patch.canonical({"a": [1.0, True], "b": None}), {"a": [1, 1], "b": None}
    assert same == json_patch.canonical({"b": None, "a": [1, True]}) != json_patch.canonical(other)
