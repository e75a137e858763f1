/** The state of the loopback AWS, in memory. */
import { createProvider, type Provider } from './provider.js';
import type { LoopbackAwsOptions } from './options.js';
import { createRole, type Role } from './role.js';
import type { Session } from './session.js';

export interface Account {
  id: string;
  roles: readonly Role[];
  /** By issuer. */
  providers: ReadonlyMap<string, Provider>;
  /** By access key id. Expired sessions stay, so that tests can look at them. */
  sessions: Map<string, Session>;
  propagationMs: number;
  now: () => number;
}

export function createAccount(options: LoopbackAwsOptions): Account {
  const roles = options.roles.map(createRole);
  if (new Set(roles.map(({ name }) => name)).size !== roles.length) throw new Error('two roles have the same name');
  const foreign = roles.find(({ arn }) => !arn.startsWith(`arn:aws:iam::${options.account}:role/`));
  if (foreign) throw new Error(`${foreign.arn} is no role of account ${options.account}`);
  return {
    id: options.account,
    roles,
    providers: new Map(options.providers.map((one) => [one.issuer, createProvider(one, options.account)])),
    sessions: new Map(),
    propagationMs: options.propagationMs,
    now: options.now,
  };
}
