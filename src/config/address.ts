/** HOST:PORT as people write it, and the rule that plaintext stays on loopback. Pure. */
import { TwinfsError } from '../errors.js';
import type { Address } from './config.js';

const PORT_MAX = 65_535;
const HOST_CHARACTERS_MAX = 253;

/**
 * "b:7400", "10.0.0.2:7400", "[fd00::2]:7400". `option` ("--peer") is for the message of the usage
 * error that anything else gets.
 */
export function parseAddress(text: string, option: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:[\]/]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || host.length > HOST_CHARACTERS_MAX) {
    throw new TwinfsError(
      'bad-address',
      'usage',
      `${option} ${text}: not an address; write HOST:PORT, or [IPV6]:PORT`,
    );
  }
  if (port < 1 || port > PORT_MAX) {
    throw new TwinfsError(
      'bad-port',
      'usage',
      `${option} ${text}: the port must be from 1 to ${PORT_MAX}`,
    );
  }
  return { host, port };
}

export const formatAddress = (address: Address): string =>
  address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;

/**
 * By name and number only: nothing is resolved, so a host name other than localhost counts as
 * remote.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  return /^(::ffff:)?127(\.[0-9]{1,3}){3}$/.test(name);
}

/** Refuses a plaintext link that would leave this machine; the override is --insecure. */
export function checkPlaintext(address: Address, option: string, insecure: boolean): void {
  if (insecure || isLoopback(address.host)) return;
  throw new TwinfsError(
    'plaintext',
    'insecure',
    `${option} ${formatAddress(address)} is not loopback and the link is not encrypted: ` +
      'anyone on the way could read and change the data. Use a tunnel (WireGuard, ssh -L) ' +
      'to a loopback address, or --insecure on a network you trust',
  );
}
