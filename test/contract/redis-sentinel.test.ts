/** A primary that Sentinels know: killed under load, the store goes on with the replica that they promote. */
import { expect, it } from '@jest/globals';
import type { Store } from '../../src/store/store.js';
import { publication } from '../support/publication.js';
import { openStoreIn } from '../support/redis-store.js';
import { PRIMARY, startWatched } from '../support/sentinels.js';
import { until } from '../support/until.js';

const open = (sentinels: readonly string[], name = PRIMARY): Promise<Store> =>
  openStoreIn({ sentinels, name, tls: false });

it('by Sentinels the store finds the primary, follows a failover, and meets another home there', async () => {
  const watched = await startWatched();
  const store = await open(['127.0.0.1:1', ...watched.addresses]);
  await store.log.replace(undefined, 'g');
  let over = false;
  const load = (async () => {
    while (!over as boolean) await store.log.publish(publication()).catch(() => undefined);
  })();
  await until(async () => (await store.log.look([])).seq > 20, 'nothing is published');
  await watched.primary.kill();
  await until(async () => (await watched.current()) !== watched.primary, 'the Sentinels promote nobody');
  const look = () => store.log.look([]).catch(() => undefined);
  await until(async () => (await look()) !== undefined, 'the store does not find the new primary');
  expect(await look()).toMatchObject({ generation: undefined, foreign: 'g' });
  expect(await store.log.replace('g', 'g2')).toBe(true);
  over = true;
  await load;
  expect((await store.log.look([])).generation).toBe('g2');
});

it('a name that the Sentinels do not know is said to be unknown', async () => {
  const watched = await startWatched();
  await expect(open(watched.addresses, 'other')).rejects.toThrow('the Sentinels know no primary of this name');
});
