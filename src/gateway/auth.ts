import type * as Jose from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { Refusal, type CloseName } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { randomId } from '../lib/ids.ts';

/** Who a token names. */
export interface Identity {
  readonly player: string;
  /** When the token ends, ms since 1970. */
  readonly expires: number;
  /** A new guest's token, to be handed over in the welcome. */
  readonly issued?: string;
}

export type Verdict =
  | { readonly ok: true; readonly identity: Identity }
  | {
      readonly ok: false;
      readonly why: Extract<CloseName, 'invalid_token' | 'token_expired' | 'token_required'>;
    };

type AuthConfig = Pick<
  Config,
  'JWT_SECRET' | 'JWT_JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE' | 'GUESTS' | 'GUEST_TTL_S'
>;

const GUEST_ISSUER = 'muster-guest';
const PLAYER_MAX = 64;
const BEARER = /^bearer\s+/i;

/** Reads tokens. jose is loaded with the first one, not with the process. */
export class Auth {
  private keySet: JWTVerifyGetKey | undefined;
  private guestSecret: Promise<Uint8Array> | undefined;

  /** @param shared the secret of guests' tokens, the same on every gateway */
  constructor(
    private readonly config: AuthConfig,
    private readonly shared: () => Promise<string>,
  ) {}

  /**
   * @param token empty: none was given
   * @throws Refusal unavailable where a key cannot be had: nothing is known about the token then
   */
  async verify(token: string): Promise<Verdict> {
    if (token === '')
      return this.config.GUESTS ? await this.guest() : { ok: false, why: 'token_required' };
    const jose = await import('jose');
    try {
      const payload = await this.check(token);
      const { sub, exp } = payload;
      if (sub === undefined || exp === undefined || !isPlayer(sub))
        return { ok: false, why: 'invalid_token' };
      return { ok: true, identity: { player: sub, expires: exp * 1_000 } };
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const expired = error instanceof jose.errors.JWTExpired;
      return { ok: false, why: expired ? 'token_expired' : 'invalid_token' };
    }
  }

  /** @returns the claims of a token that one of our keys has signed. @throws as jose does */
  private async check(token: string): Promise<JWTPayload> {
    const jose = await import('jose');
    const { JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, GUESTS } = this.config;
    // Which key to try is read from the unverified claims; the signature then has to fit that key.
    if (GUESTS && jose.decodeJwt(token).iss === GUEST_ISSUER) {
      const options = {
        algorithms: ['HS256'],
        issuer: GUEST_ISSUER,
        requiredClaims: ['sub', 'exp'],
      };
      return (await jose.jwtVerify(token, await this.secret(), options)).payload;
    }
    const options = {
      requiredClaims: ['sub', 'exp'],
      ...(JWT_ISSUER !== undefined && { issuer: JWT_ISSUER }),
      ...(JWT_AUDIENCE !== undefined && { audience: JWT_AUDIENCE }),
    };
    const ours = JWT_SECRET !== undefined && jose.decodeProtectedHeader(token).alg === 'HS256';
    if (JWT_JWKS_URL !== undefined && !ours) {
      this.keySet ??= keySetAt(JWT_JWKS_URL, jose);
      const algorithms = ['RS256', 'ES256', 'EdDSA'];
      return (await jose.jwtVerify(token, this.keySet, { ...options, algorithms })).payload;
    }
    if (JWT_SECRET === undefined) throw new jose.errors.JWTInvalid('no key for such a token');
    const secret = new TextEncoder().encode(JWT_SECRET);
    return (await jose.jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload;
  }

  private async guest(): Promise<Verdict> {
    // The secret is on its way from Redis while jose is loaded.
    const [secret, jose] = await Promise.all([this.secret(), import('jose')]);
    const player = `guest-${randomId(12)}`;
    const exp = Math.floor(Date.now() / 1_000) + this.config.GUEST_TTL_S;
    const issued = await new jose.SignJWT()
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(GUEST_ISSUER)
      .setSubject(player)
      .setExpirationTime(exp)
      .sign(secret);
    return { ok: true, identity: { player, expires: exp * 1_000, issued } };
  }

  private async secret(): Promise<Uint8Array> {
    this.guestSecret ??= this.shared().then(
      (text) => new TextEncoder().encode(text),
      () => {
        // A failure is not kept: the store may be back for the next one.
        this.guestSecret = undefined;
        throw new Refusal('unavailable', 'keys');
      },
    );
    return await this.guestSecret;
  }
}

/**
 * The keys at an address. What goes wrong there says nothing about the token; the base class itself stands for an
 * answer that is no key set.
 */
function keySetAt(url: string, { createRemoteJWKSet, errors }: typeof Jose): JWTVerifyGetKey {
  const { JOSEError, JWKSInvalid, JWKSTimeout } = errors;
  const remote = createRemoteJWKSet(new URL(url));
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      const ofToken =
        error instanceof JOSEError &&
        !(error instanceof JWKSTimeout || error instanceof JWKSInvalid) &&
        error.code !== JOSEError.code;
      throw ofToken ? error : new Refusal('unavailable', 'keys');
    }
  };
}

/** @returns the token of an Authorization header, '' without one */
export function bearer(authorization: string): string {
  return BEARER.test(authorization) ? authorization.replace(BEARER, '').trim() : '';
}

/** Control characters would end up in logs and in Redis' keys; a lone surrogate has no UTF-8 form. */
function isPlayer(sub: string): boolean {
  return sub.length >= 1 && sub.length <= PLAYER_MAX && /^[^\p{Cc}\p{Cs}]+$/u.test(sub);
}
