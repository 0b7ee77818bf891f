"""Logins by OAuth 2 and OpenID Connect (spec 3.9, 8.4): at a real provider over HTTPS, and at servers that
do everything wrong that a provider can."""

import base64
import functools
import json
import time
import urllib.parse
import uuid

import pytest
from asking import create, find
from certificates import self_signed
from client import AUTH
from lying_provider import (
    BAD_JWTS, GOOD_JWTS, REDIRECT, TOKEN_INFO, WRONGS, entry, jwt, lying, says, with_jwt)
from oidc import OidcProvider, challenge, client, secret_of
from seed import PRINTS, fill
from servers import wait_until
from shapes import assert_auth_shape, assert_error
from stack import Stack, slow
from store import session_of
from web_server import WebServer

PERSON = "com.app.mo.Person"
USERS = {
    "ada-1": {"email": "ada@example.org", "email_verified": True, "given_name": "Ada",
              "family_name": "Lovelace", "groups": ["editor", "no role", "reviewer"]},
    "ben-2": {"email": "ben@example.org", "email_verified": True, "given_name": "Ben"},
    "eve-3": {"email": "eve@example.org", "email_verified": False, "given_name": "Eve"},
    "moe-4": {"email": "moe@notexample.org", "email_verified": True, "given_name": "Moe"},
    "zoe-5": {"given_name": "Zoe"},
}
CODE, TOKEN = "authenticateOAuthCode", "authenticateOAuthAccessToken"
TIMEOUT_MS = 8000 if slow() else 5000  # below what a stopping agent waits for
AWAY, REFUSED = (403, "Failure"), (402, "Forbidden")


# ---- The stack

@pytest.fixture(scope="module")
def provider(servers):
    folder = servers.folder / "oidc"
    folder.mkdir()
    clients = [client("app", REDIRECT), client("app-es", REDIRECT, "ES256", "client_secret_post"),
               client("other-app", REDIRECT), client("public", REDIRECT, auth="none")]
    with OidcProvider(folder, clients, USERS) as p:
        yield p


@pytest.fixture(scope="module")
def server(servers):
    folder, other = servers.folder / "lying", servers.folder / "other-ca"
    folder.mkdir()
    other.mkdir()
    tls = self_signed(folder)
    with WebServer(tls) as s:
        s.ca, s.other_ca, s.secret = str(tls[0]), str(self_signed(other)[0]), str(folder / "secret")
        (folder / "secret").write_text("a secret")
        yield s


@pytest.fixture(scope="module")
def shared_oauth_stack(servers, provider, server):
    def real(name, client_id, **members):
        secret = servers.folder / f"{name}.secret"
        secret.write_text(secret_of(client_id) + "\n")
        return {"id": name, "issuer": provider.issuer, "clientId": client_id,
                "clientSecretFile": str(secret), "redirectUris": [REDIRECT], "allowPrivate": True,
                "caFile": str(provider.cert), **members}

    public = real("public", "public", requirePkce=True)
    del public["clientSecretFile"]
    rows = [real("GOOGLE", "app", rolesClaim="groups"), real("es", "app-es", clientAuth="post"),
            real("domain", "app", domain="example.org"),
            real("unknown-audience", "app", endpoints={
                "token": provider.issuer + "/token", "userinfo": provider.issuer + "/me",
                "jwks": provider.issuer + "/jwks"}),
            real("wrong-secret", "app", clientSecretFile=str(servers.folder / "es.secret")),
            real("nobody", "app", issuer=provider.issuer + "/nobody"), public,
            *lying(server)]
    file = servers.folder / "oauth.json"
    file.write_text(json.dumps(rows))
    settings = {"auth.providers": "file,oauth", "auth.oauth_file": file,
                "auth.oauth_timeout_ms": TIMEOUT_MS, "auth.oauth_threads": 2,
                "auth.oauth_keys_pause_s": 0}
    with Stack(servers, settings=settings) as stack:
        yield stack


@pytest.fixture
def oauth_stack(shared_oauth_stack):
    yield shared_oauth_stack
    shared_oauth_stack.check()


@pytest.fixture
def ada(oauth_stack, connect):
    """Connected, and not logged in."""
    return connect(oauth_stack.gateways[0])


