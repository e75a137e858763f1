/** The directory of marks: what somebody else puts there neither counts nor is in the way. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openSeenDirectory } from '../../../src/ledger/seen-directory.js';
import { temporaryDirectory } from '../../support/directory.js';

const MARK = { generation: 'gen_a', latest: { seq: 7, id: 'rev_100%' } };

it.each(['gen_b.9..100%', 'gen_b.9..%zz', 'gen_b.9..%ff', '%', 'README'])(
  'a file %s is no mark, and stays',
  async (name) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, name), '');
    const first = await openSeenDirectory(directory);
    expect(first.mark).toBeUndefined();
    await first.keep(MARK);
    expect((await openSeenDirectory(directory)).mark).toEqual(MARK);
    expect(readdirSync(directory)).toContain(name);
  },
);
