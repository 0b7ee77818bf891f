"""What pages of children have to show, worked out in Python from the model file.

    views = Views(json.loads(MODEL.read_text()))
    for name in views.of("fav"): ...
    views.sorted("fav", name, {child: content, ...})   # child: (type, id)
"""

import json


class Views:
    def __init__(self, model):
        rows = model["classes"]
        self.types = {row["type"]: name for name, row in rows.items() if "type" in row}
        self.rows = rows

    def of(self, parent_type):
        """name -> the view's row in the model; none where there are no children."""
        return self._inherited(parent_type, "children", {}).get("views", {})

    def relation(self, parent_type):
        return self._inherited(parent_type, "children", {}).get("relation")

    def summary(self, child_type):
        """The fields behind `key`."""
        return self._inherited(child_type, "summary", [])

    def fields(self, of_type):
        """name -> row, the parents' first."""
        found = {}
        for row in reversed(self._lineage(of_type)):
            found |= row.get("fields", {})
        return found

    def sorted(self, parent_type, view, children):
        """`children`: (type, id) -> content. What has no value stands behind what has, always."""
        order = sorted(children, key=self._last_resort)
        for sort in reversed(self.of(parent_type)[view]["order"]):
            order = self._sorted_by(sort, order, children)
        return order

    def _sorted_by(self, sort, order, children):
        values = {child: self._value(sort, child, children[child]) for child in order}
        known = [child for child in order if values[child] is not None]
        known.sort(key=values.get, reverse=sort.get("descending", False))
        return known + [child for child in order if values[child] is None]

    def _value(self, sort, child, content):
        names = [sort["by"]] if isinstance(sort["by"], str) else sort["by"]
        known = [name for name in names if name in self.fields(child[0])]
        value = content[known[0]] if known else None
        if "ranks" in sort:
            return sort["ranks"].index(value) if value in sort["ranks"] else None
        return value

    def _last_resort(self, child):
        """Equals stand in the order of their classes and ids, also where values descend."""
        return self.types[child[0]], child[1]

    def child(self, class_name, object_id):
        """What ActiveStack names so."""
        child_type = next(t for t, name in self.types.items() if name == class_name)
        if self._inherited(child_type, "id", "string") == "string":
            return child_type, object_id
        found = json.loads(object_id)
        return child_type, tuple(found) if isinstance(found, list) else found

    def _lineage(self, of_type):
        found, name = [], self.types[of_type]
        while name:
            found.append(self.rows[name])
            name = self.rows[name].get("parent")
        return found

    def _inherited(self, of_type, what, default):
        return next((row[what] for row in self._lineage(of_type) if what in row), default)
