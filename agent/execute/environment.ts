import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Config, Environment } from '../config.ts'
import { binFolder } from '../form.ts'

/** What a script finds in its environment, so that `keruta log` and its like need no flags in it. @param own the task's variables */
export function childEnvironment(
  config: Config,
  taskId: string,
  token: string | undefined,
  own: Environment,
  artifactsDir: string,
): Environment {
  const env: Environment = {
    ...config.environment,
    ...own,
    KERUTA_TASK_ID: taskId,
    KERUTA_API_URL: config.apiUrl,
    KERUTA_ARTIFACTS_DIR: artifactsDir,
  }
  if (config.sessionId !== undefined) env.KERUTA_SESSION_ID = config.sessionId
  if (token !== undefined) env.KERUTA_API_TOKEN = token
  // The same by other names: the agent's own, which may do more.
  delete env.KERUTA_AUTH_TOKEN
  delete env.KERUTA_API_KEY
  const path = env.PATH ?? ''
  if (!isOnPath('keruta', path)) env.PATH = [path, binFolder(config.home)].filter(Boolean).join(delimiter)
  return env
}

function isOnPath(name: string, path: string): boolean {
  return path.split(delimiter).some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}
