import type { ApiKey } from '#protocol/auth.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { Collection } from '#server/store/store.ts'
import { ApiKeys } from './api-keys.ts'
import { createIdentify } from './identify.ts'
import { type Limits, memoryLimits } from './limits.ts'
import { Login, type LoginAnswer } from './login.ts'
import { checkOrigin } from './origin.ts'
import type { Principal } from './principal.ts'
import { type AuthRequest, credentialOf } from './request.ts'
import { Tokens } from './tokens.ts'
import { watchEnd } from './watch.ts'

export interface AuthOptions {
  /** `off`: everybody who reaches the server by a loopback name is admin. */
  mode: 'on' | 'off'
  apiKeys: Collection<ApiKey>
  /** At least 32 bytes. */
  jwtSecret: string
  /** Origins (`https://host:port`) whose pages may call besides the server's own. */
  allowedOrigins: readonly string[]
  /** Addresses and networks of proxies besides those on this machine; what they say of the caller's address counts. */
  trustedProxies?: readonly string[]
  /** Of wrong keys; default in this process' memory. */
  limits?: Limits
  /** Called with each key that is revoked here. */
  onRevoked?: (keyId: string) => void
  /** Milliseconds since the epoch. */
  now?: () => number
}

export interface Auth {
  readonly required: boolean
  readonly keys: ApiKeys
  /**
   * Who calls. UNAUTHENTICATED where nothing, or nothing good, is shown; FOREIGN_ORIGIN where a page of another site makes the
   * browser call.
   */
  authenticate(request: AuthRequest): Promise<Principal>
  /** A token good for this task alone, 7 days long. */
  issueTaskToken(taskId: string): Promise<string>
  /** Exchanges an API key or JWT for the console's cookie. RATE_LIMITED after too many wrong ones from one address. */
  login(request: AuthRequest, key: string): Promise<LoginAnswer>
  /** The `Set-Cookie` that ends the console's session. */
  logoutCookie(request: AuthRequest): string
  /** Calls back once when the principal's key is revoked or its time is over. Returns what ends the watch. */
  watch(principal: Principal, onEnd: (error: KerutaError) => void): () => void
}

const EVERYBODY: Principal = {
  id: 'anonymous',
  name: 'anonymous',
  role: 'admin',
  sessionIds: null,
  taskId: null,
  keyId: null,
  via: 'off',
  expiresAt: null,
}

export function createAuth({
  mode,
  apiKeys,
  jwtSecret,
  allowedOrigins,
  trustedProxies = [],
  limits = memoryLimits,
  onRevoked,
  now = Date.now,
}: AuthOptions): Auth {
  const keys = new ApiKeys(apiKeys, now, onRevoked)
  const tokens = new Tokens(jwtSecret, now)
  const identify = createIdentify({ keys, tokens, now })
  const login = new Login({ tokens, now, identify, limits, trustedProxies })

  return {
    required: mode === 'on',
    keys,
    async authenticate(request) {
      if (mode === 'off') {
        checkOrigin(request, 'off', allowedOrigins)
        return EVERYBODY
      }
      const credential = credentialOf(request)
      if (!credential) throw missing()
      checkOrigin(request, credential.via, allowedOrigins)
      return (await identify(credential)).principal
    },
    issueTaskToken: taskId => tokens.issueForTask(taskId),
    async login(request, key) {
      checkOrigin(request, 'cookie', allowedOrigins)
      return login.open(request, key)
    },
    logoutCookie(request) {
      checkOrigin(request, 'cookie', allowedOrigins)
      return login.closeCookie(request)
    },
    watch: (principal, onEnd) => watchEnd(principal, { keys, now, onEnd }),
  }
}

function missing(): KerutaError {
  return new KerutaError(
    'UNAUTHENTICATED',
    'no token was sent; send an API key or JWT as "Authorization: Bearer …", "X-API-Key: …" or ?token=…, or log in at /login',
  )
}