def by_code(who, code, provider="GOOGLE", **members):
    return who.request(CODE, authProvider=provider, code=code, **{"redirectUri": REDIRECT, **members})


def by_token(who, token, provider="GOOGLE", **members):
    return who.request(TOKEN, authProvider=provider, accessToken=token, **members)


def assert_logged_in(who, response):
    """The login leads to a ConnectResponse, and what needs a login is served."""
    assert response["statusCode"] == 200 and response["message"] == "Success", response
    who._remember(response["result"])
    who.expect_connect_response()
    person, = who.request("findByExample",
                          theObject={"cn": PERSON, "userId": who.user_id})["result"]
    return person


def assert_refused(response, outcome=REFUSED):
    assert (response["statusCode"], response["message"]) == outcome, response
    assert response["result"] is None
    if "OAuth" in response["cn"]:
        assert response["accessToken"] is None and response["refreshToken"] is None


# ---- As it should be

def printed(number, who, values):
    """The request as printed under "Login"; its messageId."""
    message = str(uuid.uuid4())
    who.send_text(fill(PRINTS["Login"][number], {"<uuid of message>": message, **values}))
    return who.response_to(message), message


def test_a_code_as_printed(ada, provider):
    device = str(uuid.uuid4())
    code = provider.code("app", "ada-1", REDIRECT)
    response, message = printed(2, ada, {"<success_code_from_google>": code, "<uuid>": device,
                                         "<client_id>": ada.client_id})
    assert set(response) == {"cn", "clientId", "deviceId", "correspondingMessageId", "message",
                             "statusCode", "result", "accessToken", "refreshToken"}
    assert response["cn"] == AUTH + "AuthenticateOAuthCodeResponse"
    assert response["correspondingMessageId"] == message and response["result"]["deviceId"] == device
    assert response["result"]["cn"] == AUTH + "UserToken"
    person = assert_logged_in(ada, response)
    assert (person["first_name"], person["last_name"]) == ("Ada", "Lovelace")
    assert provider.request("GET", "/me", {
        "Authorization": "Bearer " + response["accessToken"]})[0] == 200


def test_an_access_token_as_printed(ada, provider):
    tokens = provider.tokens("app", provider.code("app", "ada-1", REDIRECT), REDIRECT)
    response, _ = printed(1, ada, {"<my_google_access_token>": tokens["access_token"],
                                   "<uuid>": str(uuid.uuid4()), "<app_key>": "key"})
    assert response["cn"] == AUTH + "AuthenticateOAuthAccessTokenResponse"
    assert (response["accessToken"], response["refreshToken"]) == (tokens["access_token"], "DEV")
    assert_logged_in(ada, response)


def test_all_ways_lead_to_the_same_user(oauth_stack, provider, connect):
    users = set()
    for way in ("code", "41", "token", "42", "credential"):
        who = connect(oauth_stack.gateways[0])
        code = provider.code("app", "ben-2", REDIRECT)
        if way == "credential":
            response = who.request("authenticate", authProvider="googleoauth",
                                   credential=json.dumps({"code": code, "redirectUrl": REDIRECT}))
        elif way in ("code", "41"):
            response = who.request(CODE if way == "code" else way, event=True, cn=AUTH_CODE,
                                   authProvider="google", code=code, redirectUri=REDIRECT)
        else:
            token = provider.tokens("app", code, REDIRECT)["access_token"]
            response = who.request(TOKEN if way == "token" else way, event=True, cn=AUTH_TOKEN,
                                   authProvider="Google", accessToken=token)
        assert_logged_in(who, response)
        users.add(who.user_id)
    assert len(users) == 1


AUTH_CODE, AUTH_TOKEN = AUTH + "AuthenticateOAuthCodeRequest", AUTH + "AuthenticateOAuthAccessTokenRequest"


def test_a_provider_that_signs_with_es256_and_takes_the_secret_in_the_body(ada, provider):
    assert_logged_in(ada, by_code(ada, provider.code("app-es", "ada-1", REDIRECT), "es"))


