"""The printed messages of seed-content.md, and how frames are compared with them.

    text = filled("Content Query Request", {423421341: person})    # what to send
    assert_printed(answer, "Content Query Full Response", {...})   # what should have come

Strings and numbers of a print that stand for something of a running system (ids, tokens, versions)
are replaced by that, and so is null where a request has it; all the rest has to be as printed, the
order of members included.
"""

import json
import re
from pathlib import Path

# What is written wrongly in the document, and what it means: slips of the pen, which the description
# of the protocol lists. Each stands behind the name of the print that it is in.
_NO_COMMA = r'(\]|\d)\n(\s*"(?:view|patch|data)")', r"\1,\n\2"
_NO_QUOTE = r' msg":', ' "msg":'
MENDS = {
    "Login Error": [_NO_COMMA, _NO_QUOTE],
    "Content Query Not Changed Response": [
        ('"query_content"', '"get_content"'), ('"204"', "204")],
    "Content Query Patch response": [_NO_COMMA, ('"offline"', '"value": "offline"')],
    "Page Query Request": [_NO_COMMA],
    "Page Query Full Response": [_NO_COMMA, ('"page": 1', '"index": 1')],
    "Page Query Patch Response": [_NO_COMMA, ('"get_content"', '"get_children"')],
    "Modify Content Request, updating user status and presence": [(r"\}\},\s*$", "}}")],
    "Modify Content Error Response": [_NO_QUOTE],
}

_HEADING = re.compile(r"^(.+)\n([=-])\2+$", re.MULTILINE)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+|null')


def _read_prints():
    """Name -> text. A name is the chapter, the section and, where there are several, the remark."""
    prints, chapter, name = {}, None, None
    document = (Path(__file__).parent / "seed-content.md").read_text()
    for block in re.split(r"\n{2,}", _HEADING.sub(r"\n\n\2\1\n\n", document.split("\n---\n", 1)[1])):
        if block.startswith("="):
            name = chapter = block[1:]
        elif block.startswith("-"):
            name = section = f"{chapter} {block[1:]}"
        elif block.startswith("    "):
            assert name not in prints, name
            prints[name] = _mended(name, block)
        elif block.strip():
            remark = block.strip().rstrip(":")
            name = f"{section}, {remark[0].lower()}{remark[1:]}"
    return prints


def _mended(name, text):
    for wrong, right in MENDS.get(name, ()):
        text, count = re.subn(wrong, right, text)
        assert count == 1, f"{name} has {count} times {wrong}"
    return text


PRINTS = _read_prints()


def filled(name, values=None):
    """The print's text; `values` replaces strings, numbers and null: {423421341: 7}."""
    values = values or {}

    def value_of(match):
        token = json.loads(match[0])
        return json.dumps(values[token]) if token in values else match[0]

    return _TOKEN.sub(value_of, PRINTS[name])


def parsed(name, values=None):
    return json.loads(filled(name, values))


def assert_printed(frame, name, values=None, open_=()):
    """The frame is as printed. Objects at paths of `open_` may have more members than printed."""
    for old, new in (values or {}).items():
        assert type(old) is type(new), f"{new!r} stands for {old!r}"
    _assert_same(frame, parsed(name, values), "frame", open_)


def _assert_same(value, printed, path, open_):
    if isinstance(printed, dict) and isinstance(value, dict):
        names = [name for name in value if path not in open_ or name in printed]
        assert names == list(printed), f"{path} has {list(value)}, printed {list(printed)}"
        for name in printed:
            _assert_same(value[name], printed[name], f"{path}.{name}", open_)
    elif isinstance(printed, list) and isinstance(value, list):
        assert len(value) == len(printed), f"{path}: {value}, printed {printed}"
        for i, (item, like) in enumerate(zip(value, printed)):
            _assert_same(item, like, f"{path}[{i}]", open_)
    else:
        assert (type(value), value) == (type(printed), printed), f"{path}: {value!r}, printed {printed!r}"
