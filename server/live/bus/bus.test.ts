import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest'
import { Segment } from '#protocol/segment.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { missingRedisServer, RedisServer } from '#server/testing/redis-server.ts'
import type { Bus } from './bus.ts'
import type { BusEvent } from './events.ts'
import { LocalBus } from './local-bus.ts'
import { createRedis } from './redis.ts'
import { openRedisBus } from './redis-bus.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const logger = { warn: () => {}, info: () => {} }

function lines(...messages: string[]): Segment {
  const writer = new SegmentWriter()
  for (const message of messages) writer.addString(message, 1, 1, 0)
  return new Segment(writer.finish())
}

/** Listens to a task, and keeps what comes as `seq text`. */
function listening(bus: Bus, taskId: string) {
  const heard: string[] = []
  const state = { heard, missed: 0, end: () => {} }
  state.end = bus.listen(taskId, {
    lines: (firstSeq, segment) => {
      for (let index = 0; index < segment.count; index++)
        heard.push(`${firstSeq + index} ${segment.entry(index, taskId, firstSeq).message}`)
    },
    missed: () => void state.missed++,
  })
  return state
}

function contract(open: () => Promise<Bus>) {
  it('hands on what is published here, at once and as it is, to all who listen to the task', async () => {
    const bus = await open()
    const [first, second, other] = [listening(bus, 'a'), listening(bus, 'a'), listening(bus, 'b')]
    bus.publish('a', 1, lines('one', 'two'))
    bus.publish('a', 3, lines('three'))
    expect(first.heard).toEqual(['1 one', '2 two', '3 three'])
    expect(second.heard).toEqual(first.heard)
    expect(other.heard).toEqual([])
  })

  it('hands on nothing to who has ended, and everything to who stays or comes again', async () => {
    const bus = await open()
    const [gone, stays] = [listening(bus, 'a'), listening(bus, 'a')]
    gone.end()
    bus.publish('a', 1, lines('one'))
    stays.end()
    bus.publish('a', 2, lines('two'))
    const again = listening(bus, 'a')
    bus.publish('a', 3, lines('three'))
    expect([gone.heard, stays.heard, again.heard]).toEqual([[], ['1 one'], ['3 three']])
  })

  it('does not tell a server its own events', async () => {
    const bus = await open()
    const events: BusEvent[] = []
    bus.onEvent({ event: event => void events.push(event), missed: () => {} })
    bus.send({ type: 'keyRevoked', keyId: 'k' })
    await bus.close()
    expect(events).toEqual([])
    expect(bus.problem === undefined).toBe(false)
  })
}

describe('the bus of one server', () => contract(async () => new LocalBus()))

const missing = await missingRedisServer()
if (missing !== undefined) it('the bus over Redis keeps the contract of the bus', ({ skip }) => skip(missing))

