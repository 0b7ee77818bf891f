"""The reads and writes of the core API, in few words."""

from client import pair


def create(client, class_name, object_id=None, **fields):
    return client.request("createObject", theObject={"cn": class_name, "ID": object_id, **fields})


def put(client, class_name, object_id, at=None, **fields):
    return client.request("putObject", putTimestamp=at,
                          theObject={"cn": class_name, "ID": object_id, **fields})


def remove(client, class_name, object_id):
    return client.request("removeObject", removePair=pair(class_name, object_id))


def find(client, class_name, object_id):
    """The object, or None."""
    return client.request("findById", theClassName=class_name, theClassId=object_id)["result"]


def find_all(client, *groups):
    """findByIds of groups (class name, IDs): the whole response."""
    return client.request("findByIds", theClassIdList=[
        {"className": class_name, "ids": list(ids)} for class_name, ids in groups])


def get_all(client, class_name, size=None, number=None, total=None):
    """A page of getAllByName; what is None is left out. The whole response."""
    return client.request("getAllByName", theClassName=class_name, pageSize=size,
                          pageNumber=number, returnTotal=total)


def count_all(client, *class_names):
    """The result of countAllByName."""
    return client.request("countAllByName", classNames=list(class_names))["result"]


def ids(objects):
    return [o["ID"] for o in objects]
