import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ArtifactView } from '#protocol/artifact.ts'
import type { LogEntry } from '#protocol/log.ts'
import type { Page } from '#protocol/page.ts'
import type { TaskView } from '#protocol/task.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'
import { startDaemon, TestSession } from './serving.ts'

let server: TestServer
let keruta: Keruta
let taskId: string
let tasks = 0
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
  taskId = `task-${++tasks}`
  mkdirSync(folder())
})
afterEach(() => keruta.clean())

const folder = (...names: string[]) => join(keruta.home, 'artifacts', ...names)
const get = async <T>(path: string) => (await (await server.api(path)).json()) as T
const artifacts = async (id = taskId) => (await get<Page<ArtifactView>>(`/tasks/${id}/artifacts`)).content
const pathsOf = async (id?: string) => (await artifacts(id)).map(({ path }) => path)
const contentOf = async (path: string) => {
  const artifact = (await artifacts()).find(each => each.path === path)!
  return Buffer.from(await (await server.api(`/artifacts/${artifact.id}/content`)).arrayBuffer())
}
const said = async (level: string) => {
  const page = await get<Page<LogEntry>>(`/tasks/${taskId}/logs?source=agent&level=${level}`)
  return page.content.map(({ message }) => message)
}
const execute = (script: string, env?: Record<string, string>, flags: string[] = []) =>
  keruta.run(['execute', '--task-id', taskId, ...flags, '--', 'sh', '-c', script], env)

describe('at the end of a script', () => {
  it('what lies in its folder goes up, and the log says how much', async () => {
    const binary = randomBytes(3_000_000)
    writeFileSync(join(keruta.home, 'binary'), binary)
    const { code } = await execute(
      'cd "$KERUTA_ARTIFACTS_DIR"; mkdir -p plots; cp "$HOME/binary" plots/a.bin; echo hello > note.txt; : > empty; exit 3',
    )
    expect(code).toBe(3)
    expect(await pathsOf()).toEqual(['empty', 'note.txt', 'plots/a.bin'])
    expect((await contentOf('plots/a.bin')).equals(binary)).toBe(true)
    expect(await said('INFO')).toEqual(['3 artifacts uploaded (2.9 MB)'])
    expect(await get<TaskView>(`/tasks/${taskId}`)).toMatchObject({
      status: 'FAILED',
      logState: { state: 'complete' },
    })
  })

  it('what cannot go up is said, and the task is what it is', async () => {
    symlinkSync('/etc/passwd', folder('out'))
    const { code, stderr } = await execute(
      'cd "$KERUTA_ARTIFACTS_DIR"; mkfifo pipe; head -c 2000000 /dev/zero > large; echo ok > small; printf x > "$(printf "two\\nlines")"',
      { KERUTA_MAX_FILE_SIZE: '1' },
    )
    expect(code).toBe(0)
    expect(await pathsOf()).toEqual(['small', 'two_lines'])
    const remarks = await said('WARN')
    expect(remarks).toEqual([
      'large has 1.9 MB, and KERUTA_MAX_FILE_SIZE is 1 MB: not uploaded',
      'out is a link out of the folder, to /etc/passwd: not uploaded',
      'pipe is no file but a pipe: not uploaded',
      'a file has a name that the server does not take: it is uploaded as two_lines',
      expect.stringContaining('what was not uploaded is left in'),
    ])
    for (const remark of remarks) expect(stderr).toContain(remark)
    expect(await get<TaskView>(`/tasks/${taskId}`)).toMatchObject({ status: 'COMPLETED' })
  })

  it('text goes up without secrets, other files as they are', async () => {
    const env = { DB_PASSWORD: 'hunter2-and-more' }
    const script =
      'cd "$KERUTA_ARTIFACTS_DIR"; echo "::add-mask::later-secret"; echo "a $DB_PASSWORD b later-secret c" > text; printf "\\0$DB_PASSWORD" > binary'
    expect((await execute(script, env)).code).toBe(0)
    expect(String(await contentOf('text'))).toBe('a *** b *** c\n')
    expect(String(await contentOf('binary'))).toBe('\0hunter2-and-more')
  })

  it('a file that never holds still goes up as it is at last', async () => {
    const script = `cd "$KERUTA_ARTIFACTS_DIR"; echo first > restless
      (while [ -d "$HOME" ] && [ ! -e "$HOME/stop" ]; do head -c 400000 /dev/urandom | od > restless; done) > /dev/null 2>&1 &`
    const { code } = await execute(script)
    writeFileSync(join(keruta.home, 'stop'), '')
    expect(code).toBe(0)
    expect(await artifacts()).toMatchObject([{ path: 'restless', complete: true }])
  })

  it('a folder that cannot be written is replaced by one of the base dir, which is said', async () => {
    writeFileSync(folder('file'), '')
    const { code, stderr } = await execute('echo x > "$KERUTA_ARTIFACTS_DIR/x"', {
      KERUTA_ARTIFACTS_DIR: folder('file', 'below'),
    })
    expect(code).toBe(0)
    const own = join(keruta.home, '.keruta', 'artifacts', taskId)
    expect(stderr).toContain(`cannot be written (ENOTDIR): ${own} is used`)
    expect(await pathsOf()).toEqual(['x'])
    expect(existsSync(own)).toBe(false)
  })

  it('without a server the script ends as it ends, and is told what was not uploaded', async () => {
    const away = new Keruta('http://127.0.0.1:1', 'key')
    onTestFinished(() => away.clean())
    const flags = ['--task-id', taskId, '--drain-timeout', '300ms']
    const script = 'mkdir -p "$KERUTA_ARTIFACTS_DIR"; echo x > "$KERUTA_ARTIFACTS_DIR/x"; exit 5'
    const { code, stderr } = await away.run(['execute', ...flags, '--', 'sh', '-c', script])
    expect(code).toBe(5)
    expect(stderr).toContain('x was not uploaded: the server at http://127.0.0.1:1 cannot be reached')
    expect(readFileSync(join(away.home, 'artifacts', 'x'), 'utf8')).toBe('x\n')
  })
})

