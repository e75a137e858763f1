/** The network address of a caller, behind the proxies that the configuration trusts. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export type AddressOf = (request: Pick<IncomingMessage, 'socket' | 'headers'>) => string | undefined;

/**
 * Returns the function that finds the address. `X-Forwarded-For` is read from the right, as long as whoever wrote the next
 * address is trusted; a proxy may write anything there, and what is no address is none.
 * @param trusted Addresses and CIDR ranges.
 */
export function callerAddress(trusted: readonly string[]): AddressOf {
  const proxies = new BlockList();
  for (const network of trusted) {
    const [address = '', bits] = network.split('/');
    if (bits === undefined) proxies.addAddress(address, familyOf(address));
    else proxies.addSubnet(address, Number(bits), familyOf(address));
  }
  const isTrusted = (address: string) => isIP(address) !== 0 && proxies.check(address, familyOf(address));

  return ({ socket, headers }) => {
    let address = plain(socket.remoteAddress ?? '');
    if (trusted.length > 0) {
      const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
      while (forwarded.length > 0 && isTrusted(address)) address = plain(forwarded.pop()?.trim() ?? '');
    }
    return isIP(address) === 0 ? undefined : address;
  };
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** An IPv4 address, as a socket for both families has it. A zone (`fe80::1%eth0`) means nothing elsewhere, and may be of any length. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*/s, '');
