import { z } from 'zod'
import { isNetwork } from './auth/networks.ts'
import { isLoopback } from './auth/request.ts'

/** What the server's environment says. */
export interface Config {
  host: string
  /** 0: any free port, printed at start. */
  port: number
  dataDir: string
  /** MongoDB's, where that is the store; without it the data lies in `dataDir`. */
  databaseUrl: string | undefined
  /** Through which several servers on one store tell one another what happens. */
  redisUrl: string | undefined
  dev: boolean
  auth: 'on' | 'off'
  adminKey: string | undefined
  jwtSecret: string | undefined
  allowedOrigins: string[]
  /** Addresses and networks of proxies. */
  trustedProxies: string[]
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Messages a second that one sender may send, and one reader gets; 0 for no limit. A message may hold a batch. */
  ingestRate: number
  readerRate: number
  /** Memory for live lines that wait for one slow reader. */
  readerQueueBytes: number
  /** How long a reader may take nothing before it is told of a gap. */
  readerPatienceMs: number
  /** An artifact may not be larger. */
  maxArtifactBytes: number
  /** How long a regular expression may search, ms. */
  regexBudgetMs: number
}

/** What is wrong with the environment, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const wholeNumber = (least: number, most: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${least} to ${most}` })
    .int(`must be a whole number from ${least} to ${most}`)
    .min(least)
    .max(most)

const rate = (fallback: number) => wholeNumber(0, 1_000_000).default(fallback)

const wordsOf = (text: string) => text.split(',').flatMap(word => word.trim() || [])

const proxies = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const words = wordsOf(text)
    for (const word of words) {
      if (isNetwork(word)) continue
      const message = `"${word}" must be an address or a network such as 10.0.0.0/8`
      ctx.addIssue({ code: 'custom', message })
    }
    return words
  })

const origins = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const words = wordsOf(text)
    for (const word of words) {
      if (originOf(word) !== undefined) continue
      const message = `"${word}" must be an origin such as https://tools.example, without a path`
      ctx.addIssue({ code: 'custom', message })
    }
    return words.map(word => originOf(word) ?? word)
  })

/** As browsers send it; undefined where it is none. */
function originOf(word: string): string | undefined {
  const url = URL.parse(word)
  const isOrigin = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  return isOrigin ? url.origin : undefined
}

const environmentSchema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(8080),
  KERUTA_DATA_DIR: z.string().default('./data'),
  NODE_ENV: z.string().default('production'),
  KERUTA_AUTH: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  KERUTA_ADMIN_KEY: z.string().min(16, 'must have at least 16 characters').optional(),
  KERUTA_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  KERUTA_ALLOWED_ORIGINS: origins,
  KERUTA_TRUSTED_PROXIES: proxies,
  KERUTA_SERVER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'must be trace, debug, info, warn, error, fatal or silent',
    })
    .default('info'),
  KERUTA_INGEST_RATE: rate(1000),
  KERUTA_READER_RATE: rate(500),
  KERUTA_READER_QUEUE_KB: wholeNumber(64, 1_048_576).default(4096),
  KERUTA_READER_PATIENCE_MS: wholeNumber(0, 3_600_000).default(10_000),
  KERUTA_MAX_ARTIFACT_MB: wholeNumber(1, 1_048_576).default(1024),
  KERUTA_REGEX_TIMEOUT_MS: wholeNumber(100, 600_000).default(5000),
  KERUTA_STORE: z.enum(['sqlite', 'mongodb'], { error: 'must be sqlite or mongodb' }).optional(),
  DATABASE_URL: z.string().optional(),
  // What is wrong with it is not shown: it may hold a password.
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/[^/?]+/, 'must be redis://host:port or rediss://host:port')
    .optional(),
})

/** @throws ConfigError that names every variable that is wrong, and how it should be */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const result = environmentSchema.safeParse(given)
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map(issue => `${String(issue.path[0])}: ${issue.message}`).join('\n'),
    )
  }
  const env = result.data
  if (env.KERUTA_AUTH === 'off' && !isLoopback(env.HOST)) {
    throw new ConfigError(
      `KERUTA_AUTH: off is only for a server on loopback, and HOST is ${env.HOST}; set HOST=127.0.0.1 or KERUTA_AUTH=on`,
    )
  }
  const databaseUrl = databaseUrlOf(env)
  return {
    host: env.HOST,
    port: env.PORT,
    dataDir: env.KERUTA_DATA_DIR,
    databaseUrl,
    redisUrl: env.REDIS_URL,
    dev: env.NODE_ENV === 'development',
    auth: env.KERUTA_AUTH,
    adminKey: env.KERUTA_ADMIN_KEY,
    jwtSecret: env.KERUTA_JWT_SECRET,
    allowedOrigins: env.KERUTA_ALLOWED_ORIGINS,
    trustedProxies: env.KERUTA_TRUSTED_PROXIES,
    logLevel: env.KERUTA_SERVER_LOG_LEVEL,
    ingestRate: env.KERUTA_INGEST_RATE,
    readerRate: env.KERUTA_READER_RATE,
    readerQueueBytes: env.KERUTA_READER_QUEUE_KB * 1024,
    readerPatienceMs: env.KERUTA_READER_PATIENCE_MS,
    maxArtifactBytes: env.KERUTA_MAX_ARTIFACT_MB * 1024 * 1024,
    regexBudgetMs: env.KERUTA_REGEX_TIMEOUT_MS,
  }
}

/** A URL of MongoDB alone is enough to choose it. */
function databaseUrlOf({ KERUTA_STORE: store, DATABASE_URL: url }: z.infer<typeof environmentSchema>) {
  if (store === 'sqlite' || (store === undefined && url === undefined)) return undefined
  if (url === undefined)
    throw new ConfigError(
      'DATABASE_URL: is needed with KERUTA_STORE=mongodb, such as mongodb://user:password@host:27017/keruta',
    )
  // What is wrong with it is not shown: it may hold a password.
  if (!/^mongodb(\+srv)?:\/\/[^/?]+/.test(url))
    throw new ConfigError(
      'DATABASE_URL: must be mongodb://host/database or mongodb+srv://host/database; the embedded store needs none (KERUTA_STORE=sqlite ignores it)',
    )
  return url
}