describe('an upload', () => {
  it('goes on where it stood each time its connection is cut', async () => {
    const network = await cuttingNetwork(2_500_000)
    onTestFinished(network.stop)
    const files = { small: randomBytes(4_000_000), large: randomBytes(12_000_000) }
    for (const [name, bytes] of Object.entries(files)) writeFileSync(folder(name), bytes)
    const { code, stderr } = await execute('true', { KERUTA_API_URL: network.url })
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 artifacts uploaded (15.3 MB)')])
    expect(network.cuts()).toBeGreaterThanOrEqual(5)
    for (const [name, bytes] of Object.entries(files))
      expect((await contentOf(name)).equals(bytes), name).toBe(true)
  })

  it('goes on where it stood after its agent was killed', async () => {
    await server.post('/tasks', { id: taskId })
    const network = await cuttingNetwork(8_000_000, 'hold')
    onTestFinished(network.stop)
    const bytes = randomBytes(12_000_000)
    writeFileSync(folder('large'), bytes)
    const args = ['artifact', 'add', folder('large'), '--task-id', taskId]
    const killed = keruta.start(args, { KERUTA_API_URL: network.url })
    await expect.poll(network.cuts, { timeout: 10_000 }).toBe(1)
    killed.process.kill('SIGKILL')
    await killed.ended
    await network.stop()
    const [left] = await artifacts()
    expect(left).toMatchObject({ complete: false })
    expect(left!.receivedBytes).toBeGreaterThan(0)
    expect((await keruta.run(args)).code).toBe(0)
    expect(await artifacts()).toMatchObject([{ id: left!.id, complete: true }])
    expect((await contentOf('large')).equals(bytes)).toBe(true)
  })

  it('does not keep a task from its true end when its agent is killed', async () => {
    const network = await cuttingNetwork(2_000_000, 'hold')
    onTestFinished(network.stop)
    writeFileSync(folder('large'), randomBytes(12_000_000))
    const env = { KERUTA_API_URL: network.url }
    const killed = keruta.start(['execute', '--task-id', taskId, '--', 'echo', 'done'], env)
    killed.process.stdin!.end()
    await expect.poll(network.cuts, { timeout: 10_000 }).toBe(1)
    killed.process.kill('SIGKILL')
    await killed.ended
    expect((await keruta.run(['log', '--task-id', `${taskId}-other`, 'INFO', 'x'], env)).code).toBe(0)
    expect(await get<TaskView>(`/tasks/${taskId}`)).toMatchObject({ status: 'COMPLETED', exitCode: 0 })
  })

  it('of what the server has already is none, and says what is new of it', async () => {
    await server.post('/tasks', { id: taskId })
    writeFileSync(folder('large'), randomBytes(9_000_000))
    writeFileSync(folder('small'), 'x')
    const add = (name: string, ...more: string[]) =>
      keruta.run(['artifact', 'add', folder(name), '--task-id', taskId, ...more])
    for (const name of ['large', 'small']) await add(name)
    const before = await artifacts()
    for (const name of ['large', 'small']) expect((await add(name, '--description', 'again')).code).toBe(0)
    expect(await artifacts()).toEqual(before.map(each => ({ ...each, description: 'again' })))
  })
})

