/**
 * The alerts and the dashboard that are shipped: they name metrics and labels that exist, no alert misses the first event, and
 * none fires for ever. Prometheus' own promtool evaluates the rules; without it, what it would do is skipped.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { METRICS, type LabelValues } from '../../src/telemetry/metric-names.js';
import { temporaryDirectory } from '../support/directory.js';

const RULES = resolve('docs/alerts.yml');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const withPromtool = hasPromtool ? it : it.skip;

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string };
}
const [{ rules }] = (parse(readFileSync(RULES, 'utf8')) as { groups: [{ rules: Rule[] }] }).groups;

interface Panel {
  id: number;
  title: string;
  targets: { expr: string }[];
}
const { panels } = JSON.parse(readFileSync('docs/dashboard.json', 'utf8')) as { panels: Panel[] };

const metrics = new Map<string, Readonly<Record<string, LabelValues>>>(
  Object.values(METRICS).map(({ name, labels }) => [name, labels]),
);
/** Labels that Prometheus adds, and the bound of a bucket. */
const ADDED = ['job', 'instance', 'le'];

/** Returns what an expression selects: the metric, the labels that it asks for, and the function it is directly in. */
const selected = (expr: string) =>
  [...expr.matchAll(/(\w+\()?\b(mayfly_\w+?)(?:_bucket|_count|_sum)?(?:\{([^}]*)\})?(?=[^\w]|$)/g)].map(
    ([, within = '', name = '', matchers = '']) => ({
      within,
      name,
      labels: [...matchers.matchAll(/(\w+)\s*[=!]~?/g)].map(([, label = '']) => label),
    }),
  );

const expressions = [
  ...rules.map(({ alert, expr }) => ({ of: `the alert ${alert}`, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: `the panel ${title}`, expr }))),
];

function promtool(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('promtool', args, { encoding: 'utf8' });
  return status === 0 ? 'sound' : `${stdout}${stderr}`;
}

function inFile(content: object): string {
  const file = join(temporaryDirectory(), 'promtool.yml');
  writeFileSync(file, stringify(content));
  return file;
}

