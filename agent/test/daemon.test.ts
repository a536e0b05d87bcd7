import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Keruta } from './keruta.ts'
import { daemonTests, startDaemon, TestSession } from './serving.ts'

const at = daemonTests('s')

const id = (name: string) => `${at.session.id}-${name}`
const serve = (args: string[] = [], env: Record<string, string> = {}) =>
  startDaemon(at.keruta, ['--session-id', at.session.id, ...args], env)

describe('a daemon', () => {
  it('runs the queue by priority, then age, goes on after a failure, and ends with its session', async () => {
    await at.session.queue(id('a'), 'echo a >> "$HOME/order"; exit 3')
    await at.session.queue(id('b'), 'echo b >> "$HOME/order"')
    await at.session.queue(id('c'), 'echo c >> "$HOME/order"', { priority: 5 })
    const daemon = serve()
    await at.session.until(id('b'), { status: 'COMPLETED' })
    expect(readFileSync(join(at.keruta.home, 'order'), 'utf8')).toBe('c\na\nb\n')
    expect(await at.session.task(id('a'))).toMatchObject({
      status: 'FAILED',
      exitCode: 3,
      errorCode: 'EXIT_3',
    })
    await at.session.set('COMPLETED')
    expect((await daemon.ended).code).toBe(0)
    expect(daemon.entries().at(-1)!.message).toContain('the session is COMPLETED')
    expect(readdirSync(join(at.keruta.home, '.keruta', 'daemons'))).toEqual([])
    expect(readdirSync(at.keruta.spool)).toEqual([])
  })

  it('says that its session is over while a task runs, and lets that one end', async () => {
    const daemon = serve(['--verbose'])
    await daemon.said('connected')
    await at.session.queue(id('a'), 'echo up; until [ -e "$HOME/go" ]; do sleep 0.05; done')
    await at.session.queue(id('b'), 'true')
    await at.session.printed(id('a'), 'up')
    await at.session.set('COMPLETED')
    await daemon.said(
      `the session is COMPLETED: no further task is taken; task ${id('a')} goes on to its end`,
    )
    writeFileSync(join(at.keruta.home, 'go'), '')
    expect((await daemon.ended).code).toBe(0)
    expect((await at.session.task(id('a'))).status).toBe('COMPLETED')
    expect((await at.session.task(id('b'))).status).toBe('PENDING')
  })

  it('is woken by the server, long before it would ask', async () => {
    const daemon = serve(['--poll-interval', '600', '--verbose'])
    await daemon.said('connected')
    await at.session.queue(id('a'), 'true')
    await at.session.until(id('a'), { status: 'COMPLETED' })
    await at.session.set('ARCHIVED')
    expect((await daemon.ended).code).toBe(0)
  })

  it('gives scripts the variables of session and task, and nothing to read', async () => {
    at.session = await TestSession.create(at.server, {
      name: 'Env',
      template: { env: { A: 'session', B: 'session' } },
    })
    serve()
    await at.session.queue('env', 'cat; echo "$A $B $C $KERUTA_SESSION_ID $KERUTA_TASK_ID"', {
      env: { B: 'task', C: 'task' },
    })
    await at.session.until('env', { status: 'COMPLETED' })
    expect(await at.session.lines('env')).toEqual([`session task task ${at.session.id} env`])
  })

  it('ends a script at the time limit of its task, and tries again where attempts are left', async () => {
    serve()
    await at.session.queue(id('slow'), 'echo x >> "$HOME/tries"; sleep 60', {
      timeoutSeconds: 0.3,
      maxAttempts: 2,
    })
    await at.session.until(id('slow'), { status: 'FAILED', errorCode: 'TIMEOUT', attempt: 2 })
    expect(readFileSync(join(at.keruta.home, 'tries'), 'utf8')).toBe('x\nx\n')
  })

  it('stops a script within a second of its cancel, also where its lines are not sent', async () => {
    serve([], { KERUTA_LOG_STREAMING_ENABLED: 'false' })
    await at.session.queue(id('a'), 'touch "$HOME/up"; sleep 60')
    await expect.poll(() => existsSync(join(at.keruta.home, 'up')), { timeout: 10_000 }).toBe(true)
    await at.server.post(`/tasks/${id('a')}/cancel`, {})
    const since = performance.now()
    await at.session.queue(id('b'), 'true')
    await at.session.until(id('b'), { status: 'COMPLETED' })
    expect(performance.now() - since).toBeLessThan(3000)
    expect(await at.session.task(id('a'))).toMatchObject({ status: 'CANCELLED' })
  })

  it('gives an auto-fix task what it is to mend', async () => {
    at.session = await TestSession.create(at.server, {
      name: 'Fix',
      template: {
        autoFixCommand: 'cd "$KERUTA_AUTO_FIX_DIR"; cat script log.txt; echo "$KERUTA_AUTO_FIX_EXIT_CODE"',
      },
    })
    await at.session.queue(id('broken'), 'echo what went wrong; exit 7')
    const daemon = serve()
    await at.session.until(id('broken'), { status: 'FAILED' })
    const fix = (await at.session.tasks()).find(({ autoFixOf }) => autoFixOf === id('broken'))!.id
    await at.session.until(fix, { status: 'COMPLETED' })
    const lines = await at.session.lines(fix)
    expect(lines[0]).toBe('echo what went wrong; exit 7what went wrong')
    expect(lines.at(-1)).toBe('7')
    daemon.process.kill()
  })

  it('serves the session of its workspace', async () => {
    const workspace = await TestSession.create(at.server, { name: 'W', workspaceId: `w-${at.session.id}` })
    await workspace.queue(id('a'), 'true')
    startDaemon(at.keruta, [], { CODER_WORKSPACE_ID: `w-${at.session.id}` })
    await workspace.until(id('a'), { status: 'COMPLETED' })
  })
})

