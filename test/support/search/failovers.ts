/**
 * Every way in which servers, a broker and its publications can go, where a failover keeps what lives. The rules are those of
 * src/store/redis/*.lua; what a broker makes of an answer is the real code. A step is one script, or one thing that happens to a
 * server. A state that was met before is not searched again, so the search ends.
 */
import { isWhole, learnt, withPublished, type KnownLog } from '../../../src/ledger/known-log.js';
import { lacksKnown } from '../../../src/store/encoding.js';
import type { Look } from '../../../src/store/store.js';

/** What can be left out, so that a test sees the search miss it. */
export type Rule =
  /** A publication is acknowledged once all replicas have it. */
  | 'acknowledge late'
  /** Only a log that counts at its server is stamped with the time. */
  | 'stamp at home'
  /** A new generation counts once all replicas have it. */
  | 'replace late'
  /** A server takes the home that its history continues for its own, and no other. */
  | 'adopt what continues'
  /** It takes it only if its process has run since before the last stamp. */
  | 'adopt while running'
  /** No answer is used that lacks what the broker has seen. */
  | 'remember';

/** How often each thing may happen. */
export interface Bounds {
  replicas: number;
  /** A broker that has just started at each look, or one that remembers. */
  broker: 'new' | 'remembers';
  publications: number;
  births: number;
  stamps: number;
  crashes: number;
  promotions: number;
  /** How often a server is told to follow another one. */
  demotions: number;
  generations: number;
}

interface Server {
  up: boolean;
  /** The server that it follows; undefined for a primary. */
  follows?: number;
  /** Whether it has the primary's id, and the beginning of its history. */
  synced: boolean;
  /** The writes, each with `;` behind it. Its length is the offset of replication. */
  history: string;
  id: string;
  /** Whose history it continues, as it says. */
  formerId: string;
  startedAt: number;
  disk: { history: string; id: string };
}

type Doing =
  | { is: 'adopt'; at: number; home: string; foreign: string }
  | { is: 'replace'; at: number; seen: string | null }
  | { is: 'wait' | 'confirm'; at: number; id: string; length: number };

interface Entry {
  id: string;
  at: number;
  home: string;
  length: number;
  generation: string | null;
  acknowledged: boolean;
  /** Whether the credential had been handed out before. */
  late: boolean;
}

interface State {
  left: Omit<Bounds, 'replicas'>;
  now: number;
  names: number;
  servers: Server[];
  /** What the broker knows of the log, and what it is about to do. */
  known?: KnownLog;
  doing?: Doing;
  entries: Entry[];
  credential?: { generation: string; seq: number; stage: 'looked' | 'recorded' | 'handed out' };
  /** The generations that the broker has answered by, in the order of the first answer. */
  answered: string[];
  /** Whether a promoted server was taken for the home of a generation with something acknowledged. */
  kept: boolean;
}

interface Rules {
  bounds: Bounds;
  without: Rule | undefined;
}

type Steps = [label: string, next: (state: State) => unknown][];

export interface Found {
  states: number;
  kept: boolean;
  /** The guarantee that is broken, and the shortest way to that. */
  broken?: { guarantee: string; steps: string[] };
}

class Broken extends Error {}

/** Searches all states, the nearest first, until a guarantee is broken or none is left. */
export function searchFailovers(bounds: Bounds, without?: Rule): Found {
  const rules = { bounds, without };
  const first = begin(bounds);
  const met = new Map<string, [from: string, label: string] | undefined>([[keyOf(first), undefined]]);
  let kept = false;
  for (let wave = [first]; wave.length > 0;) {
    const following: State[] = [];
    for (const state of wave) {
      const from = keyOf(state);
      for (const [label, step] of [...happenings(state, bounds), ...doings(state, rules), ...startings(state, rules)]) {
        const next = copied(state);
        try {
          step(next);
        } catch (error) {
          if (!(error instanceof Broken)) throw error;
          return { states: met.size, kept, broken: { guarantee: error.message, steps: [...wayTo(met, from), label] } };
        }
        const key = keyOf(next);
        if (met.has(key)) continue;
        met.set(key, [from, label]);
        following.push(next);
        kept ||= next.kept;
      }
    }
    wave = following;
  }
  return { states: met.size, kept };
}

