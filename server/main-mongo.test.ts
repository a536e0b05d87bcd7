import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import { TestServer } from '#server/testing/test-server.ts'

const { kinds, missing } = await mongoKinds()
if (missing !== undefined) it('a server starts on MongoDB', ({ skip }) => skip(missing))

describe.each(kinds)('a server that starts on MongoDB, $name', kind => {
  let mongo: TestMongo
  beforeAll(async () => {
    mongo = await kind.start()
  })
  afterAll(() => mongo.dispose())

  const start = async (DATABASE_URL: string) => {
    const server = await TestServer.start({ DATABASE_URL, KERUTA_ADMIN_KEY: '' })
    onTestFinished(() => server.dispose())
    return server
  }

  it('makes the admin key once, also where three start at once, and says that Redis is missing for more than one', async () => {
    const url = mongo.url(randomUUID())
    const servers = await Promise.all([start(url), start(url), start(url)])
    await expect.poll(() => servers.every(({ output }) => output.includes('REDIS_URL is not set'))).toBe(true)
    const keys = servers.flatMap(({ output }) => /shown this once: (\S+)/.exec(output)?.[1] ?? [])
    expect(keys).toHaveLength(1)
    for (const server of servers) {
      const answer = await server.api('/me', { headers: { authorization: `Bearer ${keys[0]}` } })
      expect(await answer.json()).toMatchObject({ role: 'admin' })
    }
  })

  it('ends with one clear line and 1 where it cannot', async () => {
    const foreign = mongo.url(randomUUID())
    const client = await MongoClient.connect(foreign)
    await client.db().collection('orders').insertOne({ n: 1 })
    await client.close()
    const cases: [url: string, reason: RegExp][] = [
      [
        foreign,
        /the database mongodb:.* holds other data \(orders\): name one of its own, as in mongodb:.*; DATABASE_URL names it/,
      ],
      ['mongodb://:0', /DATABASE_URL/],
      ['postgres://host/keruta', /DATABASE_URL: must be mongodb:/],
      [
        'mongodb://user:pass-word@127.0.0.1:1/keruta?serverSelectionTimeoutMS=200',
        /MongoDB at mongodb:\/\/127.0.0.1:1\/keruta cannot be used: .*ECONNREFUSED/,
      ],
    ]
    if (!kind.isReal)
      cases.push([
        mongo.url('keruta', '?replicaSet=rs0&serverSelectionTimeoutMS=200'),
        /has no primary: start a majority of the replica set/,
      ])
    for (const [DATABASE_URL, reason] of cases) {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['server/main.ts'], {
        env: {
          PATH: process.env.PATH,
          NODE_ENV: 'production',
          PORT: '0',
          KERUTA_STORE: 'mongodb',
          DATABASE_URL,
        },
        encoding: 'utf8',
      })
      expect(stderr).toMatch(/^keruta cannot start: [^\n]+\n$/)
      expect(stderr).toMatch(reason)
      expect(stderr).not.toContain('pass-word')
      expect([status, stdout]).toEqual([1, ''])
    }
  })
})
