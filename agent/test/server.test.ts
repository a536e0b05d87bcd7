import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import type { TaskView } from '#protocol/task.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'

let server: TestServer
let keruta: Keruta
let taskId: string
let tasks = 0
beforeAll(async () => {
  // A small queue, so that a slow reader misses lines soon.
  server = await TestServer.start({ KERUTA_READER_QUEUE_KB: '64', KERUTA_READER_PATIENCE_MS: '0' })
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
  taskId = `task-${++tasks}`
})
afterEach(() => keruta.clean())

const post = (entries: Partial<LogEntry>[]) => server.post(`/tasks/${taskId}/logs`, entries)
const out = async (...args: string[]) => {
  const { code, stdout, stderr } = await keruta.run(args)
  expect([code, stderr]).toEqual([0, ''])
  return String(stdout)
}
const json = async <T>(...args: string[]) => JSON.parse(await out(...args, '--json')) as T
const seqsOf = (ndjson: string) =>
  ndjson
    .split('\n')
    .filter(Boolean)
    .map(line => (JSON.parse(line) as LogEntry).seq)
const countTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe('execute', () => {
  it('leaves every line once, a complete log and a completed task with the server', async () => {
    const script = 'seq 1 20000; echo "WARN: look" >&2'
    expect(
      (await keruta.run(['execute', '--quiet', '--task-id', taskId, '--', 'sh', '-c', script])).code,
    ).toBe(0)
    const task = await json<TaskView>('tasks', 'show', taskId)
    expect(task).toMatchObject({ status: 'COMPLETED', exitCode: 0, logState: { state: 'complete' } })
    expect(task.logs.total).toBe(20_001)
    const lines = seqsOf(await out('logs', taskId, '--source', 'stdout', '--format', 'ndjson'))
    expect(lines).toHaveLength(20_000)
    const last = await out('logs', taskId, '--tail', '1', '--source', 'stdout')
    expect(last).toBe('INFO     20000\n')
  })

  it('runs a script that tells of its own start and end, and counts none of that as an error', async () => {
    const script = [
      'set -e',
      'keruta start --log-level INFO --message "it begins"',
      'keruta log INFO "処理を開始します"',
      'keruta progress 50 --message "データ処理中..."',
      'keruta artifact add /etc/hostname --path host',
      'keruta success --message "完了しました"',
    ].join('\n')
    const { code, stderr } = await keruta.run(['execute', '--task-id', taskId, '--', 'sh', '-c', script])
    expect([code, stderr]).toEqual([0, ''])
    const task = await json<TaskView>('tasks', 'show', taskId)
    expect(task).toMatchObject({ status: 'COMPLETED', message: '完了しました', logs: { total: 1 } })
  })

  it('asks the server where a script starts another task, which its token does not allow', async () => {
    const script = `keruta start --task-id ${taskId}-other`
    const { code } = await keruta.run(['execute', '--quiet', '--task-id', taskId, '--', 'sh', '-c', script])
    expect(code).toBe(4)
  })

  it('leaves steps, metrics and what was used with the task, and no secret', async () => {
    const script = 'echo "::group::Build"; echo "::metric size=17"; echo "$ITS_TOKEN"; sleep 1; exit 2'
    await keruta.run(['execute', '--quiet', '--task-id', taskId, '--', 'sh', '-c', script], {
      ITS_TOKEN: 'very-secret',
    })
    const task = await json<TaskView>('tasks', 'show', taskId)
    expect(task).toMatchObject({
      steps: [{ name: 'Build', status: 'FAILED', durationMs: expect.any(Number) }],
      metrics: [{ name: 'size', value: 17 }],
      resources:
        process.platform === 'linux'
          ? { maxRssBytes: expect.any(Number), cpuUserMs: expect.any(Number) }
          : {},
    })
    const log = await out('logs', taskId, '--source', 'stdout', '--format', 'ndjson')
    const entries = log
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as LogEntry)
    expect(entries.map(({ message, step }) => [message, step])).toEqual([
      ['::group::Build', 'Build'],
      ['::metric size=17', 'Build'],
      ['***', 'Build'],
    ])
  })

  it('runs the script that the server has for a task, and fails as it fails', async () => {
    await out('tasks', 'create', '--task-id', taskId, '--command', 'echo from the server; exit 4', '--json')
    const { code, stdout } = await keruta.run(['execute', '--task-id', taskId])
    expect([code, String(stdout)]).toEqual([4, 'from the server\n'])
    expect(await json<TaskView>('tasks', 'show', taskId)).toMatchObject({
      status: 'FAILED',
      errorCode: 'EXIT_4',
    })
  })
})