describe('a daemon of a session with a repository', () => {
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'ignore' })
  const repository = () => {
    const origin = join(at.keruta.home, 'app')
    mkdirSync(origin)
    git(origin, 'init', '-q', '-b', 'main')
    writeFileSync(join(origin, 'file'), 'from git\n')
    git(origin, 'add', '-A')
    git(origin, 'commit', '-q', '-m', 'one')
    return `file://${origin}`
  }

  it('runs tasks in its checkout, which is set up once', async () => {
    at.session = await TestSession.create(at.server, {
      name: 'Git',
      template: { repository: { url: repository() }, setupScript: 'echo setting up; touch ready' },
    })
    serve()
    await at.session.queue(id('a'), 'pwd; cat file; ls')
    await at.session.queue(id('b'), 'ls')
    await at.session.until(id('b'), { status: 'COMPLETED' })
    const dir = join(at.keruta.home, 'keruta', at.session.id, 'app')
    expect(await at.session.lines(id('a'))).toEqual(['setting up', dir, 'from git', 'file', 'ready'])
    expect(await at.session.lines(id('a'), 'agent')).toContain(
      `git: cloning file://${join(at.keruta.home, 'app')} into ${dir}`,
    )
    expect(await at.session.lines(id('b'))).toEqual(['file', 'ready'])
  })

  it('shows no secret of its session in its own log, where a reason has one in it', async () => {
    at.session = await TestSession.create(at.server, {
      id: `${at.session.id}-secret`,
      name: 'Secret',
      template: { env: { API_TOKEN: 'hush-3141592' }, repository: { url: 'file:///no/hush-3141592' } },
    })
    await at.session.queue(id('a'), 'true')
    const { reason } = await serve().said('task failed')
    expect(reason).toContain('/no/***')
  })

  it('fails tasks whose repository cannot be had, or whose session cannot be set up, with the reason', async () => {
    const without = await TestSession.create(at.server, {
      name: 'No git',
      template: { repository: { url: 'file:///no/such/repository' } },
    })
    await without.queue(id('git'), 'true')
    const first = startDaemon(at.keruta, ['--session-id', without.id])
    const message = expect.stringContaining('/no/such/repository')
    await without.until(id('git'), { status: 'FAILED', errorCode: 'GIT_FAILED', message })
    first.process.kill()
    const unready = await TestSession.create(at.server, {
      name: 'No setup',
      template: { setupScript: 'exit 9' },
    })
    await unready.queue(id('setup'), 'true')
    startDaemon(at.keruta, ['--session-id', unready.id])
    await unready.until(id('setup'), {
      status: 'FAILED',
      errorCode: 'SETUP_FAILED',
      message: 'the setup script of the session exited with code 9',
    })
  })
})

