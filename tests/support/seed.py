"""The printed messages of seed-messages.md, and how answers are compared with them.

    text = fill(request_of("findById"), {"<token>": client.token, ...})   # as printed
    assert_like(answer, answer_to("getAllByName"))

Prints are examples: strings, numbers and IDs differ from call to call, and of a domain object they
show some of the fields. Everything else must be as printed.
"""

import json
import re
from pathlib import Path

SUPPORT = Path(__file__).parent
SEED_MODEL = SUPPORT / "seed-model.json"

_BLOCK = re.compile(r"^#{2,3} \[?([A-Za-z ]+)|^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r'"?(<[^<>"]*>)"?')
_FIXED = ("cn", "className", "fieldName")  # members whose strings are not only examples


def _read_prints():
    """heading -> the texts printed under it."""
    prints = {}
    for heading, text in _BLOCK.findall((SUPPORT / "seed-messages.md").read_text()):
        if heading:
            texts = prints.setdefault(heading, [])
        else:
            texts.append(_without_remarks(text))
    return {heading: texts for heading, texts in prints.items() if texts}


def _without_remarks(text):
    """Comments, lines of "..." and commas behind the last member are the document's, not JSON's."""
    text = re.sub(r"\s//.*$|^\s*\.\.\.$", "", text, flags=re.MULTILINE)
    return re.sub(r",(\s*[}\]])", r"\1", text)


PRINTS = _read_prints()


def request_of(heading, number=0):
    """The text of a request, with its placeholders."""
    return PRINTS[heading][number]


def answer_to(heading):
    """A response, or a push, parsed."""
    return json.loads(_PLACEHOLDER.sub(r'"\1"', PRINTS[heading][-1]))


def fill(text, values):
    """The text with a value for each placeholder; those of a list are taken in its order."""
    left = {name: iter(value) for name, value in values.items() if isinstance(value, list)}

    def value_of(match):
        name = match[1]
        return json.dumps(next(left[name]) if name in left else values[name])

    return _PLACEHOLDER.sub(value_of, text)


def _members_by_class():
    """class name -> the members of its objects, in the order of the model."""
    classes = json.loads(SEED_MODEL.read_text())["classes"]

    def fields(row):
        inherited = fields(classes[row["parent"]]) if "parent" in row else []
        return inherited + list(row.get("fields", {}))

    return {name: ["cn", "ID", *fields(row)] for name, row in classes.items()}


MEMBERS = _members_by_class()


def assert_like(value, printed, path="answer"):
    """Members, their order, types and nulls are those of the print."""
    assert _kind(value) is _kind(printed), f"{path}: {value!r}, printed {printed!r}"
    if isinstance(printed, dict):
        _assert_members(value, printed, path)
        for name in printed:
            assert_like(value[name], printed[name], f"{path}.{name}")
    elif isinstance(printed, list):
        assert bool(value) == bool(printed), f"{path}: {value!r}, printed {printed!r}"
        for i, item in enumerate(value):
            assert_like(item, printed[min(i, len(printed) - 1)], f"{path}[{i}]")
    elif isinstance(printed, bool) or path.rsplit(".", 1)[-1] in _FIXED:
        assert value == printed, f"{path}: {value!r}, printed {printed!r}"


def _kind(value):
    return dict if isinstance(value, dict) else type(value)


def _assert_members(value, printed, path):
    if printed.get("cn") in MEMBERS:
        assert list(value) == MEMBERS[printed["cn"]], path
        assert [name for name in value if name in printed] == list(printed), path
    else:
        assert list(value) == list(printed), path
