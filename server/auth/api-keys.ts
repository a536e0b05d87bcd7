import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ApiKey, ApiKeyView, NewApiKey } from '#protocol/auth.ts'
import { KerutaError } from '#protocol/errors.ts'
import { uuidv7 } from '#protocol/ids.ts'
import type { Collection } from '#server/store/store.ts'

export type NewKey = Omit<ApiKey, 'hash' | 'createdAt' | 'lastUsedAt' | 'revokedAt'>

const KEY_PREFIX = 'kerutakey_'
/** Bounds how long a key that another server revoked is still taken here where nobody tells. */
const CACHE_MS = 5_000
const CACHE_SIZE = 1_000
const TOUCH_MS = 60_000

/** API keys: only their SHA-256 is stored, and a key is shown once. */
export class ApiKeys {
  readonly #keys: Collection<ApiKey>
  readonly #now: () => number
  readonly #cache = new Map<string, { key: ApiKey; until: number }>()
  readonly #touched = new Map<string, number>()
  readonly #listeners = new Set<(keyId: string) => void>()
  readonly #onRevokedHere: ((keyId: string) => void) | undefined
  #changes = 0

  /** @param onRevokedHere called with each key that is revoked here, for the other servers */
  constructor(keys: Collection<ApiKey>, now: () => number, onRevokedHere?: (keyId: string) => void) {
    this.#keys = keys
    this.#now = now
    this.#onRevokedHere = onRevokedHere
  }

  async list(): Promise<ApiKeyView[]> {
    const keys = await this.#keys.find({ orderBy: [['createdAt', 'desc']] })
    return keys.map(viewOf)
  }

  /** The only answer that holds the key itself. */
  async create(input: NewApiKey): Promise<ApiKeyView & { key: string }> {
    if (input.expiresAt && Date.parse(input.expiresAt) <= this.#now()) {
      const message = 'lies in the past; the key would never be good'
      throw new KerutaError('BAD_REQUEST', `expiresAt ${message}`, {
        errors: [{ path: 'expiresAt', message }],
      })
    }
    const { key, apiKey } = newApiKey(
      {
        id: uuidv7(this.#now()),
        name: input.name,
        role: input.role,
        sessionIds: input.sessionIds ?? null,
        expiresAt: input.expiresAt ? new Date(input.expiresAt).toISOString() : null,
      },
      this.#now(),
    )
    await this.#keys.insert(apiKey)
    return { ...viewOf(apiKey), key }
  }

  /** Ends the key, what was made from it and what it has open, at once. NOT_FOUND where there is none; repeating it changes nothing. */
  async revoke(id: string): Promise<void> {
    const revokedAt = new Date(this.#now()).toISOString()
    const changed = await this.#keys.update({ id, revokedAt: null }, { revokedAt })
    if (changed === 0 && !(await this.#keys.get(id))) {
      throw new KerutaError('NOT_FOUND', `there is no API key ${id}`)
    }
    this.#end([id])
    this.#onRevokedHere?.(id)
  }

  /** Another server revoked the key. */
  revokedElsewhere(id: string): void {
    this.#end([id])
  }

  /** Looks for revocations that this server was not told of. */
  async recheck(): Promise<void> {
    this.#forget()
    if (this.#listeners.size === 0) return
    const revoked = await this.#keys.find({ where: { revokedAt: { not: null } } })
    this.#end(revoked.map(({ id }) => id))
  }

  /** Called with the id of each key that is revoked. Returns what ends the subscription. */
  onRevoked(listener: (keyId: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async byToken(token: string): Promise<ApiKey | undefined> {
    const hash = hashOf(token)
    const key = await this.#cached(
      `hash ${hash}`,
      async () => (await this.#keys.find({ where: { hash }, limit: 1 }))[0],
    )
    return key && timingSafeEqual(Buffer.from(key.hash), Buffer.from(hash)) ? key : undefined
  }

  byId(id: string): Promise<ApiKey | undefined> {
    return this.#cached(`id ${id}`, () => this.#keys.get(id))
  }

  /** Notes that a key was used, at most once a minute, and does not make the caller wait for it. */
  touch({ id }: ApiKey): void {
    const now = this.#now()
    if (now - (this.#touched.get(id) ?? Number.NEGATIVE_INFINITY) < TOUCH_MS) return
    this.#touched.set(id, now)
    // A store that cannot be written to must not keep anybody from reading.
    this.#keys
      .update({ id }, { lastUsedAt: new Date(now).toISOString() })
      .catch(() => this.#touched.delete(id))
  }

  /**
   * Makes `key` the one that the record `id` accepts, from now on; what was made from its former one ends.
   * @returns false where it was that already
   */
  async replace(id: string, key: string): Promise<boolean> {
    const changed = await this.#keys.update(
      { id, hash: { not: hashOf(key) } },
      { hash: hashOf(key), revokedAt: null, expiresAt: null },
    )
    const restored = await this.#keys.update({ id, revokedAt: { not: null } }, { revokedAt: null })
    this.#forget()
    return changed + restored > 0
  }

  /** False, and nothing is kept, where there is a record with this id. */
  async insert(input: NewKey, key?: string): Promise<string | undefined> {
    const made = newApiKey(input, this.#now(), key)
    return (await this.#keys.insert(made.apiKey)) ? made.key : undefined
  }

  async #cached(name: string, load: () => Promise<ApiKey | undefined>): Promise<ApiKey | undefined> {
    const hit = this.#cache.get(name)
    if (hit && hit.until > this.#now()) return hit.key
    const changes = this.#changes
    const key = await load()
    // What was read before a revocation must not outlive it.
    if (changes !== this.#changes) return this.#cached(name, load)
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear()
    if (key) this.#cache.set(name, { key, until: this.#now() + CACHE_MS })
    return key
  }

  #end(ids: string[]): void {
    this.#forget()
    for (const id of ids) for (const listener of this.#listeners) listener(id)
  }

  #forget(): void {
    this.#changes++
    this.#cache.clear()
  }
}

function newApiKey(input: NewKey, now: number, key = KEY_PREFIX + randomBytes(32).toString('base64url')) {
  const createdAt = new Date(now).toISOString()
  const apiKey: ApiKey = { ...input, hash: hashOf(key), createdAt, lastUsedAt: null, revokedAt: null }
  return { key, apiKey }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function viewOf({ hash: _, ...view }: ApiKey): ApiKeyView {
  return view
}
