import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs a script again under the Node that the project brings, and ends as it ends. */
export function runWithOwnNode(script) {
  const child = spawn(ownNode(), [fileURLToPath(script), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function ownNode() {
  const { platform, arch, version } = process
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    return join(folder, 'bin', platform === 'win32' ? 'node.exe' : 'node')
  } catch {
    process.stderr.write(
      `keruta needs Node 22.18 or newer, this is ${version}, and ${name} is not installed: run npm install in the keruta folder\n`,
    )
    process.exit(1)
  }
}
