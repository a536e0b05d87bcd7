import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { streamSegment } from '#server/store/contract/samples.ts'
import { openStore, openStoreToFill } from '#server/store/open.ts'
import type { Store } from '#server/store/store.ts'
import { MongoServer, missingMongoServer } from '#server/testing/mongo-server.ts'
import { digestOf } from './lines.ts'
import { locationOf } from './place.ts'
import { type Entity, KINDS, type Kind, storeSource } from './source.ts'
import { isSame } from './store-sink.ts'
import { BLOB, fillStore } from './test/fill.ts'
import { runStore, startStore } from './test/run.ts'
import { useStore } from './test/use.ts'

const appender = fileURLToPath(new URL('../store/sqlite/test/append-forever.ts', import.meta.url))
const missing = await missingMongoServer()

let home: string
let server: MongoServer | undefined
beforeAll(async () => {
  if (missing === undefined) server = await MongoServer.start()
})
afterAll(() => server?.dispose())
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'keruta-copy-'))
})
afterEach(() => rm(home, { recursive: true }))

const folder = (name: string) => `sqlite:${join(home, name)}`
const database = () => server!.url(`copy-${randomUUID()}`)
const open = (place: string) => openStore(locationOf(place, home))
const using = <T>(place: string, work: (store: Store) => Promise<T>) =>
  useStore(locationOf(place, home), work)

/** Everything that can be asked of a store, free of how it keeps it. */
async function contentOf(place: string) {
  return using(place, async store => {
    const source = storeSource(store, place)
    const entities = {} as Record<Kind, Entity[]>
    for (const kind of KINDS) {
      entities[kind] = []
      for await (const page of source.entities(kind)) entities[kind].push(...page)
    }
    const logs = new Map()
    for (const taskId of await store.segments.taskIds('', 1000)) {
      const head = await store.segments.head(taskId)
      const { storedBytes: _, ...totals } = (await store.segments.totals([taskId])).get(taskId)!
      logs.set(taskId, { head, totals, digest: await digestOf(store.segments, taskId, head.lastSeq) })
    }
    return { entities, logs, secret: await store.secret() }
  })
}

async function expectSame(a: string, b: string): Promise<void> {
  const [one, other] = [await contentOf(a), await contentOf(b)]
  for (const kind of KINDS) {
    expect(one.entities[kind].length).toBe(other.entities[kind].length)
    for (const [at, entity] of one.entities[kind].entries())
      expect(isSame(other.entities[kind][at], entity), JSON.stringify(entity)).toBe(true)
  }
  expect(one.logs).toEqual(other.logs)
  expect(one.secret).toBe(other.secret)
  await using(b, async store => {
    expect((await buffer(await store.blobs.read('whole', 0, BLOB.length))).equals(BLOB)).toBe(true)
    expect(await store.blobs.size('on-its-way')).toBe(0)
  })
}

