/** The import rule, made from the table in scripts/rooms.mjs. */
import { ROOMS } from './scripts/rooms.mjs';

const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const src = (names) => `^src/(${names})`;
const rooms = (names) => src(`(${names.join('|')})/`);
const packages = (names) => ({ path: `node_modules/(${names})` });

const seen = ROOMS.map(({ room, sees }) =>
  only(
    `${room}-sees`,
    `${room}/ may see ${sees.join(', ') || 'no other room'}: scripts/rooms.mjs`,
    { path: rooms([room]) },
    { path: '^src/', pathNot: rooms([room, ...sees]) },
  ),
);

const faces = ROOMS.filter(({ face }) => face).map(({ room, face }) =>
  only(
    `${room}-face`,
    `of ${room}/ others see ${face} alone; compose/ and cli/ pick the implementation`,
    { path: '^src/', pathNot: rooms([room, 'compose', 'cli']) },
    { path: rooms([room]), pathNot: src(`${room}/(${face})\\.ts`) },
  ),
);

/** A library that stands behind one of our ports is imported in one place. */
const behind = (name, path, place) => only(name, 'one place', { path: '^src/', pathNot: src(place) }, packages(path));

export default {
  forbidden: [
    only('no-circular', 'Data flows one way.', {}, { circular: true }),
    ...seen,
    ...faces,
    only(
      'permission-is-made-by-permit',
      'others may name the type of a permission; only after a question to policy is one made, and by `permit` whatever it is told to ask',
      { path: '^src/', pathNot: [src('authorization/permit\\.ts$'), src('authorization/permit-[a-z-]+\\.ts$')] },
      { path: src('authorization/(permission|permit)\\.ts$'), dependencyTypesNot: ['type-only'] },
    ),
    only(
      'operator-verbs-are-asked-in-authorization',
      'what policy says of one is handed on as a permission, a refusal, or as not known: a decision would be compared without the last',
      { path: '^src/', pathNot: rooms(['authorization']) },
      { path: src('authorization/(decide-operation|permits-or-unavailable)\\.ts$') },
    ),
    only(
      'main-composes',
      'the process starts what compose/ makes',
      { path: '^src/main\\.ts' },
      {
        path: '^src/',
        pathNot: rooms(['compose', 'config', 'domain', 'telemetry']),
      },
    ),
    only(
      'rules-of-life-need-nothing',
      'what a verifier needs runs without a library',
      {
        path: src(
          'domain/(access|liveness|tombstone|task-outcome|selector|id|limits|time|token-in-text|digest|text)\\.ts',
        ),
      },
      { path: 'node_modules/', reachable: true },
    ),
    only(
      'verifier-needs-jose-alone',
      'each API that checks a credential installs what the verifier needs',
      { path: src('verifier/') },
      { path: 'node_modules/', pathNot: 'node_modules/(jose|@types)/', reachable: true },
    ),
    behind('ioredis', 'ioredis', 'store/redis/'),
    behind('lmdb', 'lmdb', 'store/lmdb'),
    behind('path-to-regexp', 'path-to-regexp/', 'http/'),
    behind('cedar', '@cedar-policy', 'policy/cedar/'),
    behind('undici', 'undici/', '(outbound|cli/loopback)/'),
    behind('aws', '@aws-sdk', 'minters/aws/'),
    only(
      'no-dev-dependencies',
      'src runs without them',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
