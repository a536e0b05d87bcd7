import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeServer } from './fake-server.ts'
import { Keruta } from './keruta.ts'

let server: FakeServer
let keruta: Keruta
let dir: string
beforeEach(async () => {
  server = await FakeServer.start()
  keruta = new Keruta(server.url)
  dir = mkdtempSync(join(tmpdir(), 'keruta-input-'))
})
afterEach(async () => {
  keruta.clean()
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

interface Asked {
  prompt: string | null
  secret: boolean
}
const asked = () =>
  server.calls
    .filter(({ path }) => path.endsWith('/waiting'))
    .map(({ body }) => ({ prompt: body.prompt, secret: body.secret }) as Asked)
const open = () => asked().at(-1) ?? { prompt: null, secret: false }

let inputs = 0
const answer = (text: string, more: object = {}) => {
  const id = `input-${++inputs}`
  server.send({ type: 'input', taskId: 't', id, text, eof: false, secret: false, by: 'ann', ...more })
  return id
}
const start = (words: string[], ...flags: string[]) =>
  keruta.start(['execute', '--task-id', 't', '--input', ...flags, '--', ...words], { PROJECT: dir })
const waitsFor = (prompt: string | RegExp, secret = false) =>
  vi.waitFor(
    () =>
      expect(open()).toEqual({
        prompt: typeof prompt === 'string' ? prompt : expect.stringMatching(prompt),
        secret,
      }),
    20_000,
  )

/** What is asked, what is answered, and whether as a secret; then what is printed. */
type Case = [title: string, words: string[], turns: [RegExp, string, boolean?][], printed: string | RegExp]

const python = (script: string) => ['python3', '-c', script]
const cases: Case[] = [
  [
    "a shell's read",
    ['sh', '-c', 'printf "Name? "; read a; printf "Town? "; read b; echo "$a of $b"'],
    [
      [/^Name\? $/, 'Ann'],
      [/^Town\? $/, 'Ulm'],
    ],
    'Ann of Ulm',
  ],
  [
    'a question that ends its line',
    ['sh', '-c', 'echo "Which colour?"; read a; echo "it is $a"'],
    [[/^Which colour\?$/, 'blue']],
    'it is blue',
  ],
  ['an interpreter without a question', ['sh', '-c', 'read a; echo "it is $a"'], [[/^$/, 'so']], 'it is so'],
  [
    "Python's input()",
    python('a = input("Name: "); b = input("Again: "); print(a + b)'),
    [
      [/^Name: $/, 'x'],
      [/^Again: $/, 'y'],
    ],
    'xy',
  ],
  [
    "Node's readline",
    [
      'node',
      '-e',
      'const rl = require("readline").createInterface(process.stdin, process.stdout); rl.question("Name? ", a => { console.log("hello " + a); process.exit() })',
    ],
    [[/Name\? $/, 'Ann']],
    'hello Ann',
  ],
  [
    'a select on stdin',
    python(
      'import select, sys; print("Go on [y/N]", end="", flush=True); select.select([sys.stdin], [], []); print("\\n" + sys.stdin.readline())',
    ),
    [[/^Go on \[y\/N\]$/, 'y']],
    'y',
  ],
  [
    'a poll with a time limit',
    python(
      'import select, sys; p = select.poll(); p.register(0, 1); print("Go on?", end="", flush=True); p.poll(60000); print("\\n" + sys.stdin.readline())',
    ),
    [[/^Go on\?$/, 'y']],
    'y',
  ],
]

/** Programs that ask only where there is a terminal. */
const terminalCases: Case[] = [
  [
    "bash's read -p and read -s",
    ['bash', '-c', 'read -p "User: " u; read -sp "Password: " p; echo; echo "$u $' + '{#p}"'],
    [
      [/^User: $/, 'ann'],
      [/^Password: $/, 'hush', true],
    ],
    'ann 4',
  ],
  [
    'getpass',
    python('import getpass; print(len(getpass.getpass("Key: ")))'),
    [[/^Key: $/, 'hush', true]],
    '4',
  ],
  ['rm -i', ['sh', '-c', 'cd $PROJECT; touch file; rm -i file; ls'], [[/remove .*file.*\?/, 'y']], /^$/],
  [
    'ssh-keygen',
    ['sh', '-c', 'ssh-keygen -q -t ed25519 -f $PROJECT/key; ls $PROJECT'],
    [
      [/^Enter passphrase/, 'hush hush', true],
      [/^Enter same passphrase/, 'hush hush', true],
    ],
    'key.pub',
  ],
  [
    'npm init',
    ['sh', '-c', 'cd $PROJECT; npm init; cat package.json | tr -d "\\n"'],
    [
      [/package name: .*$/, 'thing'],
      [/version: .*$/, ''],
      [/description: .*$/, 'of beauty'],
      [/entry point: .*$/, ''],
      [/test command: .*$/, ''],
      [/git repository: .*$/, ''],
      [/keywords: .*$/, ''],
      [/author: .*$/, ''],
      [/license: .*$/, ''],
      [/type: .*$/, ''],
      [/Is this OK\? .*$/, 'yes'],
    ],
    /"name": "thing".*"of beauty"/,
  ],
]

describe.each([
  ['by a pipe', [], cases],
  ['in a terminal', ['--pty'], [cases[0]!, cases[3]!, cases[4]!, ...terminalCases]],
])('a script is answered %s', (_, flags, list) => {
  it.each(list)(
    '%s',
    async (_title, words, turns, printed) => {
      const { ended } = start(words, ...flags)
      for (const [prompt, text, secret = false] of turns) {
        await waitsFor(prompt, secret)
        const before = asked().length
        answer(`${text}\n`, { secret })
        await vi.waitFor(() => expect(asked().length).toBeGreaterThan(before), 10_000)
      }
      const { code, stdout, stderr } = await ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const lines = String(stdout).split('\n')
      expect(
        lines.some(line =>
          typeof printed === 'string' ? line.trimEnd().endsWith(printed) : printed.test(line),
        ),
      ).toBe(true)
      expect(server.messages('t', 'agent')).toEqual(
        turns.map(([, text, secret]) => `input by ann: ${secret ? '***' : text}`),
      )
      expect(server.taken).toHaveLength(turns.length)
    },
    60_000,
  )
})

const sh = (script: string) => ['sh', '-c', script]
const printed = (text: string) =>
  vi.waitFor(() => expect(server.messages('t', 'stdout')).toContain(text), 10_000)

describe('input', () => {
  it('reaches the script once and in order, over a connection that breaks and an answer that is lost', async () => {
    const { ended } = start(sh('while read line; do echo "got $line"; done'))
    await waitsFor('')
    const ids = ['one', 'two', 'three'].map(text => answer(`${text}\n`))
    await vi.waitFor(() => expect(server.taken).toEqual(ids), 10_000)
    server.cut()
    await vi.waitFor(() => expect(server.connections).toBe(1), 10_000)
    server.send({
      type: 'input',
      taskId: 't',
      id: ids[2],
      text: 'three\n',
      eof: false,
      secret: false,
      by: 'ann',
    })
    const last = answer('four\n', { eof: true })
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout')).toEqual(['got one', 'got two', 'got three', 'got four'])
    expect(server.taken).toEqual([...ids, ids[2], last])
    expect(server.messages('t', 'agent').slice(-2)).toEqual(['input by ann: four', 'end of input by ann'])
  })

  it.each([
    ['a pipe', []],
    ['a terminal', ['--pty']],
  ])('ends, in %s', async (_, flags) => {
    const { ended } = start(sh('wc -c; echo "$(cat) more"'), ...flags)
    await waitsFor('')
    answer('ab', { eof: true })
    if (flags.length > 0) {
      await printed('ab2')
      answer('and\n', { eof: true })
    }
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout').at(-1)).toBe(flags.length > 0 ? 'and more' : ' more')
  })

  it('that nobody can take any more is said to be lost', async () => {
    const { ended } = start(sh('read line; exec <&-; echo closed; sleep 1; exit 3'))
    await waitsFor('')
    answer('a\n')
    await printed('closed')
    const id = answer('b\n')
    await vi.waitFor(() => expect(server.taken).toContain(id), 10_000)
    expect((await ended).code).toBe(3)
    expect(server.messages('t', 'agent')).toContain(
      'input by ann did not reach the script: it has closed its input',
    )
  })

  it('that the script left unread when it ended is counted', async () => {
    const { ended } = start(sh('echo ready; sleep 0.5'))
    await printed('ready')
    const ids = [answer('x'.repeat(100_000)), answer('y\n')]
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'agent').at(-1)).toMatch(/did not (read|reach)/)
    expect(server.taken).toEqual(ids)
  })

  it('comes from this terminal or pipe, too', async () => {
    const { process: agent, ended } = start(sh('read a; read b; echo "$a $b"; cat'))
    agent.stdin!.write('here\n')
    await waitsFor('')
    answer('there\n')
    await printed('here there')
    agent.stdin!.end('rest\n')
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout').at(-1)).toBe('rest')
  })

  it('can still come where this stdin was empty', async () => {
    const { process: agent, ended } = start(sh('read a; echo "got $a"'))
    agent.stdin!.end()
    await waitsFor('')
    answer('it\n')
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout')).toEqual(['got it'])
  })

  it('is asked for again by a second question of the same words', async () => {
    const { ended } = start(sh('for i in 1 2; do printf "Go on? "; read a; done'))
    await waitsFor('Go on? ')
    answer('y\n')
    await vi.waitFor(
      () => expect(asked().filter(({ prompt }) => prompt === 'Go on? ')).toHaveLength(2),
      10_000,
    )
    answer('y\n')
    expect((await ended).code).toBe(0)
  })
})

