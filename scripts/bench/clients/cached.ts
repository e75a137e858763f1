/**
 * What `credential()` of a client costs while it keeps one that lives: every call to an API begins with it. Such a call waits for
 * nothing, so its CPU time is its time, and whatever else runs on the machine is not in it.
 */
import { spawnSync } from 'node:child_process';
import { mayfly } from '../../../src/client/index.js';
import { AUDIENCE, LAB, TARGET, type Broker } from '../broker.js';
import type { Signer } from '../issuer.js';
import { fromRoot } from '../root.js';

export interface Cached {
  name: string;
  /** Microseconds of CPU for each call, round by round; undefined where there is no such language. */
  microseconds: number[] | undefined;
}

const ROUNDS = 5;
const SCOPE = 'incident/4711:read';

export async function measureCached(broker: Broker, lab: Signer, calls: number): Promise<Cached[]> {
  const [token = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'agent-1', aud: AUDIENCE, team: 'sre' }));
  return [
    { name: 'TypeScript', microseconds: await inNode(broker, token, calls) },
    { name: 'Python', microseconds: inPython(broker, token, calls) },
  ];
}

async function inNode({ url }: Broker, token: string, calls: number): Promise<number[]> {
  const task = await mayfly({ url, identity: () => token }).task({ purpose: 'answer' });
  const rounds: number[] = [];
  await task.credential(TARGET, SCOPE);
  for (let round = 0; round <= ROUNDS; round += 1) {
    const from = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) await task.credential(TARGET, SCOPE);
    const { user, system } = process.cpuUsage(from);
    rounds.push((user + system) / calls);
  }
  await task.complete();
  return rounds.slice(1); // The first warmed up the code.
}

const PROGRAM = `
import json, sys, time, mayfly
url, token, target, scope, rounds, calls = sys.argv[1:]
with mayfly.Broker(url, identity=lambda: token).task("answer") as task:
    took = []
    for _ in range(int(rounds) + 1):
        start = time.process_time()
        for _ in range(int(calls)):
            task.credential(target, scope)
        took.append((time.process_time() - start) * 1e6 / int(calls))
print(json.dumps(took[1:]))
`;

function inPython({ url }: Broker, token: string, calls: number): number[] | undefined {
  const argv = [url, token, TARGET, SCOPE, String(ROUNDS), String(calls)];
  const env = { ...process.env, PYTHONPATH: fromRoot('sdk/python/src'), PYTHONDONTWRITEBYTECODE: '1' };
  const ran = spawnSync('python3', ['-c', PROGRAM, ...argv], { env, encoding: 'utf8' });
  return ran.status === 0 ? (JSON.parse(ran.stdout) as number[]) : undefined;
}