def test_roles_are_those_of_the_provider(ada, oauth_stack, provider):
    assert_logged_in(ada, by_code(ada, provider.code("app", "ada-1", REDIRECT)))
    roles = oauth_stack.redis().hget("{u:" + ada.user_id + "}", "roles")
    assert roles == ",editor,reviewer,"  # "no role" cannot be the name of one


def test_a_login_is_a_login(oauth_stack, provider, connect, new_id):
    """Told what others do, back after a lost connection, out by a logout."""
    who, other = (connect(oauth_stack.gateways[0]) for _ in range(2))
    other.login("file", oauth_stack.credential("ben"))
    response = by_code(who, provider.code("app", "ada-1", REDIRECT), deviceId="d-1")
    assert_logged_in(who, response)
    task = new_id("task")
    create(other, "com.app.mo.Task", task)
    find(who, "com.app.mo.Task", task)
    sid = session_of(oauth_stack.redis(), who.client_id)
    who.close()
    back = connect(oauth_stack.gateways[0])
    back.send({"reconnect": {"reconnectId": who.session}})
    back.expect_connect_response()
    assert session_of(oauth_stack.redis(), back.client_id) == sid
    back.send_request("logout", event=True)
    assert back.expect_close().code == 1000


# ---- Tokens that end

def test_an_expired_token_is_refreshed(ada, provider):
    tokens = provider.tokens("app", provider.code("app", "ada-1", REDIRECT), REDIRECT)
    provider.revoke("app", tokens["access_token"])
    response = by_token(ada, tokens["access_token"], refreshToken=tokens["refresh_token"])
    assert response["accessToken"] not in (None, tokens["access_token"])
    assert response["refreshToken"]
    assert_logged_in(ada, response)


@pytest.mark.parametrize("refresh", [None, "", "DEV", "nonsense"])
def test_an_expired_token_without_its_refresh_token_lets_nobody_in(oauth_stack, connect, provider,
                                                                    refresh):
    """Not even on a device on which somebody has logged in before (W3)."""
    tokens = provider.tokens("app", provider.code("app", "ada-1", REDIRECT), REDIRECT)
    before, now = (connect(oauth_stack.gateways[0]) for _ in range(2))
    assert_logged_in(before, by_token(before, tokens["access_token"], deviceId="shared",
                                      refreshToken=tokens["refresh_token"]))
    provider.revoke("app", tokens["access_token"])
    assert_refused(by_token(now, tokens["access_token"], deviceId="shared", refreshToken=refresh))


def test_a_code_is_good_once(oauth_stack, connect, provider):
    first, second = (connect(oauth_stack.gateways[0]) for _ in range(2))
    code = provider.code("app", "ada-1", REDIRECT)
    assert_logged_in(first, by_code(first, code))
    assert_refused(by_code(second, code))


# ---- Codes that are good for one client alone (PKCE)

VERIFIER = "verifier-of-an-application.0123456789_~ABCDEF"


def by_credential(who, code, provider="GOOGLEOAUTH", **members):
    return who.request("authenticate", authProvider=provider,
                       credential=json.dumps({"code": code, "redirectUrl": REDIRECT, **members}))


@pytest.mark.parametrize("show", [by_code, by_credential])
def test_a_code_with_its_verifier(ada, provider, show):
    code = provider.code("app", "ada-1", REDIRECT, **challenge(VERIFIER))
    assert_logged_in(ada, show(ada, code, codeVerifier=VERIFIER))


@pytest.mark.parametrize("show", [by_code, by_credential])
@pytest.mark.parametrize("members", [
    {}, {"codeVerifier": None}, {"codeVerifier": VERIFIER + "x"}], ids=["none", "null", "another"])
def test_a_code_without_its_verifier_lets_nobody_in(ada, provider, show, members):
    code = provider.code("app", "ada-1", REDIRECT, **challenge(VERIFIER))
    assert_refused(show(ada, code, **members))


def test_a_verifier_of_a_code_that_was_asked_for_without_one(ada, provider):
    """The provider's answer: somebody may have left the challenge out on its way."""
    code = provider.code("app", "ada-1", REDIRECT)
    assert_refused(by_code(ada, code, codeVerifier=VERIFIER))


