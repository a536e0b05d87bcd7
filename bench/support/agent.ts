import { join } from 'node:path'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'
import { root, timeOf } from './process.ts'

export const cli = join(root, 'agent/bin/keruta.mjs')

/** The agent as workspaces have it; made by `buildAgent`. */
export const bundle = join(root, 'dist/keruta.mjs')

export async function buildAgent(): Promise<void> {
  await timeOf(process.execPath, [join(root, 'scripts/build-agent.mjs')])
}

/** What an agent needs to find the server; its spool, and what scripts leave behind, lie in the server's temporary folder. */
export function agentEnvironment(server: TestServer): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'production',
    PATH: process.env.PATH,
    HOME: server.home,
    KERUTA_ARTIFACTS_DIR: join(server.home, 'artifacts'),
    KERUTA_API_URL: server.url,
    KERUTA_API_KEY: ADMIN_KEY,
  }
}