describe('tasks', () => {
  it('are created, shown, listed, cancelled and tried again', async () => {
    const created = await json<TaskView>(
      ...['tasks', 'create', '--task-id', taskId, '--name', 'nightly build'],
      ...['--command', 'make', '--priority', '7', '--max-attempts', '2'],
    )
    expect(created).toMatchObject({ id: taskId, name: 'nightly build', status: 'PENDING', priority: 7 })
    expect(await out('tasks', 'show', taskId)).toMatch(/^status\tPENDING$/m)
    expect(await out('tasks', 'list', '--status', 'PENDING', '--search', taskId)).toMatch(
      new RegExp(`^ID\tSTATUS\t.*\\n${taskId}\tPENDING\t.*\tnightly build\\n$`),
    )
    expect(await json('tasks', 'cancel', taskId, '--message', 'wrong branch')).toMatchObject({
      status: 'CANCELLED',
    })
    expect(await out('tasks', 'show', taskId)).toMatch(/CANCELLED by .* wrong branch/)
    expect(await json('tasks', 'retry', taskId)).toMatchObject({ status: 'PENDING' })
  })

  it('that are unknown or do not go from one state to the other are refused in words', async () => {
    const unknown = await keruta.run(['tasks', 'show', 'no-such-task'])
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'keruta: there is no task no-such-task; keruta tasks lists those there are\n',
    ])
    await out('tasks', 'create', '--task-id', taskId, '--name', 'x', '--json')
    const illegal = await keruta.run(['tasks', 'retry', taskId])
    expect([illegal.code, illegal.stderr]).toEqual([1, expect.stringMatching(/^keruta: .*PENDING.*\n$/)])
    const nonsense = await keruta.run(['tasks', 'destroy', taskId])
    expect([nonsense.code, nonsense.stderr]).toEqual([2, expect.stringContaining('list, show, create')])
    expect((await keruta.run(['tasks', 'show'])).stderr).toContain('which task?')
  })
})