def test_where_verifiers_are_demanded_no_code_is_shown_without_one(ada, provider):
    """By a client that has no secret."""
    code = provider.code("public", "ada-1", REDIRECT, **challenge(VERIFIER))
    for members in ({}, {"codeVerifier": None}):
        assert_error(by_code(ada, code, "public", **members), "-115", "codeVerifier")
        assert_refused(by_credential(ada, code, "publicoauth", **members))
    assert_logged_in(ada, by_code(ada, code, "public", codeVerifier=VERIFIER))


@pytest.mark.parametrize("verifier", ["v" * 43, "-._~" * 32], ids=len)
def test_a_verifier_is_shown_to_the_provider_as_it_is(ada, server, verifier):
    assert_logged_in(ada, by_code(ada, "code", "jwt-rsa", codeVerifier=verifier))
    forms = [urllib.parse.parse_qs(r["body"]) for r in server.seen("/answer/token")]
    assert any(form.get("code_verifier") == [verifier] for form in forms)


NO_VERIFIERS = ["v" * 42, "v" * 129, "v" * 42 + "+", "v" * 42 + " ", "v" * 42 + "é", "v" * 42 + "\n"]


@pytest.mark.parametrize("verifier", NO_VERIFIERS, ids=range(len(NO_VERIFIERS)))
def test_what_cannot_be_a_verifier_is_not_shown(ada, provider, verifier):
    code = provider.code("app", "ada-1", REDIRECT)
    assert_error(by_code(ada, code, codeVerifier=verifier), "-115", "codeVerifier")
    assert_refused(by_credential(ada, code, codeVerifier=verifier))
    assert_logged_in(ada, by_code(ada, code))  # nobody has shown it to the provider


# ---- Keys

def test_new_keys_are_asked_for(ada, oauth_stack, connect, provider):
    assert_logged_in(ada, by_code(ada, provider.code("app", "ada-1", REDIRECT)))
    provider.restart()
    who = connect(oauth_stack.gateways[0])
    assert_logged_in(who, by_code(who, provider.code("app", "ada-1", REDIRECT)))


# ---- Who may not

@pytest.mark.parametrize("redirect", [
    "http://evil.example.org/", REDIRECT + "/", REDIRECT + "?a", REDIRECT.upper(), "http://myapp.com"])
def test_only_redirect_uris_of_the_list(ada, provider, redirect):
    code = provider.code("app", "ada-1", REDIRECT)
    assert_refused(by_code(ada, code, redirectUri=redirect))
    assert_logged_in(ada, by_code(ada, code))  # nobody has shown it to the provider


@pytest.mark.parametrize("code", ["nonsense", "x" * 16384, "DEV", "é\r\nX: y", "a b&c=d"])
def test_a_code_that_the_provider_does_not_know(ada, code):
    assert_refused(by_code(ada, code))


@pytest.mark.parametrize("token", ["nonsense", "x" * 16384, "DEV", "a\r\nX-Other: header", "\u00e9"])
def test_a_token_that_the_provider_does_not_know(ada, token):
    assert_refused(by_token(ada, token))


def test_a_token_of_another_application(ada, provider):
    tokens = provider.tokens("other-app", provider.code("other-app", "ada-1", REDIRECT), REDIRECT)
    assert_refused(by_token(ada, tokens["access_token"], refreshToken=tokens["refresh_token"]))


def test_a_code_of_another_application(ada, provider):
    assert_refused(by_code(ada, provider.code("other-app", "ada-1", REDIRECT)))


def test_a_provider_that_cannot_say_for_whom_a_token_is(ada, provider):
    """Discovery would tell of the introspection endpoint; this provider's endpoints are all told."""
    tokens = provider.tokens("app", provider.code("app", "ada-1", REDIRECT), REDIRECT)
    assert_refused(by_token(ada, tokens["access_token"], "unknown-audience"))
    assert_logged_in(ada, by_code(ada, provider.code("app", "ada-1", REDIRECT), "unknown-audience"))


@pytest.mark.parametrize("user, allowed", [
    ("ada-1", True), ("eve-3", False), ("moe-4", False), ("zoe-5", False)])
def test_only_verified_addresses_of_the_domain(ada, provider, user, allowed):
    response = by_code(ada, provider.code("app", user, REDIRECT), "domain")
    assert_logged_in(ada, response) if allowed else assert_refused(response)


