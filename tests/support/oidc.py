"""A real OpenID Connect provider (oidc-provider of the npm registry) over HTTPS, as a process that can be
stopped and started with other keys.

    with OidcProvider(folder, clients=[client("app", ...)], users={"ada": {...}}) as provider:
        code = provider.code("app", "ada", redirect_uri)     # as a browser gets it
        tokens = provider.tokens("app", code, redirect_uri)  # as an application gets them
        provider.revoke("app", tokens["access_token"])
"""

import base64
import functools
import hashlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from certificates import self_signed
from servers import free_port, spawn, wait_until
from stack import BUILD

SOURCE = Path(__file__).parent / "oidc"
SCOPE = "openid email profile groups offline_access"


def client(name, redirect_uri, alg="RS256", auth="client_secret_basic"):
    """A client's metadata; its secret, unless `auth` is "none", follows from its name."""
    secret = {} if auth == "none" else {"client_secret": secret_of(name)}
    return {"client_id": name, **secret, "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "id_token_signed_response_alg": alg, "token_endpoint_auth_method": auth}


def secret_of(name):
    return f"secret-of-{name}%+&="  # what has to be encoded


def challenge(verifier):
    """What an application asks for its code with, to show the verifier later (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return {"code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}


@functools.cache
def installed():
    """The folder with the script and what it needs, in the build folder: installed once."""
    folder = BUILD / "tests/oidc"
    if not (folder / "node_modules/oidc-provider").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        shutil.copy(SOURCE / "package.json", made)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=made, check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    shutil.copy(SOURCE / "provider.js", folder)
    return folder


class OidcProvider:
    def __init__(self, folder, clients, users):
        self.cert, self.key = self_signed(folder)
        self.log = folder / "oidc.log"
        self.port = free_port()
        self.issuer = f"https://127.0.0.1:{self.port}"
        self.clients, self.users = clients, users
        self.context = ssl.create_default_context(cafile=str(self.cert))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        told = {"port": self.port, "cert": str(self.cert), "key": str(self.key),
                "clients": self.clients, "users": self.users}
        self.process = spawn(["node", installed() / "provider.js", json.dumps(told)], self.log,
                             cwd=installed(), env={**os.environ, "NODE_ENV": "test"})
        wait_until(lambda: self.request("GET", "/jwks")[0] == 200, 30, "the provider is ready")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Its keys are others afterwards, and what it had issued is worth nothing."""
        self.stop()
        self.start()

    # ---- Requests

    def request(self, method, path, headers=None, form=None):
        """(status, headers, text)."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                                 context=self.context)
        body = urllib.parse.urlencode(form) if form else None
        more = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            connection.request(method, path, body, {**more, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.msg, answer.read().decode()
        finally:
            connection.close()

    def code(self, client_id, user, redirect_uri, scope=SCOPE, **more):
        """Goes through the provider's pages as a browser does, up to the application's."""
        query = urllib.parse.urlencode({
            "client_id": client_id, "response_type": "code", "redirect_uri": redirect_uri,
            "scope": scope, "login_hint": user, "prompt": "login", **more})
        path, cookies = f"/auth?{query}", {}
        for _ in range(10):
            status, headers, text = self.request("GET", path, {
                "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())})
            assert status in (302, 303), (status, text, self.log.read_text()[-2000:])
            for line in headers.get_all("Set-Cookie") or []:
                name, value = line.split(";")[0].split("=", 1)
                cookies[name] = value
            place = headers["Location"]
            if place.startswith(redirect_uri):
                return urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)["code"][0]
            parts = urllib.parse.urlsplit(place)
            path = parts.path + ("?" + parts.query if parts.query else "")
        raise AssertionError("the provider never comes to an end")

    def tokens(self, client_id, code, redirect_uri):
        return json.loads(self._post("/token", client_id, grant_type="authorization_code", code=code,
                                     redirect_uri=redirect_uri))

    def revoke(self, client_id, token):
        self._post("/token/revocation", client_id, token=token)

    def _post(self, path, client_id, **form):
        pair = f"{client_id}:{urllib.parse.quote(secret_of(client_id), safe='')}"
        status, _, text = self.request("POST", path, {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, form)
        assert status == 200, (status, text)
        return text
