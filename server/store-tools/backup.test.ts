import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStoreToFill } from '#server/store/open.ts'
import { MongoServer, missingMongoServer } from '#server/testing/mongo-server.ts'
import { logPath } from './backup/layout.ts'
import { fillStore } from './test/fill.ts'
import { runStore, startStore } from './test/run.ts'
import { useStore } from './test/use.ts'

/** Each command is a process, and several are run one after the other. */
const LIMIT = 90_000
const missing = await missingMongoServer()
const appender = fileURLToPath(new URL('../store/mongo/test/append-forever.ts', import.meta.url))

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'keruta-backup-'))
})
afterEach(() => rm(home, { recursive: true }))
const at = (name: string) => join(home, name)
const own = (name: string) => ({ KERUTA_DATA_DIR: at(name) })
const locate = (name: string) => ({ kind: 'sqlite' as const, dataDir: at(name) })

describe('a backup', { timeout: LIMIT }, () => {
  it('is restored into an empty store, and into no other', async () => {
    await useStore(locate('data'), fillStore)
    const made = await runStore(['backup', at('saved')], own('data'))
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(await runStore(['check', at('saved')], own('data'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^nothing is wrong in backup .*: 10 entities, 7 logs with 9 600 lines, 2 artifacts\n$/,
      ),
    })
    expect(await runStore(['restore', at('saved')], own('other'))).toMatchObject({ code: 0, stderr: '' })
    const refused = await runStore(['restore', at('saved')], own('data'))
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(
      'holds data already: name an empty place; KERUTA_DATA_DIR names the folder',
    )
  })

  it('goes on where it was killed, is no backup before it is finished, and can be brought up to date', async () => {
    await useStore(locate('data'), store => fillStore(store, 10, 200))
    let kills = 0
    for (let after = 450; kills < 2; after += 200) {
      const child = startStore(['backup', at('saved')], own('data'))
      const exited = once(child, 'exit')
      await Promise.race([pause(after), exited])
      if (child.exitCode !== null) break
      child.kill('SIGKILL')
      await exited
      if (!(await stat(at('saved/keruta-backup.json')).catch(() => undefined))) continue
      kills++
      expect((await runStore(['restore', at('saved')], own('never'))).stderr).toMatch(
        /the backup in .*saved is not finished: run `store backup` into it again/,
      )
    }
    expect(kills).toBeGreaterThan(0)
    // As a lost disk's cache would have left it.
    await mkdir(dirname(logPath(at('saved'), 'task-3')), { recursive: true })
    await appendFile(logPath(at('saved'), 'task-3'), '{"firstSeq":99999,"co')
    expect(await runStore(['backup', at('saved')], own('data'))).toMatchObject({ code: 0, stderr: '' })
    await useStore(locate('data'), async store => {
      await store.segments.remove('task-1')
      await store.tasks.remove({ id: 'task-2' })
      await store.artifacts.remove({ id: 'empty' })
    })
    expect(await runStore(['backup', at('saved')], own('data'))).toMatchObject({ code: 0, stderr: '' })
    expect(await runStore(['restore', at('saved')], own('other'))).toMatchObject({ code: 0, stderr: '' })
    await useStore(locate('other'), async store => {
      expect(await store.tasks.count()).toBe(9)
      expect(await store.artifacts.get('empty')).toBeUndefined()
      expect(await store.segments.head('task-1')).toMatchObject({ lastSeq: 20_000 })
      expect((await store.segments.totals(['task-1'])).get('task-1')).toMatchObject({ lines: 0 })
      expect((await store.segments.head('task-3')).streams.get('of-task-3')).toEqual({ n: 20_000 })
    })
  })

  it('has nothing of what was typed to a script that has not taken it yet, nor gives back what an older one has', async () => {
    await useStore(locate('data'), async store => {
      await fillStore(store, 1, 1)
      const input = (await store.inputs.find())[0]!
      await store.inputs.insert({ ...input, id: 'typed', text: 'pass-word', secret: true })
    })
    expect(await runStore(['backup', at('saved')], own('data'))).toMatchObject({ code: 0, stderr: '' })
    expect(await textOf(at('saved'))).not.toContain('pass-word')
    // As it was written once.
    await writeFile(at('saved/entities/inputs.ndjson'), '{"id":"typed","text":"pass-word"}\n')
    expect(await runStore(['restore', at('saved')], own('other'))).toMatchObject({ code: 0, stderr: '' })
    await useStore(locate('other'), async store => expect(await store.inputs.count()).toBe(0))
    expect(await runStore(['backup', at('saved')], own('data'))).toMatchObject({ code: 0, stderr: '' })
    expect(await textOf(at('saved'))).not.toContain('pass-word')
  })

  it('that is cut or changed is refused with what is wrong, before anything is restored', async () => {
    await useStore(locate('data'), fillStore)
    expect(await runStore(['backup', at('saved')], own('data'))).toMatchObject({ code: 0 })
    const log = logPath('saved', 'task-1')
    const damages: [damage: () => Promise<void>, said: RegExp][] = [
      [
        () => truncate(at(log), 5000),
        /the backup in .* is damaged: logs\/.*\.log has 5000 bytes instead of \d+; use another backup/,
      ],
      [() => rm(at('saved/artifacts/whole')), /artifacts\/whole is missing; use another backup/],
      [
        () => truncate(at('saved/manifest.ndjson'), 300),
        /manifest.ndjson is damaged or cut: use another backup/,
      ],
      [() => flip(at(log), 3000), /problem: .*\.log is damaged: its sha256 is another; use another backup/],
      [() => flip(at('saved/entities/tasks.ndjson'), 100), /tasks.ndjson is damaged: its sha256 is another/],
    ]
    for (const [damage, said] of damages) {
      await cp(at('saved'), at('kept'), { recursive: true })
      await damage()
      const refused = await runStore(['restore', at('saved')], own('other'))
      expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(said) })
      expect(await stat(at('other')).catch(() => undefined)).toBeUndefined()
      await rm(at('saved'), { recursive: true })
      await cp(at('kept'), at('saved'), { recursive: true })
    }
  })

  it('is not written into a folder with other files', async () => {
    await useStore(locate('data'), store => fillStore(store, 1, 1))
    await writeFile(at('mine'), '')
    expect(await runStore(['backup', home], own('data'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('holds other files: name an empty one'),
    })
  })

  it.skipIf(process.platform !== 'linux')(
    'ends with the reason where its folder cannot be made',
    async () => {
      await useStore(locate('data'), store => fillStore(store, 1, 1))
      await writeFile(at('file'), '')
      for (const folder of ['/proc/none', at('file')])
        expect(await runStore(['backup', folder], own('data'))).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(`the folder ${folder} cannot be made`),
        })
    },
  )
})

