import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { type FeedState, LogFeed } from '../../lib/log-feed.ts'
import { filterParams, type LogQuery } from '../../lib/log-url.ts'
import { liveSocket } from '../../lib/socket.ts'
import { lineOfHash } from './line-hash.ts'

/** The feed of a task's log under a query; opened at the line of the address, or at the end. */
export function useLogFeed(taskId: string, query: LogQuery): [LogFeed, FeedState] {
  const filter = JSON.stringify(filterParams(query))
  // biome-ignore lint/correctness/useExhaustiveDependencies: `filter` says all of `query` that matters
  const feed = useMemo(() => new LogFeed(taskId, query, liveSocket()), [taskId, filter])
  useEffect(() => {
    void feed.start(lineOfHash(location.hash)?.from)
    return () => feed.stop()
  }, [feed])
  return [feed, useSyncExternalStore(feed.subscribe, feed.snapshot, feed.snapshot)]
}
