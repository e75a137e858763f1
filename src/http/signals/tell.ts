/** POST /signals/json: for those who cannot sign event tokens. Authenticated like every caller; the same events and subjects. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { permitOnBroker } from '../../authorization/permit.js';
import { FOREIGN_EVENTS, LEVELS } from '../../domain/signal.js';
import { acceptSignal } from '../../signals/accept.js';
import { maySpeakOf } from '../../signals/authority.js';
import type { HttpDeps } from '../deps.js';
import { operation } from '../operation.js';
import { isPrintable, printable, timestamp } from '../text.js';

/** RFC 9493, as objects; unknown members are judged by whoever reads the subject. */
const subject = z.looseObject({ format: z.string().max(64) });

const input = z.strictObject({
  /** The sender's own: the same id with the same content is the same signal. */
  id: z.string().refine((text) => isPrintable(text, 256), 'must be 1 to 256 printable characters'),
  event: z.enum([...FOREIGN_EVENTS, 'use-after-end']),
  level: z.enum(LEVELS).default('HIGH'),
  subject,
  at: timestamp.exactOptional(),
  reason: printable(512).exactOptional(),
});

export const signalTelling = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'sendSignal',
    from: 'body',
    input,
    async act(caller, asked, { requestId }) {
      await permitOnBroker(deps, caller, 'sendSignal', { requestId });
      const { id: itsId, at = deps.ledger.clock.now(), ...rest } = asked;
      const source = caller.party.id;
      const about = maySpeakOf(deps.settings, source);
      const digest = createHash('sha256').update(JSON.stringify(asked)).digest('base64url');
      const { id, put } = await acceptSignal(deps, { source, about, itsId, digest, at, ...rest });
      deps.metrics.signal('json', asked.event, put);
      return { status: 202, body: { id } };
    },
  });
