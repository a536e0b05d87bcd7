interface AgentWords {
  /** `run` counts from 1 within the agent's process; absent where it says none. */
  on(host: string, pid: string, run: string | undefined): string
}

const RUN = /^(.+):(\d+)(?:-\w+)?(?:\/(\d+))?$/

/** An agent's id, `host:pid-mark/run`, in words; ids of another form as they are. */
export function agentInWords(agentId: string, words: AgentWords): string {
  const found = RUN.exec(agentId)
  return found ? words.on(found[1] ?? '', found[2] ?? '', found[3]) : agentId
}
