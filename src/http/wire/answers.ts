/** The parts that the answers of several endpoints share. */
import { z } from 'zod';
import type { BrokerError } from '../../domain/errors.js';
import { natural } from '../../domain/schemas.js';
import { EFFECTS, SELECTOR_KINDS } from '../../domain/selector.js';
import type { Affected } from '../../ledger/impact.js';
import { KIND_NAMES } from '../../targets/kinds.js';
import { time } from './contract.js';

/** Of a list of which policy is asked about each row. */
export const unknownAnswer = z
  .array(z.string())
  .exactOptional()
  .describe('Why some may be missing: what policy gives no answer about, in sentences.');

/** Returns the texts, or undefined where there are none. */
export const textsOf = (unknown: readonly BrokerError[]): string[] | undefined =>
  unknown.length > 0 ? unknown.map(({ message }) => message) : undefined;

export const selectorAnswer = z
  .strictObject({
    kind: z.enum(SELECTOR_KINDS),
    value: z.string().describe('The id or name of what is meant; empty for `all`.'),
  })
  .meta({ id: 'Selector', description: 'What a revocation hits: whatever hangs on it.' });

export const effectOfRevocation = z
  .enum(EFFECTS)
  .describe(
    '`end`: dead for good. `cutoff`: dead, and new ones can be born. `hold`: dead, and none is born until it is lifted.',
  );

export const affectedAnswer = z
  .strictObject({
    credentials: natural,
    tasks: natural,
    byTarget: z.record(z.string(), natural).describe('The number of credentials at each target.'),
    byOwner: z.record(z.string(), natural).describe('The number of credentials of each owner.'),
  })
  .meta({ id: 'Affected', description: 'How much was alive and is hit.' });

/** How much a revocation hit, as answers say it. */
export const countsOf = ({ credentials, tasks, byTarget, byOwner }: Affected) => ({
  credentials,
  tasks,
  byTarget: Object.fromEntries(Object.entries(byTarget).map(([target, { count }]) => [target, count])),
  byOwner,
});

const endFields = {
  effect: z
    .enum(['pending', 'written', 'effective', 'expired'])

    .describe(
      '`pending`: not written yet. `written`: in force everywhere within seconds. `effective`: the target refuses. ' +
        '`expired`: nothing is left that could be used.',
    ),
  boundedBySeconds: natural
    .exactOptional()
    .describe('After so many seconds the last of them has expired, even if nothing is ever pushed.'),
  waitsFor: z
    .enum(['write', 'target', 'propagation', 'deadline'])
    .exactOptional()
    .describe('What the end waits for. `target`: pushing to it fails, and is tried again.'),
};

export const sessionEnd = z.strictObject(endFields).meta({
  id: 'SessionEnd',
  description: 'How far the end of dead credentials has come at a target to which it must be pushed.',
});

const kind = z.enum(KIND_NAMES).describe('The kind of the credentials.');

export const effectsAnswer = z
  .array(
    z
      .union([
        z.strictObject({ kind, effect: z.literal('counting') }),
        z.strictObject({
          kind,
          effect: z.literal('refused').describe('Every online check refuses them.'),
          count: natural,
          refusedOnlineSince: time().exactOptional().describe('Absent in a preview.'),
          believedOfflineUntil: time().describe('A verifier that asks nobody believes the last of them until then.'),
        }),
        z.strictObject({ kind, target: z.string(), count: natural, ...endFields }),
      ])
      .meta({ id: 'Effect' }),
  )
  .describe('How far the revocation has come, by kind of credential, and by target where it must be pushed.');
