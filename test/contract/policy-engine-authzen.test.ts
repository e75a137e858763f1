/** The contract of the policy port, kept by a decision point that speaks AuthZEN. */
import {
  serveDecisionPoint,
  type EvaluationAnswer,
  type EvaluationRequest,
} from '../support/policy-engines/decision-point.js';
import { authzenEngine } from '../support/policy-engines/remote.js';
import { contractTarget, policyEngineContract } from './policy-engine.js';

function evaluate({ subject, action: { name }, resource, context }: EvaluationRequest): EvaluationAnswer {
  const { path = '', sensitivity = [] } = resource.properties as { path?: string; sensitivity?: string[] };
  const isOfTeam = subject.properties['owner'] === 'sre' && path.startsWith('incident/');
  const permits = [
    ...(isOfTeam && name === 'read' ? ['reads'] : []),
    ...(isOfTeam && name === 'export' ? ['exports'] : []),
    ...(subject.id === 'lab:soc' && name === 'revoke' && resource.type === 'broker' ? ['soc'] : []),
  ];
  const forbids = name === 'read' && matchesSecret(path) ? ['no-secrets'] : [];
  const isApproved = (context['approvals'] as string[] | undefined)?.includes('on-call');
  const approvals = name === 'export' && !isApproved ? [{ group: 'on-call', approvers: 2, reuse: true }] : [];
  const asking = permits.length > 0 && approvals.length > 0 ? ['export-approval'] : [];
  return {
    decision: permits.length > 0 && forbids.length === 0 && approvals.length === 0,
    context: {
      policies: forbids.length > 0 ? forbids : [...permits, ...asking],
      approvals,
      digest: 'contract 1',
      ...(sensitivity.includes('restricted') && { lifetimeSeconds: 60 }),
    },
  };
}

const matchesSecret = (path: string): boolean => ['incident/secret', 'incident/*', 'incident/**', '**'].includes(path);

policyEngineContract('a decision point that speaks AuthZEN', async () => {
  const { url } = await serveDecisionPoint(evaluate);
  return authzenEngine(url, { targets: [contractTarget] });
});
