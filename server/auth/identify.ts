import type { ApiKey } from '#protocol/auth.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { ApiKeys } from './api-keys.ts'
import type { Principal } from './principal.ts'
import type { Credential } from './request.ts'
import type { Claims, Tokens } from './tokens.ts'

interface IdentifyOptions {
  keys: ApiKeys
  tokens: Tokens
  now: () => number
}

/** Whom a credential stands for, and the API key where one is behind it. UNAUTHENTICATED says why it stands for nobody. */
export type Identify = (credential: Credential) => Promise<{ principal: Principal; key?: ApiKey }>

export function createIdentify({ keys, tokens, now }: IdentifyOptions): Identify {
  return async ({ token, via }) => {
    const cookie = via === 'cookie' ? await tokens.verifyCookie(token) : undefined
    if (cookie) return fromCookie(cookie)
    if (looksLikeJwt(token)) return { principal: fromClaims(await tokens.verify(token), via) }
    const key = await keys.byToken(token)
    if (!key) {
      throw new KerutaError('UNAUTHENTICATED', 'the API key is unknown; check that it was copied whole')
    }
    return { principal: fromKey(key, via), key }
  }

  async function fromCookie(cookie: { keyId: string; print: string; expiresAt: number }) {
    const key = await keys.byId(cookie.keyId)
    if (!key?.hash.startsWith(cookie.print)) {
      throw new KerutaError('UNAUTHENTICATED', 'the key of this session is no longer there; log in again')
    }
    const principal = fromKey(key, 'cookie')
    const expiresAt = Math.min(principal.expiresAt ?? Number.POSITIVE_INFINITY, cookie.expiresAt)
    return { principal: { ...principal, expiresAt }, key }
  }

  function fromKey(key: ApiKey, via: Principal['via']): Principal {
    if (key.revokedAt !== null) {
      throw new KerutaError(
        'UNAUTHENTICATED',
        `the API key "${key.name}" was revoked at ${key.revokedAt}; use another`,
      )
    }
    const expiresAt = key.expiresAt === null ? null : Date.parse(key.expiresAt)
    if (expiresAt !== null && expiresAt <= now()) {
      throw new KerutaError(
        'UNAUTHENTICATED',
        `the API key "${key.name}" expired at ${key.expiresAt}; use another`,
      )
    }
    keys.touch(key)
    const { id, name, role, sessionIds } = key
    return { id, name, role, sessionIds, taskId: null, keyId: id, via, expiresAt }
  }
}

function fromClaims({ sub, role, sessions, task, exp }: Claims, via: Principal['via']): Principal {
  return {
    id: sub,
    name: sub,
    role,
    sessionIds: sessions ?? null,
    taskId: task ?? null,
    keyId: null,
    via,
    expiresAt: exp * 1000,
  }
}

function looksLikeJwt(token: string): boolean {
  return token.startsWith('eyJ') && token.split('.').length === 3
}