describe.skipIf(missing !== undefined)('the bus over Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.kill())

  async function open(name = 'test'): Promise<Bus> {
    const redis = createRedis(server.url)
    const bus = await openRedisBus({ redis, name, logger, pollMs: 100, compareMs: 60_000 })
    closing.push(() => bus.close())
    return bus
  }
  const up = (...buses: Bus[]) =>
    vi.waitFor(() => expect(buses.map(bus => bus.problem())).toEqual(buses.map(() => undefined)), 5000)
  /** The subscription stands when it says that lines before it may have been missed. */
  const subscribed = (reader: { missed: number }, before = 0) =>
    vi.waitFor(() => expect(reader.missed).toBeGreaterThan(before), 10_000)

  contract(open)

  test('lines of one server come to the listeners of another, once and in order', async () => {
    const [writer, reader] = [await open(), await open()]
    const [own, far] = [listening(writer, 'a'), listening(reader, 'a')]
    await subscribed(far)
    for (let seq = 1; seq <= 999; seq += 2) writer.publish('a', seq, lines(`line ${seq}`, `line ${seq + 1}`))
    await vi.waitFor(() => expect(far.heard.length).toBe(1000), 10_000)
    expect(far.heard).toEqual(Array.from({ length: 1000 }, (_, index) => `${index + 1} line ${index + 1}`))
    // A round trip later nothing of its own has come back.
    reader.publish('a', 1001, lines('an answer'))
    await vi.waitFor(() => expect(own.heard.at(-1)).toBe('1001 an answer'), 10_000)
    expect(own.heard.length).toBe(1001)
  })

  test('events come to all other servers of the same name', async () => {
    const buses = [await open(), await open(), await open()]
    const stranger = await open('another')
    const heard = [...buses, stranger].map(bus => {
      const events: BusEvent[] = []
      bus.onEvent({ event: event => void events.push(event), missed: () => {} })
      return events
    })
    buses[0]!.send({ type: 'keyRevoked', keyId: 'k' })
    buses[1]!.send({ type: 'cleared', taskId: 'a', firstSeq: 7 })
    await vi.waitFor(() => {
      expect(heard[0]).toEqual([{ type: 'cleared', taskId: 'a', firstSeq: 7 }])
      expect(heard[2]!.length).toBe(2)
      expect(heard[1]).toEqual([{ type: 'keyRevoked', keyId: 'k' }])
    }, 10_000)
    expect(heard[3]).toEqual([])
  })

  test('only tasks that somebody listens to are subscribed', async () => {
    const bus = await open('channels')
    const redis = createRedis(server.url)
    closing.push(() => redis.disconnect())
    await redis.connect()
    const channels = async () => ((await redis.pubsub('CHANNELS', 'keruta:channels:*')) as string[]).sort()
    expect(await channels()).toEqual(['keruta:channels:events'])
    const readers = [listening(bus, 'a'), listening(bus, 'a'), listening(bus, 'b')]
    const become = (...lines: string[]) =>
      vi.waitFor(
        async () =>
          expect(await channels()).toEqual(['events', ...lines].map(name => `keruta:channels:${name}`)),
        10_000,
      )
    await become('lines:a', 'lines:b')
    readers[0]!.end()
    readers[2]!.end()
    await become('lines:a')
  })

  test('while Redis is away listeners are sent to the store again and again, and live when it is back', async () => {
    const [writer, reader] = [await open(), await open()]
    const far = listening(reader, 'a')
    await subscribed(far)
    writer.publish('a', 1, lines('before'))
    await vi.waitFor(() => expect(far.heard).toEqual(['1 before']), 10_000)

    await server.kill()
    await vi.waitFor(() => expect(reader.problem()).toContain('Redis is away'), 10_000)
    const then = far.missed
    await subscribed(far, then + 2)
    writer.publish('a', 2, lines('lost'))

    const lastAway = far.missed
    await server.start()
    await up(writer, reader)
    await subscribed(far, lastAway)
    writer.publish('a', 3, lines('after'))
    await vi.waitFor(() => expect(far.heard).toEqual(['1 before', '3 after']), 10_000)
  })

  test('a Redis that hangs is noticed, and costs no memory', { timeout: 20_000 }, async () => {
    const bus = await open()
    server.stall()
    const big = lines('x'.repeat(60_000))
    for (let seq = 1; seq <= 2000; seq++) bus.publish('a', seq, big)
    const before = process.memoryUsage().arrayBuffers
    expect(before).toBeLessThan(80 * 1024 * 1024)
    await vi.waitFor(() => expect(bus.problem()).toContain('Redis is away (it does not answer)'), 10_000)
    await server.kill()
    await server.start()
    await up(bus)
  })

  test('a Redis that refuses the login ends the start, and says so of a server that was there before', async () => {
    const locked = await RedisServer.start({ password: 'secret' })
    closing.push(() => locked.kill())
    for (const user of ['', ':wrong@', 'nobody:wrong-pass@']) {
      const redis = createRedis(locked.url.replace('//', `//${user}`))
      const { host, port } = redis.options
      await expect(openRedisBus({ redis, name: 'test', logger })).rejects.toThrow(
        `Redis at ${host}:${port} refuses the login: check user and password in REDIS_URL`,
      )
    }
    const redis = createRedis(locked.url.replace('//', '//:secret@'))
    const bus = await openRedisBus({ redis, name: 'test', logger })
    closing.push(() => bus.close())
    expect(bus.problem()).toBe(undefined)
    await redis.config('SET', 'requirepass', 'another')
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await vi.waitFor(() => expect(bus.problem()).toContain('Redis is away (it refuses the login'), 10_000)
  })

  test('a Redis whose user may not use the channels ends the start', async () => {
    const admin = createRedis(server.url)
    closing.push(() => admin.disconnect())
    await admin.connect()
    await admin.acl('SETUSER', 'narrow', 'on', '>secret', '~*', 'resetchannels', '+@all')
    const redis = createRedis(server.url.replace('//', '//narrow:secret@'))
    await expect(openRedisBus({ redis, name: 'test', logger })).rejects.toThrow(
      /the user of REDIS_URL may not use Redis at [\d.:]+ as it must \(NOPERM.*\): allow it ~keruta:\* &keruta:\*/,
    )
  })

  test('what ends all connections without a word is said to do so', async () => {
    const listener = createServer(socket => socket.end()).listen(0, '127.0.0.1')
    closing.push(() => void listener.close())
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const bus = await openRedisBus({ redis: createRedis(`redis://127.0.0.1:${port}`), name: 'test', logger })
    closing.push(() => bus.close())
    expect(bus.problem()).toContain('Redis is away (it ends the connections)')
  })

  test('a server starts without Redis, and is live when it comes', async () => {
    await server.kill()
    const bus = await open()
    expect(bus.problem()).toContain('Redis is away')
    const [reader] = [listening(bus, 'a')]
    bus.publish('a', 1, lines('one'))
    expect(reader.heard).toEqual(['1 one'])
    await server.start()
    await up(bus)
  })
})
