import { SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX, type CloseName } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { bearer } from './auth.ts';
import type { UpgradeRequest } from './uws.ts';

/** What is decided about a socket before it opens. A refused one is opened all the same and told why by its close. */
export interface Entrance {
  readonly address: string;
  /** '' where none was brought. Checked when the socket is open. */
  readonly token: string;
  readonly refused: CloseName | undefined;
  /** Chosen subprotocol. Where ours was not offered it echoes the first that was, so that the close code arrives. */
  readonly subprotocol: string | undefined;
}

type DoorConfig = Pick<Config, 'ORIGINS' | 'CONNECTIONS_PER_ADDRESS' | 'TRUST_FLY_CLIENT_IP'>;

/** Origin rules, version, sockets per address: in this order. */
export class Doors {
  private readonly perAddress = new Map<string, number>();

  constructor(private readonly config: DoorConfig) {}

  /** Every entrance has to be matched by one `left`. */
  enter(request: UpgradeRequest): Entrance {
    const address = this.addressOf(request);
    const inside = (this.perAddress.get(address) ?? 0) + 1;
    this.perAddress.set(address, inside);
    const offered = request.subprotocols.filter(
      (name) => !name.startsWith(TOKEN_SUBPROTOCOL_PREFIX),
    );
    const ours = offered.includes(SUBPROTOCOL);
    const subprotocol = ours ? SUBPROTOCOL : offered[0];
    return {
      address,
      subprotocol,
      token: tokenOf(request),
      refused: this.refusal(request, ours, inside),
    };
  }

  left(address: string): void {
    const inside = (this.perAddress.get(address) ?? 1) - 1;
    if (inside > 0) this.perAddress.set(address, inside);
    else this.perAddress.delete(address);
  }

  /** Clients that send no Origin are not browsers; a rule about pages does not concern them. */
  originAllowed(origin: string): boolean {
    const { ORIGINS } = this.config;
    return origin === '' || ORIGINS.includes('*') || ORIGINS.includes(origin);
  }

  /** Of whoever asks; the proxy's word counts only where it is to be trusted. */
  addressOf({ address, flyClientIp }: Pick<UpgradeRequest, 'address' | 'flyClientIp'>): string {
    return this.config.TRUST_FLY_CLIENT_IP && flyClientIp !== '' ? flyClientIp : address;
  }

  private refusal(
    { origin }: UpgradeRequest,
    ours: boolean,
    inside: number,
  ): CloseName | undefined {
    if (!this.originAllowed(origin)) return 'origin_refused';
    if (!ours) return 'wrong_subprotocol';
    return inside > this.config.CONNECTIONS_PER_ADDRESS ? 'too_many_connections' : undefined;
  }
}

function tokenOf({ authorization, subprotocols }: UpgradeRequest): string {
  const inHeader = bearer(authorization);
  if (inHeader !== '') return inHeader;
  const entry = subprotocols.find((name) => name.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return entry?.slice(TOKEN_SUBPROTOCOL_PREFIX.length) ?? '';
}
