import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, startFakeMongo } from '#server/testing/fake-mongo.ts'
import { missingRedisServer, RedisServer } from '#server/testing/redis-server.ts'

const missingRedis = await missingRedisServer()

/** The one line with which a server ends at its start. */
async function refusal(environment: Record<string, string>): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'keruta-refused-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const child = spawn(process.execPath, ['server/main.ts'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      KERUTA_SERVER_LOG_LEVEL: 'warn',
      KERUTA_DATA_DIR: join(home, 'data'),
      ...environment,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  expect([stdout, code]).toEqual(['', 1])
  expect(stderr).toMatch(/^keruta cannot start: [^\n]+\n$/)
  expect(stderr).not.toContain('pass-word')
  return stderr
}

const unauthorized = (errmsg: string) => ({ ok: 0, code: 13, codeName: 'Unauthorized', errmsg })
const cases: [what: string, credentials: string, answer: Answer, reason: RegExp][] = [
  [
    'a wrong password',
    'user:pass-word@',
    command =>
      command === 'saslStart'
        ? { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' }
        : undefined,
    /MongoDB at mongodb:\/\/127\S+\/keruta refuses the login: check user, password and authSource in its URL; DATABASE_URL names it\n$/,
  ],
  [
    'a missing password',
    '',
    command =>
      /^(hello|ismaster|ping|endSessions)$/i.test(command)
        ? undefined
        : unauthorized(`Command ${command} requires authentication`),
    /MongoDB at mongodb:\/\/127\S+\/keruta asks for a login: put user and password into its URL; DATABASE_URL names it\n$/,
  ],
  [
    'a user who may only read',
    '',
    command =>
      /^(update|insert|createIndexes)$/.test(command)
        ? unauthorized('not authorized on keruta to execute command { update: "keruta" }')
        : undefined,
    /the user may not write to mongodb:\/\/127\S+\/keruta: give it the role readWrite; DATABASE_URL names it\n$/,
  ],
]

it.each(cases)('%s of MongoDB ends the start with one line', async (_, credentials, answer, reason) => {
  const fake = await startFakeMongo(answer)
  onTestFinished(() => fake.close())
  const url = `${fake.url.replace('//', `//${credentials}`)}?serverSelectionTimeoutMS=2000`
  expect(await refusal({ DATABASE_URL: url })).toMatch(reason)
})

it('a wrong password of Redis ends the start with one line', async ({ skip }) => {
  if (missingRedis !== undefined) skip(missingRedis)
  const redis = await RedisServer.start({ password: 'secret' })
  onTestFinished(() => redis.kill())
  expect(await refusal({ REDIS_URL: redis.url.replace('//', '//:pass-word@') })).toMatch(
    /Redis at 127\.0\.0\.1:\d+ refuses the login: check user and password in REDIS_URL\n$/,
  )
})