describe('what could not be uploaded', () => {
  const other = () => keruta.run(['log', '--task-id', `${taskId}-other`, 'INFO', 'x'])

  it('because the server was away goes up with the next command, without the secrets of its run', async () => {
    await server.stop()
    const script =
      'cd "$KERUTA_ARTIFACTS_DIR"; echo "::add-mask::later-secret"; echo "a later-secret" > text; echo x > of-later-secret; printf "\\0x" > binary'
    const { code, stderr } = await execute(script, { DB_PASSWORD: 'hunter2-and-more' }, [
      '--drain-timeout',
      '300ms',
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /3 of them are kept in \S+, without secrets, and uploaded by the next keruta command/,
    )
    for (const name of ['text', 'binary', 'of-later-secret']) rmSync(folder(name))
    const [spool = ''] = readdirSync(keruta.spool)
    expect(grep(join(keruta.spool, spool), 'later-secret')).toEqual([])
    await server.start()
    await other()
    expect(await pathsOf()).toEqual(['binary', 'of-***', 'text'])
    expect(String(await contentOf('text'))).toBe('a ***\n')
    expect(await get<TaskView>(`/tasks/${taskId}`)).toMatchObject({ status: 'COMPLETED' })
    expect(await said('INFO')).toContain('3 artifacts uploaded that could not be at the end of the run')
    expect(readdirSync(keruta.spool)).toEqual([])
  }, 60_000)

  it('and does not fit into the spool is left where it is, which is said', async () => {
    await server.stop()
    const { stderr } = await execute(
      'cd "$KERUTA_ARTIFACTS_DIR"; head -c 1500000 /dev/zero > large; echo x > small',
      { KERUTA_SPOOL_MAX_MB: '1' },
      ['--drain-timeout', '300ms'],
    )
    expect(stderr).toContain(
      'large is not kept for later: the spool has no room for its 1.4 MB (KERUTA_SPOOL_MAX_MB)',
    )
    expect(stderr).toContain(`what was not uploaded is left in ${folder()}`)
    await server.start()
    await other()
    expect(await pathsOf()).toEqual(['small'])
  }, 60_000)

  it('is not put in the place of what a later run has left', async () => {
    await server.stop()
    await execute('echo old > "$KERUTA_ARTIFACTS_DIR/a"; echo old > "$KERUTA_ARTIFACTS_DIR/b"', {}, [
      '--drain-timeout',
      '300ms',
    ])
    for (const name of ['a', 'b']) rmSync(folder(name))
    await server.start()
    await server.post(`/tasks/${taskId}/start`, { agentId: 'later' })
    await server.api(`/tasks/${taskId}/artifacts?path=a`, { method: 'POST', body: 'new' })
    await other()
    expect(String(await contentOf('a'))).toBe('new')
    expect(String(await contentOf('b'))).toBe('old\n')
  }, 60_000)

  it('because the agent died goes up where it is no text; of text it is said where it lies', async () => {
    const session = await TestSession.create(server, { name: 'dies' })
    const id = `${taskId}-a`
    await session.queue(
      id,
      'cd "$KERUTA_ARTIFACTS_DIR"; printf "\\0x" > binary; echo secret > text; pwd; echo up; sleep 60',
    )
    const daemon = startDaemon(keruta, ['--session-id', session.id])
    await session.printed(id, 'up')
    const [path = ''] = await session.lines(id)
    daemon.process.kill('SIGKILL')
    await daemon.ended
    await other()
    expect(await pathsOf(id)).toEqual(['binary'])
    expect(readdirSync(path)).toEqual(['text'])
    const told = await session.lines(id, 'agent')
    expect(told).toContain('1 artifact uploaded that the agent left when it died')
    expect(told.at(-1)).toMatch(
      /^1 artifact not uploaded \(text\), because the agent that died alone knew .* they lie in .* keruta artifact add sends them$/,
    )
    expect((await session.task(id)).errorCode).toBe('AGENT_LOST')
    expect(readdirSync(keruta.spool)).toEqual([])
  })
})

describe('the daemon', () => {
  it('gives each task a folder of its own, which is gone when its files are uploaded', async () => {
    const session = await TestSession.create(server, { name: 'artifacts' })
    const ids = [`${taskId}-a`, `${taskId}-b`]
    for (const id of ids)
      await session.queue(
        id,
        `echo $KERUTA_TASK_ID > "$KERUTA_ARTIFACTS_DIR/$KERUTA_TASK_ID.txt"; echo "$KERUTA_ARTIFACTS_DIR"`,
      )
    startDaemon(keruta, ['--session-id', session.id])
    for (const id of ids) {
      await session.until(id, { status: 'COMPLETED' })
      expect(await pathsOf(id)).toEqual([`${id}.txt`])
      const [path = ''] = await session.lines(id)
      expect(path).toBe(folder(`${id}.1`))
      expect(existsSync(path)).toBe(false)
    }
  })
})

describe('keruta artifact', () => {
  const run = (...args: string[]) => keruta.run(['artifact', ...args, '--task-id', taskId])

  it('adds, lists, gets and removes a file', async () => {
    await server.post('/tasks', { id: taskId })
    const file = folder('report.pdf')
    writeFileSync(file, '%PDF-1.7 hello')
    const added = await run('add', file, '--description', 'monthly', '--metadata', 'stage=ci', '--json')
    const { id } = JSON.parse(String(added.stdout)) as ArtifactView
    expect(await artifacts()).toMatchObject([
      { id, path: 'report.pdf', description: 'monthly', metadata: { stage: 'ci' }, preview: { kind: 'pdf' } },
    ])
    expect(String((await run('list')).stdout)).toMatch(/^PATH.*\nreport\.pdf\t14 bytes\tapplication\/pdf/)
    for (const which of ['report.pdf', id])
      expect(String((await run('get', which, '-o', '-')).stdout)).toBe('%PDF-1.7 hello')
    const copy = folder('copy.pdf')
    expect((await run('get', 'report.pdf', '-o', copy)).code).toBe(0)
    expect(readFileSync(copy, 'utf8')).toBe('%PDF-1.7 hello')
    expect((await run('remove', file)).code).toBe(0)
    expect(await artifacts()).toEqual([])
  })

  it('gets a file whole through a network that cuts', async () => {
    await server.post('/tasks', { id: taskId })
    const bytes = randomBytes(4_000_000)
    writeFileSync(folder('large'), bytes)
    await run('add', folder('large'))
    const network = await cuttingNetwork(1_500_000)
    onTestFinished(network.stop)
    const got = await run('get', 'large', '-o', folder('again'), '--api-url', network.url)
    expect(got.code).toBe(0)
    expect(network.cuts()).toBeGreaterThanOrEqual(2)
    expect(readFileSync(folder('again')).equals(bytes)).toBe(true)
  })

  it.each([
    ['a file that is not there', ['add', '/nowhere'], 2, 'there is no file /nowhere'],
    ['a folder', ['add', '/tmp'], 2, '/tmp is a folder'],
    ['a path out of its folder', ['add', '/etc/hostname', '--path', '../x'], 2, 'must be relative'],
    ['metadata without a value', ['add', '/etc/hostname', '--metadata', 'x'], 2, 'must be name=value'],
    ['an unknown artifact', ['get', 'nothing'], 1, 'the task has no artifact nothing'],
    ['an unknown subcommand', ['fetch'], 2, 'artifact fetch is unknown'],
  ])('refuses %s, and says so', async (_, args, code, message) => {
    await server.post('/tasks', { id: taskId })
    const ended = await run(...args)
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)])
  })
})