describe('nobody is told to answer scripts that', () => {
  const silent: [string, string[]][] = [
    ['sleep with an open line', sh('printf "Working: "; sleep 1.2')],
    ['compute', python('import time\nt = time.time()\nwhile time.time() - t < 1.2: pass')],
    [
      'wait for a pipe of their own',
      sh('mkfifo $PROJECT/$$; (sleep 1.2; echo x > $PROJECT/$$) & cat $PROJECT/$$'),
    ],
    [
      'wait for a socket beside their stdin',
      python(
        'import select, socket, sys\na, b = socket.socketpair()\nprint("listening", flush=True)\nselect.select([sys.stdin, a], [], [], 1.2)',
      ),
    ],
    [
      'have timers while they could be spoken to',
      ['node', '-e', 'process.stdin.resume(); setTimeout(() => process.exit(), 1200)'],
    ],
  ]
  it.each([
    ['in a pipe', []],
    ['in a terminal', ['--pty']],
  ])(`${silent.map(([what]) => what).join(', ')}: %s`, async (_, flags) => {
    const runs = silent.map(([, words]) => start(words, ...flags).ended)
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual(silent.map(() => 0))
    expect(asked()).toEqual([])
  })
})

describe('a terminal', () => {
  const inTerminal = (script: string, env: Record<string, string> = {}) => {
    const { process: agent, ended } = keruta.start(
      ['execute', '--task-id', 't', '--pty', '--input', ...['--', ...sh(script)]],
      env,
    )
    agent.stdin!.end()
    return ended
  }

  it('has a size, a type and a name', async () => {
    await inTerminal('tty; stty size; echo $TERM; echo to the terminal > /dev/tty', {
      COLUMNS: '132',
      LINES: '43',
    })
    expect(server.messages('t', 'stdout')).toEqual([
      expect.stringMatching(/^\/dev\/pts\/\d+$/),
      '43 132',
      'xterm-256color',
      'to the terminal',
    ])
  })

  it.each([
    ['exit 7', 7, { exitCode: 7 }],
    ['kill -SEGV $$', 139, { exitCode: 139, signal: 'SIGSEGV' }],
    ['exec /nowhere/at/all', 127, { exitCode: 127 }],
    ['exec <&- >&- 2>&-; sleep 0.2; exit 5', 5, { exitCode: 5 }],
  ])('changes nothing about how a script ends: %s', async (script, code, failure) => {
    expect((await inTerminal(script)).code).toBe(code)
    expect(server.calls.find(({ path }) => path.endsWith('/fail'))!.body).toMatchObject(failure)
  })

  it('is no excuse for a command that does not exist', async () => {
    const { code, stderr } = await start(['no-such-command'], '--pty').ended
    expect([code, stderr]).toEqual([127, 'keruta: no-such-command was not found\n'])
  })

  it('lets signals and the grace time end what runs in it', async () => {
    const { process: agent, ended } = start(
      sh('trap "echo caught" TERM; echo ready; while :; do sleep 0.05; done'),
      '--pty',
      '--grace',
      '300ms',
    )
    await printed('ready')
    agent.kill('SIGTERM')
    expect((await ended).code).toBe(137)
    expect(server.messages('t', 'stdout')).toContain('caught')
  })

  it('shows lines without carriage returns, and of progress what was shown last', async () => {
    const { stdout } = await inTerminal(
      'seq 1 20000; for i in 1 2 3; do printf "\\r%s0 %%" $i; done; echo; printf "\\033[31mred\\033[0m\\n"',
    )
    const lines = server.messages('t', 'stdout')
    expect(lines.slice(0, 20_000)).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)))
    expect(lines.slice(20_000)).toEqual(['30 %', '\u001b[31mred\u001b[0m'])
    expect(String(stdout).slice(0, 4)).toBe('1\n2\n')
  })

  it('shows what is answered once, as terminals do', async () => {
    const { ended } = start(sh('printf "Name? "; read a; echo "hello $a"'), '--pty')
    await waitsFor('Name? ')
    answer('Ann\n')
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout').join('|')).toMatch(/^Name\? \|?Ann\|hello Ann$/)
  })

  it('that is only looked at leaves stdin as it is', async () => {
    const { process: agent, ended } = keruta.start([
      ...['execute', '--task-id', 't', '--pty', '--'],
      ...sh('[ -t 0 ] || echo no; [ -t 1 ] && [ -t 2 ] && echo yes; cat'),
    ])
    agent.stdin!.end('from the pipe\n')
    expect((await ended).code).toBe(0)
    expect(server.messages('t', 'stdout')).toEqual(['no', 'yes', 'from the pipe'])
  })

  it('that is not to be had is said, and the script runs without one', async () => {
    for (const tool of ['sh', 'mkfifo', 'rm']) symlinkSync(`/bin/${tool}`, join(dir, tool))
    symlinkSync(process.execPath, join(dir, 'node'))
    const { code, stderr } = await inTerminal('[ -t 1 ] || echo none', { PATH: dir })
    expect([code, stderr]).toEqual([0, expect.stringContaining('perl or python3')])
    expect(server.messages('t', 'stdout')).toEqual(['none'])
    expect(server.messages('t', 'agent')).toEqual([expect.stringContaining('no terminal to be had')])
  })
})
