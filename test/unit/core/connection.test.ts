import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Connection,
  TRANSIENT_REFUSALS,
  type ConnectionEffect,
  type ConnectionEvent,
} from '../../../src/core/connection.js';
import {
  CONNECTION_TICK_MS,
  HANDSHAKE_TIMEOUT_MS,
  LINK_GOOD_MS,
  PING_INTERVAL_MS,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
} from '../../../src/limits.js';

const TIMEOUT = 3000;
const why = (code: string) => ({ code, text: `because of ${code}` });
const kinds = (effects: readonly ConnectionEffect[]): string => effects.map((e) => e.do).join(' ');
const random = 0.5;

/** A machine on its own clock. */
class Bench {
  readonly machine: Connection;
  now = 1000;
  number = 0;
  heardAt = 0;
  stalledSince: number | null = null;

  constructor(side: 'dial' | 'listen' = 'dial') {
    this.machine = new Connection(side, TIMEOUT);
  }

  step(event: ConnectionEvent): ConnectionEffect[] {
    const effects = this.machine.step(event, this.now);
    for (const effect of effects) {
      if (effect.do === 'dial' || effect.do === 'take') this.number = effect.connection;
    }
    return effects;
  }

  /** Through the handshake. */
  connect(): void {
    this.step({ type: 'dialled', connection: this.number });
    this.step({ type: 'decided', connection: this.number });
    assert.equal(this.machine.state, 'Connected');
  }

  closed(code = 'peer-closed'): ConnectionEffect[] {
    return this.step({ type: 'closed', connection: this.number, reason: why(code), random });
  }

  /**
   * Ticks until something but a ping comes, at most for `ms`; the peer is heard while `talking`.
   */
  run(ms: number, talking: boolean): ConnectionEffect[] {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += CONNECTION_TICK_MS;
      if (talking) this.heardAt = this.now;
      const effects = this.step({
        type: 'tick',
        heardAt: this.heardAt,
        stalledSince: this.stalledSince,
        random,
      }).filter((effect) => effect.do !== 'send-ping');
      if (effects.length > 0) return effects;
    }
    return [];
  }
}

function started(): Bench {
  const bench = new Bench();
  assert.equal(kinds(bench.step({ type: 'start' })), 'dial');
  return bench;
}

function connected(): Bench {
  const bench = started();
  bench.connect();
  return bench;
}

const retryMs = (effects: readonly ConnectionEffect[]): number => {
  const retry = effects.find((effect) => effect.do === 'retry');
  return retry?.do === 'retry' ? retry.afterMs : -1;
};

test('dial, hello, decision', () => {
  const bench = new Bench();
  assert.equal(bench.machine.link, 'StandAlone');
  assert.deepEqual(bench.step({ type: 'start' }), [{ do: 'dial', connection: 1 }]);
  assert.equal(bench.machine.link, 'Connecting');
  assert.equal(kinds(bench.step({ type: 'start' })), '');
  assert.equal(kinds(bench.step({ type: 'dialled', connection: 1 })), 'send-hello');
  assert.equal(bench.machine.state, 'Handshake');
  assert.equal(bench.machine.link, 'Connecting');
  assert.equal(kinds(bench.step({ type: 'decided', connection: 1 })), 'connected');
  assert.equal(bench.machine.link, 'Connected');
  assert.equal(bench.machine.reason, null);
});

test('failed dials back off to the maximum; a success starts anew', () => {
  const bench = started();
  const delays: number[] = [];
  for (let i = 0; i < 9; i += 1) {
    const failed: ConnectionEvent = {
      type: 'dial-failed',
      connection: bench.number,
      reason: why('refused'),
      random,
    };
    delays.push(retryMs(bench.step(failed)));
    assert.equal(kinds(bench.step({ type: 'retry-due' })), 'dial');
  }
  assert.deepEqual(delays.slice(0, 3), [250, 500, 1000]);
  assert.equal(delays.at(-1), RECONNECT_MAX_MS);
  bench.connect();
  bench.now += LINK_GOOD_MS;
  assert.equal(retryMs(bench.closed()), RECONNECT_MIN_MS);
});

