// An authorization server built with oidc-provider: client credentials with private_key_jwt, JWT access tokens (ES256) for
// a resource, and what it keeps (here: the ids of client assertions, against replay) in Redis.
import { exportJWK, generateKeyPair } from 'jose';
import { Redis } from 'ioredis';
import Provider from 'oidc-provider';

const { port, redisUrl, clientId, clientJwk } = JSON.parse(process.env.BENCH_PEER);
const redis = new Redis(redisUrl, { keyPrefix: 'peer:', enableAutoPipelining: true });
const { privateKey } = await generateKeyPair('ES256', { extractable: true });

class RedisAdapter {
  constructor(model) {
    this.model = model;
  }
  key(id) {
    return `${this.model}:${id}`;
  }
  async upsert(id, payload, expiresIn) {
    const text = JSON.stringify(payload);
    await (expiresIn ? redis.set(this.key(id), text, 'EX', expiresIn) : redis.set(this.key(id), text));
  }
  async find(id) {
    const text = await redis.get(this.key(id));
    return text === null ? undefined : JSON.parse(text);
  }
  async consume(id) {
    const payload = await this.find(id);
    if (payload) await redis.set(this.key(id), JSON.stringify({ ...payload, consumed: true }), 'KEEPTTL');
  }
  async destroy(id) {
    await redis.del(this.key(id));
  }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: RedisAdapter,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'peer', alg: 'ES256', use: 'sig' }] },
  clients: [
    {
      client_id: clientId,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      // Only ES256 keys here: with the default of RS256 every answer is a quick refusal.
      id_token_signed_response_alg: 'ES256',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      jwks: { keys: [clientJwk] },
    },
  ],
  clientAuthMethods: ['private_key_jwt'],
  scopes: ['read'],
  ttl: { ClientCredentials: 300 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'read',
        audience: 'https://tickets.example',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

const server = provider.listen(port, '127.0.0.1');
process.on('SIGTERM', () => {
  redis.disconnect();
  server.close();
  server.closeAllConnections();
});
