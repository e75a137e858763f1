/**
 * Parses each part of a configuration by itself, so that the parts that are valid can be checked against each other although
 * others are not.
 */
import { approverPageSchema, type ApproverPage } from './approver-page-schema.js';
import { configSchema, type Config, type Target } from './schema.js';
import type { Reaction, Transmitter, Webhook } from './signals-schema.js';
import { reactionSchema, signalsSchema, transmitterSchema, webhookSchema } from './signals-schema.js';
import { targetSchema } from './target-schema.js';
import { trustSchema, type Trust } from './trust-schema.js';

type Scalars = Pick<
  Config,
  'issuer' | 'listen' | 'operations' | 'store' | 'redis' | 'policy' | 'lifetimes' | 'purposes' | 'clientIds'
>;

/** The parts that parse. An entry that does not is undefined, so the others keep their place. */
export type SoundParts = { [K in keyof Scalars]: Scalars[K] | undefined } & {
  trust: (Trust | undefined)[];
  targets: (Target | undefined)[];
  /** `approvals.page` */
  page: ApproverPage | undefined;
  transmitters: (Transmitter | undefined)[];
  /** `signals.about` */
  signalsAbout: string[] | undefined;
  reactions: (Reaction | undefined)[];
  notify: (Webhook | undefined)[];
};

export function soundParts(value: unknown): SoundParts {
  const raw = object(value);
  const signals = object(raw['signals']);
  const { shape } = configSchema;
  return {
    issuer: shape.issuer.safeParse(raw['issuer']).data,
    listen: shape.listen.safeParse(raw['listen']).data,
    operations: shape.operations.safeParse(raw['operations']).data,
    store: shape.store.safeParse(raw['store']).data,
    redis: shape.redis.safeParse(raw['redis']).data,
    policy: shape.policy.safeParse(raw['policy']).data,
    clientIds: shape.clientIds.safeParse(raw['clientIds']).data,
    purposes: shape.purposes.safeParse(raw['purposes']).data,
    lifetimes: shape.lifetimes.safeParse(raw['lifetimes']).data,
    trust: list(raw['trust']).map((entry) => trustSchema.safeParse(entry).data),
    targets: list(raw['targets']).map((entry) => targetSchema.safeParse(entry).data),
    page: approverPageSchema.safeParse(object(raw['approvals'])['page']).data,
    transmitters: list(signals['transmitters']).map((entry) => transmitterSchema.safeParse(entry).data),
    signalsAbout: signalsSchema.safeParse({ about: signals['about'] }).data?.about,
    reactions: list(signals['reactions']).map((entry) => reactionSchema.safeParse(entry).data),
    notify: list(raw['notify']).map((entry) => webhookSchema.safeParse(entry).data),
  };
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