it('keruta success uploads a folder before the task is COMPLETED', async () => {
  writeFileSync(folder('a'), 'a')
  await keruta.run(['start', '--task-id', taskId])
  const { code, stderr } = await keruta.run(['success', '--task-id', taskId, '--artifacts-dir', folder()])
  expect([code, stderr]).toEqual([0, expect.stringContaining('1 artifact uploaded (1 byte)')])
  expect(await pathsOf()).toEqual(['a'])
  const missing = await keruta.run(['success', '--task-id', taskId, '--artifacts-dir', '/nowhere'])
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('there is no folder /nowhere')])
})

/** Files below a folder that have a text in them. */
function grep(dir: string, text: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => readFileSync(file, 'latin1').includes(text))
}

/** Between agent and server: every connection is cut after so many bytes, or one of them goes dead. */
async function cuttingNetwork(bytes: number, then: 'cut' | 'hold' = 'cut') {
  const sockets = new Set<Socket>()
  let cuts = 0
  const network = createServer(client => {
    const target = connect(Number(new URL(server.url).port), '127.0.0.1')
    let left = bytes
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', chunk => {
        left -= chunk.length
        if (!to.write(chunk)) from.pause()
        if (left > 0 || (then === 'hold' && cuts > 0)) return
        cuts++
        if (then === 'hold') return void from.pause()
        client.destroy()
        target.destroy()
      })
      to.on('drain', () => from.resume())
    }
  })
  network.listen(0, '127.0.0.1')
  await once(network, 'listening')
  return {
    url: `http://127.0.0.1:${(network.address() as { port: number }).port}`,
    cuts: () => cuts,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      if (network.listening) await once(network.close(), 'close')
    },
  }
}
