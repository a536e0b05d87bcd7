import { describe, expect, it } from 'vitest'
import { LEVELS } from '#protocol/levels.ts'
import { LevelTracker } from './level.ts'

const LINES: [line: string, level: string][] = [
  // JSON
  ['{"level":"warn","msg":"slow"}', 'WARN'],
  ['{"time":"2024-01-01T12:00:00Z", "level" : "error", "msg":"x"}', 'ERROR'],
  ['{"severity":"CRITICAL","message":"x"}', 'CRITICAL'],
  ['{"level":30,"time":1700000000000,"msg":"pino"}', 'INFO'],
  ['{"level":50,"time":1700000000000,"msg":"pino"}', 'ERROR'],
  ['{"@timestamp":"2024-01-01","log.level":"DEBUG","message":"ecs"}', 'DEBUG'],
  ['{"levelname": "WARNING", "message": "python-json-logger"}', 'WARN'],
  ['{"msg":"level\\":\\"error","level":"info"}', 'INFO'],
  ['{"game":{"level":"error"},"msg":"nested fields are not the line\'s level"}', 'INFO'],
  ['{"msg":"ERROR: in text only"}', 'INFO'],
  // logfmt
  ['time="2024-01-01T12:00:00Z" level=warning msg="slow query"', 'WARN'],
  ['ts=2024-01-01T12:00:00Z caller=main.go:1 level=error err="boom"', 'ERROR'],
  ['level="debug" msg=x', 'DEBUG'],
  ['severity=fatal msg=x', 'CRITICAL'],
  // Python
  ['2024-01-01 12:00:00,123 - my.module - ERROR - it broke', 'ERROR'],
  ['2024-01-01 12:00:00,123 DEBUG [app.db] query', 'DEBUG'],
  ['WARNING:root:watch out', 'WARN'],
  ['CRITICAL:app.core:gone', 'CRITICAL'],
  ['2024-01-01 12:00:00.000 | WARNING  | app:main:12 - loguru', 'WARN'],
  ['Traceback (most recent call last):', 'ERROR'],
  ['ValueError: invalid literal', 'ERROR'],
  ['requests.exceptions.ConnectionError: refused', 'ERROR'],
  ['DeprecationWarning: x is deprecated', 'INFO'],
  // Java, log4j, Spring, Maven, Gradle
  ['2024-01-01 12:00:00.123  WARN 4711 --- [           main] o.s.b.Foo : msg', 'WARN'],
  ['12:00:00.123 [main] ERROR com.example.Foo - failed', 'ERROR'],
  ['[INFO] Building keruta 1.0', 'INFO'],
  ['[ERROR] Failed to execute goal', 'ERROR'],
  ['[WARNING] deprecated', 'WARN'],
  ['SEVERE: Servlet failed', 'ERROR'],
  ['java.lang.IllegalStateException: bad', 'ERROR'],
  ['Exception in thread "main" java.lang.Error', 'ERROR'],
  // Rust
  ['2024-01-01T12:00:00.000000Z  WARN my_crate::db: slow', 'WARN'],
  [
    '\u001b[2m2024-01-01T12:00:00.000000Z\u001b[0m \u001b[31mERROR\u001b[0m \u001b[2mcrate\u001b[0m: boom',
    'ERROR',
  ],
  ['[2024-01-01T12:00:00Z DEBUG my_crate] env_logger', 'DEBUG'],
  ['error[E0308]: mismatched types', 'ERROR'],
  ['warning: unused variable: `x`', 'WARN'],
  ["thread 'main' panicked at src/main.rs:2:5:", 'CRITICAL'],
  // Go
  ['E0102 15:04:05.000000   12345 file.go:12] klog', 'ERROR'],
  ['W0102 15:04:05.000000   12345 file.go:12] klog', 'WARN'],
  ['I0102 15:04:05.000000   12345 file.go:12] klog', 'INFO'],
  ['F20240102 15:04:05.000000 12345 file.cc:12] glog', 'CRITICAL'],
  ['2024-01-01T12:00:00.000Z\tinfo\tmain.go:10\tzap', 'INFO'],
  ['2024-01-01T12:00:00.000Z\terror\tmain.go:10\tzap', 'ERROR'],
  ['3:04PM WRN zerolog console', 'WARN'],
  ['panic: runtime error: index out of range', 'CRITICAL'],
  ['--- FAIL: TestThing (0.00s)', 'ERROR'],
  // syslog
  ['<11>Jan  2 15:04:05 host app: user.err', 'ERROR'],
  ['<15>Jan  2 15:04:05 host app: user.debug', 'DEBUG'],
  ['<165>1 2003-10-11T22:14:15.003Z host app - - local4.notice', 'INFO'],
  ['Jan 02 15:04:05 myhost myprog[12]: ERROR: disk', 'ERROR'],
  // Node, npm, browsers' tools
  ['npm ERR! code ENOENT', 'ERROR'],
  ['npm error code ENOENT', 'ERROR'],
  ['npm warn deprecated foo@1.0.0', 'WARN'],
  ['warning package.json: No license field', 'INFO'],
  ['warning " > react@17" has unmet peer dependency', 'WARN'],
  ['error An unexpected error occurred', 'ERROR'],
  ['TypeError: x is not a function', 'ERROR'],
  ['warn  - Fast Refresh had to reload', 'WARN'],
  ['FAIL src/x.test.ts', 'ERROR'],
  // compilers, make, servers
  ['main.c:10:5: error: expected ;', 'ERROR'],
  ['main.c:10:5: warning: unused variable', 'WARN'],
  ['main.c:1:10: fatal error: foo.h: No such file or directory', 'ERROR'],
  ['make: *** [Makefile:2: all] Error 1', 'ERROR'],
  ['2024/01/01 12:00:00 [error] 123#0: *1 open() failed', 'ERROR'],
  ['[Mon Jan 01 12:00:00.000 2024] [core:error] [pid 1] apache', 'INFO'],
  ['fatal: not a git repository', 'CRITICAL'],
  ['PHP Warning:  Undefined variable', 'WARN'],
  ['E, [2024-01-01T12:00:00.000000 #123] ERROR -- : ruby', 'ERROR'],
  ['info: Microsoft.Hosting.Lifetime[0]', 'INFO'],
  ['fail: Microsoft.AspNetCore[13]', 'ERROR'],
  ['E/ActivityManager(  123): logcat', 'ERROR'],
  ['::error file=app.js,line=1::Missing semicolon', 'ERROR'],
  ['##[warning]Deprecated', 'WARN'],
  ['Error: Cannot find module', 'ERROR'],
  ['[warn] something', 'WARN'],
  ['[ WARN] padded', 'WARN'],
  ['[DEBUG ] padded', 'DEBUG'],
  ['TRACE entering', 'DEBUG'],
  ['FATAL out of memory', 'CRITICAL'],
  // misleading
  ['0 errors', 'INFO'],
  ['Found 0 errors, 0 warnings', 'INFO'],
  ['0 ERROR lines', 'INFO'],
  ['error_count=0', 'INFO'],
  ['errors: 0', 'INFO'],
  ['Errors: 0, Warnings: 2', 'INFO'],
  ['error: 0', 'INFO'],
  ['Last error: none', 'INFO'],
  ['no errors were found', 'INFO'],
  ['Set the ERROR flag in the register', 'INFO'],
  ['ERROR_LOG=/var/log/error.log', 'INFO'],
  ['--log-level error', 'INFO'],
  ['GET /error/warning HTTP/1.1', 'INFO'],
  ['error-prone code is compiled', 'INFO'],
  ['/usr/lib/error.js', 'INFO'],
  ['handling of errors and warnings: done', 'INFO'],
  ['tests passed in the debug build', 'INFO'],
  ['info about warnings', 'INFO'],
  ['<error>not a level</error>', 'INFO'],
  ['game level=5 reached', 'INFO'],
  ['', 'INFO'],
  ['   ', 'INFO'],
]

