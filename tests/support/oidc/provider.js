// A real OpenID Connect provider over HTTPS (oidc-provider), for tests. What it is told is JSON in its
// only argument (see ../oidc.py); it says "ready" when it listens. It makes keys of its own at each
// start, and logs in whom `login_hint` names, without asking for a password.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { Provider } from 'oidc-provider';

const { port, cert, key, clients, users } = JSON.parse(process.argv[2]);
const SCOPES = 'openid email profile groups offline_access';

function signingKey(type, options, alg) {
  const jwk = generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  return { ...jwk, alg, use: 'sig', kid: randomUUID() };
}

const provider = new Provider(`https://127.0.0.1:${port}`, {
  clients,
  jwks: { keys: [signingKey('rsa', { modulusLength: 2048 }, 'RS256'),
                 signingKey('ec', { namedCurve: 'P-256' }, 'ES256')] },
  cookies: { keys: [randomUUID()] },
  scopes: SCOPES.split(' '),
  claims: { openid: ['sub'], email: ['email', 'email_verified'],
            profile: ['given_name', 'family_name'], groups: ['groups'] },
  features: { devInteractions: { enabled: false }, introspection: { enabled: true },
              revocation: { enabled: true } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => false },
  issueRefreshToken: async () => true,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...users[id] }) }),
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(SCOPES);
    await grant.save();
    return grant;
  },
});

async function logIn(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
}

https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  if (request.url.startsWith('/interaction/')) logIn(request, response);
  else provider.callback()(request, response);
}).listen(port, '127.0.0.1', () => console.log('ready'));