describe('docs/alerts.yml and docs/dashboard.json', () => {
  it.each(expressions)('$of names metrics and labels that exist', ({ expr }) => {
    const found = selected(expr);
    expect(found.length).toBeGreaterThan(0);
    const unknown = found.filter(({ name, labels }) => {
      const known = metrics.get(name);
      return !known || labels.some((label) => !ADDED.includes(label) && !(label in known));
    });
    expect(unknown).toEqual([]);
  });

  it('an alert about an increase is about counters that begin at 0', () => {
    const increases = rules.filter(({ expr }) =>
      selected(expr).some(({ within, name }) => {
        const isUnlisted = Object.values(metrics.get(name) ?? {}).includes('unlisted');
        return within === 'increase(' && isUnlisted;
      }),
    );
    // It is for what was done before, so the first time is none of its.
    expect(increases.map(({ alert }) => alert)).toEqual(['MayflyAuditHeadNotFetched']);
  });

  it('each alert says how much it matters and what it means', () => {
    for (const { labels, annotations } of rules) {
      expect(['page', 'ticket', 'info']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\w/);
    }
  });

  it('docs/operations.md says of each alert what to do', () => {
    const rows = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(Mayfly\w+)`/gm)].map(
      ([, name]) => name,
    );
    expect(rows).toEqual(rules.map(({ alert }) => alert));
  });

  it('each panel has an id of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  withPromtool('can be read by Prometheus (skipped without promtool)', () => {
    expect(promtool('check', 'rules', RULES)).toBe('sound');
    const asRules = panels
      .flatMap(({ targets }) => targets)
      .map(({ expr }, index) => ({ record: `panel:${index}`, expr: expr.replaceAll(/\$__\w+/g, '5m') }));
    expect(promtool('check', 'rules', inFile({ groups: [{ name: 'dashboard', rules: asRules }] }))).toBe('sound');
  });
});

interface Case {
  /** What happens. */
  when: string;
  /** A sample a minute, as promtool writes them. A broker that runs since minute 0 is there unless they say otherwise. */
  series: Record<string, string>;
  /** A minute in which it fires, and a later one in which it does not any more. */
  fires: number;
  ends: number;
}

const event = (series: string, ends: number): Case => ({
  when: 'something happens once',
  series: { [series]: '0x5 1x200' },
  fires: 7,
  ends,
});
/** A gauge that is wrong for as long as the alert waits, and then right again. */
const state = (series: string, right: number, wrong: number, waits = 2): Case => ({
  when: 'something is wrong for a while',
  series: { [series]: `${right}x5 ${wrong}x${waits + 2} ${right}x60` },
  fires: 7 + waits,
  ends: 12 + waits,
});

const IN = 'job="mayfly",instance="a"';
const BUILD = `mayfly_build_info{${IN}}`;
const STARTED = `process_start_time_seconds{${IN}}`;
const LOST = `mayfly_generation_changes_total{${IN}}`;
const FETCHED = `mayfly_http_seconds_count{${IN},endpoint="/audit/head",status="200"}`;
const REFUSED = `mayfly_identity_refused_total{${IN},reason="has expired"}`;

const CASES: Record<string, Case[]> = {
  MayflyGone: [{ when: 'no broker is scraped', series: { [BUILD]: '1x2 _x15 1x60' }, fires: 15, ends: 20 }],
  MayflyLogLost: [
    { when: 'a running broker notices', series: { [LOST]: '0x20 1x60' }, fires: 22, ends: 35 },
    {
      when: 'a broker notices while it starts',
      series: { [LOST]: '_x60 1x60', [STARTED]: '_x60 3600x60' },
      fires: 62,
      ends: 75,
    },
    {
      when: 'it had noticed before, and notices again while it starts',
      series: { [LOST]: '1x60 1x60', [STARTED]: '0x60 3600x60' },
      fires: 62,
      ends: 75,
    },
  ],
  MayflyNotReady: [state(`mayfly_readiness{${IN},check="store"}`, 1, 0)],
  MayflyDegraded: [state(`mayfly_readiness{${IN},check="targets"}`, 1, 0, 6)],
  MayflyBug: [event(`mayfly_refusals_total{${IN},code="server_error",endpoint="/token"}`, 20)],
  MayflyExchangesFail: [event(`mayfly_exchanges_total{${IN},result="failed"}`, 15)],
  MayflySweepBehind: [state(`mayfly_sweep_lag_seconds{${IN}}`, 0, 11)],
  MayflyAuditSlow: [
    {
      when: 'one entry takes longer than a second',
      series: {
        [`mayfly_audit_append_seconds_count{${IN}}`]: '0+9x5 55+9x200',
        [`mayfly_audit_append_seconds_bucket{${IN},le="1"}`]: '0+9x5 54+9x200',
      },
      fires: 7,
      ends: 15,
    },
  ],
  MayflyTargetNotWritten: [state(`mayfly_target_sync_failing_seconds{${IN},target="role"}`, 0, 60)],
  MayflyTargetDrifted: [event(`mayfly_target_writes_total{${IN},target="role",result="drifted"}`, 70)],
  MayflyTargetNearlyFull: [state(`mayfly_target_fill_ratio{${IN},target="role"}`, 0.5, 0.95, 16)],
  MayflyTargetRefusesBroker: [event(`mayfly_minter_warnings_total{${IN},what="trust-policy"}`, 20)],
  MayflyEventGivenUp: [event(`mayfly_webhook_deliveries_total{${IN},webhook="siem",result="dead"}`, 70)],
  MayflyDenySlow: [
    {
      when: 'a verifier begins to know late, and is quick again',
      series: {
        [`mayfly_time_to_deny_seconds_bucket{${IN},verifier="api",le="1"}`]: '0+9x20 180x20 180+9x60',
        [`mayfly_time_to_deny_seconds_bucket{${IN},verifier="api",le="2.5"}`]: '0+9x20 189+9x20 360+9x60',
        [`mayfly_time_to_deny_seconds_bucket{${IN},verifier="api",le="+Inf"}`]: '0+9x20 189+9x20 360+9x60',
        // Whoever holds a credential may say so.
        [`mayfly_time_to_deny_seconds_bucket{${IN},verifier="waiting",le="1"}`]: '0x100',
        [`mayfly_time_to_deny_seconds_bucket{${IN},verifier="waiting",le="+Inf"}`]: '0+9x100',
      },
      fires: 30,
      ends: 70,
    },
  ],
  MayflyVerifierCutOff: [event(`mayfly_feed_ends_total{${IN},reason="slow"}`, 20)],
  MayflyVerifiersGone: [
    {
      when: 'most stay away, and come again',
      series: { [`mayfly_feed_followers{${IN}}`]: '10x30 4x15 10x60' },
      fires: 38,
      ends: 50,
    },
    {
      when: 'they move to another broker, and then go',
      series: {
        [`mayfly_feed_followers{${IN}}`]: '10x30 0x200',
        [`mayfly_feed_followers{job="mayfly",instance="b"}`]: '0x30 10x30 4x200',
      },
      fires: 68,
      ends: 135,
    },
  ],
  MayflyRevokedWidely: [event(`mayfly_revocations_total{${IN},selector="all",effect="hold"}`, 20)],
  MayflyReactionWaits: [event(`mayfly_signals_evaluated_total{${IN},reaction="hold",state="pending"}`, 20)],
  MayflyEmergencyDeclared: [event(`mayfly_approval_answers_total{${IN},says="emergency"}`, 20)],
  MayflyReviewOpen: [state(`mayfly_approval_review_age_seconds{${IN}}`, 0, 90_000)],
  MayflyQuestionWaits: [state(`mayfly_approval_age_seconds{${IN}}`, 0, 2_000)],
  MayflyPeopleRefuse: [
    {
      when: 'several are refused',
      series: { [`mayfly_approval_answers_total{${IN},says="deny"}`]: '0x5 6x200' },
      fires: 7,
      ends: 70,
    },
  ],
  MayflyCanaryUsed: [event(`mayfly_signals_total{${IN},source="detector",event="canary-used",put="new"}`, 20)],
  MayflyDetectorsForget: [event(`mayfly_detector_dropped_total{${IN}}`, 70)],
  MayflyProofsRefused: [
    { when: 'a flood begins and never ends', series: { [REFUSED]: '0x60 600+600x700' }, fires: 80, ends: 480 },
  ],
  MayflyAuditHeadNotFetched: [
    { when: 'nobody fetches it for a day', series: { [FETCHED]: '1x100 2x1500 3x60' }, fires: 1_560, ends: 1_640 },
    {
      when: 'the broker was restarted meanwhile, and its counts are gone',
      series: { [FETCHED]: '1x100 2x10 _x1500 1x10 2x60' },
      fires: 1_590,
      ends: 1_640,
    },
  ],
};

const at = (minute: number, expr: string, count: number) => ({
  eval_time: `${minute}m`,
  expr,
  exp_samples: count === 0 ? [] : [{ labels: '{}', value: count }],
});

const evaluated = (series: Record<string, string>, tests: ReturnType<typeof at>[]): string =>
  promtool(
    'test',
    'rules',
    inFile({
      rule_files: [RULES],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries({ [BUILD]: '1x2000', [STARTED]: '0x2000', ...series }).map(([name, values]) => ({
            series: name,
            values,
          })),
          promql_expr_test: tests,
        },
      ],
    }),
  );

describe('an alert', () => {
  it('of each name has cases here', () => {
    expect(Object.keys(CASES)).toEqual(rules.map(({ alert }) => alert));
  });

  withPromtool.each(Object.entries(CASES).flatMap(([alert, cases]) => cases.map((one) => ({ alert, ...one }))))(
    '$alert fires when $when, and ends (skipped without promtool)',
    ({ alert, series, fires, ends }) => {
      const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
      const others = `count(ALERTS{alertname!="${alert}",alertstate="firing"})`;
      const tests = [at(fires, firing, 1), at(fires, others, 0), at(ends, firing, 0)];
      expect(evaluated(series, tests)).toBe('sound');
    },
  );

  withPromtool('fires for nothing while all is well (skipped without promtool)', () => {
    const well = {
      [LOST]: '0x120',
      [`mayfly_readiness{${IN},check="store"}`]: '1x120',
      [`mayfly_exchanges_total{${IN},result="granted"}`]: '0+60x120',
      [`mayfly_exchanges_total{${IN},result="failed"}`]: '0x120',
      [`mayfly_audit_append_seconds_count{${IN}}`]: '0+60x120',
      [`mayfly_audit_append_seconds_bucket{${IN},le="1"}`]: '0+60x120',
      [`mayfly_revocations_total{${IN},selector="task",effect="end"}`]: '0+60x120',
      [REFUSED]: '0+3x120',
    };
    expect(evaluated(well, [at(119, 'count(ALERTS)', 0), at(60, 'count(ALERTS)', 0)])).toBe('sound');
  });
});
