// Who may import whom, as docs/architecture.md says it.
const test =
  '\\.(test|spec)\\.tsx?$|^server/store/contract|^agent/test/|^server/test/|^server/store-tools/test/'

/** Sources matching `from` must not import `to`, except where `unless` matches the imported path. */
const forbid = (name, comment, from, to, unless) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: test },
  to: { path: to, ...(unless ? { pathNot: unless } : {}) },
})

export default {
  forbidden: [
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, path: '^[.#]' } },
    forbid(
      'protocol-is-pure',
      'protocol imports zod only',
      '^protocol/',
      '.',
      '^protocol/|^node_modules/zod/',
    ),
    forbid(
      'agent-alone',
      'the agent imports the protocol, never the server or the console',
      '^agent/',
      '^(server|app|bench|e2e)/',
    ),
    forbid(
      'app-alone',
      'the console imports the protocol, never the server or the agent',
      '^app/',
      '^(server|agent|bench|e2e)/',
    ),
    forbid(
      'server-alone',
      'the server imports neither the console nor the agent',
      '^server/',
      '^(app|agent|bench|e2e)/',
    ),
    forbid(
      'main-is-the-root',
      'nobody imports the composition root',
      '^server/(?!main\\.ts|server\\.ts)',
      '^server/(main|server)\\.ts',
    ),
    forbid(
      'composed-at-the-root',
      'nobody but the composition root imports its parts',
      '^server/(?!compose/|server\\.ts)',
      '^server/compose/',
    ),
    forbid(
      'features-stand-alone',
      'a feature imports the store port, the protocol and itself',
      '^server/(artifacts|logs|tasks)/',
      '^server/',
      '^server/$1/|^server/store/(store|open)\\.ts$|^server/(config|logger|metrics)\\.ts$',
    ),
    forbid(
      'store-tools-stand-alone',
      'the store tools import the store port, the protocol, the settings, and how a folder is made and a body opened',
      '^server/store-tools/',
      '^server/',
      '^server/store-tools/|^server/store/(store|open)\\.ts$|^server/(config|make-folder)\\.ts$|^server/logs/query/open-body\\.ts$',
    ),
    forbid(
      'api-is-on-top',
      'only the composition imports the API',
      '^server/(?!api/|compose/)',
      '^server/api/',
    ),
    forbid(
      'port-not-adapter',
      'adapters are opened by store/open alone',
      '^server/(?!store/)',
      '^server/store/(?!store\\.ts$|open\\.ts$)',
    ),
    forbid(
      'open-alone',
      'adapters are opened by store/open alone, and do not know each other',
      '^server/store/(?!open\\.ts$|sqlite/)',
      '^server/store/sqlite/',
    ),
    forbid(
      'open-mongo-alone',
      'adapters are opened by store/open alone, and do not know each other',
      '^server/store/(?!open\\.ts$|mongo/)',
      '^server/store/mongo/',
    ),
    forbid(
      'mongodb-in-mongo',
      'only store/mongo knows mongodb',
      '^(?!server/store/mongo/|server/testing/|bench/)',
      '^mongodb$|node_modules/mongodb/',
    ),
    forbid(
      'redis-in-bus',
      'only the bus knows Redis',
      '^(?!server/live/bus/redis\\.ts$)',
      '^ioredis$|node_modules/ioredis/',
    ),
    forbid(
      'prisma-in-sqlite',
      'only store/sqlite knows Prisma',
      '^(?!server/store/sqlite/)',
      '@prisma/|libsql',
    ),
    forbid(
      'sqlite-in-sqlite',
      'only store/sqlite knows node:sqlite',
      '^(?!server/store/sqlite/|bench/)',
      '^(node:)?sqlite$',
    ),
    forbid(
      'hub-is-pure',
      'the hub imports the protocol and its own parts',
      '^server/live/hub\\.ts$',
      '^server/',
      '^server/live/|^server/logs/queries\\.ts$',
    ),
    forbid(
      'transports',
      'transports import the hub, auth, the protocol, and the way in and out of logs',
      '^server/live/',
      '^server/(api|logs|tasks|store|http)/',
      '^server/logs/(queries|ingest|task-appender)\\.ts$|^server/store/store\\.ts$',
    ),
    forbid(
      'auth-below',
      'auth knows the store port and the protocol',
      '^server/auth/',
      '^server/(api|logs|tasks|live|http)/',
    ),
    forbid(
      'agent-parts',
      'capture, delivery and config never import commands',
      '^agent/(capture|delivery|config)',
      '^agent/commands/',
    ),
    forbid(
      'agent-commands',
      'commands do not import each other',
      '^agent/commands/([^/]+)\\.ts$',
      '^agent/commands/',
      '^agent/commands/$1\\.ts$',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.next|\\.cache)/|/generated/' },
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js'],
    },
  },
}
