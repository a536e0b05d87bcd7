import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import type { Page } from '#protocol/page.ts'
import type { NewSession } from '#protocol/session.ts'
import type { TaskRow, TaskView } from '#protocol/task.ts'
import type { NewTask } from '#protocol/task-calls.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'

/** What the tests of a daemon have: a server for all of them, and for each an agent's home and a session. */
interface DaemonTests {
  server: TestServer
  keruta: Keruta
  session: TestSession
}

/** Opens that for a file of tests. @param prefix of the sessions' ids */
export function daemonTests(prefix: string): DaemonTests {
  const at = {} as DaemonTests
  let sessions = 0
  beforeAll(async () => {
    at.server = await TestServer.start()
  })
  afterAll(() => at.server.dispose())
  beforeEach(async () => {
    at.keruta = new Keruta(at.server.url, ADMIN_KEY)
    at.session = await TestSession.create(at.server, { id: `${prefix}${++sessions}`, name: 'Queue' })
  })
  afterEach(() => at.keruta.clean())
  return at
}

/** A session of a server, for tests of who serves it. */
export class TestSession {
  readonly id: string
  readonly #server: TestServer

  private constructor(server: TestServer, id: string) {
    this.#server = server
    this.id = id
  }

  static async create(server: TestServer, session: Omit<NewSession, 'tags'>): Promise<TestSession> {
    const { id } = await server.post<{ id: string }>('/sessions', session)
    return new TestSession(server, id)
  }

  queue(id: string, script: string, more: Partial<NewTask> = {}): Promise<TaskView> {
    return this.#server.post(`/sessions/${this.id}/tasks`, { id, script, ...more })
  }

  async task(id: string): Promise<TaskView> {
    return (await this.#server.api(`/tasks/${id}`)).json() as Promise<TaskView>
  }

  async tasks(): Promise<TaskRow[]> {
    const page = await this.#server.api(`/sessions/${this.id}/tasks`)
    return ((await page.json()) as Page<TaskRow>).content
  }

  /** Waits until a task has some state. */
  until(id: string, expected: Partial<TaskView>, timeout = 15_000): Promise<TaskView> {
    return vi.waitFor(
      async () => {
        const task = await this.task(id)
        expect(task).toMatchObject(expected)
        return task
      },
      { timeout, interval: 20 },
    )
  }

  /** The task's lines of one source. */
  async lines(id: string, source: LogEntry['source'] = 'stdout'): Promise<string[]> {
    const page = (await (
      await this.#server.api(`/tasks/${id}/logs?source=${source}&size=1000`)
    ).json()) as Page<LogEntry>
    return page.content.map(({ message }) => message)
  }

  /** Waits until a script has printed a line. */
  printed(id: string, line: string): Promise<void> {
    return vi.waitFor(async () => expect(await this.lines(id)).toContain(line), {
      timeout: 15_000,
      interval: 20,
    })
  }

  async set(status: string): Promise<void> {
    await this.#server.api(`/sessions/${this.id}`, { method: 'PATCH', body: JSON.stringify({ status }) })
  }
}

/** A daemon of its own process, on a free port unless `args` say otherwise. */
export function startDaemon(keruta: Keruta, args: string[], env: Record<string, string> = {}) {
  const all = ['daemon', '--port', '0', ...args]
  const { process: child, ended } = keruta.start(all, env)
  let log = ''
  child.stderr!.on('data', chunk => {
    log += chunk
  })
  child.stdin!.end()
  const entries = () =>
    log
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as Record<string, unknown> & { message: string })
  const said = (message: string) =>
    vi.waitFor(
      () => {
        const found = entries().find(entry => entry.message.includes(message))
        expect(found, log).toBeDefined()
        return found!
      },
      { timeout: 15_000, interval: 20 },
    )
  return {
    process: child,
    ended,
    entries,
    said,
    /** Where its HTTP API listens. */
    url: async () => String((await said('daemon started')).url),
  }
}

/** Numbers that scripts have written into a file, a line each: how often they ran. */
export function ranTimes(keruta: Keruta, name: string): string[] {
  return readFileSync(join(keruta.home, name), 'utf8').trim().split('\n')
}
