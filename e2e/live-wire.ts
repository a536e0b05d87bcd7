import type { Page, WebSocketRoute } from '@playwright/test'

/** Stands on the wire between a page and the server's live events, and can spoil it. */
export class LiveWire {
  /** Text frames that the page has sent. */
  readonly sent: string[] = []
  /** What becomes of a text frame from the server: this one, another, or none. */
  onFrame: (frame: string) => string | undefined = frame => frame
  #cut = false
  #socket: WebSocketRoute | undefined

  /** To be called before the page is opened. */
  static async attach(page: Page): Promise<LiveWire> {
    const wire = new LiveWire()
    await page.routeWebSocket(/\/socket\.io\//, socket => wire.#connect(socket))
    return wire
  }

  /** Ends the connection, and lets none be made. */
  cut(): void {
    this.#cut = true
    void this.#socket?.close()
  }

  mend(): void {
    this.#cut = false
  }

  /** Sends the page an event as the server would. */
  emit(event: string, value: object): void {
    this.#socket?.send(eventFrame(event, value))
  }

  #connect(socket: WebSocketRoute): void {
    if (this.#cut) return void socket.close()
    this.#socket = socket
    const server = socket.connectToServer()
    socket.onMessage(message => {
      if (typeof message === 'string') this.sent.push(message)
      server.send(message)
    })
    server.onMessage(message => {
      const frame = typeof message === 'string' ? this.onFrame(message) : message
      if (frame !== undefined) socket.send(frame)
    })
  }
}

/** An event as Socket.IO writes it. */
export const eventFrame = (event: string, value: object): string => `42${JSON.stringify([event, value])}`
