import { resolve } from 'node:path'
import type { StoreLocation } from '#server/store/open.ts'

/** What an operator calls a store: a folder, `sqlite:PATH` or a URL of MongoDB. @param cwd where a relative path begins */
export function locationOf(text: string, cwd: string): StoreLocation {
  if (/^mongodb(\+srv)?:\/\//.test(text)) return { kind: 'mongodb', url: text }
  return { kind: 'sqlite', dataDir: resolve(cwd, text.replace(/^sqlite:/, '')) }
}

/** The same for the same place, without user, password and options. */
export function nameOf(location: StoreLocation): string {
  if (location.kind === 'sqlite') return `sqlite:${resolve(location.dataDir)}`
  const [, start = '', hosts = '', database = ''] =
    /^(mongodb(?:\+srv)?:\/\/)(?:[^/@]*@)?([^/?]+)(?:\/([^?]*))?/.exec(location.url) ?? []
  return `${start}${hosts}/${database || 'keruta'}`
}
