/**
 * npm run bench: Mayfly against an authorization server in the same run on the same cores, and what AWS sessions and signals
 * cost; prints each target and whether it is met. `--quick` measures less of everything, `--aws` the AWS sessions alone, `--signals` the
 * signals alone, `--feed` the revocation feed alone, `--verifier` and `--brokers` what their files say, `--clients` what gateways and our clients meet alone, `--policies` a decision among many policies alone, `--inventory` pages of the inventory alone, `--handing-on` what handing on costs alone, `--attack` what attacks cost and `--kept` what stays of finished tasks, which nothing else measures.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { againstPeer } from './against-peer.js';
import { measureAttacks } from './attack/measure.js';
import { attackReport } from './attack/report.js';
import { measureClients } from './clients/measure.js';
import { measureAws } from './aws/measure.js';
import { awsReport } from './aws/report.js';
import { measureBrokers } from './brokers.js';
import { measureInventory } from './inventory.js';
import { createSigner } from './issuer.js';
import { measureFeed } from './feed.js';
import { measureHandingOn } from './handing-on.js';
import { measureKept } from './kept.js';
import { measurePolicies } from './policies.js';
import { startRedis } from './redis.js';
import { measureSignals } from './signals/measure.js';
import { signalsReport } from './signals/report.js';
import { measureVerifier } from './verifier/measure.js';

/** Of them, the goals speak. */
const TOMBSTONES = { time: 10_000, memory: 100_000 };

const SIZES = {
  whole: {
    peer: { rounds: 3, requests: 3_000, warmUp: 4_000, many: 100_000 },
    clients: {
      rounds: 4,
      requests: 1_500,
      warmUp: 1_500,
      calls: 50_000,
      withoutCode: { rounds: 5, calls: 1_000, ends: 20, commands: 10 },
    },
    aws: { rounds: 3, requests: 600, warmUp: 1_000, turns: 80, ended: 10_000 },
    feed: { revocations: 100, publications: 20_000 },
    verifier: { rounds: 8, calls: 2_000, tombstones: TOMBSTONES },
    brokers: { rounds: 4, requests: 4_000, warmUp: 4_000 },
    handingOn: { rounds: 4, requests: 2_000, warmUp: 2_000 },
    policies: 5_000,
    inventory: { tasks: 100_000, requests: 100 },
    signals: {
      taken: { rounds: 3, events: 1_000, warmUp: 1_000 },
      reactions: { seconds: 4, perSecond: [25, 100] },
      detectors: { rounds: 6, requests: 600, warmUp: 600 },
    },
  },
  quick: {
    peer: { rounds: 1, requests: 1_000, warmUp: 1_000, many: 25_000 },
    clients: {
      rounds: 2,
      requests: 1_000,
      warmUp: 1_000,
      calls: 50_000,
      withoutCode: { rounds: 3, calls: 500, ends: 8, commands: 5 },
    },
    aws: { rounds: 1, requests: 500, warmUp: 500, turns: 40, ended: 3_000 },
    feed: { revocations: 40, publications: 10_000 },
    verifier: { rounds: 4, calls: 1_000, tombstones: TOMBSTONES },
    brokers: { rounds: 4, requests: 2_000, warmUp: 3_000 },
    handingOn: { rounds: 3, requests: 800, warmUp: 800 },
    policies: 2_000,
    inventory: { tasks: 20_000, requests: 40 },
    signals: {
      taken: { rounds: 1, events: 800, warmUp: 800 },
      reactions: { seconds: 3, perSecond: [25, 100] },
      detectors: { rounds: 3, requests: 500, warmUp: 500 },
    },
  },
};
const ATTACK = {
  requests: 100,
  stranger: { seconds: 10, perSecond: 200 },
  agent: { seconds: 10, perSecond: 20 },
};
const KEPT_TASKS = 5_000;
const sizes = SIZES[process.argv.includes('--quick') ? 'quick' : 'whole'];

// AWS's SDK would print a warning about the version of Node in each process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const directory = mkdtempSync(join(tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
setTimeout(() => {
  process.stderr.write('This takes longer than it may; is the machine busy?\n');
  process.exit(1);
}, 900_000).unref();

const say = (what: string) => process.stderr.write(`${what}\n`);
const print = (report: string) => process.stdout.write(`\n${report}\n`);
const lab = await createSigner('lab');
const redis = await startRedis(directory);
/** Parts that are measured without a flag; each flag measures its part alone. */
const USUAL = [
  '--peer',
  '--clients',
  '--aws',
  '--signals',
  '--feed',
  '--verifier',
  '--brokers',
  '--policies',
  '--inventory',
  '--handing-on',
];
const [attackAlone, keptAlone] = ['--attack', '--kept'].map((flag) => process.argv.includes(flag));
const isAlone = attackAlone || keptAlone || USUAL.some((flag) => process.argv.includes(flag));
const isWanted = (flag: string) => process.argv.includes(flag) || !isAlone;
if (isWanted('--peer')) print(await againstPeer(directory, redis, lab, { ...sizes.peer, say }));
if (isWanted('--clients')) {
  say('Clients: the token endpoint under a gateway, credential() from cache, the proxy, and exec');
  print(await measureClients(join(directory, 'clients'), redis, lab, sizes.clients));
}
if (isWanted('--aws')) {
  say('AWS sessions: turns of the reconciler, the round trip to STS, ending many tasks');
  print(awsReport(await measureAws(directory, redis, lab, sizes.aws)));
}
if (isWanted('--signals')) {
  say('Signals: taking them in, reacting to them, and the detectors');
  print(signalsReport(await measureSignals(directory, redis, lab, sizes.signals)));
}
if (isWanted('--feed')) {
  say('The feed: how soon fifty verifiers hear of a revocation, and how many a second they are handed');
  print(await measureFeed(join(directory, 'feed'), redis, lab, sizes.feed));
}
if (isWanted('--verifier')) {
  say('The verifier: what a decision costs over the signature, and its memory');
  print(await measureVerifier(join(directory, 'verifier'), redis, lab, sizes.verifier));
}
if (isWanted('--brokers')) {
  say('One, two and four brokers on one Redis');
  print(await measureBrokers(join(directory, 'brokers'), redis, lab, sizes.brokers));
}
if (isWanted('--handing-on')) {
  say('Handing on beside a plain exchange, and a use for a person by a chain beside a plain one');
  print(await measureHandingOn(join(directory, 'handing-on'), redis, lab, sizes.handingOn));
}
if (isWanted('--policies')) {
  say('Policies: a decision among 1,000 of them');
  print(await measurePolicies(join(directory, 'policies'), sizes.policies));
}
if (isWanted('--inventory')) {
  say('The inventory: a page of it among 100,000 open tasks');
  print(await measureInventory(join(directory, 'inventory'), redis, lab, sizes.inventory));
}
if (attackAlone) {
  say('Attacks: the dearest requests of strangers and of permitted agents, alone and in numbers');
  print(attackReport(await measureAttacks(directory, redis, lab, ATTACK)));
}
if (keptAlone) {
  say('Memory: what stays of finished tasks');
  print(await measureKept(directory, redis, lab, KEPT_TASKS));
}
print(`${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}.`);
await redis.end();
