import { resolve } from 'node:path'
import type { StoreLocation } from '#server/store/open.ts'

/** What was asked for makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * What an operator calls a store: a folder, `sqlite:PATH` or a URL of MongoDB.
 * @param cwd where a relative path begins
 * @throws UsageError where it is none of these
 */
export function locationOf(text: string, cwd: string): StoreLocation {
  if (/^mongodb(\+srv)?:\/\//.test(text)) return { kind: 'mongodb', url: text }
  const path = text.replace(/^sqlite:/, '')
  if (path === '' || /^\w+:\/\//.test(path))
    throw new UsageError(`"${text}" is no store: name a data folder, sqlite:PATH or mongodb://host/database`)
  return { kind: 'sqlite', dataDir: resolve(cwd, path) }
}

/** The same for the same place, without user, password and options. */
export function nameOf(location: StoreLocation): string {
  if (location.kind === 'sqlite') return `sqlite:${resolve(location.dataDir)}`
  const [, start = '', hosts = '', database = ''] =
    /^(mongodb(?:\+srv)?:\/\/)(?:[^/@]*@)?([^/?]+)(?:\/([^?]*))?/.exec(location.url) ?? []
  return `${start}${hosts}/${database || 'keruta'}`
}