describe('logs', () => {
  const minute = (n: number) => `2026-01-01T00:0${n}:00.000Z`
  beforeEach(() =>
    post([
      { source: 'stdout', level: 'INFO', message: 'one \u001b[31mred\u001b[0m', timestamp: minute(1) },
      { source: 'stderr', level: 'ERROR', message: 'two, "quoted"', timestamp: minute(2) },
      { source: 'stdout', level: 'INFO', message: 'three', timestamp: minute(3) },
    ]),
  )

  it('are printed as text, JSON, NDJSON and CSV', async () => {
    expect(await out('logs', taskId)).toBe(
      'INFO     one red\nERROR    [stderr] two, "quoted"\nINFO     three\n',
    )
    expect(await out('logs', taskId, '--timestamps', '--tail', '1')).toBe(`${minute(3)} INFO     three\n`)
    const entries = JSON.parse(await out('logs', taskId, '--format', 'json')) as LogEntry[]
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(JSON.parse(await out('logs', taskId, '--format', 'json', '--tail', '2'))).toEqual(entries.slice(1))
    expect(seqsOf(await out('logs', taskId, '--format', 'ndjson'))).toEqual([1, 2, 3])
    const csv = (await out('logs', taskId, '--format', 'csv')).split(/\r?\n/)
    expect(csv[0]).toBe('seq,timestamp,source,level,message,lineNumber,step,durationMs,metadata,id')
    expect(csv[2]).toContain('"two, ""quoted"""')
  })

  it('are filtered by time, end, level, source and text', async () => {
    const seqs = async (...args: string[]) => seqsOf(await out('logs', taskId, '--format', 'ndjson', ...args))
    expect(await seqs('--since', minute(2))).toEqual([2, 3])
    expect(await seqs('--since', '1s')).toEqual([])
    expect(await seqs('--tail', '2')).toEqual([2, 3])
    expect(await seqs('--tail', '0')).toEqual([])
    expect(await seqs('--min-level', 'WARN')).toEqual([2])
    expect(await seqs('--source', 'stdout', '--tail', '1')).toEqual([3])
    expect(await seqs('--search', 'TH?REE', '--regex')).toEqual([3])
  })

  it.each([
    [['--since', 'soon'], 2, '--since "soon" must be a time'],
    [['--tail', '-1'], 2, '--tail "-1" must be a whole number'],
    [['--format', 'xml'], 2, 'one of text, json, ndjson, csv'],
    [['--format', 'csv', '--follow'], 2, 'take ndjson'],
    [['--search', '(', '--regex'], 2, 'search'],
    [['--level', 'LOUD'], 2, 'unknown level'],
  ])('say what is wrong with %j', async (args, code, message) => {
    const ended = await keruta.run(['logs', taskId, ...args])
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)])
  })

  /** Follows the task's log; what it has printed so far. */
  function follow() {
    const { process: agent, ended } = keruta.start(['logs', taskId, '--follow', '--format', 'ndjson'])
    let printed = ''
    let told = ''
    agent.stdout!.on('data', chunk => {
      printed += chunk
    })
    agent.stderr!.on('data', chunk => {
      told += chunk
    })
    return {
      printed: () => printed,
      told: () => told,
      stdout: agent.stdout!,
      stop: async () => {
        agent.kill('SIGINT')
        expect((await ended).code).toBe(0)
      },
    }
  }

  it('are followed over the death of the server: nothing twice, nothing missing', async () => {
    const reader = follow()
    await vi.waitFor(() => expect(seqsOf(reader.printed())).toEqual([1, 2, 3]), 10_000)
    await post([{ message: 'four' }])
    await vi.waitFor(() => expect(seqsOf(reader.printed())).toEqual(countTo(4)), 10_000)
    await server.stop('SIGKILL')
    await vi.waitFor(() => expect(reader.told()).toContain('the server is away'), 10_000)
    await server.start()
    await post([{ message: 'five' }, { message: 'six' }])
    await vi.waitFor(() => expect(seqsOf(reader.printed())).toEqual(countTo(6)), 20_000)
    await reader.stop()
    expect(seqsOf(reader.printed())).toEqual(countTo(6))
  })

  it('are whole and in order for a reader that was too slow for the live feed', async () => {
    const reader = follow()
    await vi.waitFor(() => expect(seqsOf(reader.printed())).toHaveLength(3), 10_000)
    reader.stdout.pause()
    const message = 'x'.repeat(10_000)
    for (let batch = 0; batch < 10; batch++) await post(Array.from({ length: 300 }, () => ({ message })))
    reader.stdout.resume()
    await vi.waitFor(() => expect(reader.printed().length).toBeGreaterThan(30_000_000), 20_000)
    const metrics = await (
      await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
    ).text()
    expect(Number(/gaps_total(?:\{[^}]*\})? (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0)
    await reader.stop()
    expect(seqsOf(reader.printed())).toEqual(countTo(3003))
  })

  it('are waited for where the task is yet to come', async () => {
    taskId = `${taskId}-later`
    const reader = follow()
    await vi.waitFor(() => expect(reader.told()).toContain(`waiting for task ${taskId}`), 10_000)
    await post([{ message: 'first' }])
    await vi.waitFor(() => expect(seqsOf(reader.printed())).toEqual([1]), 10_000)
    await reader.stop()
  })
})