describe('a copy', { timeout: 90_000 }, () => {
  it.skipIf(missing !== undefined)('goes from SQLite to MongoDB and back, whole', async () => {
    const [from, there, back] = [folder('from'), database(), folder('back')]
    await using(from, fillStore)
    const first = await runStore(['copy', from, there])
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(
      /1 session, 5 tasks, 1 API key, 1 input, 2 artifacts with 3 000 001 bytes\n7 logs with 9 600 lines/,
    )
    await expectSame(from, there)
    expect(await runStore(['copy', there, back])).toMatchObject({ code: 0, stderr: '' })
    await expectSame(from, back)
  })

  it('goes on where it was killed, and leaves a store that no server starts on before it is whole', async () => {
    const [from, to] = [folder('from'), folder('to')]
    await using(from, store => fillStore(store, 10, 200))
    const begun = async () => {
      const text = await readFile(join(home, 'to', 'copy.json'), 'utf8').catch(() => undefined)
      return text !== undefined && JSON.parse(text).done === false
    }
    let kills = 0
    for (let later = 0; kills < 3; later += 40) {
      const child = startStore(['copy', from, to])
      const exited = once(child, 'exit')
      while (child.exitCode === null && !(await begun())) await pause(2)
      await Promise.race([pause(later), exited])
      if (child.exitCode !== null) break
      child.kill('SIGKILL')
      await exited
      if (!(await begun())) break
      kills++
      await expect(open(to)).rejects.toThrow(/unfinished copy of sqlite:.*run that copy or restore again/)
    }
    expect(kills).toBeGreaterThan(0)
    expect(await runStore(['copy', from, to])).toMatchObject({ code: 0, stderr: '' })
    await expectSame(from, to)
  })

  it('of a store that is written to is whole as of a moment, and a second run brings the rest', async () => {
    const [from, to] = [folder('from'), folder('to')]
    const child = spawn(process.execPath, [appender, join(home, 'from')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    lines.resume()
    const live = await runStore(['copy', from, to])
    expect(live).toMatchObject({ code: 0, stderr: '' })
    expect(live.stdout).toContain('grew meanwhile')
    const copied = await openStoreToFill(locationOf(to, home))
    for (const taskId of ['a', 'b', 'c', 'd']) {
      const { lastSeq, streams } = await copied.segments.head(taskId)
      // Each line is the stream's line of that number: neither is ahead of the other.
      expect(streams).toEqual(new Map([['s', { n: lastSeq }]]))
      expect((await copied.segments.totals([taskId])).get(taskId)?.lines).toBe(lastSeq)
    }
    await copied.close()
    child.kill('SIGKILL')
    await exited
    const second = await runStore(['copy', from, to])
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).not.toContain('grew meanwhile')
    const [one, other] = [await contentOf(from), await contentOf(to)]
    expect(other).toEqual(one)
    await using(to, async ({ segments }) => {
      const { lastSeq } = await segments.head('a')
      expect(await segments.append('a', lastSeq + 1, [streamSegment('s', lastSeq, 1)])).toMatchObject({
        ok: true,
      })
    })
  })

  it('follows what was changed and deleted since the first run', async () => {
    const [from, to] = [folder('from'), folder('to')]
    await using(from, fillStore)
    expect(await runStore(['copy', from, to])).toMatchObject({ code: 0 })
    await using(from, async store => {
      await store.tasks.update({ id: 'task-1' }, { status: 'COMPLETED' })
      await store.tasks.remove({ id: 'task-2' })
      await store.artifacts.remove({ id: 'empty' })
      await store.segments.remove('task-3', 500)
      await store.segments.append('task-4', 2001, [streamSegment('of-task-4', 2000, 3)])
    })
    expect(await runStore(['copy', from, to])).toMatchObject({ code: 0, stderr: '' })
    await expectSame(from, to)
    expect(await readdir(join(home, 'to/artifacts'))).toEqual(['whole'])
  })

  it('is refused where the other store has data of its own, or began a life of its own', async () => {
    const [from, to] = [folder('from'), folder('to')]
    await using(from, fillStore)
    await using(to, store => fillStore(store, 1, 1))
    expect(await runStore(['copy', from, to])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `keruta-server store: ${to} holds data already: name an empty place\n`,
    })
    const third = folder('third')
    expect(await runStore(['copy', from, third])).toMatchObject({ code: 0 })
    await (await open(third)).close()
    expect((await runStore(['copy', from, third])).stderr).toContain('holds data already')
  })

  it('that is not finished is neither copied nor saved nor checked', async () => {
    const half = folder('half')
    await mkdir(join(home, 'half'))
    const store = await openStoreToFill(locationOf(half, home))
    await fillStore(store, 1, 1)
    await store.setCopyMark({ from: 'sqlite:/elsewhere', done: false })
    await store.close()
    for (const args of [
      ['copy', half, folder('to')],
      ['check', half],
      ['backup', join(home, 'saved')],
    ])
      expect(await runStore(args, { KERUTA_DATA_DIR: join(home, 'half') })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /half is an unfinished copy of sqlite:\/elsewhere: run that copy or restore again to its end first/,
        ),
      })
  })

  it('that cannot be ends with a code of its own and one reason', async () => {
    const empty = join(home, 'empty')
    await mkdir(empty)
    for (const name of ['keruta.db', 'segments.db']) await writeFile(join(empty, name), '')
    const [mine, theirs] = [folder('mine'), join(home, 'theirs')]
    await using(mine, store => fillStore(store, 1, 1))
    await mkdir(theirs)
    const other = new DatabaseSync(join(theirs, 'keruta.db'))
    other.exec('CREATE TABLE theirs (a)')
    other.close()
    const cases: [args: string[], code: number, reason: RegExp][] = [
      [
        ['copy', mine, theirs],
        1,
        /theirs.keruta\.db is the database of another program: choose another folder\n$/,
      ],
      [['copy', empty, 'to'], 1, /the folder .*empty holds no keruta data: name a data folder/],
      [['copy', 'sqlite:nowhere', 'to'], 1, /the folder .*nowhere holds no keruta data: name a data folder/],
      [['copy', 'a', 'sqlite:./a'], 2, /FROM and TO are the same store/],
      [['copy', 'postgres://host/x', 'to'], 2, /"postgres:\/\/host\/x" is no store: name a data folder/],
      [['copy', 'a', 'sqlite:'], 2, /"sqlite:" is no store/],
      [['copy', 'a'], 2, /missing required argument 'to'/],
      [
        ['nope'],
        2,
        /^error: unknown command 'nope'\n\(there are copy, check, backup and restore; --help says more\)\n$/,
      ],
      [
        ['copy', 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100', 'to'],
        1,
        /MongoDB at .*127.0.0.1:1.* cannot be used/,
      ],
      [['restore', '.'], 1, /holds no backup: keruta-backup.json is missing/],
    ]
    await Promise.all(
      cases.map(async ([args, code, reason]) => {
        const ended = await runStore(args)
        expect(ended.stderr).toMatch(reason)
        expect(ended.code).toBe(code)
      }),
    )
  })
})