describe('a daemon is not started', () => {
  it.each([
    [['--session-id', 'no-such-session'], {}, 1, 'there is no session no-such-session'],
    [[], {}, 2, 'which session?'],
    [[], { KERUTA_WORKSPACE_ID: 'nowhere' }, 1, 'no ACTIVE session has the workspace nowhere'],
    [['--session-id', 's', '--port', '99999'], {}, 2, 'must be 0 to 65535'],
    [['--session-id', 's', '--poll-interval', 'often'], {}, 2, '--poll-interval: "often" must be a duration'],
    [['--session-id', 's', '--pid-file', '/proc/nowhere/pid'], {}, 1, 'name another with --pid-file'],
  ])('with %j %j', async (args, env, code, message) => {
    const { code: ended, stderr } = await at.keruta.run(['daemon', '--port', '0', ...args], env)
    expect([ended, stderr]).toEqual([code, expect.stringContaining(message)])
    expect(stderr).not.toContain('daemon started')
  })

  it('with a token that is wrong', async () => {
    const stranger = new Keruta(at.server.url, 'kerutakey_wrong-0123456789')
    const { code, stderr } = await stranger.run(['daemon', '--session-id', at.session.id, '--port', '0'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('KERUTA_API_TOKEN')])
    expect(stderr).not.toContain('daemon started')
    stranger.clean()
  })

  it('with a token that may only read', async () => {
    const { key } = await at.server.post<{ key: string }>('/api-keys', { name: 'eyes', role: 'viewer' })
    const reader = new Keruta(at.server.url, key)
    const { code, stderr } = await reader.run(['daemon', '--session-id', at.session.id, '--port', '0'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('needs the role agent; eyes has')])
    expect(stderr).not.toContain('daemon started')
    reader.clean()
  })

  it('for a session that is over', async () => {
    await at.session.set('COMPLETED')
    const { code, stderr } = await at.keruta.run(['daemon', '--session-id', at.session.id, '--port', '0'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing to do: the session is COMPLETED')])
    expect(stderr).not.toContain('daemon started')
  })

  it('twice for one session, until the first has ended or was killed', async () => {
    const first = serve()
    await first.url()
    const second = await at.keruta.run(['daemon', '--session-id', at.session.id, '--port', '0'])
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringContaining(`runs already on this machine (process ${first.process.pid})`),
    ])
    first.process.kill('SIGKILL')
    await first.ended
    const third = serve()
    await third.url()
    const pidFile = readdirSync(join(at.keruta.home, '.keruta', 'daemons')).find(name =>
      name.endsWith('.pid'),
    )!
    expect(readFileSync(join(at.keruta.home, '.keruta', 'daemons', pidFile), 'utf8')).toBe(
      `${third.process.pid}\n`,
    )
    third.process.kill()
    expect((await third.ended).code).toBe(0)
  })

  it('when many are started at once, but for one', async () => {
    const all = Array.from({ length: 4 }, () => serve())
    await expect
      .poll(() => all.filter(({ process }) => process.exitCode === 1).length, { timeout: 15_000 })
      .toBe(3)
    expect(all.filter(({ process }) => process.exitCode === null)).toHaveLength(1)
  })
})
