/**
 * Decides with Cedar until its rounds are over, in the way that kills V8 11: the decision is called from optimised code, and
 * while it runs something changes that this code was optimised for. Here the change is made on purpose, by a getter that Cedar
 * reads; in a busy process any hidden class that changes during a call does it.
 * Usage: node cedar-soak.mjs <rounds> [<module to load before Cedar>]
 */
const [rounds, guard] = process.argv.slice(2);
if (guard) await import(guard);
const cedar = await import('@cedar-policy/cedar-wasm/nodejs');

cedar.preparsePolicySet('soak', { staticPolicies: { all: 'permit(principal, action, resource);' } });
const call = {
  principal: { type: 'Workload', id: 'w' },
  action: { type: 'Action', id: 'read' },
  resource: { type: 'Resource', id: 'r' },
  context: {},
  preparsedPolicySetId: 'soak',
  validateRequest: false,
  entities: [],
};

for (let round = 0; round < Number(rounds); round += 1) await soak(round);
process.stdout.write('survived\n');

async function soak(round) {
  const relied = { limit: 1, round };
  // Compiled anew each round: code that was thrown out once no longer relies on what was changed.
  const decide = new Function(
    'cedar',
    'relied',
    'call',
    'return cedar.statefulIsAuthorized(call).response.decision + relied.limit + relied.round;',
  );
  let change = false;
  const treacherous = {
    ...call,
    get entities() {
      if (change) relied.round = { changed: round };
      return [];
    },
  };
  for (let calls = 0; calls < 4_000; calls += 1) decide(cedar, relied, call);
  for (let calls = 0; calls < 400; calls += 1) decide(cedar, relied, treacherous);
  // Optimised code is installed by a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  change = true;
  decide(cedar, relied, treacherous);
}
