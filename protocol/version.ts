/** Version of the wire contract; servers announce it in `subscribed` and `welcome` frames and in `/healthz`. */
export const PROTOCOL_VERSION = 1