def failures(stack, provider_id):
    """What the log says of logins at this provider."""
    return [line for agent in stack.auth_agents for line in agent.log_text().splitlines()
            if "oauth.failed" in line and provider_id in line]


def test_our_secret_has_to_be_right(ada, oauth_stack, provider):
    assert_refused(by_code(ada, provider.code("app", "ada-1", REDIRECT), "wrong-secret"))
    assert any("client" in line for line in failures(oauth_stack, "wrong-secret"))


def test_an_issuer_that_is_not_there_is_told(ada, oauth_stack):
    assert_refused(by_code(ada, "code", "nobody"), AWAY)
    assert any("discovery" in line for line in failures(oauth_stack, "nobody"))


@pytest.mark.parametrize("provider_id", ["nowhere", "file", "googleoauthoauth", "*", "jwt-"])
def test_other_providers_are_none(ada, provider_id):
    assert_refused(by_code(ada, "code", provider_id), AWAY)
    assert_refused(by_token(ada, "token", provider_id), AWAY)


def test_there_is_no_login_for_developers(ada):
    """W4. The setting that opens it is off."""
    for shown in ("DEV", "dev"):
        assert_refused(by_code(ada, shown))
        assert_refused(by_token(ada, shown, refreshToken="DEV"))


@pytest.mark.parametrize("credential", [
    "{}", "[]", "null", "x", "{", '{"code":"a"}', '{"redirectUrl":"a"}', '{"code":1,"redirectUrl":"a"}',
    '{"code":"a","redirectUrl":"http://evil.example.org/"}', "a:b",
    json.dumps({"code": "a", "redirectUrl": REDIRECT, "codeVerifier": ["v" * 43]})])
def test_a_credential_that_is_no_code(ada, credential):
    assert_refused(ada.request("authenticate", authProvider="googleoauth", credential=credential))


# ---- What is not what it should be

MISTYPED = [1, True, [], {}, ["x"], "", "\u0000", "x" * 16385]
CASES = [(CODE, "code", v) for v in (None, *MISTYPED)] + \
    [(CODE, "redirectUri", v) for v in (None, *MISTYPED)] + \
    [(CODE, "codeVerifier", v) for v in MISTYPED] + \
    [(CODE, "authProvider", v) for v in (None, *MISTYPED)] + \
    [(TOKEN, "accessToken", v) for v in (None, *MISTYPED)] + \
    [(TOKEN, "refreshToken", v) for v in MISTYPED if v != ""] + \
    [(TOKEN, "authProvider", v) for v in (None, *MISTYPED)]


def test_members_that_are_missing_mistyped_or_huge(ada):
    good = {CODE: {"authProvider": "GOOGLE", "code": "c", "redirectUri": REDIRECT},
            TOKEN: {"authProvider": "GOOGLE", "accessToken": "t", "refreshToken": "r"}}
    for operation, member, value in CASES:
        response = ada.request(operation, **{**good[operation], member: value})
        assert_error(response, "-115", member)


def test_ignored_members_may_be_anything(ada, provider):
    code = provider.code("app", "ada-1", REDIRECT)
    assert_logged_in(ada, by_code(ada, code, requestToken=[1], requestSecret={}, regAppKey=5))


# ---- Providers that lie

@pytest.mark.parametrize("name", GOOD_JWTS)
def test_a_good_id_token(ada, name):
    assert_logged_in(ada, by_code(ada, "code", f"jwt-{name}"))


def test_a_bad_id_token_lets_nobody_in(ada):
    for name in BAD_JWTS:
        response = by_code(ada, "code", f"jwt-{name}")
        assert_refused(response, REFUSED if "subject" in name else AWAY)


def test_a_provider_that_answers_wrongly_lets_nobody_in(ada):
    for asked in ("tokens", "userinfo"):
        for name in WRONGS:
            if (asked, name) != ("userinfo", "slow"):
                assert by_code(ada, "code", f"{asked}-{name}")["result"] is None, (asked, name)


