import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { ensureAdminKey } from './auth/admin-key.ts'
import { openBase } from './compose/base.ts'
import { createLive } from './compose/live.ts'
import type { News } from './compose/news.ts'
import { createWeb } from './compose/web.ts'
import { createWork } from './compose/work.ts'
import type { Config } from './config.ts'

export interface RunningServer {
  server: Server
  /** The admin key, where this start made it. */
  newAdminKey: string | undefined
  close(): Promise<void>
}

/** Opens everything, wires it, and listens. @throws KerutaError, with a message for the operator, where that cannot be */
export async function startServer(config: Config, version: string): Promise<RunningServer> {
  const base = await openBase(config)
  const news: News = new EventEmitter()
  const work = createWork(base, config, news)
  const live = createLive(base, work, config, news)
  const http = createWeb(base, work, live, config, version)

  await http.listen(config.port, config.host)
  await http.ready()
  work.begin()
  // Last, because the key is shown once only: a start that fails must not have made it.
  const adminKey = config.auth === 'on' ? await ensureAdminKey(base.auth.keys, config.adminKey) : undefined

  return {
    server: http.server,
    newAdminKey: adminKey?.created ? adminKey.key : undefined,
    async close() {
      live.leave()
      await http.close()
      await live.close()
      await work.close()
      await base.close()
    },
  }
}
