// An OpenID provider (oidc-provider) for tests of logins: anybody logs in as whoever they say, and gets ID tokens of that name.
import Provider from 'oidc-provider';

const [, , port = '', broker] = process.argv;
/** The page for approvers of a broker: it proves itself by the keys of that broker. */
const page = {
  client_id: 'mayfly-approvals',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks_uri: `${broker}/jwks`,
  redirect_uris: [`${broker}/approvals/signed-in`],
};
/** `ann.sre-oncall.security` is in two groups. */
const groupsOf = (id) => id.split('.').slice(1);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'mayfly-cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    ...(broker ? [page] : []),
  ],
  claims: { email: ['email'], groups: ['groups'] },
  conformIdTokenClaims: false,
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@staff.example`, groups: groupsOf(id) }),
  }),
  features: { deviceFlow: { enabled: true } },
  // It would fetch keys from no loopback address, for good reason; here there is nothing else.
  fetch: (url, { headers, signal }) => fetch(url, { headers, signal }),
  pkce: { required: () => true },
});
provider.on('grant.error', (_context, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
