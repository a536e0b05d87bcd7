import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
/** What is tested: the sources, or what `npm run build:agent` made of them. */
const FORMS: Record<string, string[]> = {
  source: [process.execPath, at('bin/keruta.mjs')],
  bundle: [env.KERUTA_TEST_NODE ?? process.execPath, at('../dist/keruta.mjs')],
  executable: [at('../dist/keruta')],
}
const COMMAND = FORMS[env.KERUTA_TEST_FORM ?? 'source']!

export interface Ended {
  code: number | null
  stdout: Buffer
  stderr: string
}

/** A `keruta` process as a person starts it, with a home of its own. */
export class Keruta {
  readonly home = mkdtempSync(join(tmpdir(), 'keruta-home-'))
  readonly running: ChildProcess[] = []
  readonly #url: string
  readonly #token: string

  constructor(url: string, token = 'agent-token') {
    this.#url = url
    this.#token = token
  }

  get spool(): string {
    return join(this.home, '.keruta', 'spool')
  }

  /** What starts it. */
  command(args: string[]): string[] {
    return [...COMMAND, ...args]
  }

  environment(extra: Record<string, string> = {}): Record<string, string | undefined> {
    return {
      PATH: env.PATH,
      HOME: this.home,
      KERUTA_API_URL: this.#url,
      KERUTA_API_TOKEN: this.#token,
      // What other tests leave in the folder that is the default would be uploaded as well.
      KERUTA_ARTIFACTS_DIR: join(this.home, 'artifacts'),
      ...extra,
    }
  }

  start(
    args: string[],
    extra: Record<string, string> = {},
  ): { process: ChildProcess; ended: Promise<Ended> } {
    const [file, ...words] = this.command(args)
    const child = spawn(file!, words, {
      env: this.environment(extra) as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.running.push(child)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', chunk => out.push(chunk as Buffer))
    child.stderr.on('data', chunk => err.push(chunk as Buffer))
    const ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: Buffer.concat(out),
      stderr: String(Buffer.concat(err)),
    }))
    return { process: child, ended }
  }

  run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
    const { process: child, ended } = this.start(args, env)
    child.stdin!.end()
    return ended
  }

  /** Writes a file into its home. */
  put(name: string, text: string): void {
    writeFileSync(join(this.home, name), text)
  }

  /** Whether a spool's note says this. */
  noted(spool: string, words: string): boolean {
    return readFileSync(join(this.spool, spool, 'meta.json'), 'utf8').includes(words)
  }

  clean(): void {
    for (const child of this.running) child.kill('SIGKILL')
    rmSync(this.home, { recursive: true, force: true })
  }
}
