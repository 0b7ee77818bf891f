"""Opens and closes what gateways and auth agents seal (common/protocol/seal.h), for tests that play one
of them.

    seal = Seal(secret)
    body = seal.open(b"...", queue="authenticate", type="authenticate", correlation_id="1",
                     reply_to="gateway.1", client="c1")
"""

import ctypes
import ctypes.util
import functools
import hashlib

ENCODING = "xchacha20-poly1305"
PURPOSE = b"activestack seal 1\0"
KEY, NONCE, TAG = 32, 24, 16


@functools.cache
def _sodium():
    library = ctypes.CDLL(ctypes.util.find_library("sodium"))
    assert library.sodium_init() >= 0
    return library


def _key(secret):
    """BLAKE2b keyed with what it is for."""
    key, secret = ctypes.create_string_buffer(KEY), secret.encode()
    _sodium().crypto_generichash(key, ctypes.c_size_t(KEY), secret, ctypes.c_ulonglong(len(secret)),
                                 PURPOSE, ctypes.c_size_t(len(PURPOSE)))
    return key.raw


def hashed(token):
    """What a token is on its way to those who need not know it."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


class Seal:
    def __init__(self, secret):
        self.key = _key(secret)

    def open(self, sealed, **context):
        """None: it is not sealed with this secret, or for something else."""
        nonce, text = sealed[:NONCE], sealed[NONCE:]
        context = _context(**context)
        plain = ctypes.create_string_buffer(len(text))
        failed = _sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, None, None, text, ctypes.c_ulonglong(len(text)), context,
            ctypes.c_ulonglong(len(context)), nonce, self.key)
        return None if failed else plain.raw[:len(text) - TAG]

    def close(self, plain, nonce=b"n" * NONCE, **context):
        context = _context(**context)
        sealed = ctypes.create_string_buffer(len(plain) + TAG)
        _sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
            sealed, None, plain, ctypes.c_ulonglong(len(plain)), context,
            ctypes.c_ulonglong(len(context)), None, nonce, self.key)
        return nonce + sealed.raw


def _context(queue="", type="", correlation_id="", reply_to="", client=""):
    return b"".join((text or "").encode() + b"\0"
                    for text in (queue, type, correlation_id, reply_to, client))


def context_of(queue, properties):
    """What the body of a delivery from this queue is bound to."""
    return {"queue": queue, "type": properties.type, "correlation_id": properties.correlation_id,
            "reply_to": properties.reply_to, "client": (properties.headers or {}).get("client")}
