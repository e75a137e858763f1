/** Answers of people, written into the store of a running broker: who may answer is another matter. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ApprovalAnswer } from '../../../src/domain/approval.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import type { Store } from '../../../src/store/store.js';
import { answered } from './asking.js';
import type { TestBroker } from '../brokers/http.js';
import type { HandClock } from '../clock.js';

/** The broker must be on LMDB. */
export async function answerAt(
  { configFile, clock }: Pick<TestBroker, 'configFile' | 'clock'>,
  id: string,
  answer: Partial<ApprovalAnswer> = {},
): Promise<void> {
  const { store } = parse(readFileSync(configFile, 'utf8')) as { store: string };
  const directory = resolve(dirname(configFile), store.replace('lmdb:', ''));
  const { records, log } = await opened(directory, clock);
  await answered({ ledger: { records, clock, log: openRevocationLog(log) } }, id, answer);
}

/** Each directory is opened once, and closed with the process: to close it here would close it for the broker too. */
function opened(directory: string, clock: HandClock): Promise<Store> {
  const store = stores.get(directory) ?? openLmdb({ directory, clock, role: 'tool' });
  stores.set(directory, store);
  return store;
}

const stores = new Map<string, Promise<Store>>();
