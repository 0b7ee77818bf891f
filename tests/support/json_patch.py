"""RFC 6902 for tests: a patch that came over the wire, applied to a copy that a client keeps.

    newer = json_patch.apply(content, answer["data"]["patch"])

The work is done by an implementation that has nothing to do with this project.
"""

import json

import jsonpatch


def apply(document, patch):
    """The document that results; the given one stays. Raises PatchError if the patch does not fit."""
    operations = patch if isinstance(patch, list) else [patch]
    if any(map(_moves_into_itself, operations)):  # which the implementation allows in arrays
        raise jsonpatch.JsonPatchConflict(f"something is moved into itself: {patch}")
    return jsonpatch.apply_patch(document, operations)


def _moves_into_itself(operation):
    return (operation.get("op") == "move" and "from" in operation
            and operation["path"].startswith(operation["from"] + "/"))


# Of whatever is wrong with a patch.
PatchError = (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException)


def canonical(value):
    """A text that two values share if they are the same in JSON; true is not 1 there, and 1 is 1.0."""
    return json.dumps(_plain(value), sort_keys=True)


def parse(canonical_text):
    return json.loads(canonical_text)


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
