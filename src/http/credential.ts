/** GET /credentials/{id}: a credential's record, whether it is live, and by name everything that would end it. It never returns the secret. */
import type { Credential } from '../domain/credential.js';
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { toTimestamp } from '../domain/time.js';
import { selectorAnswer, sessionEnd } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { readCredential } from '../inventory/credential.js';
import { HANDLE_LABELS, KIND_NAMES, kindOf } from '../targets/kinds.js';
import { detailSchema, detailsOf } from '../targets/requested-access.js';
import type { HttpDeps } from './deps.js';

const handle = z.string().exactOptional().describe('What its target itself calls it, where it does.');

const credentialAnswer = z
  .strictObject({
    id: z.string(),
    kind: z.enum(KIND_NAMES).describe('The kind of its target.'),
    state: z
      .enum(['reserved', 'live', 'ended', 'expired', 'failed'])
      .describe('`reserved`: its target has not answered yet. `failed`: it was surely never made.'),
    end: sessionEnd
      .exactOptional()
      .describe('Of a dead one whose end must be pushed to its target: how far that has come.'),
    ...Object.fromEntries(HANDLE_LABELS.map((label) => [label, handle])),
    task: z.string(),
    purpose: z.string(),
    target: z.string().describe('The `resource` of its target.'),
    access: z.array(detailSchema),
    issuedAt: time(),
    expiresAt: time(),
    causes: z.array(selectorAnswer).describe('Everything whose revocation ends it.'),
    unnamedCauses: z
      .array(z.string())
      .exactOptional()
      .describe('Further causes, as hashes: the record that named them is gone.'),
  })
  .meta({ id: 'Credential', description: 'A credential without its secret.' });

export const credentialReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readCredential',
    summary:
      'Shows what a credential may touch, whether it is live, and everything that would end it. Never the secret.',
    path: { id: 'The id of the credential, or what its target itself calls it.' },
    answers: { 200: json(credentialAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    async act(permitted, _, { params }) {
      const { credential, task, state, end, causes, unnamedCauses } = await readCredential(
        deps.ledger,
        permitted,
        params['id'] ?? '',
      );
      return ok(
        defined({
          id: credential.id,
          kind: credential.kind,
          state,
          end,
          ...handleOf(credential),
          task: task.id,
          purpose: task.purpose,
          target: credential.target,
          access: detailsOf(credential.target, credential.access),
          issuedAt: toTimestamp(credential.issuedAt),
          expiresAt: toTimestamp(credential.expiresAt),
          causes,
          unnamedCauses: unnamedCauses.length > 0 ? unnamedCauses : undefined,
        }),
      );
    },
  });

/** Returns the handle, under the name that the kind of target gives it, for example `accessKeyId`. */
const handleOf = ({ kind, handle }: Credential) => {
  const { handles } = kindOf(kind);
  return handles && handle !== undefined && { [handles.label]: handle };
};