test('links that break young are tried less and less; a good one forgives', () => {
  const bench = connected();
  const delays: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    bench.now += 2000;
    delays.push(retryMs(bench.closed()));
    bench.step({ type: 'retry-due' });
    bench.connect();
  }
  assert.deepEqual(delays.slice(0, 3), [250, 500, 1000]);
  assert.equal(delays.at(-1), RECONNECT_MAX_MS);
  bench.now += LINK_GOOD_MS;
  assert.equal(retryMs(bench.closed()), RECONNECT_MIN_MS);
});

test('jitter stays within a fifth', () => {
  for (const [value, expected] of [
    [0, 200],
    [0.999999, 300],
  ] as const) {
    const bench = started();
    const effects = bench.step({
      type: 'dial-failed',
      connection: 1,
      reason: why('refused'),
      random: value,
    });
    assert.equal(retryMs(effects), expected);
  }
});

test('a lost connection: release first, then close, then try again', () => {
  const bench = connected();
  assert.equal(kinds(bench.closed()), 'lost close retry');
  assert.equal(bench.machine.link, 'Connecting');
  assert.equal(bench.machine.reason?.code, 'peer-closed');
  // What the old connection still says is nobody's business.
  assert.equal(kinds(bench.closed()), '');
});

test('a connection that breaks before the decision is not "lost"', () => {
  const bench = started();
  bench.step({ type: 'dialled', connection: 1 });
  assert.equal(kinds(bench.closed()), 'close retry');
});

test('refusals: the operator’s stand alone, the passing ones are tried again', () => {
  for (const by of ['here', 'peer'] as const) {
    for (const code of ['other-mirror', 'two-primaries', 'split-brain', 'something-new']) {
      const bench = started();
      bench.step({ type: 'dialled', connection: 1 });
      const effects = bench.step({ type: 'refused', connection: 1, by, reason: why(code), random });
      assert.equal(kinds(effects), 'cancel-retry close stand-alone');
      assert.equal(bench.machine.state, 'StandAlone');
      assert.equal(bench.machine.reason?.code, code);
      assert.equal(kinds(bench.step({ type: 'retry-due' })), '');
      assert.equal(kinds(bench.step({ type: 'operator-connect' })), 'cancel-retry dial');
    }
    for (const code of TRANSIENT_REFUSALS) {
      const bench = started();
      bench.step({ type: 'dialled', connection: 1 });
      const effects = bench.step({ type: 'refused', connection: 1, by, reason: why(code), random });
      assert.equal(kinds(effects), 'close retry');
    }
  }
});

test('a listening node goes on listening after a refusal', () => {
  const bench = new Bench('listen');
  assert.equal(kinds(bench.step({ type: 'start' })), '');
  assert.equal(kinds(bench.step({ type: 'accepted' })), 'take');
  const refused: ConnectionEvent = {
    type: 'refused',
    connection: bench.number,
    by: 'here',
    reason: why('split-brain'),
    random,
  };
  assert.equal(kinds(bench.step(refused)), 'close');
  assert.equal(bench.machine.link, 'Connecting');
  assert.equal(bench.machine.reason?.code, 'split-brain');
  assert.equal(kinds(bench.step({ type: 'accepted' })), 'take');
});

test('one peer at a time; a silent connection makes room for its successor', () => {
  const bench = new Bench('listen');
  bench.step({ type: 'start' });
  bench.step({ type: 'accepted' });
  bench.step({ type: 'decided', connection: bench.number });
  assert.equal(kinds(bench.run(1000, true)), '');
  const busy = bench.step({ type: 'accepted' });
  assert.equal(kinds(busy), 'turn-away');
  bench.now += 2 * PING_INTERVAL_MS + 1;
  assert.equal(kinds(bench.step({ type: 'accepted' })), 'lost close take');
  assert.equal(bench.machine.state, 'Handshake');
});

