import { describe, expect, it } from '@jest/globals';
import { StoreUnavailable } from '../../../src/store/store.js';
import { instrumentStore } from '../../../src/compose/instrument-store.js';
import { METRICS, type LabelValues } from '../../../src/telemetry/metric-names.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

const started = () => {
  const clock = handClock();
  const metrics = createMetrics(clock);
  return { clock, metrics, text: async () => (await metrics.exposition()).body };
};

describe('metrics', () => {
  it('are all there from the start, each with the help the list gives it', async () => {
    const { text } = started();
    const body = await text();
    for (const { name, help } of Object.values(METRICS)) expect(body).toContain(`# HELP ${name} ${help}`);
    const ours = [...body.matchAll(/^# HELP (mayfly_\w+)/gm)].map(([, name]) => name).toSorted();
    expect(ours).toEqual(
      Object.values(METRICS)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(body).toContain('process_cpu_seconds_total');
  });

  it('count what happened under its labels', async () => {
    const { metrics, text } = started();
    metrics.exchanged('granted');
    metrics.refused('access_denied', '/token');
    metrics.identityRefused('expired');
    metrics.revoked('workload', 'hold');
    metrics.generationChanged();
    metrics.tasksOpen(3);
    metrics.sweepLag(0.5);
    metrics.auditWaiting(2);
    metrics.ready('store', false);
    metrics.httpTook('/token', 400, 0.01);
    metrics.policyTook(0.01);
    metrics.auditAppendTook(0.01);
    const body = await text();
    for (const line of [
      'mayfly_exchanges_total{result="granted"} 1',
      'mayfly_refusals_total{code="access_denied",endpoint="/token"} 1',
      'mayfly_identity_refused_total{reason="expired"} 1',
      'mayfly_revocations_total{selector="workload",effect="hold"} 1',
      'mayfly_generation_changes_total 1',
      'mayfly_tasks_open 3',
      'mayfly_sweep_lag_seconds 0.5',
      'mayfly_audit_waiting 2',
      'mayfly_readiness{check="store"} 0',
      'mayfly_http_seconds_count{endpoint="/token",status="400"} 1',
      'mayfly_policy_seconds_count 1',
      'mayfly_audit_append_seconds_count 1',
    ]) {
      expect(body).toContain(line);
    }
  });

  it('begin at 0, for all values of the labels of a counter', async () => {
    const { metrics, text } = started();
    for (const label of ['endpoint', 'what', 'target', 'source', 'reaction', 'webhook'] as const)
      metrics.expect(label, ['one', 'other']);
    const body = await text();
    const counters = Object.values(METRICS).filter(({ name }) => name.endsWith('_total'));
    const missing = counters.filter(({ name, labels }) => {
      const values = Object.values<LabelValues>(labels);
      const wanted = values.reduce((product, list) => product * (typeof list === 'string' ? 2 : list.length), 1);
      const series = [...body.matchAll(new RegExp(`^${name}(\\{.*\\})? 0$`, 'gm'))];
      return series.length !== wanted;
    });
    expect(missing).toEqual([METRICS.identityRefused]); // Its reasons are sentences, which nobody can list.
  });

  it('that began at 0 go on counting where they are', async () => {
    const { metrics, text } = started();
    metrics.expect('webhook', ['siem']);
    metrics.notified('siem', 'dead');
    metrics.expect('webhook', ['siem']);
    expect(await text()).toContain('mayfly_webhook_deliveries_total{webhook="siem",result="dead"} 1');
  });

  it('say nothing of a target that another broker writes to now', async () => {
    const { metrics, text } = started();
    metrics.targetPushed('role', 'written', { denials: 3, fill: 0.95 });
    metrics.targetSyncFailing('role', 5);
    metrics.targetLeft('role');
    const body = await text();
    expect(body).not.toMatch(/^mayfly_target_(denials|fill_ratio)\{/m);
    expect(body).toContain('mayfly_target_sync_failing_seconds{target="role"} 0');
    expect(body).toContain('mayfly_target_writes_total{target="role",result="written"} 1');
  });

  it('cannot be made to grow by whoever chooses a label', async () => {
    const { metrics, text } = started();
    for (let i = 0; i < 1_000; i += 1) metrics.identityRefused(`reason-${i}`);
    const body = await text();
    expect(body.match(/^mayfly_identity_refused_total\{/gm)).toHaveLength(65);
    expect(body).toContain('mayfly_identity_refused_total{reason="other"} 936');
  });

  it('belong to one broker: two in a process do not share them', async () => {
    const [one, other] = [started(), started()];
    one.metrics.exchanged('granted');
    expect(await other.text()).not.toContain('mayfly_exchanges_total{result="granted"} 1');
  });
});

describe('live credentials', () => {
  it('count from their release until they expire', async () => {
    const { clock, metrics, text } = started();
    const now = clock.now();
    metrics.minted(now + 1_000);
    metrics.minted(now + 60_000);
    metrics.minted(now + 60_000);
    expect(await text()).toContain('mayfly_credentials_live 3');
    clock.advance(1_000);
    expect(await text()).toContain('mayfly_credentials_live 2');
    clock.advance(59_000);
    expect(await text()).toContain('mayfly_credentials_live 0');
  });
});

describe('an instrumented store', () => {
  it('answers what the store answers, and times each operation', async () => {
    const { clock, metrics, text } = started();
    const store = instrumentStore(modelStore(clock), metrics);
    expect(await store.records.commit({ put: [['aa/x', 'text']] })).toBe(true);
    expect(await store.records.read(['aa/x'])).toEqual(['text']);
    await store.log.look([]);
    const body = await text();
    for (const operation of ['commit', 'read', 'look']) {
      expect(body).toContain(`mayfly_store_seconds_count{operation="${operation}"} 1`);
    }
  });

  it('times what fails too, and lets the failure through', async () => {
    const { clock, metrics, text } = started();
    const down = () => Promise.reject(new StoreUnavailable('down'));
    const broken = modelStore(clock);
    const store = instrumentStore({ ...broken, records: { ...broken.records, read: down } }, metrics);
    await expect(store.records.read([])).rejects.toThrow(StoreUnavailable);
    expect(await text()).toContain('mayfly_store_seconds_count{operation="read"} 1');
  });
});
