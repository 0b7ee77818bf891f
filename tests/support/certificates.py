"""Certificates, for tests of TLS: of a private authority, or of nobody but themselves.

    authority = Authority(folder)
    cert, key = authority.issue("broker")             # of 127.0.0.1 and localhost
    cert, key = authority.issue("old", days=-1)       # expired yesterday
    cert, key = authority.issue("client", names="")   # of nobody's machine
    cert, key = self_signed(folder)
"""

import itertools
import subprocess

MINE = "DNS:localhost,IP:127.0.0.1"
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """`file` is what those who trust it are given."""

    def __init__(self, folder):
        self.folder, self._numbers = folder, itertools.count(1)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file, self._key = folder / "ca.pem", folder / "ca.key"
        _openssl("req", "-x509", *_NEW_KEY, "-subj", "/CN=authority of a test", "-days", "2",
                 "-out", self.file, "-keyout", self._key)

    def issue(self, name, names=MINE, days=2):
        """The files of a new certificate for these names, and of its key."""
        base = self.folder / f"{name}-{next(self._numbers)}"
        cert, key, request = (base.with_suffix(s) for s in (".pem", ".key", ".csr"))
        extension = ["-addext", f"subjectAltName={names}"] if names else []
        _openssl("req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", *extension, "-out", request,
                 "-keyout", key)
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                 "-copy_extensions", "copy", "-days", days, "-out", cert)
        return cert, key


def self_signed(folder):
    """The files of a new certificate of this machine, which nobody else has signed, and of its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    _openssl("req", "-x509", *_NEW_KEY, "-subj", "/CN=test", "-addext", f"subjectAltName={MINE}",
             "-days", "2", "-out", cert, "-keyout", key)
    return cert, key


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
