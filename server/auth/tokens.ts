import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { roleSchema } from '#protocol/auth.ts'
import { inputErrors, KerutaError } from '#protocol/errors.ts'
import { idSchema } from '#protocol/ids.ts'
import { MIN_SECRET_BYTES } from './secret.ts'

const TASK_TOKEN_SECONDS = 7 * 24 * 3600
const COOKIE_AUDIENCE = 'keruta:console'

const claimsSchema = z.object({
  sub: z.string().min(1).max(200).default('jwt'),
  exp: z.number(),
  role: roleSchema,
  sessions: z.array(z.string()).nullish(),
  task: idSchema.nullish(),
})
export type Claims = z.infer<typeof claimsSchema>

const cookieClaimsSchema = z.object({ sub: z.string(), exp: z.number(), print: z.string() })

/** Signs and checks HS256 JWTs: the users' own, those of one task, and the console's cookie. */
export class Tokens {
  readonly #secret: Uint8Array
  readonly #now: () => number

  constructor(secret: string, now: () => number) {
    this.#secret = new TextEncoder().encode(secret)
    this.#now = now
    if (this.#secret.byteLength < MIN_SECRET_BYTES) {
      throw new KerutaError(
        'BAD_REQUEST',
        `KERUTA_JWT_SECRET must be at least ${MIN_SECRET_BYTES} bytes, it has ${this.#secret.byteLength}; \`openssl rand -hex 32\` makes a good one`,
      )
    }
  }

  /** Good for this task alone, for 7 days, as long as the secret stays the same. */
  issueForTask(taskId: string): Promise<string> {
    return this.#sign({ role: 'agent', task: taskId }, `task:${taskId}`, this.#seconds() + TASK_TOKEN_SECONDS)
  }

  /** A JWT of a user or of a task. UNAUTHENTICATED says what is wrong with it. */
  async verify(token: string): Promise<Claims> {
    const { aud, ...payload } = await this.#verify(token)
    if (aud === COOKIE_AUDIENCE) {
      throw new KerutaError(
        'UNAUTHENTICATED',
        "this token is for the console's cookie alone; use an API key or a JWT",
      )
    }
    const claims = claimsSchema.safeParse(payload)
    if (claims.success) return claims.data
    const [first] = inputErrors(claims.error)
    throw new KerutaError(
      'UNAUTHENTICATED',
      `the token's claim ${first?.path ?? ''} is wrong: ${first?.message ?? ''}`,
    )
  }

  /** A cookie's value: it stands for a key for as long as that has this fingerprint. */
  issueForCookie(keyId: string, print: string, expiresAtSeconds: number): Promise<string> {
    return this.#sign({ print, aud: COOKIE_AUDIENCE }, keyId, expiresAtSeconds)
  }

  /** What `issueForCookie` made; undefined for any other good token. */
  async verifyCookie(
    token: string,
  ): Promise<{ keyId: string; print: string; expiresAt: number } | undefined> {
    const payload = await this.#verify(token)
    if (payload.aud !== COOKIE_AUDIENCE) return undefined
    const { sub, print, exp } = cookieClaimsSchema.parse(payload)
    return { keyId: sub, print, expiresAt: exp * 1000 }
  }

  #sign(claims: JWTPayload, subject: string, expiresAtSeconds: number): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject)
      .setIssuedAt(this.#seconds())
      .setExpirationTime(expiresAtSeconds)
      .sign(this.#secret)
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
        currentDate: new Date(this.#now()),
      })
      return payload
    } catch (error) {
      throw new KerutaError('UNAUTHENTICATED', refusal(error), { cause: error })
    }
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}

function refusal(error: unknown): string {
  if (error instanceof errors.JWTExpired) {
    return `the token expired at ${new Date((error.payload.exp ?? 0) * 1000).toISOString()}; get a new one`
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return "the token is not signed by this server's KERUTA_JWT_SECRET: it is forged, altered, or from another server"
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the token must be signed with HS256'
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'exp' && error.reason === 'missing'
      ? 'the token has no exp claim; tokens without an end are not accepted'
      : `the token is not good now: ${error.message}`
  }
  return 'the token is neither an API key of this server nor a readable JWT'
}
