/** What a local server's Worker and the relay of its webhooks say to each other: whom to send to, and what was answered. */
export const TARGET = 'x-palimpsest-target'
export const STATUS = 'x-palimpsest-status'
