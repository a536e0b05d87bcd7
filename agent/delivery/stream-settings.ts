import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { StreamSettings } from './log-stream.ts'

/** Where and how lines go, by the settings. */
export function streamSettings(config: Config): StreamSettings {
  return {
    spoolDir: spoolDir(config),
    spoolTrouble: config.homeTrouble,
    spoolMaxBytes: config.spoolMaxMb * 1_048_576,
    apiUrl: config.apiUrl,
    websocketUrl: config.websocketUrl ?? `${config.apiUrl.replace(/^http/, 'ws')}/ws/tasks`,
    bufferLines: config.bufferSize,
    batchLines: config.batchSize,
    flushIntervalMs: config.flushIntervalMs,
    reconnectMs: config.reconnectMs,
    retryMs: config.retryIntervalMs,
    maxReconnectAttempts: config.maxReconnectAttempts,
  }
}

export function spoolDir(config: Config): string {
  return join(config.home, 'spool')
}
