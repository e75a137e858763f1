/** A broker that looks for a canary, minted by the command line on its host. */
import { run } from '../../../src/cli/run.js';
import { startBroker, type BrokerWish, type TestBroker } from './http.js';
import { minted } from './signals.js';

/** Mints a canary on the broker's host. The embedded store requires that the broker is stopped. */
export async function mint({ configFile, clock }: TestBroker, ...options: string[]) {
  const said: string[] = [];
  const note = (text: string) => void said.push(text);
  const argv = ['canary', 'mint', '--label', 'wiki/backup', ...options, '--config', configFile];
  const code = await run(argv, { out: note, err: note, clock });
  return { code, said: said.join('\n') };
}

/** There is work before the canary is minted: it is made like a credential of that. */
export async function withCanary(wish: BrokerWish = {}, ...options: string[]) {
  const before = await startBroker(wish);
  const { token: real } = await minted(before, 'agent-7');
  await before.close();
  const { code, said: canary } = await mint(before, ...options);
  if (code !== 0) throw new Error(`no canary was minted: ${canary}`);
  const broker = await before.again();
  await broker.work('detectors');
  return { broker, canary, real };
}
