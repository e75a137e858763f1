/**
 * Open Policy Agent, by its Data API: `POST /v1/data/<path>` with `{"input": …}`. The document at the path is the whole answer. OPA
 * leaves `result` out where it is undefined: before a bundle is loaded, where nothing is at the path, and where no rule applied and
 * there is no default. The three look alike, so none of them is a decision.
 */
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import { answerSchema, parsed } from './answer.js';
import { documentAt, type DecisionPoint, type Reach } from './decision-point.js';
import { namedBy } from './named.js';
import { Unanswered } from './unanswered.js';

interface Opa extends Reach {
  url: string;
  /** Of the document that answers, such as `mayfly/answer`. */
  path: string;
}

const document = z.looseObject({
  result: z.unknown().optional(),
  provenance: z
    .looseObject({
      bundles: z.record(z.string(), z.looseObject({ revision: z.string().optional() })).optional(),
    })
    .optional(),
});

export function opa({ url, path, ...reach }: Opa): DecisionPoint {
  const place = `${url}/v1/data/${path.split('/').map(encodeURIComponent).join('/')}`;
  return {
    place,
    async ask(question, send) {
      const found = await documentAt(reach, { url: `${place}?provenance=true`, body: { input: question } }, send);
      if (found === undefined) throw new Unanswered('status', 'The policy engine answered 404.');
      const { result, provenance } = parsed(document, found);
      if (result === undefined)
        throw new Unanswered('undefined', 'OPA has no decision at the path: is a bundle loaded, is there a default?');
      const { digest, ...answer } = { digest: undefined, ...parsed(answerSchema, result) };
      const revisions = Object.entries(provenance?.bundles ?? {}).map(
        ([bundle, { revision = '' }]) => [bundle, revision] as const,
      );
      return defined({ ...answer, named: namedBy(revisions, digest) });
    },
  };
}
