/** GET /.well-known/authzen-configuration (AuthZEN 1.0 §9): where to ask. */
import { z } from 'zod';
import type { HttpDeps } from '../deps.js';
import { described, json, type Contract } from '../wire/contract.js';

export const EVALUATION_PATH = '/access/v1/evaluation';
export const EVALUATIONS_PATH = '/access/v1/evaluations';

const contract: Contract = {
  summary: 'Says where to ask what may be done (AuthZEN 1.0).',
  proof: 'none',
  answers: {
    200: json(
      z.strictObject({
        policy_decision_point: z.string(),
        access_evaluation_endpoint: z.string(),
        access_evaluations_endpoint: z.string(),
      }),
    ),
  },
};

export const decisionPoint = ({ issuer }: Pick<HttpDeps, 'issuer'>) =>
  described(contract, () =>
    Promise.resolve({
      status: 200,
      headers: { 'Cache-Control': 'public, max-age=300' },
      body: {
        policy_decision_point: issuer,
        access_evaluation_endpoint: `${issuer}${EVALUATION_PATH}`,
        access_evaluations_endpoint: `${issuer}${EVALUATIONS_PATH}`,
      },
    }),
  );
