/**
 * The rooms of src/, from top to bottom, and for each the rooms it may import from. What is not named here is forbidden:
 * a new arrow is a decision, and `npm run imports` fails until it is written down here.
 * Each row is a room, the rooms that it sees, and its face if it has one: the files that other rooms may see of it. All else in
 * such a room is an implementation, which compose/ picks (and cli/, for a command about that engine).
 */
// prettier-ignore
const TABLE = [
  ['cli', 'compose credentials revocation audit policy ledger config targets verifier client domain protocol'],
  ['compose', 'http feed credentials approvals signals tasks revocation authorization enforcement notify detectors audit minters policy identity health keys ledger outbound telemetry store config targets domain'],
  ['http', 'feed credentials approvals inventory signals tasks revocation authorization audit policy identity health keys ledger telemetry store config targets domain protocol'],
  ['credentials', 'approvals tasks revocation authorization enforcement audit minters identity ledger config targets domain protocol'],
  ['inventory', 'revocation authorization enforcement audit identity ledger domain'],
  ['signals', 'revocation authorization audit identity ledger config domain protocol'],
  ['approvals', 'revocation authorization audit identity ledger store domain'],
  ['tasks', 'revocation authorization audit identity ledger store domain'],
  ['revocation', 'authorization enforcement identity ledger targets domain'],
  ['authorization', 'detectors audit policy identity keys ledger config targets domain protocol'],
  ['enforcement', 'minters ledger store domain'],
  ['feed', 'ledger store domain protocol'],
  ['notify', 'audit keys ledger outbound telemetry config domain'],
  ['detectors', 'ledger telemetry config domain', 'observer'],
  ['audit', 'keys store domain'],
  ['minters', 'keys outbound config targets domain protocol', 'minter'],
  ['policy', 'identity outbound config domain', 'policy-engine|query|facts|join-verdicts|same-answer'],
  ['identity', 'outbound config domain protocol'],
  ['health', 'store telemetry domain'],
  ['keys', 'store config domain protocol'],
  ['ledger', 'store targets domain'],
  ['outbound', 'domain'],
  ['telemetry', 'config domain protocol'],
  ['store', 'domain', 'store|record|follow-log'],
  ['config', 'targets domain'],
  ['targets', 'domain protocol'],
  ['verifier', 'client domain protocol'],
  ['client', 'domain protocol'],
  ['domain', ''],
  ['protocol', ''],
];

export const ROOMS = TABLE.map(([room, sees, face]) => ({
  room,
  sees: sees.split(' ').filter(Boolean),
  ...(face !== undefined && { face }),
}));
