/** A gateway that acts for a thousand persons and has cached nothing, beside agents that exchange their own tokens. */
import { AUDIENCE, LAB, TARGET, type Broker } from '../broker.js';
import { accessToken, newTokens, type Contender } from '../contenders.js';
import type { Signer } from '../issuer.js';
import { drive } from '../load.js';
import { runRounds, type Outcome } from '../rounds.js';
import { signatureCost } from '../signature.js';

export interface GatewayWish {
  redisPid: number;
  rounds: number;
  requests: number;
  warmUp: number;
}

export const NAMES = {
  exchange: 'exchange, every token new',
  actor: 'exchange for a person, with an actor token',
  gateway: 'the same with a client assertion, as gateways send it',
};

export const STAFF = 'https://idp.bench.example';
const SUBJECTS = 1_000;
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export interface Signers {
  /** Of the workloads. */
  lab: Signer;
  /** Of the persons. */
  staff: Signer;
}

export async function measureGateway(broker: Broker, { lab, staff }: Signers, wish: GatewayWish): Promise<Outcome> {
  const [own = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'gateway', aud: AUDIENCE, team: 'sre' }));
  const exchange = newTokens(NAMES.exchange, broker, lab);
  const contenders = [
    exchange,
    forPersons(NAMES.actor, broker, staff, { actor_token: own, actor_token_type: JWT }),
    forPersons(NAMES.gateway, broker, staff, {
      client_assertion: own,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
  ];
  const [answer = ''] = (await drive(await exchange.prepare(1))).answers;
  const yardstick = () => signatureCost(accessToken(answer), lab, wish.requests);
  return runRounds(contenders, { ...wish, yardstick });
}

/** Each request shows a token of its own, of one of a thousand persons. */
const forPersons = (name: string, { url, pid }: Broker, staff: Signer, proof: Record<string, string>): Contender => ({
  name,
  pid,
  async prepare(count) {
    const tokens = await staff.tokens(count, (index) => ({
      iss: STAFF,
      sub: `person-${index % SUBJECTS}`,
      aud: AUDIENCE,
    }));
    const bodies = tokens.map((token, index) =>
      new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: JWT,
        ...proof,
        resource: TARGET,
        scope: `incident/${4711 + index}:read`,
        purpose: 'answer',
      }).toString(),
    );
    return { url: `${url}/token`, bodies, expect: '"access_token":"eyJ' };
  },
});
