import type { Kind, Value } from './values.ts'

/** One setting: where it may stand and how its text is read. */
export interface Setting {
  /** Its path in YAML, camelCase. */
  key: string
  /** Variables in order of precedence. */
  env?: string[]
  /** Further paths in YAML, as older files spell them. */
  aliases?: string[]
  kind: Kind
  fallback: Value
  secret?: boolean
  about: string
}

/** Every setting there is. Durations are kept in milliseconds, sizes in bytes. */
export const SETTINGS = {
  apiUrl: {
    key: 'api.url',
    env: ['KERUTA_API_URL'],
    kind: 'url',
    fallback: 'http://127.0.0.1:8080',
    about: 'the server; with or without /api/v1',
  },
  token: {
    key: 'api.token',
    env: ['KERUTA_API_TOKEN', 'KERUTA_AUTH_TOKEN', 'KERUTA_API_KEY'],
    aliases: ['auth.token', 'api.key', 'api.apiKey'],
    kind: 'text',
    fallback: undefined,
    secret: true,
    about: 'an API key or JWT',
  },
  timeoutMs: {
    key: 'api.timeout',
    env: ['KERUTA_TIMEOUT'],
    kind: 'duration',
    fallback: 30_000,
    about: 'how long a call may take',
  },
  retryCount: {
    key: 'api.retryCount',
    env: ['KERUTA_RETRY_COUNT'],
    aliases: ['errorHandling.retryCount'],
    kind: 'count',
    fallback: 3,
    about: 'how often a failed call is tried again',
  },
  taskId: { key: 'task.id', env: ['KERUTA_TASK_ID'], kind: 'text', fallback: undefined, about: 'the task' },
  sessionId: {
    key: 'session.id',
    env: ['KERUTA_SESSION_ID'],
    kind: 'text',
    fallback: undefined,
    about: 'the session of new tasks',
  },
  workspaceId: {
    key: 'workspace.id',
    env: ['KERUTA_WORKSPACE_ID', 'CODER_WORKSPACE_ID'],
    kind: 'text',
    fallback: undefined,
    about: 'the workspace that the agent runs in',
  },
  logStreaming: {
    key: 'logStreaming.enabled',
    env: ['KERUTA_LOG_STREAMING_ENABLED'],
    kind: 'flag',
    fallback: true,
    about: 'false: only start and end of a task are reported',
  },
  bufferSize: {
    key: 'logStreaming.bufferSize',
    env: ['KERUTA_LOG_BUFFER_SIZE'],
    kind: 'count',
    fallback: 1000,
    about: 'lines that are also kept in memory, beside the spool',
  },
  batchSize: {
    key: 'logStreaming.batchSize',
    env: ['KERUTA_LOG_BATCH_SIZE'],
    kind: 'count',
    fallback: 10,
    about: 'lines at which a batch goes in any case',
  },
  flushIntervalMs: {
    key: 'logStreaming.flushInterval',
    env: ['KERUTA_LOG_FLUSH_INTERVAL'],
    kind: 'duration',
    fallback: 1000,
    about: 'age at which a batch goes in any case',
  },
  mask: {
    key: 'logStreaming.mask',
    env: ['KERUTA_MASK'],
    kind: 'text',
    fallback: undefined,
    secret: true,
    about: 'further values that are shown as ***: one a line, or in one line by commas',
  },
  maxRetries: {
    key: 'logStreaming.maxRetries',
    kind: 'count',
    fallback: 3,
    about: 'accepted from older files; lines are sent again until they are stored',
  },
  retryIntervalMs: {
    key: 'logStreaming.retryInterval',
    kind: 'duration',
    fallback: 5000,
    about: 'wait after the server could not store lines and named no time',
  },
  spoolMaxMb: {
    key: 'logStreaming.spoolMaxMb',
    env: ['KERUTA_SPOOL_MAX_MB'],
    kind: 'count',
    fallback: 1024,
    about: 'MB of undelivered lines on disk at which the script is slowed down',
  },
  websocketUrl: {
    key: 'websocket.url',
    env: ['KERUTA_WEBSOCKET_URL'],
    kind: 'websocketUrl',
    fallback: undefined,
    about: 'where lines go; default: /ws/tasks of the server',
  },
  reconnectMs: {
    key: 'websocket.reconnectInterval',
    kind: 'duration',
    fallback: 5000,
    about: 'longest wait between two attempts to connect',
  },
  maxReconnectAttempts: {
    key: 'websocket.maxReconnectAttempts',
    kind: 'count',
    fallback: 10,
    about: 'attempts after the script has ended; while it runs there is no bound',
  },
  logLevel: {
    key: 'logging.level',
    env: ['KERUTA_LOG_LEVEL'],
    kind: 'level',
    fallback: undefined,
    about: 'lines below it are not sent; default: all are sent',
  },
  logFormat: { key: 'logging.format', kind: 'text', fallback: 'json', about: "the daemon's own log" },
  logOutput: { key: 'logging.output', kind: 'text', fallback: 'stderr', about: "the daemon's own log" },
  artifactsDir: {
    key: 'artifacts.directory',
    env: ['KERUTA_ARTIFACTS_DIR'],
    kind: 'text',
    fallback: '/.keruta/doc',
    about: 'where a task leaves its artifacts',
  },
  maxFileBytes: {
    key: 'artifacts.maxSize',
    env: ['KERUTA_MAX_FILE_SIZE'],
    kind: 'size',
    fallback: 100 * 1024 * 1024,
    about: 'largest artifact; a bare number is in MB',
  },
  autoFix: {
    key: 'errorHandling.autoFix',
    env: ['KERUTA_AUTO_FIX_ENABLED'],
    kind: 'flag',
    fallback: true,
    about: 'whether a failure may create an auto-fix task',
  },
  httpInput: {
    key: 'daemon.httpInput',
    env: ['KERUTA_USE_HTTP_INPUT'],
    kind: 'flag',
    fallback: false,
    about: 'true: scripts can be answered by keruta input, the console and the API',
  },
  pty: {
    key: 'execution.pty',
    env: ['KERUTA_PTY'],
    kind: 'flag',
    fallback: false,
    about: 'true: scripts are given a terminal',
  },
  daemonPort: {
    key: 'daemon.port',
    env: ['KERUTA_DAEMON_PORT'],
    kind: 'count',
    fallback: 8080,
    about: "the daemon's port",
  },
  pollIntervalMs: {
    key: 'daemon.pollInterval',
    env: ['KERUTA_POLL_INTERVAL'],
    kind: 'duration',
    fallback: 5000,
    about: 'how often the daemon asks for work',
  },
  maxConcurrentTasks: {
    key: 'daemon.maxConcurrentTasks',
    env: ['KERUTA_MAX_CONCURRENT_TASKS'],
    kind: 'count',
    fallback: 1,
    about: 'always 1',
  },
  workingDir: {
    key: 'workingDir',
    env: ['KERUTA_WORKING_DIR'],
    kind: 'text',
    fallback: undefined,
    about: "where tasks run; default: the repository's checkout, else here",
  },
  baseDir: {
    key: 'baseDir',
    env: ['KERUTA_BASE_DIR'],
    kind: 'text',
    fallback: undefined,
    about: 'where the spool lies; default: ~/.keruta, or /tmp/keruta where that cannot be written',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

/** Variables that are no settings of the agent: the first names a file of them, the others are the server's. */
export const OTHER_VARIABLES = [
  'KERUTA_CONFIG',
  'KERUTA_ADMIN_KEY',
  'KERUTA_ALLOWED_ORIGINS',
  'KERUTA_AUTH',
  'KERUTA_DATA_DIR',
  'KERUTA_INGEST_RATE',
  'KERUTA_JWT_SECRET',
  'KERUTA_MAX_ARTIFACT_MB',
  'KERUTA_READER_PATIENCE_MS',
  'KERUTA_READER_QUEUE_KB',
  'KERUTA_READER_RATE',
  'KERUTA_REGEX_TIMEOUT_MS',
  'KERUTA_RUN_SOCKET',
  'KERUTA_ATTEMPT',
  'KERUTA_SERVER_LOG_LEVEL',
  'KERUTA_STORE',
  'KERUTA_TRUSTED_PROXIES',
]
