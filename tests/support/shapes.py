"""How responses look: which members, in which order (the seed's order; spec 4.2, 4.4)."""

from client import AUTH, SYNC

ENVELOPE = ["cn", "clientId", "timestamp", "ids", "data", "type", "correspondingMessageId",
            "gatewayMessageId"]

OWN_MEMBERS = {
    "ConnectResponse": ["currentTimestamp", "dataID"],
    "CountAllByNameResponse": ["result"],
    "FindByExampleResponse": ["result"],
    "FindByIdResponse": ["result"],
    "FindByIdsResponse": ["result"],
    "FindUniqueResponse": ["result"],
    "SearchByExampleResponse": ["result"],
    "GetAllByNameResponse": ["result", "pageSize", "pageNumber", "totalCount"],
    "CreateResponse": ["theObject", "result"],
    "PutResponse": ["result"],
    "HibernateResponse": ["result"],
    "UpgradeClientResponse": ["result"],
    "GetAccessorResponse": ["resultObject", "accessor"],
    "GetHistoryResponse": ["result"],
    "RunQueryResponse": ["result"],
    "RemoveResponse": ["result"],
    "RunProcessProgress": ["progress"],
    "RunProcessResponse": ["result"],
    "TransactionResponse": ["transactionId", "result", "objectsSaved", "objectsRemoved"],
    "PushUpdatesReceivedResponse": ["result"],
    "PushDeletesReceivedResponse": ["result"],
    "PushUpdateResponse": ["objectList", "updatedFields"],
    "PushDeleteResponse": ["objectList"],
    "SyncErrorResponse": ["errorName", "errorDesc", "errorCode"],
}

ERROR_NAMES = {
    "-100": "invalidClient", "-101": "Error Running Process", "-104": "missingMappedClass",
    "-105": "methodUnsupported", "-106": "methodNotImplemented", "-113": "invalidProcessError",
    "-115": "malformedRequest", "-116": "timeout", "-117": "forbidden", "-118": "tooManyRequests",
    "-119": "backEndAway", "-120": "tooExpensive",
}


def assert_sync_shape(frame, name, client_id, message_id):
    """The frame is a response of this class, with all its members, for this client and request."""
    assert list(frame) == ENVELOPE + OWN_MEMBERS[name]
    assert frame["cn"] == SYNC + name
    assert frame["clientId"] == client_id
    assert frame["correspondingMessageId"] == message_id
    assert isinstance(frame["timestamp"], int)
    assert [frame[k] for k in ("ids", "type", "gatewayMessageId")] == [None, None, None]


def assert_auth_shape(frame, name, client_id, message_id):
    assert frame["cn"] == AUTH + name
    assert set(frame) == {"cn", "clientId", "deviceId", "correspondingMessageId", "message",
                          "statusCode", "result"}
    assert frame["clientId"] == client_id
    assert frame["correspondingMessageId"] == message_id


def assert_error(frame, code, *words):
    """A SyncErrorResponse with this code, whose description has these words."""
    assert frame["cn"] == SYNC + "SyncErrorResponse", frame
    assert frame["errorCode"] == code, frame
    assert frame["errorName"] == ERROR_NAMES[code]
    for word in words:
        assert word in frame["errorDesc"], frame


def assert_refused(frame, code, *words):
    """A response with result false and a SyncDataError with this code."""
    assert frame.get("result") is False, frame
    assert list(frame["data"]) == ["cn", "code", "name", "message"]
    assert frame["data"]["cn"] == SYNC + "SyncDataError"
    assert frame["data"]["code"] == code, frame
    for word in words:
        assert word in frame["data"]["message"], frame