test('a node that stands alone turns everybody away', () => {
  const bench = new Bench('listen');
  assert.equal(kinds(bench.step({ type: 'accepted' })), 'turn-away');
});

test('a talking peer is pinged and never lost', () => {
  const bench = connected();
  assert.deepEqual(bench.run(60_000, true), []);
  const pings: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    bench.now += CONNECTION_TICK_MS;
    const tick = { type: 'tick', heardAt: bench.now, stalledSince: null, random } as const;
    for (const e of bench.step(tick)) if (e.do === 'send-ping') pings.push(bench.now);
  }
  assert.equal(pings.length, 2);
  assert.equal((pings[1] ?? 0) - (pings[0] ?? 0), PING_INTERVAL_MS);
});

test('a silent peer is lost after the time-out and not before', () => {
  const bench = connected();
  bench.run(1000, true);
  const heardAt = bench.now;
  const effects = bench.run(10_000, false);
  assert.equal(kinds(effects), 'lost close retry');
  assert.equal(bench.machine.reason?.code, 'peer-silent');
  assert.ok(bench.now - heardAt >= TIMEOUT && bench.now - heardAt <= TIMEOUT + CONNECTION_TICK_MS);
});

test('a peer that talks while its disk hangs is lost too', () => {
  const bench = connected();
  bench.stalledSince = bench.now;
  const since = bench.now;
  assert.equal(kinds(bench.run(10_000, true)), 'lost close retry');
  assert.equal(bench.machine.reason?.code, 'peer-stalled');
  assert.ok(bench.now - since >= TIMEOUT && bench.now - since <= TIMEOUT + CONNECTION_TICK_MS);
});

test('a node that stood still itself reads what came before it judges', () => {
  const bench = connected();
  bench.run(1000, true);
  bench.now += 60_000;
  const late = { type: 'tick', heardAt: bench.heardAt, stalledSince: null, random } as const;
  assert.deepEqual(kinds(bench.step(late)), 'send-ping');
  assert.deepEqual(bench.run(5000, true), []);
  bench.now += 60_000;
  assert.equal(kinds(bench.run(5000, false)), 'lost close retry');
});

test('a handshake that does not end is given up', () => {
  const bench = started();
  bench.step({ type: 'dialled', connection: 1 });
  assert.deepEqual(bench.run(HANDSHAKE_TIMEOUT_MS - CONNECTION_TICK_MS, true), []);
  assert.equal(kinds(bench.run(2 * CONNECTION_TICK_MS, true)), 'close retry');
  assert.equal(bench.machine.reason?.code, 'handshake-timeout');
});

test('the operator’s disconnect holds until the operator’s connect', () => {
  const bench = connected();
  const effects = bench.step({ type: 'operator-disconnect', reason: why('operator') });
  assert.equal(kinds(effects), 'cancel-retry lost close stand-alone');
  assert.equal(kinds(bench.step({ type: 'retry-due' })), '');
  assert.equal(kinds(bench.run(20_000, false)), '');
  assert.equal(kinds(bench.step({ type: 'operator-connect' })), 'cancel-retry dial');
});

test('the operator’s connect shortens a wait, and disturbs nothing that runs', () => {
  const bench = started();
  const failed: ConnectionEvent = { type: 'dial-failed', connection: 1, reason: why('x'), random };
  assert.equal(kinds(bench.step({ type: 'operator-connect' })), '');
  bench.step(failed);
  assert.equal(kinds(bench.step({ type: 'operator-connect' })), 'cancel-retry dial');
  // The old timer may still fire: a dial is under way already.
  assert.equal(kinds(bench.step({ type: 'retry-due' })), '');
  bench.connect();
  assert.equal(kinds(bench.step({ type: 'operator-connect' })), '');
});
