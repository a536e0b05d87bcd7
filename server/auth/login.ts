import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import { KerutaError } from '#protocol/errors.ts'
import type { Identify } from './identify.ts'
import type { Limits } from './limits.ts'
import { withinNetworks } from './networks.ts'
import type { Principal } from './principal.ts'
import { type AuthRequest, COOKIE_NAME, clientAddress, isSecure } from './request.ts'
import type { Tokens } from './tokens.ts'

export interface LoginAnswer {
  principal: Principal
  /** Value of the `Set-Cookie` header. */
  cookie: string
}

interface LoginOptions {
  tokens: Tokens
  now: () => number
  identify: Identify
  limits: Limits
  /** Networks of proxies whose word for the caller's address counts. */
  trustedProxies: readonly string[]
}

const SESSION_SECONDS = 30 * 24 * 3600
const WRONG_KEYS_A_MINUTE = 10
/** Hex digits of the key's hash: a key that is changed ends the cookies made from its former self. */
const PRINT_DIGITS = 16

/** The console's session: a cookie that stands for the key, or holds the JWT, it was opened with. */
export class Login {
  readonly #options: LoginOptions
  readonly #limiter: RateLimiterAbstract
  readonly #isProxy: (address: string) => boolean

  constructor(options: LoginOptions) {
    this.#options = options
    this.#isProxy = withinNetworks(options.trustedProxies)
    this.#limiter = options.limits('login', WRONG_KEYS_A_MINUTE, 60)
  }

  async open(request: AuthRequest, token: string): Promise<LoginAnswer> {
    const address = clientAddress(request, this.#isProxy)
    // Taken before the check, so that guesses at the same moment count too.
    await this.#take(address)
    const { principal, key } = await this.#options.identify({ token: token.trim(), via: 'header' })
    await this.#limiter.reward(address)
    const now = Math.floor(this.#options.now() / 1000)
    const end = Math.min(
      now + SESSION_SECONDS,
      Math.floor((principal.expiresAt ?? Number.POSITIVE_INFINITY) / 1000),
    )
    const value = key
      ? await this.#options.tokens.issueForCookie(key.id, key.hash.slice(0, PRINT_DIGITS), end)
      : token.trim()
    return { principal, cookie: cookieOf(request, value, end - now) }
  }

  closeCookie(request: AuthRequest): string {
    return cookieOf(request, '', 0)
  }

  async #take(address: string): Promise<void> {
    try {
      await this.#limiter.consume(address)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      throw new KerutaError('RATE_LIMITED', 'too many wrong keys from this address; wait, then try again', {
        retryAfterMs: refusal.msBeforeNext,
      })
    }
  }
}

function cookieOf(request: AuthRequest, value: string, maxAgeSeconds: number): string {
  const secure = isSecure(request) ? '; Secure' : ''
  return `${COOKIE_NAME}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`
}
