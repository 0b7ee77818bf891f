"""What requests need and change, by which requests are chosen that leave each other alone."""

from dataclasses import dataclass, field

from domain import ref_of


@dataclass
class Footprint:
    """What must be left alone (`reads`), what is changed (`writes`), and of what a part is changed
    (`touches`): two may touch the same, while nobody reads it."""

    reads: set = field(default_factory=set)
    writes: set = field(default_factory=set)
    touches: set = field(default_factory=set)

    def __or__(self, other):
        return Footprint(self.reads | other.reads, self.writes | other.writes,
                         self.touches | other.touches)

    def interferes(self, other):
        return bool(self.writes & (other.reads | other.writes) or other.writes & self.reads
                    or self.touches & other.reads or other.touches & self.reads)


def changing(world, *refs):
    """The footprint of changes of these objects."""
    mark = Footprint()
    for class_name, object_id in refs:
        mark.writes.add(("object", class_name, object_id))
        mark.touches |= {("class", name) for name in world.domain[class_name].lineage}
        if (class_name, object_id) in world.objects:
            mark.writes |= places(world.objects[class_name, object_id])
    return mark


def places(obj):
    """Its places in unique indexes."""
    keys = (obj.index_key(index) for index in obj.class_.indexes if index.unique)
    return {("place", key) for key in keys if key}


def referred(world, class_name, given):
    """The refs to which these values lead, as far as they can stand there."""
    fields = world.domain[class_name].fields
    return {ref_of(one) for name, value in given.items()
            if fields[name].is_relation and value and not world.domain.is_wrong(fields[name], value)
            for one in (value if isinstance(value, list) else [value])}


def listing(world, class_name, refs):
    """The footprint of changes that these may make to their lists."""
    return changing(world, *(ref for ref in refs if world.domain.may_list(class_name, ref[0])))


def lives(world, class_name, object_ids):
    return {("object", name, object_id) for name in world.domain[class_name].concrete
            for object_id in object_ids}
