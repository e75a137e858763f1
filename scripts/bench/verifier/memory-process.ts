/** One verifier: prints by how much the process has grown when it knows everything. Started with `--expose-gc`. */
import { createVerifier } from '../../../src/verifier/index.js';

const [issuer = '', audience = '', token = ''] = process.argv.slice(2);
const BYTES_PER_MEGABYTE = 1e6;

function memory(): { heap: number; resident: number } {
  for (let i = 0; i < 4; i += 1) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / BYTES_PER_MEGABYTE, resident: rss / BYTES_PER_MEGABYTE };
}

const before = memory();
const verifier = createVerifier({ issuer, audience, identity: () => token });
await verifier.ready();
const after = memory();
process.stdout.write(JSON.stringify({ heap: after.heap - before.heap, resident: after.resident - before.resident }));
verifier.close();
