"""Providers of OAuth that lie, for tests of logins at them: rows of auth.oauth_file whose endpoints are those
of a WebServer that says whatever their URLs name.

    rows = lying(server)      # a row for each kind of lie about tokens; GOOD_JWTS tell the truth
    row = entry("mine", server, endpoints={"token": says(server, {"access_token": "a"})})

The server has `ca`, the file that vouches for it, `other_ca`, one that does not, and `secret`, the file of
the client's.
"""

import base64
import hmac
import json
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

REDIRECT = "http://myapp.com/oauth2callback.html"  # as printed
ISSUER = "https://issuer.example.org"
WRONGS = {
    "slow": "/hang", "gone": "/gone", "large": "/large", "endless": "/endless", "half": "/half",
    "garbage": "/garbage", "short": "/short", "redirecting": "/answer?status=302&to=/echo",
    "failing": "/answer?status=500&body={}", "silent": "/answer?status=204",
    "empty": "/answer?body=", "array": "/answer?body=[]", "text": "/answer?body=hello",
    "not-utf-8": "/latin", "packed": "/gzip", "nothing-in-it": "/answer?body={}",
    "numbers": "/answer?body={\"access_token\":1,\"sub\":[]}",
}
TOKEN_INFO = {
    "ours": (200, {"aud": "app"}), "of-several": (200, {"aud": ["x", "app"]}),
    "another": (200, {"aud": "other-app"}), "nobody": (200, {}), "expired": (400, {"error": "invalid"}),
    "of-ben": (200, {"aud": "app", "sub": "ben-2"}),
    "for-us-by-another": (200, {"aud": ["app", "other-app"], "client_id": "other-app"}),
    "for-us-by-another-party": (200, {"aud": "app", "azp": "other-app"})}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


RSA, OTHER_RSA = (rsa.generate_private_key(65537, 2048) for _ in range(2))
WEAK = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(key, **members):
    public = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(public.n), "e": number(public.e), **members}


def ec_jwk(key, **members):
    public = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": number(public.x, 32), "y": number(public.y, 32), **members}


KEYS = [rsa_jwk(RSA, kid="rsa", use="sig"), ec_jwk(EC, kid="ec", alg="ES256"),
        rsa_jwk(WEAK, kid="weak"), rsa_jwk(OTHER_RSA, kid="for-encryption", use="enc"),
        {"kty": "oct", "kid": "symmetric", "k": b64(b"k" * 32)}]


