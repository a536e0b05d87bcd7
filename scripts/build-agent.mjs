// npm run build:agent: the agent as one file for Node (dist/keruta.mjs), and as an executable that needs nothing (dist/keruta).
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { main, projectNode, root, SetupError } from './lib/project.mjs'
import { runToEnd } from './lib/run.mjs'
import { setUp } from './setup.mjs'

/** The oldest Node on which the bundle runs: `zlib.crc32`. */
const OLDEST_NODE = [20, 15]
/** What marks the place of the blob in Node's binary. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

await main(async () => {
  await setUp({ build: false })
  const script = await bundle()
  mkdirSync(join(root, 'dist'), { recursive: true })
  const file = join(root, 'dist/keruta.mjs')
  writeFileSync(file, `${moduleHead()}${script}`)
  chmodSync(file, 0o755)
  tell(file)
  if (process.platform === 'linux') tell(await makeExecutable(script))
  else console.log('keruta: the executable is made on Linux only')
  return 0
})

/** One CommonJS script, with its dynamic imports inside: what is not called is not run. */
async function bundle() {
  // Not there before packages are installed.
  const { build, formatMessages } = await import('esbuild')
  const { outputFiles, warnings } = await build({
    absWorkingDir: root,
    entryPoints: ['agent/main.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: `node${OLDEST_NODE.join('.')}`,
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    define: {
      KERUTA_VERSION: JSON.stringify(version),
      KERUTA_FILES: JSON.stringify(textFiles()),
      // Faster parts of ws, which are packages of their own and are not there.
      'process.env.WS_NO_BUFFER_UTIL': '"1"',
      'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    },
    logLevel: 'silent',
  })
  // A built file does not know where its source lies; form.ts does not ask.
  const trouble = warnings.filter(({ location }) => location?.file !== 'agent/form.ts')
  if (trouble.length > 0)
    throw new SetupError((await formatMessages(trouble, { kind: 'warning' })).join('\n'))
  return outputFiles[0].text
}

/** What the agent reads beside its sources. */
function textFiles() {
  const folder = 'complete/shell'
  const names = readdirSync(join(root, 'agent', folder)).map(name => `${folder}/${name}`)
  return Object.fromEntries(names.map(name => [name, readFileSync(join(root, 'agent', name), 'utf8')]))
}

/** Makes an ES module of the script, which an older Node refuses in words, and adds what Node 20 has not yet. */
function moduleHead() {
  const [major, minor] = OLDEST_NODE
  return `#!/usr/bin/env node
import { createRequire } from 'node:module'
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  process.stderr.write('keruta needs Node ${major}.${minor} or newer, this is ' + process.version + '\\n')
  process.exit(1)
}
Promise.withResolvers ??= function () {
  const all = {}
  all.promise = new this((resolve, reject) => Object.assign(all, { resolve, reject }))
  return all
}
const require = createRequire(import.meta.url)
const module = { exports: {} }
// Node 20 throws where a file lies in the place of a folder, and newer ones find nothing there.
const fs = require('node:fs')
const { statSync } = fs
fs.statSync = (path, options) => {
  try {
    return statSync(path, options)
  } catch (error) {
    if (error.code === 'ENOTDIR' && options?.throwIfNoEntry === false) return undefined
    throw error
  }
}
`
}

/** Node's own binary with the script inside. @returns its path */
async function makeExecutable(script) {
  const dir = mkdtempSync(join(tmpdir(), 'keruta-build-'))
  try {
    const paths = {
      main: join(dir, 'keruta.cjs'),
      output: join(dir, 'keruta.blob'),
      config: join(dir, 'config.json'),
    }
    writeFileSync(paths.main, script)
    writeFileSync(
      paths.config,
      JSON.stringify({
        main: paths.main,
        output: paths.output,
        disableExperimentalSEAWarning: true,
        useCodeCache: true,
      }),
    )
    const args = ['--experimental-sea-config', paths.config]
    const { code } = await runToEnd(projectNode(), args, { timeoutMs: 120_000 })
    if (code !== 0) throw new SetupError(`Node could not make the blob, and ended with code ${code}`)
    const draft = join(dir, 'keruta')
    copyFileSync(projectNode(), draft)
    chmodSync(draft, 0o755)
    const { inject } = await import('postject')
    await inject(draft, 'NODE_SEA_BLOB', readFileSync(paths.output), { sentinelFuse: FUSE })
    const target = join(root, 'dist/keruta')
    // A running executable cannot be written over.
    rmSync(target, { force: true })
    copyFileSync(draft, target)
    return target
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function tell(path) {
  console.log(`keruta: ${relative(root, path)}: ${(statSync(path).size / 1_048_576).toFixed(1)} MB`)
}
