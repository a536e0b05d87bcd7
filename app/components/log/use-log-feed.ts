import { type RefObject, useEffect, useMemo, useSyncExternalStore } from 'react'
import type { FeedState } from '../../lib/feed-state.ts'
import { LogFeed } from '../../lib/log-feed.ts'
import { filterParams, type LogQuery } from '../../lib/log-url.ts'
import { liveSocket } from '../../lib/socket.ts'

/** The feed of a task's log under a query; opened at the line that `place` holds then, or at the end. */
export function useLogFeed(
  taskId: string,
  query: LogQuery,
  place: RefObject<number | undefined>,
): [LogFeed, FeedState] {
  const filter = JSON.stringify(filterParams(query))
  // biome-ignore lint/correctness/useExhaustiveDependencies: `filter` says all of `query` that matters
  const feed = useMemo(() => new LogFeed(taskId, query, liveSocket()), [taskId, filter])
  useEffect(() => {
    void feed.start(place.current)
    return () => feed.stop()
  }, [feed, place])
  return [feed, useSyncExternalStore(feed.subscribe, feed.snapshot, feed.snapshot)]
}