describe('the level of a line', () => {
  it.each(LINES)('%j is %s', (line, level) => {
    expect(levels([line])).toEqual([level])
  })

  it('falls back to the default of the source', () => {
    expect(levels(['plain text'], 3)).toEqual(['ERROR'])
    expect(levels(['INFO:root:python logs to stderr'], 3)).toEqual(['INFO'])
  })
})

describe('lines that belong to the line before', () => {
  it('inherit its level in a Java stack trace', () => {
    expect(
      levels([
        '12:00:00 [main] WARN Foo - retrying',
        'java.io.IOException: reset',
        '\tat com.example.Foo.bar(Foo.java:12)',
        'Caused by: java.net.SocketException: reset',
        '\t... 12 more',
        'plain again',
      ]),
    ).toEqual(['WARN', 'WARN', 'WARN', 'WARN', 'WARN', 'INFO'])
  })

  it('inherit its level in a Python traceback and a Rust warning', () => {
    expect(
      levels(['Traceback (most recent call last):', '  File "x.py", line 1, in <module>', 'KeyError: 1']),
    ).toEqual(['ERROR', 'ERROR', 'ERROR'])
    expect(levels(['warning: unused', ' --> src/main.rs:2:9', '  |', '', '   Compiling x'])).toEqual([
      'WARN',
      'WARN',
      'WARN',
      'INFO',
      'INFO',
    ])
  })
})

function levels(lines: string[], fallback?: number): string[] {
  const tracker = new LevelTracker(fallback)
  return lines.map(line => {
    const bytes = new TextEncoder().encode(`${line}\nERROR`)
    return LEVELS[tracker.levelOf(bytes, 0, bytes.length - 6)]!
  })
}
