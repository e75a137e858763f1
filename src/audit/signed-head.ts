/** The broker's signed word on where its audit log stands. Kept elsewhere, it makes a later rewriting of the log visible. */
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import { toSeconds } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { Place } from './chain.js';
import type { Head } from './head.js';

export const AUDIT_HEAD_TYP = 'mayfly-audit-head+jwt';
const AUDIT_CHECKPOINT_TYP = 'mayfly-audit-checkpoint+jwt';

export interface SignerDeps {
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  clock: Clock;
}

export const signHead = ({ keys, issuer, clock }: SignerDeps, { seq, hash, checkpoint }: Head): Promise<string> =>
  keys.sign(
    defined({
      iss: issuer,
      iat: toSeconds(clock.now()),
      head: { seq, hash },
      checkpoint: checkpoint && { seq: checkpoint.seq, hash: checkpoint.hash },
    }),
    { typ: AUDIT_HEAD_TYP },
  );

export const signCheckpoint = ({ keys, issuer, clock }: SignerDeps, checkpoint: Place): Promise<string> =>
  keys.sign({ iss: issuer, iat: toSeconds(clock.now()), checkpoint: { ...checkpoint } }, { typ: AUDIT_CHECKPOINT_TYP });
