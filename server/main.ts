import { enableCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { KerutaError } from '#protocol/errors.ts'
import packageJson from '../package.json' with { type: 'json' }
import { type Config, ConfigError, parseConfig } from './config.ts'
import { endProcess } from './end-process.ts'
import { makeFolder } from './make-folder.ts'

// `node --watch` asks for reports of every import, which Next's own watcher must not inherit.
delete process.env.WATCH_REPORT_DEPENDENCIES

// Compiling is a quarter of the memory at start; worker threads find the cache by the variable.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../.cache/compile')
enableCompileCache(process.env.NODE_COMPILE_CACHE)

outliveReaders()

try {
  const config = parseConfig(process.env)
  const dataDir = resolve(config.dataDir)
  if (!config.databaseUrl) makeDataDir(dataDir)
  const { startServer } = await import('./server.ts')
  const { server, newAdminKey, close } = await startServer({ ...config, dataDir }, packageJson.version)
  endOnSignals(close)
  announce(server.address() as AddressInfo, { ...config, dataDir }, newAdminKey)
} catch (error) {
  process.stderr.write(`keruta cannot start: ${reasonOf(error)}\n`)
  process.exit(1)
}

function makeDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir, 0o777)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `the data folder ${dataDir} cannot be made (${code}): give this user access, or choose another; KERUTA_DATA_DIR names it`
    throw new KerutaError('STORE_UNAVAILABLE', message, { cause })
  }
}

function announce(
  { address, family, port }: AddressInfo,
  { databaseUrl, redisUrl, dataDir, auth }: Config,
  adminKey: string | undefined,
): void {
  const host =
    address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  const url = `http://${host}:${port}`
  const lines = [`keruta listens on ${url}`, `data lies in ${dataPlace(databaseUrl) ?? dataDir}`]
  if (databaseUrl && !redisUrl)
    lines.push(
      'REDIS_URL is not set: fine for one server on this database, not for more, which would not hear of one another',
    )
  if (auth === 'off')
    lines.push('authentication is off: everybody on this machine is admin (KERUTA_AUTH=off)')
  if (adminKey) lines.push(`log in: ${url}/login#key=${adminKey}`, `admin key, shown this once: ${adminKey}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Whoever read our output may go; then there is nobody to tell, and nothing to fail for. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}

/** Without user, password and options. */
function dataPlace(databaseUrl: string | undefined): string | undefined {
  return databaseUrl?.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '')
}

function endOnSignals(close: () => Promise<void>): void {
  let ending = false
  const end = (signal: NodeJS.Signals) => {
    if (ending) process.exit(1)
    ending = true
    process.stdout.write(`${signal}: keruta is ending\n`)
    close().then(
      () => endProcess(0),
      error => {
        process.stderr.write(`keruta did not end cleanly: ${reasonOf(error)}\n`)
        endProcess(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof KerutaError) return error.message
  const { code, message, stack } = error as NodeJS.ErrnoException
  return code ? message : (stack ?? String(error))
}
