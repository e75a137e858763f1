/** The contract of the policy port, kept by Cedar. */
import { engineOf } from '../support/policy.js';
import { contractTarget, policyEngineContract } from './policy-engine.js';

const POLICIES = `
@id("reads") permit (principal in Owner::"sre", action == Action::"read", resource in Resource::"https://tickets.example#incident");
@id("no-secrets") forbid (principal, action == Action::"read", resource == Resource::"https://tickets.example#incident/secret");
@id("restricted") @lifetime("60") forbid (principal, action in Action::"access", resource)
  when { resource.sensitivity.contains("restricted") && context.lifetimeSeconds > 60 };
@id("exports") permit (principal in Owner::"sre", action == Action::"export", resource in Resource::"https://tickets.example#incident");
@id("export-approval") @approval("on-call") @approvers("2") @reuse("task") forbid (principal, action == Action::"export", resource)
  unless { context.approvals.contains("on-call") };
@id("soc") permit (principal == Workload::"lab:soc", action == Action::"revoke", resource);
`;

policyEngineContract('Cedar', () => engineOf(POLICIES, [contractTarget]));