function begin({ replicas, ...left }: Bounds): State {
  const history = 'g 1_first one;s 1;';
  const server = (n: number): Server => ({
    ...{ up: true, synced: true, history, id: 'one', formerId: '', startedAt: 0, disk: { history, id: 'one' } },
    ...(n > 0 && { follows: 0 }),
  });
  const servers = Array.from({ length: replicas + 1 }, (_one, n) => server(n));
  return { left, now: 1, names: 0, servers, entries: [], answered: [], kept: false };
}

/** States that differ only in the order in which names were given are the same. */
function keyOf(state: State): string {
  const renamed = new Map<string, string>();
  return JSON.stringify({ ...state, names: 0 }).replace(/_?\bn\d+|_n\d+/g, (name) => {
    const plain = name.replace('_', '');
    renamed.set(plain, renamed.get(plain) ?? `n${renamed.size}`);
    return renamed.get(plain) ?? '';
  });
}

const copied = (state: State): State => ({
  ...state,
  left: { ...state.left },
  servers: state.servers.map((server) => ({ ...server })),
  entries: state.entries.map((entry) => ({ ...entry })),
  answered: [...state.answered],
  ...(state.credential && { credential: { ...state.credential } }),
});

function wayTo(met: Map<string, [string, string] | undefined>, key: string): string[] {
  const steps: string[] = [];
  for (let at = met.get(key); at; at = met.get(at[0])) steps.unshift(at[1]);
  return steps;
}

interface Head {
  generation: string | null;
  home: string;
  stampedAt: number;
  entries: string[];
  hasCredential: boolean;
}

const heads = new Map<string, Head>();

/** Returns what the writes of a history have made of the log. */
function headOf(history: string): Head {
  const read = heads.get(history);
  if (read) return read;
  const head: Head = { generation: null, home: '', stampedAt: 0, entries: [], hasCredential: false };
  for (const write of history.split(';')) {
    const [kind, first = '', second = ''] = write.split(' ');
    if (kind === 'g') [head.generation, head.home] = [first, second];
    if (kind === 'h') head.home = first;
    if (kind === 's') head.stampedAt = Number(first);
    if (kind === 'e') head.entries.push(first);
    if (kind === 'c') head.hasCredential = true;
  }
  heads.set(history, head);
  return head;
}

const isPrimary = (server: Server | undefined): boolean => server?.up === true && server.follows === undefined;
const newName = (state: State): string => `n${(state.names += 1)}`;
const serverOf = (state: State, n: number): Server => state.servers[n] as Server;

/** Whoever followed a server that ended, or became a replica, begins anew. */
function disconnect(state: State, n: number): void {
  for (const server of state.servers) if (server.follows === n) server.synced = false;
}

/** What happens to servers without any broker. */
function happenings({ servers, left }: State, { replicas }: Bounds): Steps {
  const steps: Steps = [];
  const others = (n: number): number[] =>
    [...servers.keys()].filter((m) => m !== n && m <= replicas && isPrimary(servers[m]));
  for (const [n, server] of servers.entries()) {
    const { follows } = server;
    if (!server.up) {
      steps.push([`${n} starts as a primary, from its disk`, (s) => start(s, n)]);
      for (const m of others(n)) steps.push([`${n} starts behind ${m}, from its disk`, (s) => start(s, n, m)]);
      continue;
    }
    if (left.crashes > 0) steps.push([`${n} crashes`, (s) => crash(s, n)]);
    if (left.demotions > 0)
      for (const m of others(n)) if (m !== follows) steps.push([`${n} is to follow ${m}`, (s) => demote(s, n, m)]);
    if (follows === undefined) continue;
    if (left.promotions > 0) steps.push([`${n} is promoted`, (s) => promote(s, n)]);
    const primary = servers[follows];
    if (primary && isPrimary(primary) && (!server.synced || server.history.length < primary.history.length))
      steps.push([`${n} takes over from ${follows}`, (s) => replicate(serverOf(s, n), serverOf(s, follows))]);
  }
  return steps;
}

function start(state: State, n: number, behind?: number): void {
  const server = serverOf(state, n);
  state.now += 1;
  Object.assign(server, { up: true, startedAt: state.now, history: server.disk.history, id: server.disk.id });
  if (behind !== undefined) server.follows = behind;
  else Object.assign(server, { synced: true, formerId: server.disk.id, id: newName(state) });
}

function crash(state: State, n: number): void {
  state.left.crashes -= 1;
  const server = serverOf(state, n);
  delete server.follows;
  // What it had in memory is gone, so it makes no state differ from another one.
  Object.assign(server, { up: false, synced: false, history: '', id: '', formerId: '', startedAt: 0 });
  disconnect(state, n);
}

