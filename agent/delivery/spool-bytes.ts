import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { spoolDir } from './stream-settings.ts'

/** What lies in the spool, of all agents of this user. */
export function spoolBytes(config: Config): number {
  const folder = spoolDir(config)
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map(name => statSync(join(folder, name), { throwIfNoEntry: false }))
      .reduce((sum, stats) => sum + (stats?.isFile() ? stats.size : 0), 0)
  } catch {
    return 0
  }
}
