/** The contract of the policy port, kept by OPA. */
import { describeWithOpa, sharedOpa, WHICH_OPA } from '../support/policy-engines/opa.js';
import { opaEngine } from '../support/policy-engines/remote.js';
import { contractTarget, policyEngineContract } from './policy-engine.js';

const POLICIES = `
package mayfly.contract

default allow := false

allow if {
	count(permits) > 0
	count(forbids) == 0
	count(approvals) == 0
}

answer := object.union({"allow": allow, "policies": deciding, "approvals": approvals, "digest": "contract 1"}, limit)

default deciding := set()

deciding := forbids if count(forbids) > 0

deciding := permits | asking if {
	count(permits) > 0
	count(forbids) == 0
}

asking contains "export-approval" if count(approvals) > 0

default limit := {}

limit := {"lifetimeSeconds": 60} if "restricted" in input.resource.sensitivity

permits contains "reads" if {
	input.principal.owner == "sre"
	input.action == "read"
	startswith(input.resource.path, "incident/")
}

permits contains "exports" if {
	input.principal.owner == "sre"
	input.action == "export"
	startswith(input.resource.path, "incident/")
}

permits contains "soc" if {
	input.principal.id == "lab:soc"
	input.action == "revoke"
}

forbids contains "no-secrets" if {
	input.action == "read"
	touches(["incident", "secret"])
}

approvals contains {"group": "on-call", "approvers": 2, "reuse": true} if {
	input.action == "export"
	not "on-call" in input.context.approvals
}

# Whether the path that is asked for, or a path of the pattern, is this one.
touches(named) if {
	asked := split(input.resource.path, "/")
	every at, segment in asked {
		segment in {"*", "**", named[at]}
	}
	reaches(asked, named)
}

reaches(asked, named) if count(asked) == count(named)

reaches(asked, named) if asked[count(asked) - 1] == "**"
`;

policyEngineContract(
  WHICH_OPA,
  async () => {
    const { url, put } = await sharedOpa();
    await put('mayfly-contract', POLICIES);
    return opaEngine(url, 'mayfly/contract/answer', { targets: [contractTarget] });
  },
  describeWithOpa,
);