def by_rsa(text, key=RSA):
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def by_ec(text):
    r, s = utils.decode_dss_signature(EC.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def by_public_key(text):
    """HS256 with the public key as its secret, which everybody has."""
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM,
                                        serialization.PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(pem, text, "sha256")


def jwt(sign=by_rsa, head=None, **claims):
    """A good one, but for what is said."""
    now = int(time.time())
    head = {"alg": "RS256", "kid": "rsa", **(head or {})}
    claims = {"iss": ISSUER, "aud": "app", "sub": "ada-1", "iat": now, "exp": now + 3600,
              "email": "ada@example.org", "email_verified": True, "given_name": "Ada",
              "family_name": "L", **claims}
    parts = [{k: v for k, v in part.items() if v is not None} for part in (head, claims)]
    text = ".".join(b64(json.dumps(part).encode()) for part in parts).encode()
    return f"{text.decode()}.{b64(sign(text))}"


HOUR = 3600
GOOD_JWTS = {
    "rsa": lambda: jwt(),
    "ec": lambda: jwt(by_ec, {"alg": "ES256", "kid": "ec"}),
    "without-key-id": lambda: jwt(head={"kid": None}),
    "among-audiences": lambda: jwt(aud=["x", "app"], azp="app"),
    "by-another-name": lambda: jwt(iss="issuer.example.org"),
    "within-leeway": lambda: jwt(exp=int(time.time()) - 5, nbf=int(time.time()) + 30),
}
BAD_JWTS = {
    "none": lambda: jwt(lambda _: b"", {"alg": "none"}),
    "none-signed": lambda: jwt(head={"alg": "None"}),
    "hmac-with-public-key": lambda: jwt(by_public_key, {"alg": "HS256"}),
    "another-key": lambda: jwt(lambda text: by_rsa(text, OTHER_RSA)),
    "key-for-encryption": lambda: jwt(lambda text: by_rsa(text, OTHER_RSA), {"kid": "for-encryption"}),
    "weak-key": lambda: jwt(lambda text: by_rsa(text, WEAK), {"kid": "weak"}),
    "key-id-is-a-path": lambda: jwt(head={"kid": "../../../../dev/null"}),
    "key-id-is-a-url": lambda: jwt(head={"kid": "https://127.0.0.1/keys"}),
    "key-id-is-sql": lambda: jwt(head={"kid": "' OR 1=1 --"}),
    "key-id-is-a-number": lambda: jwt(head={"kid": 1}),
    "key-of-its-own": lambda: jwt(lambda text: by_rsa(text, OTHER_RSA),
                                  {"jwk": rsa_jwk(OTHER_RSA, kid="rsa")}),
    "algorithm-of-another-key": lambda: jwt(by_ec, {"kid": "ec"}),
    "critical-extension": lambda: jwt(head={"crit": ["exp"]}),
    "der-signature": lambda: jwt(lambda text: EC.sign(text, ec.ECDSA(hashes.SHA256())),
                                 {"alg": "ES256", "kid": "ec"}),
    "no-signature": lambda: jwt().rsplit(".", 1)[0] + ".",
    "two-parts": lambda: jwt().rsplit(".", 1)[0],
    "no-jwt": lambda: "x.y.z",
    "empty": lambda: "",
    "changed": lambda: changed(jwt()),
    "issuer": lambda: jwt(iss="https://evil.example.org"),
    "no-issuer": lambda: jwt(iss=None),
    "audience": lambda: jwt(aud="other-app"),
    "no-audience": lambda: jwt(aud=None),
    "audiences-without-party": lambda: jwt(aud=["app", "x"]),
    "another-party": lambda: jwt(azp="other-app"),
    "expired": lambda: jwt(exp=int(time.time()) - HOUR),
    "no-expiry": lambda: jwt(exp=None),
    "not-yet-valid": lambda: jwt(nbf=int(time.time()) + HOUR),
    "issued-in-the-future": lambda: jwt(iat=int(time.time()) + HOUR),
    "no-subject": lambda: jwt(sub=None),
    "huge-subject": lambda: jwt(sub="s" * 256),
    "subject-is-an-object": lambda: jwt(sub={"a": 1}),
}


def changed(token):
    head, claims, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return ".".join((head, b64(json.dumps({**read, "sub": "ben-2"}).encode()), signature))


def says(server, value, **query):
    """The URL at which the server says this."""
    body = value if isinstance(value, str) else json.dumps(value)
    return f"{server.url}/answer/{query.pop('place', '')}?" + urllib.parse.urlencode(
        {"type": "application/json", "body": body, **query})


def entry(name, server, **members):
    """A provider of the lying server, whose endpoints are all told."""
    endpoints = {"userinfo": says(server, {"sub": "ada-1"}), **members.pop("endpoints", {})}
    return {"id": name, "clientId": "app", "clientSecretFile": server.secret,
            "redirectUris": [REDIRECT], "caFile": server.ca, "allowPrivate": True,
            "endpoints": endpoints, **members}


def with_jwt(name, server, token, **members):
    tokens = {"access_token": "a-token", "token_type": "Bearer", "id_token": token}
    return entry(name, server, issuer=ISSUER, issuerNames=["issuer.example.org"], endpoints={
        "token": says(server, tokens, place="token"),
        "jwks": says(server, {"keys": KEYS}, place="keys-" + name)}, **members)


def two_emails(server):
    """The ID token has an address of the domain, and userinfo a verified one of another."""
    row = with_jwt("two-emails", server, jwt(email_verified=None), domain="example.org")
    row["endpoints"]["userinfo"] = says(server, {"sub": "ada-1", "email": "ada@example.com",
                                                 "email_verified": True})
    return row


def lying(server):
    """Providers of every kind of lie about tokens: id -> entry."""
    made = {**GOOD_JWTS, **BAD_JWTS}
    tokens = says(server, {"access_token": "a-token"})
    rows = [two_emails(server)]
    rows += [with_jwt(f"jwt-{name}", server, token()) for name, token in made.items()]
    rows += [entry(f"tokens-{name}", server, endpoints={"token": server.url + path})
             for name, path in WRONGS.items()]
    rows += [entry(f"userinfo-{name}", server, endpoints={"token": tokens, "userinfo": server.url + path})
             for name, path in WRONGS.items() if name != "slow"]
    rows += [entry("plain", server, subjectClaim="id", endpoints={
        "token": tokens, "userinfo": says(server, {"id": 583231, "name": "Octo Cat", "email": "o@x.org"})})]
    rows += [entry(f"info-{name}", server, endpoints={
        "token": tokens,
        "tokenInfo": says(server, {"sub": "ada-1", **said}, status=status, place="info")})
             for name, (status, said) in TOKEN_INFO.items()]
    rows += [entry("other-subject", server, issuer=ISSUER, endpoints={
        "token": says(server, {"access_token": "a", "id_token": jwt(email=None)}),
        "jwks": says(server, {"keys": KEYS}), "userinfo": says(server, {"sub": "ben-2"})})]
    rows += [{**entry("no-trust", server, endpoints={"token": tokens}), "caFile": server.other_ca}]
    rows += [{**entry("private", server, endpoints={"token": tokens}), "allowPrivate": False}]
    for name, document in {"of-another-issuer": {"issuer": ISSUER}, "array": [],
                           "http": {"issuer": f"{server.url}/discovery/http", "jwks_uri": "http://x/",
                                    "token_endpoint": "http://x/"}}.items():
        server.documents[name] = json.dumps(document)
        rows.append({"id": f"discovery-{name}", "clientId": "app", "redirectUris": [REDIRECT],
                     "caFile": server.ca, "allowPrivate": True,
                     "issuer": f"{server.url}/discovery/{name}"})
    return rows
