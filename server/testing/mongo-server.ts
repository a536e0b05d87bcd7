import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { RealMongo } from './real-mongo.ts'

const sources = join(import.meta.dirname, 'mongo-java-server')
const cache = join(import.meta.dirname, '../../.cache/mongo-java-server-1.47.0-2')
/** It lives for seconds: threads that compile and collect beside it would cost more than they save. */
const virtualMachine = ['-Xmx2g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const run = promisify(execFile)

/** A MongoDB that a test may take away and give back. */
export interface TestMongo {
  /** @param options with its `?` */
  url(database: string, options?: string): string
  /** After `kill`, at the same address. */
  start(): Promise<void>
  kill(): Promise<void>
  dispose(): Promise<void>
}

export interface MongoKind {
  name: string
  isReal: boolean
  start(): Promise<TestMongo>
}

/** Where tests of the MongoDB store can run: over a server of the protocol, and on the real one of KERUTA_TEST_MONGODB_URL. */
export async function mongoKinds(): Promise<{ kinds: MongoKind[]; missing: string | undefined }> {
  const kinds: MongoKind[] = []
  const missing = await missingMongoServer()
  if (missing === undefined)
    kinds.push({ name: 'over the MongoDB protocol', isReal: false, start: MongoServer.start })
  const real = process.env.KERUTA_TEST_MONGODB_URL
  if (real) kinds.push({ name: 'on a real MongoDB', isReal: true, start: () => RealMongo.start(real) })
  return { kinds, missing: kinds.length === 0 ? missing : undefined }
}

/** A server of the MongoDB protocol as a process of its own: a free port, a file of its own. What it answered outlives a kill. */
export class MongoServer implements TestMongo {
  readonly #home: string
  #process: ChildProcess | undefined
  #port = 0

  private constructor(home: string) {
    this.#home = home
  }

  /** @throws where neither it nor what it needs is to be had; see `missingMongoServer` */
  static async start(): Promise<MongoServer> {
    const server = new MongoServer(await mkdtemp(join(tmpdir(), 'keruta-mongo-')))
    await server.start()
    return server
  }

  url(database: string, options = ''): string {
    return `mongodb://127.0.0.1:${this.#port}/${database}${options}`
  }

  /** Starts it again after `kill`, on the same port. */
  async start(): Promise<void> {
    const classes = [cache, join(cache, 'lib/*')].join(delimiter)
    const args = [...virtualMachine, '-cp', classes, 'Main', String(this.#port), join(this.#home, 'data.mv')]
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    let complaints = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      complaints += chunk
    })
    for await (const line of createInterface({ input: child.stdout! })) {
      const port = /^listens on (\d+)$/.exec(line)?.[1]
      if (!port) continue
      this.#port = Number(port)
      return
    }
    throw new Error(`the MongoDB server ended at its start:\n${complaints}`)
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async dispose(): Promise<void> {
    await this.kill()
    await rm(this.#home, { recursive: true, force: true })
  }
}

/** Fetches and compiles the server where that was not done yet. @returns why it cannot be had, or nothing */
export async function missingMongoServer(): Promise<string | undefined> {
  if (existsSync(cache)) return undefined
  for (const [program, what] of [
    ['javac', 'a Java development kit'],
    ['mvn', 'Maven'],
  ] as const)
    if (!onPath(program)) return `${program} was not found: install ${what}, or set KERUTA_TEST_MONGODB_URL`
  await mkdir(join(cache, '..'), { recursive: true })
  const made = await mkdtemp(`${cache}-`)
  try {
    const lib = join(made, 'lib')
    const fetchArgs = ['-q', '-B', '-ntp', '-f', join(sources, 'pom.xml'), 'dependency:copy-dependencies']
    await run('mvn', [...fetchArgs, `-DoutputDirectory=${lib}`])
    await run('javac', [
      '-cp',
      join(lib, '*'),
      '-sourcepath',
      sources,
      '-d',
      made,
      join(sources, 'Main.java'),
    ])
    // Whole or not at all; another test file may have been first.
    await rename(made, cache).catch(error => {
      if (!existsSync(cache)) throw error
    })
    return undefined
  } catch (error) {
    const { stdout = '', message } = error as Error & { stdout?: string }
    return `the MongoDB server could not be fetched by Maven: ${stdout.trim().split('\n')[0] || message}`
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, program)))
}
