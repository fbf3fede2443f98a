/**
 * Is the peer there and would it take our copy? One handshake that is then given up, for
 * --require-peer.
 */
import type { Address } from '../config/config.js';
import { TRANSIENT_REFUSALS } from '../core/connection.js';
import { compare } from '../core/generation.js';
import { TwinfsError, type ExitName } from '../errors.js';
import { connectLink } from '../io/tcp-link.js';
import { DIAL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS } from '../limits.js';
import type { NodeContext } from '../node/context.js';
import { ownHello, type Words } from '../node/hello.js';
import { refusal } from '../wire/handshake.js';
import type { Hello } from '../wire/messages.js';
import { isProtocolCode } from '../wire/protocol-error.js';

/** Rejects with TwinfsError `peer-unreachable`, or the refusal of either side. */
export async function probePeer(
  context: NodeContext,
  address: Address,
  words: Words,
): Promise<void> {
  const own = await ownHello(context, words);
  let answered: (hello: Hello) => void;
  let failed: (error: TwinfsError) => void;
  const answer = new Promise<Hello>((resolve, reject) => {
    answered = resolve;
    failed = reject;
  });
  const cancel = context.timers.setTimer(HANDSHAKE_TIMEOUT_MS, () =>
    failed(new TwinfsError('peer-silent', 'peerUnreachable', 'the peer does not answer')),
  );
  const link = await connectLink(address, { checksum: true, timeoutMs: DIAL_TIMEOUT_MS }, () => ({
    message(message) {
      if (message.type === 'hello') answered(message);
      if (message.type === 'refuse') {
        failed(new TwinfsError(message.code, refusalExit(message.code), message.text));
      }
    },
    closed: (code, text) =>
      failed(new TwinfsError(code, isProtocolCode(code) ? 'protocol' : 'peerUnreachable', text)),
    drained: () => undefined,
  }));
  try {
    link.send(own);
    const hello = await answer;
    const foreign = refusal(hello);
    if (foreign !== null) throw new TwinfsError(foreign.code, 'protocol', foreign.text);
    const decision = compare(own, hello);
    if (decision.decision === 'refuse') {
      throw new TwinfsError(decision.rule, 'refused', decision.text);
    }
  } finally {
    cancel();
    link.end();
  }
}

function refusalExit(code: string): ExitName {
  if (isProtocolCode(code)) return 'protocol';
  return TRANSIENT_REFUSALS.includes(code) ? 'peerUnreachable' : 'refused';
}
