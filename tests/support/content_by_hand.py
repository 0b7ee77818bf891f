"""Requests of the content protocol, published to the broker by hand: what the agents make of them.

    with Operator(stack) as operator:
        a = ContentByHand(operator, client)   # whose session it is: any client that is logged in
        answer = a.get_content(key("note", "n1"))
"""

import json
import uuid

from content_client import ContentClient


class ContentByHand:
    def __init__(self, operator, client):
        self.operator, self.client_id, self.user_id = operator, client.client_id, client.user_id

    get_content = ContentClient.get_content
    patch_content = ContentClient.patch_content
    request = ContentClient.request

    def send_request(self, cls, request_id=None, **data):
        """Returns what answer_to() takes."""
        return self.send_data(cls, data, request_id)

    def send_data(self, cls, data, request_id=None):
        """`data` may be text, too, and of any shape."""
        request_id = request_id or str(uuid.uuid4())
        text = data if isinstance(data, str) else json.dumps(data)
        frame = f'{{"type":"request","id":"{request_id}","cls":"{cls}","data":{text}}}'
        return self.operator.send(cls, frame, message_id=request_id, headers={
            "client": self.client_id, "user": self.user_id, "dialect": "content"})

    def answer_to(self, sent):
        return self.operator.receive(sent)
