/** The import rule: anyone may import a port; only the composition root imports an implementation. */
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const src = (names) => `^src/(${names})`;
const root = src('compose(\\.ts|/)');

module.exports = {
  forbidden: [
    only('no-circular', 'Data flows one way.', {}, { circular: true }),
    only(
      'domain-is-pure',
      'domain imports protocol alone',
      { path: src('domain/') },
      { path: '^src/', pathNot: src('domain/|protocol/') },
    ),
    only(
      'protocol-is-leaf',
      'protocol imports nothing of ours',
      { path: src('protocol/') },
      { path: '^src/', pathNot: src('protocol/') },
    ),
    only(
      'sdk-is-small',
      'sdk sees protocol and domain only',
      { path: src('sdk/') },
      { path: '^src/', pathNot: src('sdk/|protocol/|domain/') },
    ),
    only(
      'use-cases-see-ports',
      'use cases see ports, ledger, domain, protocol; the identity and audit words they speak of; each other',
      { path: src('broker/|revoker/') },
      {
        path: '^src/',
        pathNot: src(
          'broker/|revoker/|ledger/|domain/|protocol/|audit/|identity/|policy/policy-engine|policy/query|minters/minter|store/store|keys/|config/(signals-)?schema|telemetry/metrics',
        ),
      },
    ),
    only(
      'detectors-listen',
      'detectors see what use cases tell them and the ledger, and nothing that gives or takes',
      { path: src('detectors/') },
      {
        path: '^src/',
        pathNot: src('detectors/|broker/watch|ledger/|domain/|config/signals-schema|telemetry/metrics'),
      },
    ),
    only(
      'detector-implementations',
      'only the composition root picks them',
      { path: '^src/', pathNot: `${root}|${src('detectors/')}` },
      { path: src('detectors/') },
    ),
    only(
      'ledger-sees-the-port',
      'the ledger is written once, over the store port',
      { path: src('ledger/') },
      { path: '^src/', pathNot: src('ledger/|domain/|protocol/|store/store') },
    ),
    only(
      'notify-tells-what-is-audited',
      'webhooks see the audit log, the ledger and the signing keys, and nobody below sees them',
      { path: src('notify/') },
      { path: '^src/', pathNot: src('notify/|audit/|ledger/|domain/|keys/|config/signals-schema|telemetry/') },
    ),
    only(
      'notify-is-composed',
      'nothing waits for a webhook',
      { path: '^src/', pathNot: `${root}|${src('notify/')}` },
      { path: src('notify/') },
    ),
    only(
      'http-is-the-top',
      'nothing below http sees it',
      { path: '^src/', pathNot: src('http/|compose|main') },
      { path: src('http/') },
    ),
    only(
      'store-implementations',
      'only the composition root picks a store',
      { path: '^src/', pathNot: `${root}|${src('store/')}` },
      { path: src('store/'), pathNot: src('store/store') },
    ),
    only(
      'policy-implementations',
      'only the composition root picks an engine',
      { path: '^src/', pathNot: `${root}|${src('policy/')}` },
      { path: src('policy/(cedar|opa)') },
    ),
    only(
      'minter-implementations',
      'only the composition root picks minters',
      { path: '^src/', pathNot: `${root}|${src('minters/')}` },
      { path: src('minters/'), pathNot: src('minters/minter') },
    ),
    only('ioredis', 'one place', { path: '^src/', pathNot: src('store/redis/') }, { path: 'node_modules/ioredis' }),
    only('lmdb', 'one place', { path: '^src/', pathNot: src('store/lmdb') }, { path: 'node_modules/lmdb' }),
    only(
      'express',
      'one place',
      { path: '^src/', pathNot: src('http/|sdk/express') },
      { path: 'node_modules/(@types/)?express/' },
    ),
    only('cedar', 'one place', { path: '^src/', pathNot: src('policy/cedar') }, { path: 'node_modules/@cedar-policy' }),
    only(
      'node-cron',
      'one place',
      { path: '^src/', pathNot: src('schedule\\.ts') },
      { path: 'node_modules/node-cron' },
    ),
    only('aws', 'one place', { path: '^src/', pathNot: src('minters/aws/') }, { path: 'node_modules/@aws-sdk' }),
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
