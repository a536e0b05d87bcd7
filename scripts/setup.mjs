// Makes a checkout ready to run: packages, the database client, the console's pages. Does only what has changed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lib/lock.mjs'
import { binOf, main, projectNode, root, SetupError } from './lib/project.mjs'
import { runToEnd } from './lib/run.mjs'
import { contentsOf, isUpToDate, markDone } from './lib/stamp.mjs'

const packages = {
  name: 'packages',
  title: 'Installing packages',
  result: 'node_modules/.package-lock.json',
  inputs: () => [...contentsOf('package-lock.json'), JSON.stringify(wantedPackages())],
  run: installPackages,
}

const database = {
  name: 'database-client',
  title: 'Generating the database client',
  result: 'server/store/sqlite/generated/client.ts',
  inputs: () => contentsOf('prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'),
  // The engine is only needed by commands that are not used here; /bin/true keeps it from being downloaded.
  run: () =>
    runTool('prisma', ['generate'], { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' }),
}

const pages = {
  name: 'pages',
  title: 'Building the console',
  result: '.next/BUILD_ID',
  inputs: () =>
    contentsOf('app', 'protocol', 'public', 'next.config.mjs', 'tsconfig.json', 'package-lock.json'),
  run: () => runTool('next', ['build'], { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }),
}

/**
 * Brings the checkout up to date. Two at once wait for each other.
 * @param options `build`: also the console's pages, for production
 * @throws SetupError that says what to do
 */
export async function setUp({ build }) {
  const steps = build ? [packages, database, pages] : [packages, database]
  if (steps.every(isUpToDate)) return
  const waiting = holder => console.log(`keruta: waiting for another setup (process ${holder})`)
  await withLock(join(root, '.cache/setup/lock'), waiting, async () => {
    for (const step of steps) if (!isUpToDate(step)) await carryOut(step)
  })
}

async function carryOut(step) {
  const startedAt = Date.now()
  console.log(`keruta: ${step.title} …`)
  await step.run()
  markDone(step)
  console.log(`keruta: ${step.title}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)
}

function wantedPackages() {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  return { dependencies, devDependencies, optionalDependencies }
}

/** No package here needs its install script, and some would download from other hosts. */
async function installPackages() {
  const args = [
    'install',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
  ]
  const npm = process.env.npm_execpath
  const { code, output } = npm?.endsWith('.js')
    ? await runToEnd(process.execPath, [npm, ...args])
    : await runToEnd('npm', args, { shell: process.platform === 'win32' }).catch(error => {
        if (error.code !== 'ENOENT') throw error
        throw new SetupError('npm was not found on PATH. It comes with Node: https://nodejs.org')
      })
  if (code === 0) return
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(
    output,
  )
  throw new SetupError(
    offline
      ? 'the package registry cannot be reached (see above). Packages are only needed once: connect, or set a registry or proxy for npm, and run this again.'
      : `npm install ended with code ${code} (see above).`,
  )
}

async function runTool(packageName, args, env) {
  const { code, output } = await runToEnd(projectNode(), [binOf(packageName), ...args], { env, quiet: true })
  if (code === 0) return
  console.error(output)
  throw new SetupError(`${packageName} ${args.join(' ')} ended with code ${code} (see above).`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => setUp({ build: !process.argv.includes('--no-build') }).then(() => 0))
}