describe.skipIf(missing !== undefined)('a backup of a MongoDB store', { timeout: LIMIT }, () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await MongoServer.start()
  })
  afterAll(() => server.dispose())

  it('that is written to is restored to a moment at which no line is lost or doubled', async () => {
    const DATABASE_URL = server.url('keruta')
    const child = spawn(process.execPath, [appender, DATABASE_URL, 't'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    lines.resume()
    const saving = runStore(['backup', at('saved')], { DATABASE_URL })
    await vi.waitFor(() => stat(logPath(at('saved'), 't')), LIMIT / 2)
    child.kill('SIGKILL')
    await exited
    expect(await saving).toMatchObject({ code: 0, stderr: '' })
    expect(await runStore(['restore', at('saved')], own('other'))).toMatchObject({ code: 0, stderr: '' })
    const store = await openStoreToFill(locate('other'))
    const { lastSeq, streams } = await store.segments.head('t')
    expect(lastSeq).toBeGreaterThan(0)
    expect(streams).toEqual(new Map([['s', { n: lastSeq }]]))
    expect((await store.segments.totals(['t'])).get('t')?.lines).toBe(lastSeq)
    await store.close()
  })
})

async function flip(path: string, byte: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[byte]! ^= 1
  await writeFile(path, bytes)
}

/** All that the files of a folder hold. */
async function textOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  const texts = files.map(entry => readFile(join(entry.parentPath, entry.name), 'latin1'))
  return (await Promise.all(texts)).join()
}
