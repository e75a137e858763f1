/**
 * A process that owns an LMDB store and writes to it until it is killed, printing each write once it is acknowledged: the
 * number of a record pair, or of an entry. Usage: node store-writer.mjs <directory> <prefix>
 */
import { systemClock } from '../../dist/src/domain/time.js';
import { openLmdb } from '../../dist/src/store/lmdb.js';

const [directory, prefix] = process.argv.slice(2);
const { records, log } = await openLmdb({ directory, clock: systemClock, role: 'broker' });

for (let n = 0; ; n += 1) await Promise.all([write(n), publish(n)]);

async function write(n) {
  const name = `${prefix}-${n}`;
  const put = [
    [`aa/left-${name}`, name],
    [`aa/right-${name}`, name],
  ];
  if (await records.commit({ put, index: [['aa/all', name, n]] })) process.stdout.write(`record ${name}\n`);
}

async function publish(n) {
  const selector = { kind: 'workload', value: 'w' };
  const text = {
    id: `${prefix}-${n}`,
    cause: 'c',
    selector,
    effect: 'cutoff',
    at: n,
    until: n,
    reason: 'r',
    actor: 'a',
  };
  const { seq } = await log.publish(text);
  process.stdout.write(`entry ${seq}\n`);
}
