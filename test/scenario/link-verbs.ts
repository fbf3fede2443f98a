/**
 * Scenario verbs about one connection: the outbox with its watermarks, the machine, and the clock.
 */
import { assert } from '../../src/assert.js';
import { waitsFor } from '../../src/core/ack-policy.js';
import { AckTracker } from '../../src/core/ack-tracker.js';
import { Connection, type ConnectionEffect } from '../../src/core/connection.js';
import { MODES, type Mode, type OpClass } from '../../src/core/types.js';
import { CONNECTION_TICK_MS } from '../../src/limits.js';
import type { Command } from './script.js';

const CLASSES: readonly OpClass[] = ['data', 'sync', 'name', 'quiet', 'barrier'];

export class LinkWorld {
  readonly #tracker = new AckTracker();
  #machine = new Connection('dial', 3000);
  #mode: Mode = 'sync';
  #syncMetadata = false;
  #now = 0;
  #heardAt = 0;
  #connection = 0;

  /** The verb's output, or null when it is not one of these. */
  execute(command: Command): string[] | null {
    switch (command.verb) {
      case 'mode':
        this.#mode = MODES.find((mode) => mode === command.words[0]) ?? fail('unknown mode');
        this.#syncMetadata = command.words.includes('sync_metadata');
        return [];
      case 'send':
        return command.words.flatMap((word) => this.#send(word, command));
      case 'ack':
        return this.#ack(command.words.map(Number));
      case 'lag': {
        const { ops, bytes, oldestMs } = this.#tracker.lag(this.#now);
        return [`lag ${ops} ops, ${bytes} bytes, oldest ${oldestMs} ms`];
      }
      case 'lose-all': {
        const { tokens, bytes, ops } = this.#tracker.loseAll();
        return [`waiting [${tokens.join(' ')}], ${ops} ops, ${bytes} bytes`];
      }
      case 'link':
        this.#machine = new Connection(
          command.words[0] === 'listen' ? 'listen' : 'dial',
          Number(command.options.get('peer_timeout') ?? 3000),
        );
        return [];
      case 'wait':
        return this.#wait(Number(command.words[0]), !command.words.includes('silent'));
      case 'event':
        return this.#event(command);
      default:
        return null;
    }
  }

  #send(word: string, command: Command): string[] {
    const opClass = CLASSES.find((one) => one === word) ?? fail(`unknown op class ${word}`);
    const seq = this.#tracker.sentSeq + 1;
    const need = waitsFor(this.#mode, opClass, this.#syncMetadata);
    this.#tracker.sent(seq, seq, need, Number(command.options.get('bytes') ?? 100), this.#now);
    return [`${seq} ${opClass}: ${need === 'none' ? 'answered at once' : `waits for ${need}`}`];
  }

  #ack([received = 0, applied = 0, durable = 0]: readonly number[]): string[] {
    const result = this.#tracker.acknowledged({ received, applied, durable }, this.#now);
    if (!result.ok) return [`violation ${result.code}`, `  ${result.text}`];
    return [`answer [${result.complete.join(' ')}], credit ${result.creditBytes} bytes`];
  }

  /** Ticks as the shell does; says what came and when. The peer talks unless it is silent. */
  #wait(ms: number, talks: boolean): string[] {
    const lines: string[] = [];
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + CONNECTION_TICK_MS);
      if (talks) this.#heardAt = this.#now;
      const stalledSince = this.#tracker.stalledSince();
      const effects = this.#machine.step(
        { type: 'tick', heardAt: this.#heardAt, stalledSince, random: 0.5 },
        this.#now,
      );
      lines.push(...this.#print(effects.filter((effect) => effect.do !== 'send-ping')));
    }
    return lines;
  }

  #event(command: Command): string[] {
    const [type, code = 'some-reason'] = command.words;
    const connection = Number(command.options.get('connection') ?? this.#connection);
    const reason = { code, text: code };
    const more = { connection, reason, random: 0.5 };
    const step = (...args: Parameters<Connection['step']>): ConnectionEffect[] =>
      this.#machine.step(...args);
    switch (type) {
      case 'start':
      case 'operator-connect':
      case 'retry-due':
      case 'accepted':
        return this.#print(step({ type }, this.#now));
      case 'operator-disconnect':
        return this.#print(step({ type, reason }, this.#now));
      case 'dialled':
      case 'decided':
        return this.#print(step({ type, connection }, this.#now));
      case 'dial-failed':
      case 'closed':
        return this.#print(step({ type, ...more }, this.#now));
      case 'refused':
        return this.#print(step({ type, by: 'peer', ...more }, this.#now));
      default:
        return fail(`unknown event ${String(type)}`);
    }
  }

  #print(effects: readonly ConnectionEffect[]): string[] {
    return effects.map((effect) => {
      if (effect.do === 'dial' || effect.do === 'take') this.#connection = effect.connection;
      const { do: name, ...details } = effect;
      const values = Object.values(details).map((value) =>
        typeof value === 'object' ? (value as { code: string }).code : String(value),
      );
      return `${this.#now} ms: ${[name, ...values].join(' ')} → ${this.#machine.state}`;
    });
  }
}

function fail(text: string): never {
  assert(false, text);
}