function demote(state: State, n: number, behind: number): void {
  state.left.demotions -= 1;
  Object.assign(serverOf(state, n), { follows: behind, synced: false, formerId: '' });
  disconnect(state, n);
}

function promote(state: State, n: number): void {
  state.left.promotions -= 1;
  const server = serverOf(state, n);
  delete server.follows;
  Object.assign(server, { synced: true, formerId: server.id, id: newName(state) });
}

/** Takes over the next write, or first the id, and the whole history where one's own is not its beginning. */
function replicate(replica: Server, { history, id }: Server): void {
  if (replica.synced) replica.history = history.slice(0, history.indexOf(';', replica.history.length) + 1);
  else {
    if (!history.startsWith(replica.history)) replica.history = history;
    Object.assign(replica, { synced: true, id });
  }
}

/** How many replicas have so much of the primary's history, as WAIT counts them. */
const haveIt = ({ servers }: State, at: number, length: number): number =>
  servers.filter((one) => one.up && one.follows === at && one.synced && one.history.length >= length).length;

/** How what was begun goes on. */
function doings(state: State, { bounds, without }: Rules): Steps {
  const steps: Steps = [];
  for (const [i, { id, at, home, length, acknowledged }] of state.entries.entries()) {
    if (acknowledged || !isPrimary(state.servers[at]) || state.servers[at]?.id !== home) continue;
    if (haveIt(state, at, length) >= bounds.replicas - (without === 'acknowledge late' ? 1 : 0))
      steps.push([`${id} is acknowledged`, (s) => void Object.assign(s.entries[i] ?? {}, { acknowledged: true })]);
  }
  const { doing } = state;
  if (!doing) return steps;
  const server = serverOf(state, doing.at);
  const isGone = !isPrimary(server) || ('id' in doing && server.id !== doing.id);
  if (isGone || doing.is === 'wait') steps.push(['the broker gives up', (s) => delete s.doing]);
  if (isGone) return steps;
  if (doing.is === 'adopt') steps.push([`the broker tries to adopt at ${doing.at}`, (s) => adopt(s, doing, without)]);
  if (doing.is === 'replace') steps.push([`the broker replaces at ${doing.at}`, (s) => replace(s, doing, without)]);
  if (doing.is === 'confirm') steps.push([`the broker confirms at ${doing.at}`, (s) => confirm(s, doing.at)]);
  if (doing.is === 'wait' && haveIt(state, doing.at, doing.length) >= bounds.replicas)
    steps.push(['the broker has waited', (s) => void (s.doing = { ...doing, is: 'confirm' })]);
  return steps;
}

function adopt(state: State, doing: Extract<Doing, { is: 'adopt' }>, without: Rule | undefined): void {
  const server = serverOf(state, doing.at);
  const { generation, home, stampedAt } = headOf(server.history);
  const isSame = generation === doing.foreign && server.id === doing.home && !home.startsWith('?');
  const continues = home === server.formerId || without === 'adopt what continues';
  const ranOn = server.startedAt < stampedAt || without === 'adopt while running';
  if (!isSame || !continues || !ranOn) {
    state.doing = { is: 'replace', at: doing.at, seen: doing.foreign };
    return;
  }
  server.history += `h ${server.id};`;
  delete state.doing;
  state.kept ||= state.entries.some(({ acknowledged }) => acknowledged);
}

function replace(state: State, { at, seen }: Extract<Doing, { is: 'replace' }>, without: Rule | undefined): void {
  const server = serverOf(state, at);
  const { generation, home } = headOf(server.history);
  delete state.doing;
  if (generation !== seen) return;
  // A generation that waits for replicas already is waited for, and not replaced once more.
  if (home !== `?${server.id}`) {
    if (state.left.generations === 0) return;
    state.left.generations -= 1;
    const order = Math.max(orderOf(seen), orderOf(state.known?.generation ?? null)) + 1;
    server.history += `g ${order}_${newName(state)} ${without === 'replace late' ? '' : '?'}${server.id};`;
  }
  if (without !== 'replace late') state.doing = { is: 'wait', at, id: server.id, length: server.history.length };
}

function confirm(state: State, at: number): void {
  const server = serverOf(state, at);
  if (headOf(server.history).home === `?${server.id}`) server.history += `h ${server.id};`;
  delete state.doing;
}

