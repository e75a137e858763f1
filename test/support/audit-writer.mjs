/**
 * A broker reduced to its audit log: publishes revocations, appends entries, follows, and says what was acknowledged, until it
 * is killed. Usage: node audit-writer.mjs <store directory> <prefix>
 */
import { openAuditLog } from '../../dist/src/audit/log.js';
import { cause } from '../../dist/src/domain/selector.js';
import { systemClock } from '../../dist/src/domain/time.js';
import { openKeys } from '../../dist/src/keys/keys.js';
import { openLmdb } from '../../dist/src/store/lmdb.js';

const [directory, prefix] = process.argv.slice(2);
const now = systemClock.reading;
const clock = {
  ...systemClock,
  now,
  unchecked: now,
  uncheckedEarliest: now,
  uncheckedTimes: () => [now()],
  isTrusted: () => true,
};
const { records, log } = await openLmdb({ directory, clock, role: 'broker' });
const keys = await openKeys({ records, clock, keyEncryptionKey: new Uint8Array(32), rotationDays: 30 });
const audit = openAuditLog({ records, log, clock, keys, issuer: 'http://127.0.0.1:8080', node: prefix });

for (let number = 0; ; number += 1)
  await Promise.all([append(`${prefix}-a${number}`), append(`${prefix}-b${number}`), revoke(`${prefix}-r${number}`)]);

async function append(reason) {
  await audit.append({ type: 'operation.refused', at: clock.now(), reason });
  process.stdout.write(`${reason}\n`);
}

async function revoke(id) {
  const selector = { kind: 'workload', value: 'w' };
  const [at, until] = [clock.now(), clock.now() + 1_000_000];
  await log.publish({
    id,
    cause: cause('workload', 'w'),
    selector,
    effect: 'cutoff',
    at,
    until,
    reason: id,
    actor: 'test',
  });
  process.stdout.write(`${id}\n`);
  audit.catchUp().catch(() => undefined);
}