def test_a_slow_provider_delays_nobody_else(oauth_stack, connect, provider):
    """There are more logins than threads that ask; the others are asked for meanwhile."""
    waiting = [connect(oauth_stack.gateways[0]) for _ in range(12)]
    messages = [w.send_request(CODE, cn=AUTH_CODE, authProvider="tokens-slow", code="c",
                               redirectUri=REDIRECT) for w in waiting]
    who = connect(oauth_stack.gateways[0])
    who.login("file", oauth_stack.credential("ada"))
    for client, message in zip(waiting, messages):
        assert_refused(client.response_to(message), AWAY)


@pytest.mark.parametrize("name", ["discovery-of-another-issuer", "discovery-array", "discovery-http",
                                  "no-trust", "private"])
def test_a_provider_that_is_not_to_be_trusted(ada, name):
    assert_refused(by_code(ada, "code", name), AWAY)


def test_one_address_is_not_verified_by_another(ada):
    assert_refused(by_code(ada, "code", "two-emails"))


def test_userinfo_of_somebody_else(ada):
    assert_refused(by_code(ada, "code", "other-subject"))


def test_a_provider_without_id_tokens(ada, oauth_stack):
    person = assert_logged_in(ada, by_code(ada, "code", "plain"))
    assert person["display_name"] == "Octo Cat"
    assert oauth_stack.redis().get("{a:plain:583231}") == ada.user_id


@pytest.mark.parametrize("name", TOKEN_INFO)
def test_what_a_provider_says_of_an_access_token(ada, name):
    response = by_token(ada, "a-token", f"info-{name}", refreshToken="")
    assert_logged_in(ada, response) if name in ("ours", "of-several") else assert_refused(response)


def test_client_secrets_are_for_token_and_introspection_endpoints_only(ada, server):
    by_token(ada, "a-token", "info-another")
    assert_logged_in(ada, by_code(ada, "code", "jwt-rsa"))
    shown = "Basic " + base64.b64encode(b"app:a%20secret").decode()
    for place, expected in (("token", shown), ("info", None), ("keys-", None)):
        asked = server.seen(f"/answer/{place}")
        assert asked and all(r["headers"].get("Authorization") == expected for r in asked), place
        assert not any("secret" in r["body"] for r in asked)


# ---- The rest

def test_where_one_can_log_in(ada):
    response = ada.request("getAllServiceProviders", event=True,
                           cn=AUTH + "GetAllServiceProvidersRequest")
    assert_auth_shape(response, "AuthResponse", ada.client_id, response["correspondingMessageId"])
    assert {"file", "google", "es"} <= set(response["result"])


def test_a_test_call(ada):
    response = ada.request("testCall", event=True, cn=AUTH + "TestCallRequest")
    assert (response["cn"], response["statusCode"]) == (AUTH + "AuthResponse", 200)


def test_nothing_secret_is_logged(oauth_stack, provider, connect):
    who = connect(oauth_stack.gateways[0])
    verifier = uuid.uuid4().hex * 2
    code = provider.code("app", "ada-1", REDIRECT, **challenge(verifier))
    response = by_code(who, code, codeVerifier=verifier)
    for process in oauth_stack.processes:
        for secret in (code, verifier, response["accessToken"], response["refreshToken"],
                       secret_of("app"), response["result"]["token"]):
            assert secret not in process.log_text()


# ---- Other settings

BYTES = 2048


@pytest.fixture(scope="module")
def shared_other_stack(servers, server):
    def padded(size):
        body = json.dumps({"sub": "ada-1"})
        return says(server, body + " " * (size - len(body)))

    tokens = says(server, {"access_token": "a-token"})
    rows = [entry(f"bytes-{size}", server, endpoints={"token": tokens, "userinfo": padded(size)})
            for size in (BYTES, BYTES + 1)]
    rows += [with_jwt("unknown-key", server, jwt(head={"kid": "none of them"})),
             with_jwt("clock", server, GOOD_JWTS["within-leeway"]()),
             entry("waiting", server, endpoints={"token": tokens.replace("/answer/", "/wait/")})]
    file = servers.folder / "oauth-other.json"
    file.write_text(json.dumps(rows))
    settings = {"auth.providers": "oauth", "auth.oauth_file": file, "auth.oauth_max_bytes": BYTES,
                "auth.oauth_keys_pause_s": 3600, "auth.oauth_keys_s": KEYS_S,
                "auth.oauth_leeway_s": 0, "auth.dangerous_dev_login": "true"}
    with Stack(servers, settings=settings) as stack:
        yield stack