/** What the broker may begin. */
function startings(state: State, rules: Rules): Steps {
  const steps: Steps = [];
  if (state.doing) return steps;
  const { left, credential } = state;
  for (const n of state.servers.keys()) {
    if (!isPrimary(state.servers[n])) continue;
    const { home } = headOf(serverOf(state, n).history);
    if (left.stamps > 0 && (home === serverOf(state, n).id || rules.without === 'stamp at home'))
      steps.push([`the broker stamps at ${n}`, (s) => stamp(s, n)]);
    steps.push([`the broker looks at ${n}`, (s) => look(s, n, rules)]);
    if (left.publications > 0) steps.push([`the broker publishes at ${n}`, (s) => publish(s, n)]);
    if (left.births > 0) steps.push([`the broker looks at ${n} for a birth`, (s) => conceive(s, n, rules)]);
    if (credential?.stage === 'looked') steps.push([`the broker records the birth at ${n}`, (s) => record(s, n)]);
    if (credential?.stage === 'recorded')
      steps.push([`the broker looks at ${n} again, and hands out`, (s) => handOut(s, n, rules)]);
  }
  return steps;
}

function stamp(state: State, n: number): void {
  state.left.stamps -= 1;
  state.now += 1;
  serverOf(state, n).history += `s ${state.now};`;
}

function publish(state: State, n: number): void {
  state.left.publications -= 1;
  const server = serverOf(state, n);
  const { generation, entries } = headOf(server.history);
  const id = `e${state.entries.length}`;
  server.history += `e ${id};`;
  if (state.known) state.known = withPublished(state.known, { seq: entries.length + 1, id });
  state.entries.push({
    ...{ id, at: n, home: server.id, length: server.history.length, generation },
    ...{ acknowledged: false, late: state.credential?.stage === 'handed out' },
  });
}

/** Returns the answer, if the broker may use it. */
function look(state: State, n: number, { bounds, without }: Rules): { generation: string; seq: number } | undefined {
  const { id: home, history } = serverOf(state, n);
  const { generation, home: installedAt, entries } = headOf(history);
  const { known } = state;
  const place = { home, seq: entries.length };
  const lacks = lacksKnown(known, place, (seq) => entries[seq - 1]);
  const found: Look = { ...place, id: entries.at(-1), lacks, tombstones: [], generation: undefined };
  if (generation === null || !isWhole(known, generation, found)) {
    state.doing = { is: 'replace', at: n, seen: generation };
    return undefined;
  }
  if (installedAt !== home) {
    state.doing = { is: 'adopt', at: n, home, foreign: generation };
    return undefined;
  }
  if (bounds.broker === 'remembers' && without !== 'remember')
    state.known = learnt(generation, found, { asked: known, now: known });
  assertSound(state, { generation, history, entries });
  return { generation, seq: entries.length };
}

function conceive(state: State, n: number, rules: Rules): void {
  state.left.births -= 1;
  const answer = look(state, n, rules);
  if (answer) state.credential = { ...answer, stage: 'looked' };
}

function record(state: State, n: number): void {
  serverOf(state, n).history += 'c;';
  if (state.credential) state.credential.stage = 'recorded';
}

function handOut(state: State, n: number, rules: Rules): void {
  const answer = look(state, n, rules);
  if (answer && state.credential && isActive(state, serverOf(state, n).history)) state.credential.stage = 'handed out';
}

/** Whether the credential is active by that history. Every entry cuts off what was born before it. */
function isActive({ credential }: State, history: string): boolean {
  const { hasCredential, generation, entries } = headOf(history);
  return hasCredential && generation === credential?.generation && entries.length <= credential.seq;
}

const orderOf = (generation: string | null): number => parseInt(generation ?? '0', 10);

/** Throws where an answer that the broker uses breaks a guarantee. */
function assertSound(
  state: State,
  { generation, history, entries }: { generation: string; history: string; entries: readonly string[] },
): void {
  for (const entry of state.entries.filter(({ acknowledged }) => acknowledged)) {
    if (orderOf(generation) <= orderOf(entry.generation) && !entries.includes(entry.id))
      throw new Broken('what was acknowledged is missing from an answer');
    if (entry.late && isActive(state, history))
      throw new Broken('what was ended is active, though that was acknowledged');
  }
  const first = state.answered.indexOf(generation);
  if (first === -1) state.answered.push(generation);
  else if (first < state.answered.length - 1) throw new Broken('a generation that was replaced is back');
}
