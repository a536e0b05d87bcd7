import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** The Node major that the sources need: `.ts` without a build, `node:sqlite`, zstd. */
const NODE_MAJOR = 24

/** @throws SetupError where Node would not run the sources */
export function refuseNodeModules() {
  if (/[\\/]node_modules[\\/]/.test(root))
    throw new SetupError(
      `this copy lies in ${root}, where Node runs no TypeScript. Clone the repository, and run \`npm install -g .\` in the clone, which links its commands.`,
    )
}

/** Path of a Node that runs the project: the one among its packages, else the running one where it is new enough. */
export function projectNode() {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node'
  const bundled = join(
    root,
    'node_modules',
    `node-${process.platform.replace('win32', 'win')}-${process.arch}`,
  )
  const path = join(bundled, 'bin', binary)
  if (existsSync(path)) return path
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  throw new SetupError(
    `keruta runs on Node ${NODE_MAJOR}; this is ${process.version}, and there is no packaged Node for ` +
      `${process.platform}-${process.arch}. Install Node ${NODE_MAJOR} or newer from https://nodejs.org and run this again.`,
  )
}

/**
 * Node's arguments for the server. A small young generation, because the server's frames and segments lie outside of the heap:
 * V8 answers their growth with collections, which cost less the less there is to look through. And they run
 * in the thread that needs them: with so little to collect, V8's helper threads only took the time of the others (2.5 s of 9 s in an export).
 */
export function serverArguments() {
  const flags = JSON.parse(readFileSync(join(root, 'server/node-flags.json'), 'utf8'))
  return [...flags, 'server/main.ts']
}

/** Path of the script behind a package's command, to be run with a Node of our choice. */
export function binOf(packageName, command = packageName) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

/** An expected failure: its message is for the user, without a stack. */
export class SetupError extends Error {}

/** Runs a script's main function; expected failures become one clear message and exit code 1. */
export async function main(run) {
  try {
    process.exitCode = await run()
  } catch (error) {
    console.error(error instanceof SetupError ? `\nkeruta: ${error.message}` : error)
    process.exitCode = 1
  }
}