KEYS_S = 3


@pytest.fixture
def other_stack(shared_other_stack):
    yield shared_other_stack
    shared_other_stack.check()


@pytest.fixture
def who(other_stack, connect):
    return connect(other_stack.gateways[0])


def test_developers_may_log_in_where_that_is_said_to_be_dangerous(other_stack, connect):
    users = set()
    for way, shown in ((by_code, "DEV"), (by_code, "dev"), (by_token, "DEV")):
        developer = connect(other_stack.gateways[0])
        assert_logged_in(developer, way(developer, shown, "whatever"))
        users.add(developer.user_id)
    assert len(users) == 1
    log = other_stack.auth_agents[0].log_text()
    assert "auth.dangerous_dev_login" in log and "auth.dev_login" in log


def test_an_answer_has_at_most_so_many_bytes(who):
    assert_refused(by_code(who, "code", f"bytes-{BYTES + 1}"), AWAY)
    assert_logged_in(who, by_code(who, "code", f"bytes-{BYTES}"))


def test_clocks_may_not_differ_where_there_is_no_leeway(who):
    assert_refused(by_code(who, "code", "clock"), AWAY)


def test_keys_are_asked_for_when_they_are_old_and_not_because_of_every_strange_token(who, server):
    asked = functools.partial(server.seen, "/answer/keys-unknown-key")
    before, began = len(asked()), time.monotonic()
    for _ in range(3):
        assert_refused(by_code(who, "code", "unknown-key"), AWAY)
    if time.monotonic() - began < KEYS_S:
        assert len(asked()) == before + 1

    def is_asked_again():
        assert_refused(by_code(who, "code", "unknown-key"), AWAY)
        return len(asked()) > before + 1

    wait_until(is_asked_again, 20, "the keys are asked for again")


def connections_of(stack, agent):
    """Their names, once the broker shows all of them."""
    found = stack.servers.rabbitmq.management("GET", "/api/connections")
    names = [c["name"] for c in found
             if f"@{agent.agent_name}#" in c["client_properties"].get("connection_name", "")]
    return names if len(names) == len(agent.links()) else None


def test_a_login_outlives_the_agents_link_to_the_broker(who, other_stack, server):
    """Whoever asked goes on for nobody; the request comes again."""
    agent = other_stack.auth_agents[0]
    names = wait_until(lambda: connections_of(other_stack, agent), 30, "the agent's connections")
    message = who.send_request(CODE, authProvider="waiting", code="c", redirectUri=REDIRECT)
    wait_until(lambda: len(server.seen("/wait")) == 1, 20, "the provider is asked")
    for name in names:
        other_stack.servers.rabbitmq.management(
            "DELETE", "/api/connections/" + urllib.parse.quote(name, safe=""))
    wait_until(lambda: len(server.seen("/wait")) == 2, 20, "the provider is asked again")
    server.let_go.set()
    assert_logged_in(who, who.response_to(message))


def test_an_agent_that_stops_finishes_its_logins(new_stack, connect, server, tmp_path):
    file = tmp_path / "oauth.json"
    file.write_text(json.dumps([entry("slow", server, endpoints={"token": server.url + "/hang"})]))
    stack = new_stack(sync_agents=0, settings={
        "auth.providers": "oauth", "auth.oauth_file": file, "auth.oauth_timeout_ms": TIMEOUT_MS})
    client = connect(stack.gateways[0])
    before = len(server.seen("/hang"))
    message = client.send_request(CODE, authProvider="slow", code="c", redirectUri=REDIRECT)
    wait_until(lambda: len(server.seen("/hang")) > before, 20, "the provider is asked")
    stack.auth_agents[0].stop()
    assert_refused(client.response_to(message), AWAY)


def test_a_strange_key_is_asked_for_where_there_is_no_pause(ada, server):
    before = len(server.seen("/answer/keys-jwt-key-id-is-sql"))
    for i in range(3):
        assert_refused(by_code(ada, "code", "jwt-key-id-is-sql"), AWAY)
    assert len(server.seen("/answer/keys-jwt-key-id-is-sql")) >= before + 3
